"""How many, how fast, how often in time: in all, or by category, district, service or month.

A delay goes from the intake to the closing, in hours; reports not closed yet have none. Reports merged into another
are counted as received, not as closed. What was found abusive is counted nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
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
    delays: list[float] | None = None


def statistics(
    viewer: Viewer, territory: str, *, since: datetime, until: datetime, by: By, at: datetime
) -> list[StatLine]:
    """Return the figures of the reports received from `since` to `until` (excluded), group by group; one query.

    Everyone counts what everyone may know of. An agent counts her services' restricted reports too. Other agents and
    elected officials count restricted ones from eleven on, in all, by category, service or month, never by district.
    """
    readable = case_queries.readable(viewer, territory, prefix="case__")
    official = viewer.scopes is None and any(viewer.has(role, territory) for role in (Role.AGENT, Role.ELECTED))
    counted = readable | Q(case__territory=territory, case__access=Access.SERVICE) if official else readable
    rows = Report.objects.filter(
        counted, case__territory=territory, case__opened_at__gte=since, case__opened_at__lt=until
    ).exclude(case__outcome=Outcome.ABUSE)
    fields = (
        "case__category", "district", "case__service", "case__access", "case__status",
        "case__opened_at", "case__closed_at", "case__due_at",
    )  # fmt: skip
    own, zone = case_queries.services_of(viewer, territory), clock.timezone_of(territory)
    key_of: Mapping[By, Callable[[str, str, str, datetime], str]] = {
        "all": lambda _category, _district, _service, _at: "",
        "category": lambda category, _district, _service, _at: category,
        "district": lambda _category, district, _service, _at: district,
        "service": lambda _category, _district, service, _at: service,
        "month": lambda _category, _district, _service, opened: opened.astimezone(zone).strftime("%Y-%m"),
    }
    groups: dict[tuple[str, bool], _Group] = {}
    for category, district, service, access, status, opened, closed, due in rows.values_list(*fields).iterator():
        hidden = access == Access.SERVICE and service not in own
        if hidden and by == "district":
            continue
        group = groups.setdefault((key_of[by](category, district, service, opened), hidden), _Group(delays=[]))
        _count(group, status, opened, closed, due, at)
    labels = {code: one.category.label for code, one in open_categories(territory).items()} if by == "category" else {}
    return _lines(groups, labels)


def _count(group: _Group, status: str, opened: datetime, closed: datetime | None, due: datetime, at: datetime) -> None:
    group.received += 1
    if status in OPEN:
        group.open += 1
        group.late += due < at
    if status == Status.CLOSED and closed is not None and group.delays is not None:
        group.closed += 1
        group.delays.append((closed - opened).total_seconds() / 3600)
        if due != NEVER:
            group.due += 1
            group.in_time += closed <= due


def _lines(groups: Mapping[tuple[str, bool], _Group], labels: Mapping[str, str]) -> list[StatLine]:
    merged: dict[str, _Group] = {}
    for (key, hidden), group in groups.items():
        if hidden and group.received < THRESHOLD:
            continue
        known = merged.setdefault(key, _Group(delays=[]))
        for name in ("received", "open", "closed", "late", "due", "in_time"):
            setattr(known, name, getattr(known, name) + getattr(group, name))
        known.delays = [*(known.delays or ()), *(group.delays or ())]
    return [_line(key, labels.get(key, key), merged[key]) for key in sorted(merged)]


def _line(key: str, label: str, group: _Group) -> StatLine:
    delays = sorted(group.delays or ())
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
