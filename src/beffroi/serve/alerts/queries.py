"""What one may ask of alerts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import shapely
from django.db.models import Count, Max, Q, QuerySet

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import AGENTS, Viewer
from beffroi.serve.alerts.audience import inside
from beffroi.serve.alerts.definition import LAST_KEPT, AlertInfo, Content, alert_not_found, content_of
from beffroi.serve.alerts.models import DRAFT, MAIL, PLANNED, WAITING, Alert, Delivery, Issue
from beffroi.serve.cases.ground import DISTRICT_KIND

MOST = 200


def in_force(
    territory: str, *, at: datetime, bbox: BBox | None = None, topic: str = "", district: str = ""
) -> list[AlertInfo]:
    """Return the alerts of a town in force, the last sent first; messages too. One query.

    Args:
        bbox: only those whose zone meets it; the whole town always does.
        topic, district: only those about that topic, those that meet that district.
    """
    if not territory:
        return []
    rows = Alert.objects.filter(territory=territory, ended_at=None, rank__gt=0, until__gt=at)
    if bbox is not None:
        near = Q(west__lte=bbox.east, east__gte=bbox.west, south__lte=bbox.north, north__gte=bbox.south)
        rows = rows.filter(Q(west=None) | near)
    found = [_public(row) for row in rows.order_by("-sent_at", "-pk")[:MOST]]
    found = [one for one in found if topic in ("", one.content.topic)]
    return [one for one in found if concerns_district(one, district)] if district else found


def concerns_district(info: AlertInfo, district: str) -> bool:
    """Tell whether an alert is about the whole town, or meets a district (its slug)."""
    shape = inside(info.content.shape)
    if shape is None or district in info.content.districts:
        return True
    known = territories.zones(info.territory, DISTRICT_KIND)
    return any(one.slug == district and bool(shapely.from_wkb(one.shape).intersects(shape)) for one in known)


def past(territory: str, *, at: datetime, limit: int = 50) -> list[AlertInfo]:
    """Return the alerts of a town that are over, within a year, the last first."""
    rows = Alert.objects.filter(territory=territory, rank__gt=0, sent_at__gt=at - LAST_KEPT)
    rows = rows.filter(Q(until__lte=at) | ~Q(ended_at=None))
    return [_public(row) for row in rows.order_by("-sent_at", "-pk")[:limit]]


def sent_alert(territory: str, number: int) -> AlertInfo:
    """Return an alert that was sent, in force or over, as everyone may read it.

    Raises:
        AlertNotFound: none of this town was sent under that number.
    """
    row = Alert.objects.filter(territory=territory, pk=number, rank__gt=0).first()
    if row is None:
        raise alert_not_found()
    return _public(row)


def issues(number: int) -> list[tuple[int, str, datetime, Content]]:
    """Return what was sent of an alert, the first first: rank, kind, when, what."""
    rows = Issue.objects.filter(alert=number).order_by("rank")
    return [(row.rank, row.kind, row.sent_at, content_of(row.content)) for row in rows]


def watched_alerts(viewer: Viewer, territory: str) -> list[AlertInfo]:
    """Return all the alerts of a town to its agents, what is being written first; none to others."""
    if AGENTS not in viewer.clearances(territory):
        return []
    rows = list(Alert.objects.filter(territory=territory).order_by("-changed_at", "-pk")[:MOST])
    return sorted(map(alert_info, rows), key=lambda one: one.state not in (DRAFT, WAITING, PLANNED))


def waiting_count(viewer: Viewer, territory: str) -> int:
    """Return how many alerts wait for the viewer's agreement."""
    if viewer.person_id is None or AGENTS not in viewer.clearances(territory):
        return 0
    rows = Alert.objects.filter(territory=territory, state=WAITING)
    return rows.exclude(author=viewer.person_id).exclude(asker=viewer.person_id).count()


def alert(viewer: Viewer, number: int) -> AlertInfo:
    """Return an alert as agents write it.

    Raises:
        AlertNotFound: none of a town the viewer works for.
    """
    row = Alert.objects.filter(pk=number).first()
    if row is None or AGENTS not in viewer.clearances(row.territory):
        raise alert_not_found()
    return alert_info(row)


def of_report(territory: str, number: str, *, at: datetime) -> list[AlertInfo]:
    """Return what a report raised that is in force, or about to leave."""
    rows = Alert.objects.filter(territory=territory, report=number, ended_at=None).exclude(until__lte=at)
    return [alert_info(row) for row in rows.order_by("-pk")]


def told_by_channel(number: int) -> dict[str, tuple[int, int]]:
    """Return, by channel, how many were told of an alert and how many still wait; people, not messages."""
    rows = (
        Delivery.objects.filter(issue__alert=number)
        .order_by()
        .values("channel")
        .annotate(told=Count("who", filter=Q(sent=True), distinct=True), waiting=Count("pk", filter=Q(done_at=None)))
    )
    return {row["channel"]: (row["told"], row["waiting"]) for row in rows}


def told_mails(number: int) -> int:
    """Return how many addresses were written to about an alert."""
    return told_by_channel(number).get(MAIL, (0, 0))[0]


def changed_at(territory: str) -> datetime | None:
    """Return when the alerts of a town last changed."""
    return Alert.objects.filter(territory=territory, rank__gt=0).aggregate(last=Max("changed_at"))["last"]


def sent_rows(territory: str) -> QuerySet[Alert]:
    """Return the alerts that were sent, for this package."""
    return Alert.objects.filter(territory=territory, rank__gt=0)


def _public(row: Alert) -> AlertInfo:
    return replace(alert_info(row), content=content_of(row.issued or {}))


def alert_info(row: Alert) -> AlertInfo:
    """Return what a row of this room is, for its other modules."""
    return AlertInfo(
        id=int(row.pk), territory=row.territory, content=content_of(row.content), state=row.state, rank=row.rank,
        origin=row.report, sent_at=row.sent_at, changed_at=row.changed_at, ended_at=row.ended_at, goes_at=row.goes_at,
        author=row.author_id, asker=row.asker_id, approver=row.approver_id, reason=row.reason,
    )  # fmt: skip
