"""Check a feed against its rules and tell its publisher what to mend, where, and how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from beffroi.sense.mobility.transit.building import day_of as read_day
from beffroi.sense.mobility.transit.building import seconds_of
from beffroi.sense.mobility.transit.rules import RULES, Rule, Severity
from beffroi.sense.mobility.transit.tables import Tables
from beffroi.sense.mobility.transit.timetable import NO_TIME, Timetable

SAMPLES = 5
PERIOD = {"expired_calendar": -1, "feed_expiration_date7_days": 7, "feed_expiration_date30_days": 30}
"""Rules about the end of the timetable, and how many days before it they speak."""
REQUIRED = {
    "agency": ("agency_name", "agency_timezone"),
    "stops": ("stop_id", "stop_name", "stop_lat", "stop_lon"),
    "routes": ("route_id", "route_type"),
    "trips": ("route_id", "service_id", "trip_id"),
    "stop_times": ("trip_id", "stop_id", "stop_sequence"),
}
RECOMMENDED = ("feed_info", "shapes")
_KEYS = {"stops": "stop_id", "routes": "route_id", "trips": "trip_id", "calendar": "service_id"}
_REFERENCES = (
    ("stops", "parent_station", "stops", "stop_id"),
    ("routes", "agency_id", "agency", "agency_id"),
    ("trips", "route_id", "routes", "route_id"),
    ("trips", "shape_id", "shapes", "shape_id"),
    ("stop_times", "trip_id", "trips", "trip_id"),
    ("stop_times", "stop_id", "stops", "stop_id"),
    ("frequencies", "trip_id", "trips", "trip_id"),
    ("transfers", "from_stop_id", "stops", "stop_id"),
    ("transfers", "to_stop_id", "stops", "stop_id"),
    ("pathways", "from_stop_id", "stops", "stop_id"),
    ("pathways", "to_stop_id", "stops", "stop_id"),
)
_DATES = (("calendar", "start_date"), ("calendar", "end_date"), ("calendar_dates", "date"))
_TIMES = (("stop_times", "arrival_time"), ("stop_times", "departure_time"), ("frequencies", "start_time"))
_ENTRANCE, _NODE, _AREA = "2", "3", "4"


@dataclass(frozen=True, slots=True)
class Sample:
    """One place of a fault: the file, its line (0 when the file was not read itself), and what stands there."""

    file: str
    line: int
    said: str


@dataclass(slots=True)
class Notice:
    """One rule that the feed breaks: how many times, and a few of them."""

    code: str
    count: int = 0
    samples: list[Sample] = field(default_factory=list)

    @property
    def rule(self) -> Rule:
        """Return the rule itself."""
        return RULES[self.code]

    def as_json(self) -> dict[str, Any]:
        """Return a JSON-ready form, read back by :meth:`from_json`."""
        return {"code": self.code, "count": self.count, "samples": [[s.file, s.line, s.said] for s in self.samples]}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Notice:
        """Rebuild the notice written by :meth:`as_json`."""
        return cls(told["code"], told["count"], [Sample(*one) for one in told["samples"]])


class _Notices:
    def __init__(self, tables: Tables) -> None:
        self.found: dict[str, Notice] = {}
        self._tables = tables

    def add(self, code: str, table: str, rows: Iterable[int], said: Iterable[str] | str) -> None:
        """Count a fault at each of these rows; `said` is what stands there, for each or for all."""
        first = self._tables[table].first_line
        notice = self.found.get(code) or Notice(code)
        texts: Iterator[str] | None = None if isinstance(said, str) else iter(said)
        for row in rows:
            text = said if texts is None else next(texts)
            notice.count += 1
            if len(notice.samples) < SAMPLES:
                notice.samples.append(Sample(f"{table}.txt", first + int(row) if first else 0, str(text)[:120]))
        if notice.count:
            self.found[code] = notice

    def tell(self, code: str, table: str, said: str) -> None:
        """Count a fault of the whole table."""
        notice = self.found.setdefault(code, Notice(code))
        notice.count += 1
        if len(notice.samples) < SAMPLES:
            notice.samples.append(Sample(f"{table}.txt", 0, said))


def check(tables: Tables, timetable: Timetable, *, on: date) -> list[Notice]:
    """Return what is wrong with a feed on a day, the gravest first, then the most frequent."""
    notices = _Notices(tables)
    _check_tables(tables, notices)
    _check_keys(tables, notices)
    _check_values(tables, notices)
    _check_stops(tables, notices)
    _check_times(tables, notices)
    _check_use(tables, timetable, notices)
    _check_lines(tables, timetable, notices)
    ends = period_notice(timetable, on)
    return in_order([*notices.found.values(), *([ends] if ends else [])])


def _check_tables(tables: Tables, notices: _Notices) -> None:
    for name, columns in REQUIRED.items():
        if name not in tables:
            notices.tell("missing_required_file", name, f"{name}.txt")
            continue
        for column in columns:
            if not tables[name].has(column):
                notices.tell("missing_required_column", name, column)
    if "calendar" not in tables and "calendar_dates" not in tables:
        notices.tell("missing_calendar_and_calendar_date_files", "calendar", "")
    for name in RECOMMENDED:
        if name not in tables and not (name == "shapes" and tables.lines):
            notices.tell("missing_recommended_file", name, f"{name}.txt")


def _check_keys(tables: Tables, notices: _Notices) -> None:
    for name, column in _KEYS.items():
        seen: set[str] = set()
        twice: list[int] = []
        empty: list[int] = []
        for row, value in enumerate(tables[name][column]):
            (twice if value in seen else empty if not value else []).append(row)
            seen.add(value)
        notices.add("duplicate_key", name, twice, (f"{column} {tables[name][column][row]}" for row in twice))
        if tables[name].has(column):
            notices.add("missing_required_field", name, empty, column)
    known = {(name, column): set(tables[name][column]) for name, column in {one[2:] for one in _REFERENCES}}
    known["shapes", "shape_id"] |= set(tables.lines)
    for name, column, target, key in _REFERENCES:
        values = tables[name][column] if tables[name].has(column) else ()
        lost = [row for row, value in enumerate(values) if value and value not in known[target, key]]
        notices.add("foreign_key_violation", name, lost, (f"{column} {values[row]}" for row in lost))
    services = set(tables["calendar"]["service_id"]) | set(tables["calendar_dates"]["service_id"])
    asked = tables["trips"]["service_id"]
    lost = [row for row, value in enumerate(asked) if value not in services]
    notices.add("foreign_key_violation", "trips", lost, (f"service_id {asked[row]}" for row in lost))


def _check_values(tables: Tables, notices: _Notices) -> None:
    for code, columns, reads in (
        ("invalid_date", _DATES, lambda text: read_day(text) is not None),
        ("invalid_time", _TIMES, lambda text: not text or seconds_of(text) != NO_TIME),
    ):
        for name, column in columns:
            if not tables[name].has(column):
                continue
            good = {text: reads(text) for text in set(tables[name][column])}
            rows = [row for row, text in enumerate(tables[name][column]) if not good[text]]
            notices.add(code, name, rows, (f"{column} « {tables[name][column][row]} »" for row in rows))
    for row, zone in enumerate(tables["agency"]["agency_timezone"]):
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, LookupError):
            notices.add("invalid_timezone", "agency", [row], f"« {zone} »")
    spans = list(tables["calendar"].each("start_date", "end_date"))
    rows = [row for row, (start, end) in enumerate(spans) if start > end and read_day(start) and read_day(end)]
    notices.add(
        "start_and_end_range_out_of_order", "calendar", rows, (f"{spans[row][0]} > {spans[row][1]}" for row in rows)
    )
    for column in ("route_color", "route_text_color"):
        values = tables["routes"][column]
        bad = [row for row, text in enumerate(values) if text and not _is_colour(text)]
        notices.add("invalid_color", "routes", bad, (f"{column} « {values[row]} »" for row in bad))


def _is_colour(text: str) -> bool:
    return len(text) == 6 and all(one in "0123456789abcdefABCDEF" for one in text)


def _check_stops(tables: Tables, notices: _Notices) -> None:
    stops = tables["stops"]
    for row, (name, lat, lon, kind, parent) in enumerate(
        stops.each("stop_name", "stop_lat", "stop_lon", "location_type", "parent_station")
    ):
        if kind in (_ENTRANCE, _NODE, _AREA) and not parent:
            notices.add("location_without_parent_station", "stops", [row], name)
        if kind in (_NODE, _AREA) and not lat and not lon:
            continue
        try:
            x, y = float(lon), float(lat)
        except ValueError:
            notices.add("number_out_of_range", "stops", [row], f"{name} ({lat}, {lon})")
            continue
        if abs(x) < 1 and abs(y) < 1:
            notices.add("point_near_origin", "stops", [row], name)
        elif not (abs(x) <= 180 and abs(y) <= 90):
            notices.add("number_out_of_range", "stops", [row], f"{name} ({lat}, {lon})")


def _check_times(tables: Tables, notices: _Notices) -> None:
    """Look for times that go back, along each trip in the order of its sequence."""
    times = tables["stop_times"]
    if not times.rows:
        return
    known = {text: seconds_of(text) for text in {*times["arrival_time"], *times["departure_time"]}}
    arrival, departure = (np.array([known[text] for text in times[key]], np.int64) for key in
                          ("arrival_time", "departure_time"))  # fmt: skip
    _, trip = np.unique(np.array(times["trip_id"], dtype=object).astype(str), return_inverse=True)
    sequence = np.array([int(text) if text.isdigit() else -1 for text in times["stop_sequence"]], np.int64)
    both = (arrival != NO_TIME) & (departure != NO_TIME)

    def said(row: int) -> str:
        return f"{times['trip_id'][row]} : {times['arrival_time'][row]}, {times['departure_time'][row]}"

    rows = np.flatnonzero(both & (departure < arrival)).tolist()
    notices.add("stop_time_with_departure_before_arrival_time", "stop_times", rows, map(said, rows))
    order = np.lexsort((sequence, trip))
    arrival, departure = (np.where(one == NO_TIME, other, one) for one, other in
                          ((arrival, departure), (departure, arrival)))  # fmt: skip
    timed = order[arrival[order] != NO_TIME]
    before, after = timed[:-1], timed[1:]
    back = after[(trip[before] == trip[after]) & (arrival[after] < departure[before])].tolist()
    notices.add("stop_time_with_arrival_before_previous_departure_time", "stop_times", back, map(said, back))
    ends = np.flatnonzero(np.diff(trip[order], prepend=-1, append=-1))
    edges = np.unique(order[np.concatenate([ends[:-1], ends[1:] - 1])])
    bare = edges[arrival[edges] == NO_TIME].tolist()
    notices.add("missing_trip_edge", "stop_times", bare, (times["trip_id"][row] for row in bare))


def _check_use(tables: Tables, timetable: Timetable, notices: _Notices) -> None:
    used = set(tables["stop_times"]["stop_id"])
    stops = tables["stops"]
    idle = [
        row
        for row, (stop, kind) in enumerate(stops.each("stop_id", "location_type"))
        if kind in ("", "0") and stop not in used
    ]
    notices.add(
        "stop_without_stop_time", "stops", idle, (f"{stops['stop_id'][row]} {stops['stop_name'][row]}" for row in idle)
    )
    counts: dict[str, int] = {}
    for trip in tables["stop_times"]["trip_id"]:
        counts[trip] = counts.get(trip, 0) + 1
    trips = tables["trips"]
    short = [row for row, trip in enumerate(trips["trip_id"]) if counts.get(trip, 0) < 2]
    notices.add("unusable_trip", "trips", short, (trips["trip_id"][row] for row in short))
    drawn = set(trips["shape_id"])
    for name in sorted({*tables["shapes"]["shape_id"], *tables.lines} - drawn):
        notices.tell("unused_shape", "shapes", name)
    running = set(trips["route_id"])
    routes = tables["routes"]
    bare = [row for row, route in enumerate(routes["route_id"]) if route not in running]
    notices.add("unused_route", "routes", bare, (routes["route_id"][row] for row in bare))
    _check_access(tables, timetable, notices)


def _check_access(tables: Tables, timetable: Timetable, notices: _Notices) -> None:
    stops, trips = tables["stops"], tables["trips"]
    silent = []
    for row, (stop, kind) in enumerate(stops.each("stop_id", "location_type")):
        number = timetable.stop_number.get(stop)
        if kind in ("", "0") and number is not None and timetable.stop_wheelchair[number] == 0:
            silent.append(row)
    names = (f"{stops['stop_id'][row]} {stops['stop_name'][row]}" for row in silent)
    notices.add("beffroi_stop_without_wheelchair_boarding", "stops", silent, names)
    unsaid = [row for row, value in enumerate(trips["wheelchair_accessible"]) if value not in ("1", "2")]
    notices.add(
        "beffroi_trip_without_wheelchair_accessible", "trips", unsaid, (trips["trip_id"][row] for row in unsaid)
    )


def _check_lines(tables: Tables, timetable: Timetable, notices: _Notices) -> None:
    for row, (short, long_, colour, text) in enumerate(
        tables["routes"].each("route_short_name", "route_long_name", "route_color", "route_text_color")
    ):
        if not short and not long_:
            notices.add("route_both_short_and_long_name_missing", "routes", [row], tables["routes"]["route_id"][row])
        if _is_colour(colour) and _is_colour(text) and contrast(f"#{colour}", f"#{text}") < 4.5:
            notices.add("route_color_contrast", "routes", [row], f"{short or long_} : {text} / {colour}")
    period = timetable.calendar.period()
    if period is None:
        return
    days = timetable.calendar.active_days(period[0], min(period[1], period[0] + timedelta(days=800)))
    for service, count in zip(timetable.services, days.tolist(), strict=True):
        if not count:
            notices.tell("service_without_active_day", "calendar", service)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours ``#rrggbb``, 1 to 21. Source: WCAG 2.2, relative luminance."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def period_notice(timetable: Timetable, on: date) -> Notice | None:
    """Return that the timetable is over or soon will be on a day, None when it is not."""
    period = timetable.calendar.period()
    if period is None:
        return None
    left = (period[1] - on).days
    code = next((code for code, most in PERIOD.items() if left <= most), None)
    return Notice(code, 1, [Sample("calendar.txt", 0, f"{period[1]:%d/%m/%Y}")]) if code else None


def in_order(notices: Iterable[Notice]) -> list[Notice]:
    """Return notices the gravest first, then the most frequent."""
    grave = list(Severity)
    return sorted(notices, key=lambda one: (grave.index(one.rule.severity), -one.count, one.code))
