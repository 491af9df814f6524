"""Obstacles people report change routes at once: told to `sense/mobility` in the same transaction."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from beffroi.sense.mobility import operations as mobility
from beffroi.serve.cases import events
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Access, Sight, Status
from beffroi.serve.cases.queries import CaseInfo
from beffroi.serve.reports.categories import Obstacle, open_categories
from beffroi.serve.reports.models import Confirmation, Origin, Report
from beffroi.serve.reports.trust import trust_level

_LOOKED_AT = frozenset({Status.ACCEPTED, Status.WAITING, Status.SCHEDULED})
# The other moves leave an obstacle where it is.
CONCERNED = frozenset(
    {
        *(events.OPENED, events.HELD, events.RELEASED, events.CLOSED, events.REOPENED, events.JOINED, events.PARTED),
        # A service that takes it in charge has looked at it.
        *(events.ACCEPTED, events.SCHEDULED),
    }
)


def follow_move(info: CaseInfo, kind: str, at: datetime) -> None:
    """Have routes meet, or forget, the obstacle of a report that changes state, in the caller's transaction."""
    if kind in CONCERNED and (rule := _rule_of(info)) is not None:
        _tell(info, rule, at)


def tell_routes(case_id: int, *, at: datetime) -> None:
    """Have routes know a report as it now stands, in the caller's transaction.

    Every obstacle that everybody may read of counts, once its category says so (`Obstacle.counts`); one held back,
    joined to another, closed, faded, or put in a category that routes do not meet, does not.
    """
    row = Report.objects.select_related("case__lead").get(pk=case_id)
    info = case_queries.case_info(row.case, Sight.WORKER)
    rule = _rule_of(info)
    if rule is None:
        _forget(info.number, at)
    else:
        _tell(info, rule, at)


def _rule_of(info: CaseInfo) -> Obstacle | None:
    known = open_categories(info.territory).get(info.category)
    rule = known.category.obstacle if known else None
    return rule if rule is not None and rule.route else None


def _tell(info: CaseInfo, rule: Obstacle, at: datetime) -> None:
    row = Report.objects.get(pk=info.id)
    faded = row.expires_at is not None and row.expires_at <= at
    if not info.is_open or info.lead or info.access is not Access.PUBLIC or faded or not _counts(row, info, rule):
        _forget(info.number, at)
        return
    known = open_categories(info.territory)[info.category]
    mobility.obstacle_at(
        territory=info.territory,
        subject=_subject(info.number),
        kind=rule.route,
        lon=row.lon,
        lat=row.lat,
        starts_at=info.opened_at,
        until=row.expires_at,
        label=", ".join(filter(None, (known.category.label, row.street))),
        at=at,
    )


def _counts(row: Report, info: CaseInfo, rule: Obstacle) -> bool:
    """Tell whether enough is known of an obstacle for routes to meet it, as its category asks.

    Its author does not confirm her own; her word is enough when the town trusts her, and so is a service's taking it.
    """
    if rule.counts == "at-once" or info.status in _LOOKED_AT:
        return True
    makers = case_queries.makers_of(row.case_id)
    if any(trust_level(info.territory, person) > 0 for person in makers):
        return True
    seen = Confirmation.objects.filter(report=row, still_there=True).exclude(person__in=makers)
    if rule.counts == "trusted":
        return seen.filter(trusted=True).exists()
    origin = Origin.objects.filter(report=row).values_list("device", flat=True).first()
    return (seen.exclude(device=origin) if origin else seen).exists()


def _forget(number: str, at: datetime) -> None:
    with suppress(mobility.ObstacleNotFound):
        mobility.end_obstacle(subject=_subject(number), at=at)


def _subject(number: str) -> str:
    return f"report:{number}"
