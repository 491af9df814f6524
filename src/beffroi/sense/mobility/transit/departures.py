"""The next departures at a stop: what the timetable promises, corrected by what the network tells of the moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

import numpy as np

from beffroi.sense.mobility.streets import Array
from beffroi.sense.mobility.transit.calendars import zero_of
from beffroi.sense.mobility.transit.realtime import Moment, State
from beffroi.sense.mobility.transit.timetable import Timetable

LATE_S = 3 * 3600
"""How long after its time a departure that is told late is still looked for."""
EARLY_S = 1800
"""How early a vehicle may leave and still be put in its place in the order."""
SPARE = 6
"""Departures of a line looked at beyond those shown, for those that are told to be elsewhere in the order."""
FAR_DAYS = 14
"""How many days ahead the first departure is looked for when there is none sooner."""


class Source(StrEnum):
    """What the time of a departure comes from."""

    PLANNED = "planned"
    LIVE = "live"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Departure:
    """A vehicle that leaves a stop. `planned_at` is None for one that the timetable does not know.

    `state` tells whether it runs. `delay_s` is None where nobody tells of the moment. `wheelchair` as GTFS codes it: 0
    nobody says, 1 yes, 2 no. `on_request` is 2 (telephone) or 3 (ask the driver), else 0. `about`: the time is about
    right (a frequency, or a time the feed leaves out).
    """

    stop: int
    route: int
    way: int
    destination: str
    trip_id: str
    service_day: date | None
    planned_at: datetime | None
    at: datetime
    state: State
    source: Source
    delay_s: int | None
    wheelchair: int
    on_request: int
    about: bool


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Stop times on their service days, in the order of planned times: row, instant (seconds), ordinal of the day."""

    row: Array
    time: Array
    day: Array

    def where(self, kept: Array) -> _Candidates:
        return _Candidates(self.row[kept], self.time[kept], self.day[kept])


def next_departures(
    timetable: Timetable,
    stops: Sequence[int],
    at: datetime,
    *,
    most: int,
    hours: float = 24.0,
    moment: Moment | None = None,
    routes: frozenset[int] | None = None,
) -> list[Departure]:
    """Return the departures of these stops from `at` on, in order of time; those cancelled or that skip the stop too.

    At most `most`, within `hours`. With a `moment`, times are those the network tells, and what it tells to run beside
    the timetable is there. Departures are kept by their time of the moment, so one that is late stays until it goes.
    """
    end = at + timedelta(hours=hours)
    candidates = _candidates(timetable, stops, at, end, routes, late_s=LATE_S if moment is not None else 0)
    early_s = EARLY_S if moment is not None else 0
    found: list[Departure] = []
    latest = at.timestamp()
    for row, time, day in zip(candidates.row, candidates.time, candidates.day, strict=True):
        # Beyond the count asked for, only what may leave before the last one kept matters.
        if len(found) >= most and time - early_s > latest:
            break
        one = _departure(timetable, int(row), date.fromordinal(int(day)), int(time), moment)
        if at <= one.at <= end:
            found.append(one)
            latest = max(latest, one.at.timestamp())
    if moment is not None:
        found += _extras(timetable, stops, at, end, moment, routes)
    return sorted(found, key=_by_time)[:most]


def _by_time(one: Departure) -> tuple[datetime, int, str, str]:
    return one.at, one.route, one.destination, one.trip_id


def _candidates(
    timetable: Timetable,
    stops: Sequence[int],
    at: datetime,
    end: datetime,
    routes: frozenset[int] | None,
    *,
    late_s: int,
) -> _Candidates:
    """Return what is planned to leave these stops from `late_s` before `at` to `end`, on the days that have it run."""
    since, until = at.timestamp() - late_s, end.timestamp()
    day = at.astimezone(timetable.zone).date() - timedelta(days=(timetable.latest + late_s) // 86_400 + 1)
    rows, times, days = [np.array([], np.int64)], [np.array([], np.int64)], [np.array([], np.int64)]
    while (zero := zero_of(day, timetable.zone)) <= until:
        leaving = _rows(timetable, stops, since - zero, until - zero, timetable.calendar.running(day))
        rows.append(leaving)
        times.append(timetable.departure[leaving].astype(np.int64) + zero)
        days.append(np.full(len(leaving), day.toordinal()))
        day += timedelta(days=1)
    found = _Candidates(np.concatenate(rows), np.concatenate(times), np.concatenate(days))
    if routes is not None:
        found = found.where(np.isin(timetable.trip_route[timetable.of_trip[found.row]], list(routes)))
    return found.where(np.argsort(found.time, kind="stable"))


def _rows(timetable: Timetable, stops: Sequence[int], since: float, until: float, running: Array) -> Array:
    """Return the stop times of these stops leaving between two times of a service day, on trips that run."""
    found = [np.array([], np.int64)]
    for stop in stops:
        leaves = timetable.leaves[timetable.leave_first[stop] : timetable.leave_first[stop + 1]]
        times = timetable.departure[leaves]
        start, end = np.searchsorted(times, since, "left"), np.searchsorted(times, until, "right")
        kept = leaves[start:end].astype(np.int64)
        found.append(kept[running[timetable.trip_service[timetable.of_trip[kept]]]])
    return np.concatenate(found)


def _departure(timetable: Timetable, row: int, day: date, time: int, moment: Moment | None) -> Departure:
    trip = int(timetable.of_trip[row])
    told = moment.of(timetable, row, day) if moment is not None else None
    planned = datetime.fromtimestamp(time, UTC)
    delay = told.delay_s if told is not None else None
    state = told.state if told is not None else State.RUNS
    return Departure(
        stop=int(timetable.at_stop[row]),
        route=int(timetable.trip_route[trip]),
        way=int(timetable.trip_way[trip]),
        destination=timetable.destination(row),
        trip_id=timetable.name_of_trip(trip),
        service_day=day,
        planned_at=planned,
        at=planned + timedelta(seconds=delay or 0),
        state=state,
        source=Source.PLANNED if told is None else Source.LIVE,
        delay_s=delay,
        wheelchair=int(timetable.trip_wheelchair[trip]),
        on_request=int(timetable.pickup[row]) if timetable.pickup[row] in (2, 3) else 0,
        about=bool(timetable.guessed[row]) or not bool(timetable.trip_exact[trip]),
    )


def _extras(
    timetable: Timetable,
    stops: Sequence[int],
    at: datetime,
    end: datetime,
    moment: Moment,
    routes: frozenset[int] | None,
) -> Iterator[Departure]:
    wanted = {timetable.stops.ids[stop]: stop for stop in stops}
    for extra in moment.extras:
        route = timetable.route_number.get(extra.route_id, -1)
        if route < 0 or (routes is not None and route not in routes):
            continue
        # At its last stop one may not board.
        for stop_id, leaves_at in extra.calls[:-1]:
            if stop_id in wanted and leaves_at is not None and at <= leaves_at <= end:
                last = timetable.stop_number.get(extra.calls[-1][0])
                yield Departure(
                    stop=wanted[stop_id],
                    route=route,
                    way=extra.way,
                    destination=timetable.stops.names[last] if last is not None else "",
                    trip_id=extra.trip_id,
                    service_day=None,
                    planned_at=None,
                    at=leaves_at,
                    state=State.RUNS,
                    source=Source.ADDED,
                    delay_s=None,
                    wheelchair=0,
                    on_request=0,
                    about=False,
                )


@dataclass(frozen=True, slots=True)
class Group:
    """The departures of one line in one direction, the soonest first. `first_after` is the first one later than the
    time looked at, when there is none in it; `towards` are the destinations, the most frequent first."""

    route: int
    way: int
    towards: tuple[str, ...]
    departures: tuple[Departure, ...]
    first_after: Departure | None


def grouped(
    timetable: Timetable,
    stops: Sequence[int],
    at: datetime,
    *,
    each: int = 4,
    hours: float = 12.0,
    moment: Moment | None = None,
) -> list[Group]:
    """Return the next departures of every line and direction that ever leaves from these stops, in the order of lines.

    A line with nothing in the `hours` that follow has its first departure within a fortnight, None beyond.
    """
    end = at + timedelta(hours=hours)
    candidates = _candidates(timetable, stops, at, end, None, late_s=LATE_S if moment is not None else 0)
    found: dict[tuple[int, int], list[Departure]] = {}
    for one in _first_of_each(timetable, candidates, at, each + (SPARE if moment is not None else 0), moment):
        found.setdefault((one.route, one.way), []).append(one)
    for one in _extras(timetable, stops, at, end, moment, None) if moment is not None else ():
        found.setdefault((one.route, one.way), []).append(one)
    served = _served(timetable, stops)
    groups = []
    for route, way in {**served, **found}:
        kept = sorted((one for one in found.get((route, way), []) if at <= one.at <= end), key=_by_time)[:each]
        later = None if kept else _first_after(timetable, stops, end, route, way, moment)
        towards = served.get((route, way)) or tuple(dict.fromkeys(one.destination for one in kept))
        groups.append(Group(route, way, towards, tuple(kept), later))
    order = {route: rank for rank, route in enumerate(ordered_routes(timetable))}
    return sorted(groups, key=lambda one: (order[one.route], one.way))


def _first_of_each(
    timetable: Timetable, candidates: _Candidates, at: datetime, each: int, moment: Moment | None
) -> Iterator[Departure]:
    """Yield, for each line and direction, what was planned before `at` and the first `each` planned after."""
    trips = timetable.of_trip[candidates.row]
    keys = timetable.trip_route[trips].astype(np.int64) * 4 + timetable.trip_way[trips] + 1
    counts: dict[int, int] = {}
    now = at.timestamp()
    for key, row, time, day in zip(
        keys.tolist(), candidates.row.tolist(), candidates.time.tolist(), candidates.day.tolist(), strict=True
    ):
        if time >= now:
            counts[key] = counts.get(key, 0) + 1
        if counts.get(key, 0) <= each:
            yield _departure(timetable, row, date.fromordinal(day), time, moment)


def _served(timetable: Timetable, stops: Iterable[int]) -> dict[tuple[int, int], tuple[str, ...]]:
    """Return every (line, direction) one may board at these stops, with its destinations, the most frequent first."""
    counts: dict[tuple[int, int], dict[str, int]] = {}
    for stop in stops:
        leaves = timetable.leaves[timetable.leave_first[stop] : timetable.leave_first[stop + 1]]
        trips = timetable.of_trip[leaves]
        ends = timetable.at_stop[timetable.first[trips + 1] - 1]
        keys = np.column_stack([
            timetable.trip_route[trips], timetable.trip_way[trips], timetable.sign[leaves], timetable.trip_sign[trips],
            ends,
        ])  # fmt: skip
        if not len(keys):
            continue
        unique, first, count = np.unique(keys, axis=0, return_index=True, return_counts=True)
        for key, row, times in zip(unique.tolist(), leaves[first].tolist(), count.tolist(), strict=True):
            towards = counts.setdefault((key[0], key[1]), {})
            name = timetable.destination(row)
            towards[name] = towards.get(name, 0) + times
    return {key: tuple(sorted(those, key=lambda name: (-those[name], name))) for key, those in counts.items()}


def _first_after(
    timetable: Timetable, stops: Sequence[int], start: datetime, route: int, way: int, moment: Moment | None
) -> Departure | None:
    for day in range(FAR_DAYS):
        since = start + timedelta(days=day)
        found = _candidates(timetable, stops, since, since + timedelta(days=1), frozenset({route}), late_s=0)
        same = found.where(timetable.trip_way[timetable.of_trip[found.row]] == way)
        for row, time, on in zip(same.row, same.time, same.day, strict=True):
            one = _departure(timetable, int(row), date.fromordinal(int(on)), int(time), moment)
            if one.state is State.RUNS:
                return one
    return None


def ordered_routes(timetable: Timetable) -> list[int]:
    """Return the lines in the order people look for them: the network's own, trams first, then by number."""

    def key(route: int) -> tuple[int, int, int, str]:
        name = timetable.routes.short_names[route]
        number = int(name) if name.isdigit() else 10_000
        return int(timetable.route_order[route]), int(timetable.route_type[route]), number, name

    return sorted(range(len(timetable.routes.ids)), key=key)


def towards(timetable: Timetable, trips: Sequence[int]) -> tuple[str, ...]:
    """Return the destinations of these trips, the most frequent first."""
    counts: dict[str, int] = {}
    for trip in trips:
        name = timetable.destination(int(timetable.first[trip]))
        counts[name] = counts.get(name, 0) + 1
    return tuple(sorted(counts, key=lambda name: (-counts[name], name)))
