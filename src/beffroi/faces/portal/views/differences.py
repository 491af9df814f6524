"""What changed in a dataset between two dates, for people."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.numbers import whole_number
from beffroi.faces.portal.views.datasets import dataset_detail, dataset_page
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.lake import queries as lake
from beffroi.lake.queries import Change, Seen

PAGE = 50


class BadDate(BeffroiError):
    """A date of the form that cannot be read."""


@open_to(EVERYONE)
@require_safe
def differences(request: HttpRequest, territory: str, slug: str) -> HttpResponse:
    """Show what was added, removed and changed from the end of day `du` to the end of day `au`."""
    request = cast(Request, request)
    ref, detail = dataset_detail(request, territory, slug)
    oldest, newest = detail.versions[-1].created_at, detail.versions[0].created_at
    values = {
        "du": request.GET.get("du") or _day(detail.versions[min(1, len(detail.versions) - 1)].created_at),
        "au": request.GET.get("au") or _day(newest),
    }
    context: dict[str, Any] = {"values": values, "oldest": oldest, "only_one": len(detail.versions) == 1}
    seen = lake.seen_dataset(request.viewer, ref)
    try:
        before, after = (_at_end_of(seen, values[name], name) for name in ("du", "au"))
        offset = _offset(request.GET.get("debut", "0"))
        found = lake.differences_between(before, after, limit=PAGE, offset=offset)
    except lake.DatasetNotFound:
        raise
    except BeffroiError as error:
        response = dataset_page(request, "dataset-differences", detail, problem=error, **context)
        response.status_code = error.http_status
        return response
    titles = {column.key: column.title for column in detail.columns} | {"geometry": _("Forme")}
    context |= {
        "found": found,
        "before": before,
        "after": after,
        "rows": [_shown(one, titles) for one in found.page],
        "size": PAGE,
        "first": offset + 1,
        "last": offset + len(found.page),
    }
    return dataset_page(request, "dataset-differences", detail, **context)


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)


def _day(moment: datetime) -> str:
    return moment.astimezone(_zone()).date().isoformat()


def _at_end_of(seen: Seen, text: str, name: str) -> Seen | None:
    """Return the dataset as it was at the end of a day, None when there was nothing yet."""
    try:
        day = date.fromisoformat(text)
        until = datetime.combine(day + timedelta(days=1), time.min, _zone()) - timedelta(seconds=1)
    except (ValueError, OverflowError) as error:
        raise BadDate(
            "date « {text} » illisible", where=name, remedy="écrivez AAAA-MM-JJ, par exemple 2026-11-25", text=text[:40]
        ) from error
    version = lake.version_valid(seen, until=until.astimezone(UTC))
    return None if version is None else seen.at(version)


def _offset(text: str) -> int:
    return whole_number(text) or 0


def _shown(change: Change, titles: dict[str, str]) -> dict[str, Any]:
    properties: dict[str, Any] = json.loads(change.body).get("properties", {})
    told = [f"{titles.get(key, key)} : {value}" for key, value in properties.items() if value is not None]
    return {
        "id": change.id,
        "kind": change.kind,
        "columns": ", ".join(titles.get(key, key) for key in change.columns),
        "told": " · ".join(told[:4]),
    }
