"""A broken feed is read as far as it goes, and its publisher is told what, where, and how to mend it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from beffroi.sense.mobility.transit.checking import Notice
from beffroi.sense.mobility.transit.operations import check_archive
from beffroi.sense.mobility.transit.rules import RULES
from beffroi.sense.mobility.transit.tables import BadFeed
from sense.mobility.transit_feeds import NETWORK, archive

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def report(folder: Path, **changed: str | None) -> dict[str, Notice]:
    tables = {name: text for name, text in {**NETWORK, **changed}.items() if text is not None}
    _, notices = check_archive(archive(folder, tables), at=AT)
    return {one.code: one for one in notices}


def test_a_sound_feed_is_told_what_travellers_would_miss(tmp_path: Path) -> None:
    assert set(report(tmp_path)) == {
        "stop_without_stop_time",
        "route_color_contrast",
        "missing_recommended_file",
        "beffroi_stop_without_wheelchair_boarding",
        "beffroi_trip_without_wheelchair_accessible",
    }


TIMES = NETWORK["stop_times"]
TRIPS = NETWORK["trips"]
CASES = {
    "foreign_key_violation": ("stop_times", TIMES + "zz,10:00:00,10:00:00,M,1,0,\n", "stop_times.txt", 16, "zz"),
    "duplicate_key": ("trips", TRIPS + "L1,SEM,a1,Église,0,1\n", "trips.txt", 7, "a1"),
    "invalid_time": ("stop_times", TIMES.replace("08:20:00,08", "8h20,08"), "stop_times.txt", 4, "8h20"),
    "invalid_date": (
        "calendar_dates", NETWORK["calendar_dates"] + "SEM,20260230,2\n", "calendar_dates.txt", 6, "20260230",
    ),
    "stop_time_with_arrival_before_previous_departure_time": (
        "stop_times", TIMES.replace("08:10:00,08:11:00", "07:10:00,08:11:00"), "stop_times.txt", 3, "a1",
    ),
    "stop_time_with_departure_before_arrival_time": (
        "stop_times", TIMES.replace("08:10:00,08:11:00", "08:11:00,08:10:00"), "stop_times.txt", 3, "a1",
    ),
    "missing_trip_edge": (
        "stop_times", TIMES.replace("09:20:00,09:20:00", ","), "stop_times.txt", 7, "a2",
    ),
    "unusable_trip": ("trips", TRIPS + "L1,SEM,vide,Église,0,1\n", "trips.txt", 7, "vide"),
    "unused_route": ("routes", NETWORK["routes"] + "Z,A,Z,Fermée,3,,\n", "routes.txt", 4, "Z"),
    "invalid_color": ("routes", NETWORK["routes"] + "Z,A,Z,Fermée,3,rouge,\n", "routes.txt", 4, "rouge"),
    "number_out_of_range": ("stops", NETWORK["stops"] + "W,Loin,450,3,0,,1,\n", "stops.txt", 8, "Loin"),
    "point_near_origin": ("stops", NETWORK["stops"] + "W,Mer,0,0,0,,1,\n", "stops.txt", 8, "Mer"),
    "location_without_parent_station": ("stops", NETWORK["stops"] + "W,Porte,45,3,2,,1,\n", "stops.txt", 8, "Porte"),
    "missing_required_column": ("stops", NETWORK["stops"].replace("stop_name", "nom"), "stops.txt", 0, "stop_name"),
    "start_and_end_range_out_of_order": (
        "calendar", NETWORK["calendar"] + "X,1,1,1,1,1,1,1,20261231,20260101\n", "calendar.txt", 4, "20261231",
    ),
    "service_without_active_day": (
        "calendar", NETWORK["calendar"] + "X,0,0,0,0,0,0,0,20260101,20261231\n", "calendar.txt", 0, "X",
    ),
    "invalid_timezone": (
        "agency", NETWORK["agency"].replace("Europe/Paris", "Europe/Montpellier"), "agency.txt", 2, "Montpellier",
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", CASES)
def test_a_fault_is_told_with_its_file_its_line_and_its_remedy(tmp_path: Path, code: str) -> None:
    table, text, file, line, said = CASES[code]
    found = report(tmp_path, **{table: text})[code]
    assert (found.count, found.samples[0].file, found.samples[0].line) == (1, file, line)
    assert said in found.samples[0].said
    assert RULES[code].remedy


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("20260301", "expired_calendar"),
        ("20260308", "feed_expiration_date7_days"),
        ("20260330", "feed_expiration_date30_days"),
    ],
)
def test_the_end_of_a_timetable_is_told_ahead(tmp_path: Path, end: str, code: str) -> None:
    calendar = NETWORK["calendar"].replace("20261231", end)
    found = report(tmp_path, calendar=calendar, calendar_dates=None)
    assert [one for one in found if "expir" in one] == [code]
    day = date.fromisoformat(end)
    assert f"{day:%d/%m/%Y}" in found[code].samples[0].said


def test_without_its_tables_a_feed_is_refused_or_told(tmp_path: Path) -> None:
    assert report(tmp_path, stop_times=None)["missing_required_file"].samples[0].said == "stop_times.txt"
    assert "missing_calendar_and_calendar_date_files" in report(tmp_path, calendar=None, calendar_dates=None)
    broken = tmp_path / "casse.zip"
    broken.write_bytes(b"PK\x03\x04 pas une archive")
    with pytest.raises(BadFeed, match="archive illisible"):
        check_archive(broken, at=AT)
    with pytest.raises(BadFeed, match="UTF-8"):
        check_archive(_latin(tmp_path), at=AT)


def _latin(folder: Path) -> Path:
    import zipfile

    path = folder / "latin.zip"
    with zipfile.ZipFile(path, "w") as out:
        for name, text in NETWORK.items():
            out.writestr(f"{name}.txt", text.encode("cp1252"))
    return path


def test_a_station_that_is_its_own_parent_does_not_hang(tmp_path: Path) -> None:
    stops = NETWORK["stops"] + "P,Un,45,3,1,Q,1,\nQ,Deux,45,3,1,P,1,\n"
    timetable, _ = check_archive(archive(tmp_path, {**NETWORK, "stops": stops}), at=AT)
    assert timetable.children[timetable.stop_number["G"]]
