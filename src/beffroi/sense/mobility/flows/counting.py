"""From the passages a counter wrote to its mean days; what it did not see is None, and its failures are told.

Knows neither the lake nor Django.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise

from beffroi.sense.mobility.hours.profiles import HOURS, Day, kind_of

NOON = range(11, 15)
"""The hours at which a street that is used is never empty."""
LEAST_AT_NOON = 5.0
"""Passages an hour, on other days, from which a noon of zeros is a failure and not a quiet day."""
FROZEN_H, LEAST_FROZEN = 6, 10.0
"""How many hours in a row the same count, of ten passages at least, says that a counter is stuck."""

Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """What a counter wrote: `count` from `start` to `end` (excluded), local times; None: it did not count."""

    start: datetime
    end: datetime
    count: float | None


@dataclass(frozen=True, slots=True)
class Counted:
    """The mean days of one channel. `whole` are mean totals of days told whole and not by hour.

    `days`: by hour from midnight, None where nothing was counted. `failed`: dates left out because the counter was
    plainly out of order; `used` the dates the means are of, by kind of day.
    """

    days: Mapping[Day, Values]
    whole: Mapping[Day, float]
    used: Mapping[Day, int]
    failed: tuple[date, ...] = ()
    first: date | None = None
    last: date | None = None


@dataclass(slots=True)
class _Dates:
    hours: dict[date, list[float | None]] = field(default_factory=dict)
    totals: dict[date, float] = field(default_factory=dict)


def counted(passages: Iterable[Passage], is_holiday: Callable[[date], bool]) -> Counted:
    """Return the mean days of a channel from all it wrote, its failures left out and told."""
    read = _by_date(passages)
    kinds = {day: kind_of(day, holiday=is_holiday(day)) for day in {*read.hours, *read.totals}}
    failed = failures(read.hours, kinds)
    hours = {day: values for day, values in read.hours.items() if day not in failed}
    by_kind: dict[Day, list[list[float | None]]] = defaultdict(list)
    for day in sorted(hours):
        by_kind[kinds[day]].append(hours[day])
    whole: dict[Day, list[float]] = defaultdict(list)
    for day, total in read.totals.items():
        whole[kinds[day]].append(total)
    dates = sorted({*hours, *read.totals})
    return Counted(
        days={kind: _mean(rows) for kind, rows in by_kind.items()},
        whole={kind: sum(totals) / len(totals) for kind, totals in whole.items()},
        used={kind: len(by_kind.get(kind, ())) or len(whole.get(kind, ())) for kind in {*by_kind, *whole}},
        failed=tuple(sorted(failed)),
        first=dates[0] if dates else None,
        last=dates[-1] if dates else None,
    )


def _by_date(passages: Iterable[Passage]) -> _Dates:
    """Put passages into hours and days; what spans several hours and is no whole day tells of no hour."""
    sums: dict[tuple[date, int], tuple[float, float]] = {}
    found = _Dates()
    for one in passages:
        length_s = (one.end - one.start).total_seconds()
        if one.count is None or one.count < 0 or length_s <= 0:
            continue
        day, hour = one.start.date(), one.start.hour
        last = one.end - timedelta(microseconds=1)
        if (last.date(), last.hour) == (day, hour):
            count, seconds = sums.get((day, hour), (0.0, 0.0))
            sums[day, hour] = count + one.count, seconds + length_s
        elif last.date() == day and hour == 0 and last.hour == HOURS - 1:
            found.totals[day] = found.totals.get(day, 0.0) + one.count
    for (day, hour), (count, seconds) in sums.items():
        # An hour of which a part alone was counted is not known; the one that comes twice in October is brought to one.
        values = found.hours.setdefault(day, [None] * HOURS)
        values[hour] = count * 3600 / seconds if seconds >= 3600 else None
    return found


def failures(hours: Mapping[date, Sequence[float | None]], kinds: Mapping[date, Day]) -> frozenset[date]:
    """Return the dates on which a counter was out of order: flat zero at noon, or stuck on one figure.

    A noon of zeros is a failure where other days of the kind count some passages then, or where none ever does.
    """
    silent = {day for day, values in hours.items() if all(values[hour] == 0 for hour in NOON)}
    failed = {day for day, values in hours.items() if _is_stuck(values)}
    for kind in set(kinds.values()):
        alike = [day for day in hours if kinds[day] == kind]
        others = [hours[day][hour] for day in alike if day not in silent for hour in NOON]
        known = [one for one in others if one is not None]
        if not known or sum(known) / len(known) >= LEAST_AT_NOON:
            failed |= silent & set(alike)
    return frozenset(failed)


def _is_stuck(values: Sequence[float | None]) -> bool:
    run = 1
    for before, after in pairwise(values):
        run = run + 1 if after is not None and after >= LEAST_FROZEN and after == before else 1
        if run >= FROZEN_H:
            return True
    return False


def _mean(rows: Sequence[Sequence[float | None]]) -> Values:
    columns = ([one for one in column if one is not None] for column in zip(*rows, strict=True))
    return tuple(sum(column) / len(column) if column else None for column in columns)
