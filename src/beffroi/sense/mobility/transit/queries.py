"""What one may ask of transit: stops, lines, next departures, incidents, vehicles, and how sound the timetable is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import cos, hypot, radians
from zoneinfo import ZoneInfo

import numpy as np

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.words import pieces
from beffroi.sense.mobility.transit import departures as leaving
from beffroi.sense.mobility.transit import live, store
from beffroi.sense.mobility.transit.checking import Notice
from beffroi.sense.mobility.transit.departures import Departure, Group
from beffroi.sense.mobility.transit.live import Live
from beffroi.sense.mobility.transit.messages import Alert, Vehicle
from beffroi.sense.mobility.transit.sources import sources
from beffroi.sense.mobility.transit.store import NoTimetable
from beffroi.sense.mobility.transit.timetable import PLATFORM, STATION, Timetable

METRES_PER_DEGREE = 111_195.0
MOST_STOPS = 50
MOST_DEPARTURES = 100
DAY_ENDS = 4
"""The hour of the night when the departures of a day are over."""


class StopNotFound(NoTimetable):
    """No stop of that name is known."""


class LineNotFound(NoTimetable):
    """No line of that name is known."""


class TooMany(BeffroiError):
    """More than an answer may hold."""

    http_status = 422


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a network. `kind` is its GTFS route type; colours are ``#rrggbb`` or empty."""

    feed: str
    id: str
    name: str
    long_name: str
    kind: int
    colour: str
    text_colour: str
    agency: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop, or a station with its platforms. `lon`, `lat` are degrees (CRS84), None where nobody says.

    `wheelchair` as GTFS codes it: 0 nobody says, 1 yes, 2 no. `distance_m` is from the place asked about. `row` is what
    its dataset in the lake (`part_slug` of its feed) numbers it by, empty when it does not come from there.
    """

    feed: str
    id: str
    name: str
    code: str
    platform: str
    lon: float | None
    lat: float | None
    wheelchair: int
    is_station: bool
    lines: tuple[Line, ...]
    distance_m: float | None = None
    row: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """The departures of a stop at an instant: the stop, its station, its platforms, its groups, and what is told."""

    stop: Stop
    station: Stop | None
    platforms: tuple[Stop, ...]
    groups: tuple[Group, ...]
    alerts: tuple[Alert, ...]
    live: Live
    timetable: Timetable
    at: datetime

    def line(self, route: int) -> Line:
        """Return a line by its number."""
        return line_of(self.timetable, route)


@dataclass(frozen=True, slots=True)
class Way:
    """One direction of a line: where it goes and the stops of its most frequent course, in order."""

    number: int
    towards: tuple[str, ...]
    stops: tuple[Stop, ...]


@dataclass(frozen=True, slots=True)
class FeedInfo:
    """A network in service: who publishes it, of when it is, the days it covers."""

    feed: str
    names: tuple[str, ...]
    producer: str
    licence: str
    version: str
    built_at: datetime
    period: tuple[date, date] | None
    stops: int
    lines: int
    trips: int


def feeds(territory: str) -> list[FeedInfo]:
    """Return the networks of a territory."""
    found = []
    for feed in store.feeds(territory):
        timetable = store.timetable_of(territory, feed)
        about = timetable.about
        found.append(
            FeedInfo(
                feed=feed,
                names=tuple(one["name"] for one in about["agencies"] if one["name"]),
                producer=about.get("producer") or "",
                licence=about.get("licence") or "",
                version=timetable.version,
                built_at=timetable.built_at,
                period=timetable.calendar.period(),
                stops=int((timetable.stop_kind == PLATFORM).sum()),
                lines=len(timetable.routes.ids),
                trips=len(timetable.trip_id),
            )
        )
    return found


def has_transit(territory: str) -> bool:
    """Tell whether any timetable is in service."""
    return bool(store.feeds(territory))


def report(territory: str, feed: str, *, on: date) -> list[Notice]:
    """Return what is wrong with a feed, the gravest first.

    Raises:
        NoTimetable: none of that name.
    """
    return store.report_of(territory, feed, on=on)


# --- Stops and lines -------------------------------------------------------------------------------------------------


def line_of(timetable: Timetable, route: int) -> Line:
    """Return a line of a timetable by its number."""
    texts, agencies = timetable.routes, timetable.about["agencies"]
    agency = timetable.about["route_agency"][route]
    named = [one["name"] for one in agencies if one["id"] == agency] or [one["name"] for one in agencies[:1]]
    return Line(
        feed=str(timetable.about["feed"]),
        id=texts.ids[route],
        name=texts.short_names[route],
        long_name=texts.long_names[route],
        kind=int(timetable.route_type[route]),
        colour=texts.colours[route],
        text_colour=texts.text_colours[route],
        agency=named[0] if named else "",
    )


def stop_of(timetable: Timetable, number: int, *, distance_m: float | None = None) -> Stop:
    """Return a stop of a timetable by its number."""
    texts = timetable.stops
    lon, lat = float(timetable.stop_lon[number]), float(timetable.stop_lat[number])
    return Stop(
        feed=str(timetable.about["feed"]),
        id=texts.ids[number],
        name=texts.names[number],
        code=texts.codes[number],
        platform=texts.platforms[number],
        lon=None if np.isnan(lon) else lon,
        lat=None if np.isnan(lat) else lat,
        wheelchair=int(timetable.stop_wheelchair[number]),
        is_station=int(timetable.stop_kind[number]) == STATION,
        lines=tuple(line_of(timetable, route) for route in _routes_at(timetable, timetable.together(number))),
        distance_m=distance_m,
        row=texts.rows[number],
    )


def _routes_at(timetable: Timetable, stops: Iterable[int]) -> list[int]:
    found: set[int] = set()
    for stop in stops:
        leaves = timetable.leaves[timetable.leave_first[stop] : timetable.leave_first[stop + 1]]
        found |= set(np.unique(timetable.trip_route[timetable.of_trip[leaves]]).tolist())
    return [route for route in leaving.ordered_routes(timetable) if route in found]


def lines(territory: str) -> list[Line]:
    """Return the lines of a territory, those without any trip left out."""
    found = []
    for feed in store.feeds(territory):
        timetable = store.timetable_of(territory, feed)
        running = set(np.unique(timetable.trip_route).tolist())
        found += [line_of(timetable, one) for one in leaving.ordered_routes(timetable) if one in running]
    return found


def stops(
    territory: str,
    *,
    text: str = "",
    near: tuple[float, float] | None = None,
    within_m: float = 1_000.0,
    most: int = 20,
) -> list[Stop]:
    """Return stations and lone stops: those whose name or code has the words of `text`, or those around `near`.

    The nearest first when `near` (longitude, latitude) is given, else those that begin with the text, by name. Stops
    where nothing ever leaves are left out.

    Raises:
        TooMany: more than `MOST_STOPS` asked for.
    """
    if most > MOST_STOPS:
        raise TooMany("plus de {most} arrêts demandés", where="limit", remedy="demandez-en moins", most=MOST_STOPS)
    words = pieces(text)
    found: list[tuple[tuple[float, str, int], str, int, float | None]] = []
    for feed in store.feeds(territory):
        timetable = store.timetable_of(territory, feed)
        away = _distances(timetable, near) if near is not None else None
        for number, name in timetable.heads.items():
            if not all(word in name or word == timetable.stops.codes[number].lower() for word in words):
                continue
            distance = float(away[number]) if away is not None else None
            if distance is not None and not distance <= within_m:
                continue
            rank = distance if distance is not None else float(not name.startswith(words[0] if words else ""))
            found.append(((rank, name, number), feed, number, distance))
    found.sort(key=lambda one: one[0])
    return [
        stop_of(store.timetable_of(territory, feed), number, distance_m=distance)
        for _, feed, number, distance in found[:most]
    ]


def _distances(timetable: Timetable, place: tuple[float, float]) -> np.ndarray:
    lon, lat = place
    east = (timetable.stop_lon - lon) * METRES_PER_DEGREE * cos(radians(lat))
    north = (timetable.stop_lat - lat) * METRES_PER_DEGREE
    return np.hypot(east, north)


def _stop_number(timetable: Timetable, stop_id: str) -> int:
    number = timetable.stop_number.get(stop_id)
    if number is None:
        raise StopNotFound(
            "aucun arrêt « {stop} » dans le réseau « {feed} »",
            where="stop",
            remedy="cherchez-le par son nom",
            stop=stop_id[:80],
            feed=timetable.about["feed"],
        )
    return number


def route_number(timetable: Timetable, route_id: str) -> int:
    """Return the number of a line by its id.

    Raises:
        LineNotFound: none of that id.
    """
    number = timetable.route_number.get(route_id)
    if number is None:
        raise LineNotFound(
            "aucune ligne « {line} » dans le réseau « {feed} »",
            where="line",
            remedy="cherchez-la dans la liste des lignes",
            line=route_id[:80],
            feed=timetable.about["feed"],
        )
    return number


# --- Departures -------------------------------------------------------------------------------------------------------


def zone_of(territory: str, feed: str) -> ZoneInfo:
    """Return the time zone of a network.

    Raises:
        NoTimetable: none of that name.
    """
    return store.timetable_of(territory, feed).zone


def board(territory: str, feed: str, stop_id: str, *, at: datetime, each: int = 4, live_now: bool = True) -> Board:
    """Return the next departures of a stop or station, by line and direction, with what is told of the moment.

    `live_now` is False for another moment than now, about which nothing is told.

    Raises:
        NoTimetable, StopNotFound: no such network or stop.
    """
    timetable = store.timetable_of(territory, feed)
    number = _stop_number(timetable, stop_id)
    told = live.live_of(territory, feed, at=at) if live_now else Live()
    together = timetable.together(number)
    hours = (day_end(at, timetable.zone) - at) / timedelta(hours=1)
    groups = leaving.grouped(timetable, together, at, each=each, hours=hours, moment=told.trips)
    parent = int(timetable.stop_parent[number])
    routes = {one.route for one in groups}
    return Board(
        stop=stop_of(timetable, number),
        station=stop_of(timetable, parent) if parent >= 0 else None,
        platforms=tuple(stop_of(timetable, one) for one in together[1:]),
        groups=tuple(groups),
        alerts=_alerts(timetable, told, at, routes=routes, stops={*together, parent} - {-1}),
        live=told,
        timetable=timetable,
        at=at,
    )


def next_departures(
    territory: str, feed: str, stop_id: str, *, at: datetime, most: int = 20, live_now: bool = True
) -> tuple[Timetable, Live, list[Departure]]:
    """Return the next departures of a stop or station within 24 hours, in order of time.

    Raises:
        NoTimetable, StopNotFound: no such network or stop.
        TooMany: more than `MOST_DEPARTURES` asked for.
    """
    if most > MOST_DEPARTURES:
        raise TooMany(
            "plus de {most} passages demandés", where="limit", remedy="demandez-en moins", most=MOST_DEPARTURES
        )
    timetable = store.timetable_of(territory, feed)
    number = _stop_number(timetable, stop_id)
    told = live.live_of(territory, feed, at=at) if live_now else Live()
    found = leaving.next_departures(timetable, timetable.together(number), at, most=most, moment=told.trips)
    return timetable, told, found


def day_end(at: datetime, zone: ZoneInfo) -> datetime:
    """Return when the day people speak of ends: at four in the morning, an hour away at least.

    >>> from zoneinfo import ZoneInfo
    >>> paris = ZoneInfo("Europe/Paris")
    >>> [day_end(datetime(2026, 3, 2, hour, tzinfo=paris), paris).day for hour in (1, 3, 12, 23)]
    [2, 3, 3, 3]
    """
    local = at.astimezone(zone)
    end = local.replace(hour=DAY_ENDS, minute=0, second=0, microsecond=0)
    return end if end >= local + timedelta(hours=1, seconds=1) else end + timedelta(days=1)


def _alerts(
    timetable: Timetable, told: Live, at: datetime, *, routes: Iterable[int] = (), stops: Iterable[int] = ()
) -> tuple[Alert, ...]:
    """Return the incidents not over about these lines or stops, or the whole network; those in force first."""
    numbers = list(routes)
    route_ids = [timetable.routes.ids[one] for one in numbers]
    stop_ids = [timetable.stops.ids[one] for one in stops]
    kinds = {int(timetable.route_type[one]) for one in numbers}
    kept = [
        one
        for one in told.alerts
        if not one.is_over(at)
        and (one.is_general() or one.concerns(route_ids=route_ids, stop_ids=stop_ids, route_types=kinds))
    ]
    return tuple(sorted(kept, key=lambda one: not one.holds(at)))


def alerts(territory: str, *, at: datetime) -> list[tuple[Alert, tuple[Line, ...], tuple[Stop, ...]]]:
    """Return every incident not over, with the lines and stops it names; those in force first."""
    found = []
    for feed in store.feeds(territory):
        timetable = store.timetable_of(territory, feed)
        for one in live.live_of(territory, feed, at=at).alerts:
            if one.is_over(at):
                continue
            routes = dict.fromkeys(timetable.route_number.get(entity[0], -1) for entity in one.entities)
            named = dict.fromkeys(timetable.stop_number.get(entity[1], -1) for entity in one.entities)
            found.append((
                one,
                tuple(line_of(timetable, route) for route in routes if route >= 0),
                tuple(stop_of(timetable, stop) for stop in named if stop >= 0),
            ))  # fmt: skip
    return sorted(found, key=lambda one: not one[0].holds(at))


def line_ways(
    territory: str, feed: str, route_id: str, *, at: datetime
) -> tuple[Line, list[Way], tuple[Alert, ...], Live]:
    """Return a line, its directions with their stops, its incidents and what is told of the moment.

    Raises:
        NoTimetable, LineNotFound: no such network or line.
    """
    timetable = store.timetable_of(territory, feed)
    route = route_number(timetable, route_id)
    told = live.live_of(territory, feed, at=at)
    ways = [
        Way(
            way,
            leaving.towards(timetable, trips),
            tuple(stop_of(timetable, stop) for stop in _longest(timetable, trips)),
        )
        for way, trips in _trips_by_way(timetable, route).items()
    ]
    return line_of(timetable, route), ways, _alerts(timetable, told, at, routes=[route]), told


def _trips_by_way(timetable: Timetable, route: int) -> dict[int, Sequence[int]]:
    trips = np.flatnonzero(timetable.trip_route == route)
    ways = timetable.trip_way[trips]
    return {int(way): trips[ways == way].tolist() for way in np.unique(ways)}


def _longest(timetable: Timetable, trips: Sequence[int]) -> list[int]:
    """Return the stops of the most frequent course of these trips."""
    counts: dict[tuple[int, ...], int] = {}
    for trip in trips:
        course = tuple(timetable.at_stop[timetable.first[trip] : timetable.first[trip + 1]].tolist())
        counts[course] = counts.get(course, 0) + 1
    ranked = sorted(counts, key=lambda one: (counts[one], len(one)))
    return list(ranked[-1]) if ranked else []


# --- The map ----------------------------------------------------------------------------------------------------------


def line_shapes(territory: str) -> list[tuple[Line, list[list[tuple[float, float]]]]]:
    """Return each line with its courses, one per direction, in degrees: its shapes, else from stop to stop."""
    found = []
    for feed in store.feeds(territory):
        timetable = store.timetable_of(territory, feed)
        for route in leaving.ordered_routes(timetable):
            drawn = []
            for trips in _trips_by_way(timetable, route).values():
                drawn.append(_course(timetable, trips))
            kept = [one for one in drawn if len(one) >= 2]
            if kept:
                found.append((line_of(timetable, route), kept))
    return found


def _course(timetable: Timetable, trips: Sequence[int]) -> list[tuple[float, float]]:
    shapes = timetable.trip_shape[list(trips)]
    shapes = shapes[shapes >= 0]
    if len(shapes):
        values, counts = np.unique(shapes, return_counts=True)
        line = timetable.line(int(values[np.argmax(counts)]))
        return [(round(float(x), 5), round(float(y), 5)) for x, y in line]
    places = [(float(timetable.stop_lon[one]), float(timetable.stop_lat[one])) for one in _longest(timetable, trips)]
    return [(round(x, 5), round(y, 5)) for x, y in places if hypot(x, y) == hypot(x, y)]


def tells_vehicles(territory: str) -> bool:
    """Tell whether a network of the territory tells where its vehicles are."""
    return any(
        source.territory == territory and "vehicle_positions" in dict(source.addresses) for source in sources()[0]
    )


def vehicles(territory: str, *, at: datetime) -> list[tuple[Vehicle, Line | None]]:
    """Return where vehicles are, and their lines."""
    found: list[tuple[Vehicle, Line | None]] = []
    for feed in store.feeds(territory):
        timetable = store.timetable_of(territory, feed)
        for one in live.live_of(territory, feed, at=at).vehicles:
            route = timetable.route_number.get(one.route_id, -1)
            if route < 0 and one.trip_id:
                route = next((int(timetable.trip_route[trip]) for trip in timetable.trips_of(one.trip_id)), -1)
            found.append((one, line_of(timetable, route) if route >= 0 else None))
    return found
