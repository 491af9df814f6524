"""Bus lines along the great roads, as a GTFS archive: stops, shapes, two calendar years of service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import shapely

from beffroi.base.clock.queries import public_holidays
from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.plan import NAME, YEAR
from beffroi.lake.town.shapes import Array

STOP_EVERY_M = 380.0
SPEED_M_S = 5.2
AGENCY = "ONDE"


@dataclass(frozen=True, slots=True)
class Line:
    """One bus line: its course in local metres and its stops, as abscissas along it."""

    name: str
    course: shapely.LineString
    stops: Array


def draw_lines(city: City) -> list[Line]:
    """Join opposite roads through the centre, and follow the greatest ring."""
    network = city.network
    roads = [network.streets[index] for index in network.radial_streets]
    town = shapely.Point(0, 0).buffer(city.scale.urban_m * 1.08)
    arms: list[shapely.LineString] = []
    for road in roads:
        inside = shapely.get_parts(shapely.intersection(road, town))
        if not len(inside):
            continue
        arm = inside[int(np.argmin(shapely.distance(inside, shapely.Point(0, 0))))]
        if shapely.distance(arm, shapely.Point(0, 0)) > city.scale.core_m * 1.6 or arm.length < 250:
            continue
        near_first = shapely.Point(arm.coords[0]).distance(shapely.Point(0, 0)) < shapely.Point(
            arm.coords[-1]
        ).distance(shapely.Point(0, 0))
        arms.append(arm if near_first else shapely.reverse(arm))
    lines = []
    half = len(arms) // 2
    for index in range(max(half, 1)):
        first, second = arms[index], arms[(index + half) % len(arms)] if half else arms[index]
        course = [*list(first.coords)[::-1], (0.0, 0.0), *list(second.coords)] if half else list(first.coords)[::-1]
        lines.append(_line(str(index + 1), shapely.LineString(course)))
    if network.ring_streets:
        rings = [network.streets[index] for index in network.ring_streets]
        lines.append(
            _line("C", max(rings, key=lambda ring: ring.length if ring.length < 14 * city.scale.urban_m * 0.7 else 0))
        )
    return lines


def _line(name: str, course: shapely.LineString) -> Line:
    count = max(2, int(course.length // STOP_EVERY_M) + 1)
    return Line(name, course, np.linspace(4, course.length - 4, count))


def write_transit(city: City, writer: Writer) -> None:
    """Write the GTFS archive of the network."""
    lines = draw_lines(city)
    stops, stop_of = _stops(city, lines)
    degrees = writer.origin.degrees(np.array([point for point, _ in stops]))
    trips, times = _timetable(lines, stop_of, busy=city.scale.population >= 50_000)
    shapes = _shapes(lines, writer)
    start, end = date(YEAR, 1, 1), date(YEAR + 1, 12, 31)
    tables: dict[str, dict[str, Iterable[Any]]] = {
        "agency.txt": {
            "agency_id": [AGENCY],
            "agency_name": [f"Onde Mobilités — {NAME} (réseau fictif)"],
            "agency_url": ["https://valbruyere.example/"],
            "agency_timezone": ["Europe/Paris"],
            "agency_lang": ["fr"],
        },
        "feed_info.txt": {
            "feed_publisher_name": ["Beffroi, ville fictive"],
            "feed_publisher_url": ["https://valbruyere.example/"],
            "feed_lang": ["fr"],
            "feed_start_date": [f"{start:%Y%m%d}"],
            "feed_end_date": [f"{end:%Y%m%d}"],
            "feed_version": [str(YEAR)],
        },
        "stops.txt": {
            "stop_id": [f"A{i + 1:04d}" for i in range(len(stops))],
            "stop_name": [name for _, name in stops],
            "stop_lat": degrees[:, 1],
            "stop_lon": degrees[:, 0],
            "wheelchair_boarding": [1 + i % 2 for i in range(len(stops))],
        },
        "routes.txt": {
            "route_id": [f"L{line.name}" for line in lines],
            "agency_id": [AGENCY] * len(lines),
            "route_short_name": [line.name for line in lines],
            "route_long_name": [f"{stops[stop_of[i][0]][1]} — {stops[stop_of[i][-1]][1]}" for i in range(len(lines))],
            "route_type": [3] * len(lines),
            "route_color": [_COLOURS[i % len(_COLOURS)] for i in range(len(lines))],
            "route_text_color": ["FFFFFF"] * len(lines),
        },
        "calendar.txt": _calendar(start, end),
        "calendar_dates.txt": _holidays(),
        "trips.txt": trips,
        "stop_times.txt": times,
        "shapes.txt": shapes,
    }
    writer.archive("transports/gtfs_00001.zip", "Réseau de bus (GTFS)", tables, len(stops))


_COLOURS = ("1F5FA8", "A3352C", "2E7D4F", "7A4E9E", "B35C00", "006D77", "8A2F62", "4C6A1E")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SERVICES = {"SEM": (1, 1, 1, 1, 1, 0, 0), "SAM": (0, 0, 0, 0, 0, 1, 0), "DIM": (0, 0, 0, 0, 0, 0, 1)}


def _calendar(start: date, end: date) -> dict[str, Iterable[Any]]:
    table: dict[str, Iterable[Any]] = {"service_id": list(_SERVICES)}
    for rank, day in enumerate(_DAYS):
        table[day] = [week[rank] for week in _SERVICES.values()]
    return table | {"start_date": [f"{start:%Y%m%d}"] * 3, "end_date": [f"{end:%Y%m%d}"] * 3}


def _holidays() -> dict[str, Iterable[Any]]:
    """Run the Sunday service on public holidays, and nothing on 1 May."""
    rows = []
    for year in (YEAR, YEAR + 1):
        for day in sorted({holiday.day for holiday in public_holidays(year)}):
            usual = ("SEM", "SEM", "SEM", "SEM", "SEM", "SAM", "DIM")[day.weekday()]
            sunday = "DIM"
            if (day.month, day.day) == (5, 1):
                rows.append((usual, f"{day:%Y%m%d}", 2))
            elif usual != sunday:
                rows += [(usual, f"{day:%Y%m%d}", 2), (sunday, f"{day:%Y%m%d}", 1)]
    return dict(zip(("service_id", "date", "exception_type"), zip(*rows, strict=True), strict=True))


def _stops(city: City, lines: list[Line]) -> tuple[list[tuple[tuple[float, float], str]], list[list[int]]]:
    """Return the stops (place, name) and, for each line, the index of its stops; stops within 60 m are one."""
    network = city.network
    segments = network.segments
    tree = shapely.STRtree(segments)
    stops: list[tuple[tuple[float, float], str]] = []
    names: dict[str, int] = {}
    of_line = []
    for line in lines:
        row = []
        for at in line.stops.tolist():
            point = line.course.interpolate(at)
            near = [i for i, (other, _) in enumerate(stops) if np.hypot(other[0] - point.x, other[1] - point.y) < 60]
            if near and near[0] not in row:
                row.append(near[0])
                continue
            around = tree.query(point, predicate="dwithin", distance=90.0)
            crossing = sorted({str(city.street_name[network.street_of_segment[i]]) for i in around.tolist()})
            name = crossing[len(stops) % len(crossing)].partition(" ")[2] if crossing else "Campagne"
            name = name.removeprefix("des ").removeprefix("du ").removeprefix("de la ").removeprefix("de l'")
            names[name] = names.get(name, 0) + 1
            row.append(len(stops))
            stops.append(((point.x, point.y), name if names[name] == 1 else f"{name} {names[name]}"))
        of_line.append(row)
    return stops, of_line


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _departures(service: str, rank: int, *, busy: bool) -> list[int]:
    pace = {"SEM": 12 if busy else 25, "SAM": 20 if busy else 40, "DIM": 40 if busy else 70}[service] * 60
    pace += (rank % 3) * 120
    first, last = (5 * 3600 + 40 * 60, 22 * 3600 + 30 * 60) if service == "SEM" else (7 * 3600, 21 * 3600)
    return list(range(first + rank * 97 % 600 // 60 * 60, last, pace))


def _timetable(
    lines: list[Line], stop_of: list[list[int]], *, busy: bool
) -> tuple[dict[str, Iterable[Any]], dict[str, Iterable[Any]]]:
    trips: list[tuple[Any, ...]] = []
    times: list[tuple[Any, ...]] = []
    for rank, line in enumerate(lines):
        for direction in (0, 1):
            stops = stop_of[rank] if direction == 0 else stop_of[rank][::-1]
            at = line.stops if direction == 0 else line.course.length - line.stops[::-1]
            # Whole half-minutes from the first stop, at least one between two stops.
            run = (np.maximum.accumulate(np.round((at - at[0]) / SPEED_M_S / 30)).astype(int) + np.arange(len(at))) * 30
            for service in _SERVICES:
                for count, departure in enumerate(_departures(service, rank, busy=busy)):
                    trip = f"L{line.name}-{direction}-{service}-{count + 1:03d}"
                    trips.append((f"L{line.name}", service, trip, direction, f"S{line.name}-{direction}", 1))
                    times += [
                        (
                            trip,
                            _clock(departure + int(gap)),
                            _clock(departure + int(gap) + (20 if 0 < index < len(stops) - 1 else 0)),
                            f"A{stop + 1:04d}",
                            index + 1,
                        )
                        for index, (stop, gap) in enumerate(zip(stops, run.tolist(), strict=True))
                    ]
    trip_names = ("route_id", "service_id", "trip_id", "direction_id", "shape_id", "wheelchair_accessible")
    time_names = ("trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence")
    return dict(zip(trip_names, zip(*trips, strict=True), strict=True)), dict(
        zip(time_names, zip(*times, strict=True), strict=True)
    )


def _shapes(lines: list[Line], writer: Writer) -> dict[str, Iterable[Any]]:
    ids: list[str] = []
    points, rank, travelled = [], [], []
    for line in lines:
        for direction in (0, 1):
            course = shapely.get_coordinates(line.course)
            course = course if direction == 0 else course[::-1]
            ids += [f"S{line.name}-{direction}"] * len(course)
            points.append(course)
            rank += list(range(1, len(course) + 1))
            travelled.append(np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(course, axis=0).T))]))
    degrees = writer.origin.degrees(np.concatenate(points))
    return {
        "shape_id": ids,
        "shape_pt_lat": degrees[:, 1],
        "shape_pt_lon": degrees[:, 0],
        "shape_pt_sequence": rank,
        "shape_dist_traveled": np.round(np.concatenate(travelled), 1),
    }
