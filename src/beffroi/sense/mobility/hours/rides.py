"""What the timetables promise by hour: how many vehicles pass about a place, and how long a trip takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from beffroi.base.clock.queries import holiday_on, region_of
from beffroi.sense.mobility.ground import OffTheStreets
from beffroi.sense.mobility.hours.profiles import Day, kind_of
from beffroi.sense.mobility.journeys.comparing import walker
from beffroi.sense.mobility.transit import store
from beffroi.sense.mobility.transit.journeys import journeys
from beffroi.sense.mobility.transit.timetable import Timetable

NEAR_M = 500.0
WEEKS = 5
"""How many weeks ahead a day of each kind is looked for."""
EVERY_MIN = 30
METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True)
class Passes:
    """The vehicles that leave the stops about a place on one day: the minute of each, and the stops' names."""

    on: date
    minutes: tuple[int, ...]
    stops: tuple[str, ...]

    def between(self, start_min: int, end_min: int) -> int:
        """Return how many leave from a minute of the day to another, the latter excluded."""
        return sum(start_min <= one < end_min for one in self.minutes)


@dataclass(frozen=True, slots=True)
class Trip:
    """A trip by transit within an hour of one day: seconds from door to door, the shortest of those found."""

    hour: int
    seconds: float | None


def day_like(territory: str, day: Day, *, after: date) -> date:
    """Return the first date from `after` on of a kind, one where some vehicle of the town runs when there is one.

    A weekday is looked for from the next Tuesday on: Mondays and Fridays are less like the others.
    """
    region = region_of(territory).id
    dates = [after + timedelta(days=offset) for offset in range(7 * WEEKS)]
    alike = [one for one in dates if kind_of(one, holiday=holiday_on(one, region) is not None) == day]
    if day == Day.WEEKDAY:
        alike.sort(key=lambda one: (one.weekday() != 1, one))
    timetables = [store.timetable_of(territory, feed) for feed in store.feeds(territory)]
    running = (one for one in alike if any(table.calendar.running(one).any() for table in timetables))
    return next(running, alike[0])


def passes(territory: str, *, lon: float, lat: float, on: date, within_m: float = NEAR_M) -> Passes | None:
    """Return the departures of the stops within `within_m` of a place on a service day; None without a timetable.

    A vehicle that calls at several of these stops is counted once, at its first.
    """
    minutes: list[int] = []
    names: list[str] = []
    feeds = store.feeds(territory)
    for feed in feeds:
        table = store.timetable_of(territory, feed)
        near = _near(table, lon, lat, within_m)
        names += [
            table.stops.names[one] for one in near.tolist() if table.leave_first[one] < table.leave_first[one + 1]
        ]
        minutes += _leaving(table, near, on)
    return Passes(on, tuple(sorted(minutes)), tuple(sorted(set(names)))) if feeds else None


def _near(table: Timetable, lon: float, lat: float, within_m: float) -> np.ndarray:
    east = (table.stop_lon - lon) * METRES_PER_DEGREE * np.cos(np.radians(lat))
    away = np.hypot(east, (table.stop_lat - lat) * METRES_PER_DEGREE)
    return np.flatnonzero(away <= within_m)


def _leaving(table: Timetable, stops: np.ndarray, on: date) -> list[int]:
    rows = [table.leaves[table.leave_first[one] : table.leave_first[one + 1]] for one in stops.tolist()]
    row = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    trip = table.of_trip[row]
    runs = table.calendar.running(on)[table.trip_service[trip]]
    # Counted from noon minus twelve hours, times are those of the clock all day, but in the night when clocks change.
    first: dict[int, int] = {}
    for of, leaves in zip(trip[runs].tolist(), table.departure[row[runs]].tolist(), strict=True):
        first[of] = min(first.get(of, leaves), leaves)
    return [one // 60 for one in first.values()]


def trips(
    territory: str, *, start: tuple[float, float], goal: tuple[float, float], on: date, first: int, last: int
) -> tuple[Trip, ...]:
    """Return the shortest trip found in each hour of a day, asked every half hour; none without a timetable.

    Raises:
        NoGraph, NoEngine: see `queries.route`.
    """
    feeds = store.feeds(territory)
    if not feeds:
        return ()
    tables = [store.timetable_of(territory, feed) for feed in feeds]
    asked = [
        datetime(on.year, on.month, on.day, hour, minute, tzinfo=tables[0].zone)
        for hour in range(first, last) for minute in range(0, 60, EVERY_MIN)
    ]  # fmt: skip
    router, layer = walker(territory, asked[0])
    try:
        spots = router.spot(*start, layer), router.spot(*goal, layer)
    except OffTheStreets:
        return ()
    best: dict[int, float] = {}
    for table in tables:
        for at, found in zip(asked, journeys(table, router, layer, *spots, asked), strict=True):
            # One that leaves later belongs to a later hour.
            if found is not None and found.leaves_at < at + timedelta(minutes=60 - at.minute):
                best[at.hour] = min(best.get(at.hour, found.seconds), found.seconds)
    return tuple(Trip(hour, best.get(hour)) for hour in range(first, last))
