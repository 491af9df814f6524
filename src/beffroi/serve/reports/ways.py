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
from beffroi.serve.reports.obstacle_rules import obstacle_rule
from beffroi.serve.reports.trust import is_trusted

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

    Every obstacle that everybody may read of is met: it closes the way once the town's rule says so
    (`Obstacle.counts`), until then it only costs. One held back, joined to another, closed, faded, or put in a category
    that routes do not meet, is not.
    """
    row = Report.objects.select_related("case__lead").get(pk=case_id)
    info = case_queries.case_info(row.case, Sight.WORKER)
    rule = _rule_of(info)
    if rule is None:
        _forget(info.number, at)
    else:
        _tell(info, rule, at)


def _rule_of(info: CaseInfo) -> Obstacle | None:
    rule = obstacle_rule(info.territory, info.category)
    return rule if rule is not None and rule.route else None


def _tell(info: CaseInfo, rule: Obstacle, at: datetime) -> None:
    row = Report.objects.get(pk=info.id)
    faded = row.expires_at is not None and row.expires_at <= at
    kind = rule.route if is_sure(info, rule, at=at) else rule.doubtful
    if not info.is_open or info.lead or info.access is not Access.PUBLIC or faded or not kind:
        _forget(info.number, at)
        return
    known = open_categories(info.territory)[info.category]
    mobility.obstacle_at(
        territory=info.territory,
        subject=_subject(info.number),
        kind=kind,
        lon=row.lon,
        lat=row.lat,
        starts_at=info.opened_at,
        until=row.expires_at,
        label=", ".join(filter(None, (known.category.label, row.street))),
        at=at,
    )


def is_sure(info: CaseInfo, rule: Obstacle, *, at: datetime) -> bool:
    """Tell whether enough is known of an obstacle, as the town's rule asks.

    Its author does not confirm her own; her word is enough when the town trusts her, and so is a service's taking it.
    """
    if rule.counts == "at-once" or info.status in _LOOKED_AT:
        return True
    makers = case_queries.makers_of(info.id)
    if any(is_trusted(info.territory, person, at=at) for person in makers):
        return True
    seen = Confirmation.objects.filter(report=info.id, still_there=True).exclude(person__in=makers)
    if seen.filter(trusted=True).exists():
        return True
    if rule.counts == "trusted":
        return False
    origin = Origin.objects.filter(report=info.id).values_list("device", flat=True).first()
    return (seen.exclude(device=origin) if origin else seen).count() >= rule.seen_votes


def _forget(number: str, at: datetime) -> None:
    with suppress(mobility.ObstacleNotFound):
        mobility.end_obstacle(subject=_subject(number), at=at)


def _subject(number: str) -> str:
    return f"report:{number}"
