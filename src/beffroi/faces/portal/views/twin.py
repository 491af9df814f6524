"""The model of the town: what it is made of, which buildings have their real roofs, and how to take it away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import operations, queries
from beffroi.faces.portal.directory import public_service, territory_of
from beffroi.faces.portal.mapping import shown_title
from beffroi.faces.portal.sheets import name_column
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetSummary
from beffroi.sense.twin import queries as twin
from beffroi.sense.twin.engine import ENGINE

MODEL_ID = "7-01"
PAGES = {"model": "portal:twin", "life": "portal:buildings", "stock": "backoffice:landlords"}
MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Listed:
    """A building with its real roofs: its name, where its sheet and the map are (degrees), its height in metres."""

    id: str
    name: str
    summary: DatasetSummary
    height_m: float | None
    lon: float
    lat: float


@open_to(EVERYONE)
@require_safe
def model(request: HttpRequest) -> HttpResponse:
    """Show what the model is made of, its detailed buildings as a list, and its downloads."""
    request = cast(Request, request)
    code = territory_of(request)
    if code:
        audience = queries.audience_of(request.viewer, code)
        operations.count_use(MODEL_ID, code, timezone.now(), audience=audience)
    known = twin.sources(request.viewer, code) if code else None
    listed = [one for summary in (known.detailed if known else ()) for one in _listed(request, summary)]
    context: dict[str, Any] = {
        "code": code,
        "blocks": known.footprints if known else None,
        "blocks_title": shown_title(known.footprints) if known and known.footprints else "",
        "detailed": [(one, shown_title(one)) for one in known.detailed] if known else [],
        "listed": listed[:MOST_LISTED],
        "more": sum(one.rows for one in known.detailed) - MOST_LISTED if known else 0,
        "terrain": lake.relief(code) if code else None,
        "colours": _colours(request, code) if known and known.footprints else [],
    }
    return render(request, "portal/twin.html", context)


def _colours(request: Request, code: str) -> list[tuple[str, str]]:
    """Return the title of each colouring that the use case offers of what the reader may see, and how it is asked."""
    settings = queries.use_case(MODEL_ID, territory=code).use_case.settings.get(ENGINE)
    seen = {one.ref.slug: one for one in lake.datasets(request.viewer, territory=code)}
    return [
        (_(one.title), f"couche={one.dataset}&colonne={one.column}")
        for one in (settings.colours if settings else ())
        if one.dataset in seen
        and any(column.key == one.column for column in lake.dataset(request.viewer, seen[one.dataset].ref).columns)
    ]


@open_to(EVERYONE)
@require_safe
def door(request: HttpRequest, use_case: str) -> HttpResponse:
    """Lead to the page where a use case of the model is used."""
    found = public_service(cast(Request, request), use_case)
    settings = found.use_case.settings.get(ENGINE)
    shows = getattr(settings, "shows", "model")
    return redirect(PAGES[shows])


def _listed(request: Request, summary: DatasetSummary) -> list[Listed]:
    named = name_column(lake.dataset(request.viewer, summary.ref, version=summary.version).columns)
    page = lake.features(request.viewer, summary.ref, version=summary.version, limit=MOST_LISTED)
    found = []
    for body in page.features:
        one = twin.footprint_of(summary.ref, body)
        if one is None or not one.surfaces:
            continue
        at = one.shape.representative_point()
        name = str(one.values.get(named.key) or "") if named else ""
        height = one.values.get("hauteur")
        found.append(Listed(one.id, name, summary, height if isinstance(height, int | float) else None, at.x, at.y))
    return sorted(found, key=lambda one: (not one.name, one.name, one.id))
