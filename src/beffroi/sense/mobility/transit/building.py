"""Make the timetable of a feed: numbers instead of names, missing times filled in, frequencies unrolled.

What cannot be used is left out and told by the report (`checking.py`): a stop time of an unknown trip or stop, a trip
without two stop times, a service of no known calendar.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from beffroi.sense.mobility.streets import Array
from beffroi.sense.mobility.transit.calendars import ADDED, REMOVED, WEEK, Calendar
from beffroi.sense.mobility.transit.tables import ROW, Table, Tables
from beffroi.sense.mobility.transit.timetable import NO_TIME, RouteTexts, StopTexts, Timetable

DEFAULT_ZONE = "Europe/Paris"
MOST_UNROLLED = 2_000
"""Departures a frequency may stand for: one a minute from 4 h to 28 h is 1,440."""
NO_PICKUP = 1
_TIME = re.compile(r"^\s*(\d{1,3}):([0-5]\d):([0-5]\d)\s*$")
_DATE = re.compile(r"^\d{8}$")
_COLOUR = re.compile(r"^[0-9A-Fa-f]{6}$")


def seconds_of(text: str) -> int:
    """Return a time of a service day in seconds, `NO_TIME` when it is none.

    >>> seconds_of("25:10:30"), seconds_of("7:05:00"), seconds_of("12h"), seconds_of("")
    (90630, 25500, -1, -1)
    """
    found = _TIME.match(text)
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3]) if found else NO_TIME


def day_of(text: str) -> int | None:
    """Return the ordinal of a date ``YYYYMMDD``, None when it is none.

    >>> day_of("20260329") == date(2026, 3, 29).toordinal(), day_of("20260230"), day_of("demain")
    (True, None, None)
    """
    if not _DATE.match(text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])).toordinal()
    except ValueError:
        return None


def build(tables: Tables, *, feed: str, territory: str, version: str, at: datetime) -> Timetable:
    """Make the timetable of a feed's tables."""
    stops = _Numbers(tables["stops"]["stop_id"])
    routes = _Numbers(tables["routes"]["route_id"])
    calendar, services = _calendar(tables)
    texts = _Strings()
    trips = _trips(tables, routes, services, texts)
    times = _stop_times(tables["stop_times"], stops, trips, texts)
    shapes, line_first, line_points = _shapes(tables)
    of = {name: number for number, name in enumerate(shapes)}
    trips["shape"] = np.array([of.get(one, -1) for one in trips.pop("shape")], np.int32)
    trips, times = _unrolled(tables["frequencies"], *_kept(trips, times))
    leave_first, leaves = _leaves(times, len(stops.names))
    place = _stop_columns(tables["stops"], stops)
    agencies = [{"id": one[0], "name": one[1], "url": one[2], "phone": one[3]}
                for one in tables["agency"].each("agency_id", "agency_name", "agency_url", "agency_phone")]  # fmt: skip
    period = calendar.period()
    about = {
        "feed": feed, "territory": territory, "version": version, "built_at": at.isoformat(),
        "timezone": _zone(tables), "agencies": agencies,
        "period": [day.isoformat() for day in period] if period else None,
        "route_agency": [tables["routes"]["agency_id"][i] for i in routes.rows],
    }  # fmt: skip
    return Timetable(
        **place, **_route_columns(tables["routes"], routes), **{f"trip_{key}": value for key, value in trips.items()},
        **times, leave_first=leave_first, leaves=leaves, line_first=line_first, line_points=line_points,
        calendar=calendar, stops=_stop_texts(tables["stops"], stops), routes=_route_texts(tables["routes"], routes),
        services=tuple(services), strings=tuple(texts.known), about=about,
    )  # fmt: skip


class _Numbers:
    """The names of a table numbered in their order, the first row of each name kept."""

    def __init__(self, names: Sequence[str]) -> None:
        self.number: dict[str, int] = {}
        self.rows: list[int] = []
        for row, name in enumerate(names):
            if name and name not in self.number:
                self.number[name] = len(self.rows)
                self.rows.append(row)
        self.names = tuple(self.number)

    def taken(self, column: Sequence[str]) -> list[str]:
        return [column[row] for row in self.rows]


class _Strings:
    """Texts told once each; -1 stands for none."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.known.setdefault(text, len(self.known)) if text else -1


def _int(text: str, default: int = 0) -> int:
    try:
        return int(text)
    except ValueError:
        return default


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _ints(column: Sequence[str], dtype: Any, default: int = 0) -> Array:
    known: dict[str, int] = {}
    return np.array([known.get(one) if one in known else known.setdefault(one, _bounded(_int(one, default), dtype))
                     for one in column], dtype)  # fmt: skip


def _bounded(value: int, dtype: Any) -> int:
    limits = np.iinfo(dtype)
    return min(max(value, int(limits.min)), int(limits.max))


def _zone(tables: Tables) -> str:
    for name in tables["agency"]["agency_timezone"]:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, LookupError):
            continue
        return name
    return DEFAULT_ZONE


# --- Stops and lines -------------------------------------------------------------------------------------------------


def _stop_texts(table: Table, stops: _Numbers) -> StopTexts:
    names, codes, platforms, rows = (
        stops.taken(table[key]) for key in ("stop_name", "stop_code", "platform_code", ROW)
    )
    shown = tuple(name or stop_id for name, stop_id in zip(names, stops.names, strict=True))
    return StopTexts(stops.names, shown, tuple(codes), tuple(platforms), tuple(rows))


def _stop_columns(table: Table, stops: _Numbers) -> dict[str, Array]:
    kind = _ints(stops.taken(table["location_type"]), np.uint8)
    parent = np.array([stops.number.get(one, -1) for one in stops.taken(table["parent_station"])], np.int32)
    parent[parent == np.arange(len(parent))] = -1
    parent = _without_rings(parent)
    chair = _ints(stops.taken(table["wheelchair_boarding"]), np.uint8)
    # What a platform leaves unsaid is as its station says.
    silent = (chair == 0) & (parent >= 0)
    chair[silent] = chair[parent[silent]]
    lon, lat = (np.array([_float(one) for one in stops.taken(table[key])], float) for key in ("stop_lon", "stop_lat"))
    nowhere = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90)) | ((lon == 0) & (lat == 0))
    lon[nowhere] = lat[nowhere] = np.nan
    return {"stop_lon": lon, "stop_lat": lat, "stop_parent": parent, "stop_kind": kind, "stop_wheelchair": chair}


def _without_rings(parent: Array) -> Array:
    """Cut the parents of stops that are, through others, their own: climbing would never end."""
    for start in range(len(parent)):
        seen, at = {start}, int(parent[start])
        while at >= 0:
            if at in seen:
                parent[start] = -1
                break
            seen.add(at)
            at = int(parent[at])
    return parent


def _route_texts(table: Table, routes: _Numbers) -> RouteTexts:
    short, long_, colour, text = (
        routes.taken(table[key]) for key in ("route_short_name", "route_long_name", "route_color", "route_text_color")
    )
    shown = [one or two or name for one, two, name in zip(short, long_, routes.names, strict=True)]
    coloured = [tuple(f"#{one.lower()}" if _COLOUR.match(one) else "" for one in those) for those in (colour, text)]
    return RouteTexts(routes.names, tuple(shown), tuple(long_), *coloured)


def _route_columns(table: Table, routes: _Numbers) -> dict[str, Array]:
    kinds = _ints(routes.taken(table["route_type"]), np.int32, 3)
    order = _ints(routes.taken(table["route_sort_order"]), np.int32, np.iinfo(np.int32).max)
    return {"route_type": kinds, "route_order": order}


# --- Services ---------------------------------------------------------------------------------------------------------


def _calendar(tables: Tables) -> tuple[Calendar, dict[str, int]]:
    services: dict[str, int] = {}
    first, last, week = [], [], []
    for service, *days, start, end in tables["calendar"].each("service_id", *WEEK, "start_date", "end_date"):
        since, until = day_of(start), day_of(end)
        if service in services or since is None or until is None:
            continue
        services[service] = len(services)
        first.append(since)
        last.append(until)
        week.append(sum(1 << rank for rank, day in enumerate(days) if day == "1"))
    exceptions: list[tuple[int, int, int]] = []
    for service, day, kind in tables["calendar_dates"].each("service_id", "date", "exception_type"):
        number, code = day_of(day), _int(kind)
        if not service or number is None or code not in (ADDED, REMOVED):
            continue
        if service not in services:
            services[service] = len(services)
            first.append(1)
            last.append(0)
            week.append(0)
        exceptions.append((number, services[service], code))
    exceptions.sort(key=lambda one: one[0])
    told = np.array(exceptions, np.int64).reshape(-1, 3)
    calendar = Calendar(
        np.array(first, np.int32), np.array(last, np.int32), np.array(week, np.uint8),
        told[:, 0].astype(np.int32), told[:, 1].astype(np.int32), told[:, 2].astype(np.uint8),
    )  # fmt: skip
    return calendar, services


# --- Trips and their times -------------------------------------------------------------------------------------------


def _trips(tables: Tables, routes: _Numbers, services: dict[str, int], texts: _Strings) -> dict[str, Any]:
    found: dict[str, list[Any]] = {key: [] for key in ("id", "route", "service", "sign", "way", "wheelchair", "shape")}
    seen: set[str] = set()
    names = ("trip_id", "route_id", "service_id", "trip_headsign", "direction_id", "wheelchair_accessible", "shape_id")
    for trip, route, service, sign, way, chair, shape in tables["trips"].each(*names):
        if not trip or trip in seen or route not in routes.number or service not in services:
            continue
        seen.add(trip)
        row = (trip, routes.number[route], services[service], texts(sign), _int(way, -1) if way in ("0", "1") else -1,
               _bounded(_int(chair), np.uint8), shape)  # fmt: skip
        for key, value in zip(found, row, strict=True):
            found[key].append(value)
    return found


def _stop_times(table: Table, stops: _Numbers, trips: dict[str, Any], texts: _Strings) -> dict[str, Array]:
    number = {name: rank for rank, name in enumerate(trips["id"])}
    trip = np.array([number.get(one, -1) for one in table["trip_id"]], np.int32)
    stop = np.array([stops.number.get(one, -1) for one in table["stop_id"]], np.int32)
    sequence = _ints(table["stop_sequence"], np.int32, -1)
    kept = np.flatnonzero((trip >= 0) & (stop >= 0) & (sequence >= 0))
    order = kept[np.lexsort((sequence[kept], trip[kept]))]
    arrival, departure = (_seconds(table[key])[order] for key in ("arrival_time", "departure_time"))
    arrival = np.where(arrival == NO_TIME, departure, arrival)
    departure = np.where(departure == NO_TIME, arrival, departure)
    trip = trip[order]
    sign = np.array([texts(one) for one in table["stop_headsign"]], np.int32)
    return {
        "of_trip": trip, "at_stop": stop[order], "sequence": sequence[order],
        "arrival": _filled(arrival, trip), "departure": _filled(departure, trip), "guessed": arrival == NO_TIME,
        "sign": sign[order], "pickup": _ints(table["pickup_type"], np.uint8)[order],
        "drop_off": _ints(table["drop_off_type"], np.uint8)[order],
    }  # fmt: skip


def _seconds(column: Sequence[str]) -> Array:
    known: dict[str, int] = {"": NO_TIME}
    for one in set(column):
        known[one] = seconds_of(one)
    return np.array([known[one] for one in column], np.int32)


def _filled(times: Array, trip: Array) -> Array:
    """Give the stop times that have none the time between their timed neighbours of the same trip, evenly."""
    known = np.flatnonzero(times != NO_TIME)
    missing = np.flatnonzero(times == NO_TIME)
    if not len(missing) or not len(known):
        return times
    after = np.searchsorted(known, missing)
    before = np.clip(after - 1, 0, len(known) - 1)
    after = np.clip(after, 0, len(known) - 1)
    left, right = known[before], known[after]
    between = (trip[left] == trip[missing]) & (trip[right] == trip[missing]) & (left < missing) & (missing < right)
    share = (missing - left) / np.maximum(right - left, 1)
    guess = np.round(times[left] + share * (times[right] - times[left])).astype(np.int32)
    filled = times.copy()
    filled[missing[between]] = guess[between]
    return filled


def _kept(trips: dict[str, Any], times: dict[str, Array]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Drop the stop times without any time, and then trips without two stop times."""
    timed = times["departure"] != NO_TIME
    times = {key: value[timed] for key, value in times.items()}
    count = np.bincount(times["of_trip"], minlength=len(trips["id"]))
    kept = count >= 2
    rank = np.cumsum(kept) - 1
    rows = kept[times["of_trip"]]
    times = {key: value[rows] for key, value in times.items()}
    times["of_trip"] = rank[times["of_trip"]].astype(np.int32)
    chosen = np.flatnonzero(kept)
    types = {"route": np.int32, "service": np.int32, "sign": np.int32, "way": np.int8, "wheelchair": np.uint8,
             "shape": np.int32}  # fmt: skip
    columns: dict[str, Any] = {key: np.asarray(trips[key], dtype)[chosen] for key, dtype in types.items()}
    columns["id"] = np.array([trips["id"][one].encode() for one in chosen.tolist()], dtype=np.bytes_)
    columns["start"] = np.full(len(chosen), NO_TIME, np.int32)
    columns["exact"] = np.ones(len(chosen), bool)
    return columns, times


def _unrolled(table: Table, trips: dict[str, Any], times: dict[str, Array]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Replace each trip that a frequency repeats by as many trips, the first at its start, then every so many seconds.

    Adds ``first`` to the times and ``rank`` to the trips.
    """
    starts: dict[int, list[tuple[int, bool]]] = {}
    number = {bytes(one).decode(): rank for rank, one in enumerate(trips["id"])} if table.rows else {}
    for trip, begin, end, every, exact in table.each(
        "trip_id", "start_time", "end_time", "headway_secs", "exact_times"
    ):
        since, until, pace = seconds_of(begin), seconds_of(end), _int(every)
        if trip not in number or NO_TIME in (since, until) or pace <= 0:
            continue
        moments = range(since, until, pace)[:MOST_UNROLLED]
        starts.setdefault(number[trip], []).extend((moment, exact == "1") for moment in moments)
    first = np.concatenate([[0], np.cumsum(np.bincount(times["of_trip"], minlength=len(trips["id"])))])
    if starts:
        trips, times = _repeated(trips, times, first, starts)
        first = np.concatenate([[0], np.cumsum(np.bincount(times["of_trip"], minlength=len(trips["id"])))])
    times["first"] = first.astype(np.int64)
    trips["rank"] = np.argsort(trips["id"], kind="stable").astype(np.int32)
    return trips, times


def _repeated(
    trips: dict[str, Any], times: dict[str, Array], first: Array, starts: dict[int, list[tuple[int, bool]]]
) -> tuple[dict[str, Any], dict[str, Array]]:
    copies: list[tuple[int, int, bool]] = []
    for trip in range(len(trips["id"])):
        copies += [(trip, moment, exact) for moment, exact in starts.get(trip, [(NO_TIME, True)])]
    of = np.array([one[0] for one in copies])
    moments = np.array([one[1] for one in copies], np.int32)
    rows = np.concatenate([np.arange(first[one], first[one + 1]) for one in of]) if len(of) else np.array([], int)
    sizes = np.diff(first)[of]
    repeated = {key: value[rows] for key, value in times.items()}
    repeated["of_trip"] = np.repeat(np.arange(len(of), dtype=np.int32), sizes)
    shift = np.where(moments == NO_TIME, 0, moments - times["departure"][first[of]])
    for key in ("arrival", "departure"):
        repeated[key] = (repeated[key] + np.repeat(shift, sizes)).astype(np.int32)
    columns = {key: value[of] for key, value in trips.items()}
    columns["start"] = moments
    columns["exact"] = np.array([one[2] for one in copies], bool)
    return columns, repeated


def _leaves(times: dict[str, Array], stops: int) -> tuple[Array, Array]:
    """Return the stop times where one may board, by stop, in the order of departure; at its last stop a trip ends."""
    rows = np.arange(len(times["at_stop"]))
    last = np.zeros(len(rows), bool)
    last[times["first"][1:] - 1] = True
    boards = rows[~last & (times["pickup"] != NO_PICKUP)]
    order = boards[np.lexsort((times["departure"][boards], times["at_stop"][boards]))]
    return np.searchsorted(times["at_stop"][order], np.arange(stops + 1)).astype(np.int64), order.astype(np.int32)


# --- Shapes -----------------------------------------------------------------------------------------------------------


def _shapes(tables: Tables) -> tuple[list[str], Array, Array]:
    lines: dict[str, Any] = dict(tables.lines)
    points: dict[str, list[tuple[int, float, float]]] = {}
    table = tables["shapes"]
    for shape, lat, lon, rank in table.each("shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence"):
        x, y = _float(lon), _float(lat)
        if shape and x == x and y == y:
            points.setdefault(shape, []).append((_int(rank), x, y))
    lines |= {name: [(x, y) for _, x, y in sorted(those)] for name, those in points.items()}
    names = [name for name, line in lines.items() if len(line) >= 2]
    first = np.concatenate([[0], np.cumsum([len(lines[name]) for name in names])]).astype(np.int64)
    flat = [point for name in names for point in lines[name]]
    return names, first, np.array(flat, float).reshape(-1, 2)
