"""The queue as a file: the reports of the filters in force, for a spreadsheet; nobody's name nor contact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from beffroi.base.territory.viewer import Viewer
from beffroi.faces.shell.requests import state_of
from beffroi.faces.shell.sheets import sheet_response
from beffroi.serve.reports import queries
from beffroi.serve.reports.queries import ReportFilter, ReportInfo

AT_ONCE, MOST_PAGES = 1000, 10
HEADS = (
    "numero", "categorie", "etat", "service", "recu", "echeance", "en_retard", "prevu", "clos", "rouvertures",
    "habitants", "adresse", "quartier", "latitude", "longitude", "objet", "description", "reponse",
)  # fmt: skip


def queue_sheet(
    viewer: Viewer, territory: str, wanted: ReportFilter, *, names: Mapping[str, str], at: datetime
) -> HttpResponse:
    """Return the queue of the viewer's services as a CSV file, its ten thousand most pressing at most."""

    def rows() -> Iterator[tuple[object, ...]]:
        for page in range(1, MOST_PAGES + 1):
            found = queries.queue(viewer, territory, wanted, at=at, page=page, size=AT_ONCE)
            yield from (_row(one, names, at) for one in found.items)
            if not found.has_more:
                return

    return sheet_response(f"file-{timezone.localdate(at)}.csv", HEADS, rows())


def _row(info: ReportInfo, names: Mapping[str, str], at: datetime) -> tuple[object, ...]:
    case = info.case
    return (
        info.number, _(info.label), state_of(case), names.get(case.service, case.service), _moment(case.opened_at),
        _moment(case.due_at), int(case.is_late(at)), case.planned_on, _moment(case.closed_at), case.reopened,
        info.reporters, info.address or info.street, info.district, round(info.lat, 6), round(info.lon, 6),
        f"{info.dataset}/{info.feature}" if info.dataset else "", case.description, case.answer,
    )  # fmt: skip


def _moment(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""
