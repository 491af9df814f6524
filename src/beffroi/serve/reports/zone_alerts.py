"""The zone alerts in force in a town, for everyone to read: on their page, in their feed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import shapely
from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import NotFound
from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.events import subject_of
from beffroi.serve.reports import events
from beffroi.serve.reports.models import Report, ZoneAlert

MOST = 100


class NoAlert(NotFound):
    """No alert of this report is in force."""


@dataclass(frozen=True, slots=True)
class ZoneAlertInfo:
    """An alert in force. `zone` is a GeoJSON polygon, CRS84; `number` its report's, which may be a restricted one."""

    id: int
    number: str
    title: str
    text: str
    severity: str
    zone: str
    raised_at: datetime
    until: datetime


def keep_alert(
    *, number: str, title: str, text: str, severity: str, zone: shapely.Polygon, until: datetime, at: datetime
) -> int:
    """Keep an alert for everyone to read until it ends, and return its number; for this package."""
    report = Report.objects.select_related("case").get(pk=case_queries.case_id_of(number))
    west, south, east, north = zone.bounds
    row = ZoneAlert.objects.create(
        territory=report.case.territory, report=report, title=title, text=text, severity=severity,
        zone_wkb=shapely.to_wkb(zone), west=west, south=south, east=east, north=north, raised_at=at, until=until,
    )  # fmt: skip
    return int(row.pk)


@transaction.atomic
def end_alerts(*, number: str, by: Viewer, at: datetime) -> None:
    """End the alerts raised from a report, before their hour; its history keeps a note of it.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        NoAlert: none is in force.
    """
    info = case_queries.case(by, number)
    cases.require_worker(number=number, by=by)
    ended = ZoneAlert.objects.filter(report=info.id, until__gt=at).update(until=at)
    if not ended:
        raise NoAlert("aucune alerte de ce signalement n’est en cours", where=number, remedy="rechargez la page")
    record(
        kind=events.ALERT_ENDED,
        subject=subject_of(info.number),
        payload={"number": info.number},
        actor=by.person_id,
        territory=info.territory,
        at=at,
    )
    cases.add_note(number=number, text="Alerte de zone terminée.", by=by, at=at)


def is_over(alert_id: int, *, at: datetime) -> bool:
    """Tell whether an alert is over at that instant, by its hour or because an agent ended it; one that is gone is."""
    return not ZoneAlert.objects.filter(pk=alert_id, until__gt=at).exists()


def alerts_in_force(territory: str, *, at: datetime, bbox: BBox | None = None, number: str = "") -> list[ZoneAlertInfo]:
    """Return the alerts of a town that are in force, the last first.

    Args:
        bbox: only those whose zone meets it. number: only those raised from that report.
    """
    rows = ZoneAlert.objects.filter(territory=territory, until__gt=at)
    if bbox is not None:
        rows = rows.filter(west__lte=bbox.east, east__gte=bbox.west, south__lte=bbox.north, north__gte=bbox.south)
    if number:
        rows = rows.filter(report=case_queries.case_id_of(number))
    return [
        ZoneAlertInfo(
            int(row.pk),
            case_queries.number_of(row.report_id),
            row.title,
            row.text,
            row.severity,
            str(shapely.to_geojson(shapely.from_wkb(bytes(row.zone_wkb)))),
            row.raised_at,
            row.until,
        )
        for row in rows.order_by("-pk")[:MOST]
    ]
