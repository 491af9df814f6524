"""A measure taken again and again, as a day of twenty-four hours: its peaks, the hours that are better, an estimate.

Knows neither the lake nor Django. What was not measured is None, never zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

HOURS = 24
BUSY = 0.85
"""The share of its peak from which an hour is called busy."""
LIGHTER = 0.8
"""The share of a peak under which another hour is worth telling."""
FARTHEST_H = 3
"""How many hours from a peak a better one is looked for."""
NOON = 13
BPR_ALPHA, BPR_BETA = 0.15, 4


class Measure(StrEnum):
    """What is measured: vehicles that pass in an hour, or the share of places taken."""

    VEHICLES = "vehicles"
    FILLING = "filling"


class Day(StrEnum):
    """A kind of day. A public holiday is as a Sunday."""

    WEEKDAY = "weekday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


def kind_of(day: date, *, holiday: bool) -> Day:
    """Return what kind of day a date is.

    >>> kind_of(date(2026, 3, 2), holiday=False), kind_of(date(2026, 7, 14), holiday=True)
    (<Day.WEEKDAY: 'weekday'>, <Day.SUNDAY: 'sunday'>)
    """
    if holiday or day.weekday() == 6:
        return Day.SUNDAY
    return Day.SATURDAY if day.weekday() == 5 else Day.WEEKDAY


@dataclass(frozen=True, slots=True)
class Seen:
    """One row of a dataset: a place, a kind of day, an hour, what was measured; `on` is the date when rows have one."""

    place: str
    day: Day
    hour: int
    value: float
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Hourly:
    """A day of one place: `values` by hour from midnight, None where nothing was measured; `days` it is the mean of."""

    values: tuple[float | None, ...]
    days: int | None
    first: date | None = None
    last: date | None = None


def hourly(rows: Iterable[Seen], measure: Measure) -> dict[tuple[str, Day], Hourly]:
    """Return the mean day of each place and kind of day.

    Rows of one place, date and hour are first put together: added for vehicles (two ways of a street), averaged for a
    share. `days` is None when rows have no date.
    """
    cells: dict[tuple[str, Day, int], dict[date | None, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        cells[row.place, row.day, row.hour][row.on].append(row.value)
    found: dict[tuple[str, Day], list[float | None]] = defaultdict(lambda: [None] * HOURS)
    dates: dict[tuple[str, Day], set[date]] = defaultdict(set)
    for (place, day, hour), by_date in cells.items():
        each = [sum(those) if measure == Measure.VEHICLES else sum(those) / len(those) for those in by_date.values()]
        found[place, day][hour] = sum(each) / len(each)
        dates[place, day] |= {one for one in by_date if one is not None}
    return {
        key: Hourly(
            tuple(values), len(dates[key]) or None, min(dates[key], default=None), max(dates[key], default=None)
        )
        for key, values in found.items()
    }


@dataclass(frozen=True, slots=True)
class Peak:
    """The busiest hours about one moment: from `start` to `end` (excluded), the busiest of them, and what it measures.

    `before`, `after`: the nearest hours on each side that are lighter by a fifth at least, None when there is none
    within three hours.
    """

    start: int
    end: int
    hour: int
    value: float
    before: int | None
    after: int | None


def peaks(values: Sequence[float | None], *, first: int = 0, last: int = HOURS) -> tuple[Peak, ...]:
    """Return the peak of the day from `first` to `last`, and that of its other half when it is nearly as high.

    >>> day = [None] * 6 + [20, 60, 100, 50, 40, 40, 50] + [50] * 11
    >>> [(one.start, one.end, one.before, one.after) for one in peaks(day)]
    [(8, 9, 7, 9)]
    """
    known = {hour: value for hour in range(first, last) if (value := values[hour]) is not None}
    if not known or max(known.values()) <= 0:
        return ()
    highest = max(known.values())
    found = []
    for half in (range(first, NOON), range(NOON, last)):
        here = {hour: value for hour, value in known.items() if hour in half}
        top = max(here, key=lambda hour: here[hour], default=None)
        if top is not None and here[top] >= BUSY * highest:
            found.append(_peak(known, top))
    if len(found) == 2 and found[0].end >= found[1].start:
        # One peak over noon, not two that touch or overlap.
        found = [max(found, key=lambda one: one.value)]
    return tuple(found)


def _peak(known: Mapping[int, float], top: int) -> Peak:
    limit, lighter = BUSY * known[top], LIGHTER * known[top]
    start, end = top, top + 1
    while known.get(start - 1, 0) >= limit:
        start -= 1
    while known.get(end, 0) >= limit:
        end += 1
    before = next(
        (hour for hour in range(start - 1, start - 1 - FARTHEST_H, -1) if known.get(hour, limit) <= lighter), None
    )
    after = next((hour for hour in range(end, end + FARTHEST_H) if known.get(hour, limit) <= lighter), None)
    return Peak(start, end, top, known[top], before, after)


def in_window(values: Sequence[float | None], start_min: int, *, length_min: int = 60) -> float | None:
    """Return the mean of what is measured from a minute of the day on, hours weighed by their share of the window.

    None when any hour it touches was not measured, or when it leaves the day. Within an hour the flow is taken as even.

    >>> in_window([100.0, 200.0, None], 30), in_window([100.0, 200.0, None], 90)
    (150.0, None)
    """
    total, minute, end = 0.0, start_min, start_min + length_min
    while minute < end:
        hour = minute // 60
        value = values[hour] if 0 <= hour < len(values) else None
        if value is None:
            return None
        part = min(end, 60 * (hour + 1)) - minute
        total, minute = total + value * part, minute + part
    return total / length_min


def slowed(volume: float, capacity: float) -> float:
    """Return by how much a flow multiplies the time on a street: 1 + 0.15 (volume / capacity)⁴.

    An estimate for a mean street: neither lights nor queues are in it, and it is not sure beyond capacity.

    >>> round(slowed(900, 900), 2), round(slowed(450, 900), 3)
    (1.15, 1.009)

    Source: Bureau of Public Roads, Traffic Assignment Manual, U.S. Department of Commerce, 1964.
    """
    return 1 + BPR_ALPHA * (volume / capacity) ** BPR_BETA
