"""How many, how fast, how often in time: in all, or by category, district, service or month.

A delay goes from the intake to the closing, in hours; reports not closed yet have none. Reports merged into another
are counted as received, not as closed. What was found abusive is counted nowhere.

Restricted reports enter the figures of other officials by whole bricks: a month that is over, a category, a service. A
brick of less than `THRESHOLD` reports is in no figure, whatever the period and the sorting: subtracting two figures
gives a sum of bricks, never a report.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from django.db.models import Q

from beffroi.base.clock import queries as clock
from beffroi.base.territory.viewer import Role, Viewer
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import NEVER, OPEN, Access, Outcome, Status
from beffroi.serve.reports.categories import open_categories
from beffroi.serve.reports.models import Report

By = Literal["all", "category", "district", "service", "month"]
# Restricted reports are counted for the town's officials from this number on, never by place; for the public, never.
# Source: Insee, « Guide du secret statistique » (2023): no figure about fewer than eleven households.
THRESHOLD = 11
_FIELDS = (
    "case__category", "district", "case__service", "case__access",
    "case__opened_at", "case__status", "case__closed_at", "case__due_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StatLine:
    """The figures of one group. Delays are hours from intake to closing; shares go from 0 to 1; None: nothing to tell.

    `reporters` are counted by `queries.report`; here a merged report is one more `received`.
    """

    key: str
    label: str
    received: int
    open: int
    closed: int
    late: int
    median_h: float | None
    ninth_decile_h: float | None
    within_due: float | None


@dataclass(slots=True)
class _Group:
    received: int = 0
    open: int = 0
    closed: int = 0
    late: int = 0
    due: int = 0
    in_time: int = 0
    delays: list[float] = field(default_factory=list)


def statistics(
    viewer: Viewer, territory: str, *, since: datetime, until: datetime, by: By, at: datetime
) -> list[StatLine]:
    """Return the figures of the reports received from `since` to `until` (excluded), group by group; one query.

    Everyone counts what everyone may know of. An agent counts her services' restricted reports too. Other agents and
    elected officials count restricted ones by whole bricks of eleven at least (see above), never by district.
    """
    readable = case_queries.readable(viewer, territory, prefix="case__")
    official = viewer.scopes is None and any(viewer.has(role, territory) for role in (Role.AGENT, Role.ELECTED))
    counted = readable | Q(case__territory=territory, case__access=Access.SERVICE) if official else readable
    rows = Report.objects.filter(
        counted, case__territory=territory, case__opened_at__gte=since, case__opened_at__lt=until
    ).exclude(case__outcome=Outcome.ABUSE)
    own, zone = case_queries.services_of(viewer, territory), clock.timezone_of(territory)
    groups: dict[str, _Group] = {}
    bricks: dict[tuple[str, str, str], _Group] = {}
    for category, district, service, access, *facts in rows.values_list(*_FIELDS).iterator():
        month = facts[0].astimezone(zone).strftime("%Y-%m")
        if access == Access.SERVICE and service not in own:
            group = bricks.setdefault((month, category, service), _Group())
        else:
            keys = {"all": "", "category": category, "district": district, "service": service, "month": month}
            group = groups.setdefault(keys[by], _Group())
        _count(group, *facts, at=at)
    if by != "district":
        whole = _whole_months(since, min(until, at), zone)
        for (month, category, service), group in bricks.items():
            if month in whole and group.received >= THRESHOLD:
                keys = {"all": "", "category": category, "service": service, "month": month}
                _add(groups.setdefault(keys[by], _Group()), group)
    labels = {code: one.category.label for code, one in open_categories(territory).items()} if by == "category" else {}
    return [_line(key, labels.get(key, key), groups[key]) for key in sorted(groups)]


def public_counts(territory: str, category: str, *, since: datetime, until: datetime) -> dict[tuple[str, str], int]:
    """Return how many reports of a category everybody may know of were received, by (month ``2026-03``, district).

    One query. Those merged into another count once, with the one they were merged into.
    """
    zone = clock.timezone_of(territory)
    rows = Report.objects.filter(
        case_queries.public(territory, prefix="case__"),
        case__category=category,
        case__opened_at__gte=since,
        case__opened_at__lt=until,
        case__lead=None,
    ).exclude(case__outcome=Outcome.ABUSE)
    found: dict[tuple[str, str], int] = {}
    for district, opened in rows.order_by("pk").values_list("district", "case__opened_at").iterator():
        key = (f"{opened.astimezone(zone):%Y-%m}", district)
        found[key] = found.get(key, 0) + 1
    return found


def _whole_months(since: datetime, until: datetime, zone: tzinfo) -> frozenset[str]:
    """Return the months (``2026-03``) that a period holds from first instant to last, in the town's hour."""
    found, first = set(), since.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while first < until:
        following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
        if first >= since and following <= until:
            found.add(f"{first:%Y-%m}")
        first = following
    return frozenset(found)


def _count(
    group: _Group, opened: datetime, status: str, closed: datetime | None, due: datetime, *, at: datetime
) -> None:
    group.received += 1
    if status in OPEN:
        group.open += 1
        group.late += due < at
    if status == Status.CLOSED and closed is not None:
        group.closed += 1
        group.delays.append((closed - opened).total_seconds() / 3600)
        if due != NEVER:
            group.due += 1
            group.in_time += closed <= due


def _add(known: _Group, brick: _Group) -> None:
    """Add a brick to the figures of officials who may not read its reports: no delay of less than a crowd is told."""
    for name in ("received", "open", "closed", "late"):
        setattr(known, name, getattr(known, name) + getattr(brick, name))
    if brick.closed >= THRESHOLD:
        known.due, known.in_time = known.due + brick.due, known.in_time + brick.in_time
        known.delays += brick.delays


def _line(key: str, label: str, group: _Group) -> StatLine:
    delays = sorted(group.delays)
    return StatLine(
        key=key,
        label=label,
        received=group.received,
        open=group.open,
        closed=group.closed,
        late=group.late,
        median_h=quantile(delays, 0.5),
        ninth_decile_h=quantile(delays, 0.9),
        within_due=round(group.in_time / group.due, 4) if group.due else None,
    )


def quantile(ordered: list[float], share: float) -> float | None:
    """Return the quantile of sorted numbers, interpolated between neighbours; None of nothing.

    Source: Hyndman and Fan (1996), definition 7, the one of R and NumPy.

    >>> quantile([1.0, 2.0, 3.0, 4.0], 0.5), quantile([], 0.9)
    (2.5, None)
    """
    if not ordered:
        return None
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return round(ordered[low] + (ordered[high] - ordered[low]) * (place - low), 2)
