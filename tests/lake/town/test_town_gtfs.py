"""The bus network: everything referred to exists, times rise, shapes pass by their stops."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest

Tables = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def gtfs(town_folder: Path) -> Tables:
    with zipfile.ZipFile(town_folder / "transports/gtfs_00001.zip") as archive:
        return {
            name.removesuffix(".txt"): list(csv.DictReader(io.TextIOWrapper(archive.open(name), "utf-8")))
            for name in archive.namelist()
        }


def seconds(text: str) -> int:
    hours, minutes, rest = text.split(":")
    return int(hours) * 3_600 + int(minutes) * 60 + int(rest)


def test_required_tables_are_there(gtfs: Tables) -> None:
    assert {"agency", "stops", "routes", "trips", "stop_times", "calendar", "shapes", "feed_info"} <= set(gtfs)


def test_every_reference_exists(gtfs: Tables) -> None:
    stops = {row["stop_id"] for row in gtfs["stops"]}
    trips = {row["trip_id"] for row in gtfs["trips"]}
    assert {row["stop_id"] for row in gtfs["stop_times"]} == stops
    assert {row["trip_id"] for row in gtfs["stop_times"]} == trips
    assert {row["route_id"] for row in gtfs["trips"]} == {row["route_id"] for row in gtfs["routes"]}
    assert {row["shape_id"] for row in gtfs["trips"]} == {row["shape_id"] for row in gtfs["shapes"]}
    assert {row["service_id"] for row in gtfs["trips"]} <= {row["service_id"] for row in gtfs["calendar"]}


def test_times_rise_along_every_trip(gtfs: Tables) -> None:
    trips: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in gtfs["stop_times"]:
        trips[row["trip_id"]].append(row)
    for rows in trips.values():
        assert [int(row["stop_sequence"]) for row in rows] == list(range(1, len(rows) + 1))
        clock = [seconds(row[name]) for row in rows for name in ("arrival_time", "departure_time")]
        assert clock == sorted(clock)
        arrivals = [seconds(row["arrival_time"]) for row in rows]
        assert len(set(arrivals)) == len(arrivals)


def test_service_covers_two_calendar_years(gtfs: Tables) -> None:
    starts = {row["start_date"] for row in gtfs["calendar"]}
    ends = {row["end_date"] for row in gtfs["calendar"]}
    assert starts == {"20260101"}
    assert ends == {"20271231"}
    days = {row["date"] for row in gtfs["calendar_dates"]}
    # Holidays on a week day take the Sunday service; no bus on 1 May.
    assert {"20260714", "20271111"} <= days
    may = [row for row in gtfs["calendar_dates"] if row["date"] == "20260501"]
    assert [row["exception_type"] for row in may] == ["2"]
    assert date(2026, 5, 1).weekday() == 4


def test_stops_lie_on_the_shape_of_their_trips(gtfs: Tables) -> None:
    course: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in gtfs["shapes"]:
        course[row["shape_id"]].append((float(row["shape_pt_lon"]), float(row["shape_pt_lat"])))
    place = {row["stop_id"]: (float(row["stop_lon"]), float(row["stop_lat"])) for row in gtfs["stops"]}
    shape = {row["trip_id"]: row["shape_id"] for row in gtfs["trips"]}
    seen = {(shape[row["trip_id"]], row["stop_id"]) for row in gtfs["stop_times"]}
    for shape_id, stop in seen:
        lon, lat = place[stop]
        nearest = min((lon - x) ** 2 + (lat - y) ** 2 for x, y in course[shape_id]) ** 0.5
        # 0.001° of latitude is 111 m: vertices are at most 30 m apart, shared stops within 60 m of the line.
        assert nearest < 1.3e-3
