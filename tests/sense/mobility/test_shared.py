"""Shared vehicles: GBFS 2.x and 3.x read alike, asked politely, and counted on only while they are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from beffroi.sense.mobility.models import LiveMessage
from beffroi.sense.mobility.shared import gbfs, queries
from beffroi.sense.mobility.shared.polling import poll
from beffroi.sense.mobility.shared.sources import systems
from sense.mobility.town_graph import place_graph
from sense.mobility.transit_feeds import PARIS, Network, network_server
from territory_makers import TOWN

EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=PARIS)
STREET = "A------------------------------------------------------------B"


def told(version: int, data: dict[str, Any], at: datetime = EIGHT) -> bytes:
    """A GBFS file as each version writes it."""
    moment: Any = int(at.timestamp()) if version == 2 else at.isoformat()
    return json.dumps({"last_updated": moment, "ttl": 60, "version": f"{version}.0", "data": data}).encode()


def information(version: int, **places: tuple[float, float]) -> bytes:
    def name(text: str) -> Any:
        other = {"text": f"Station {text}", "language": "en"}
        return f"Gare {text}" if version == 2 else [other, {"text": f"Gare {text}", "language": "fr"}]

    stations = [{"station_id": one, "name": name(one), "lon": lon, "lat": lat} for one, (lon, lat) in places.items()]
    return told(version, {"stations": [*stations, {"station_id": "nowhere", "name": "X"}, "not an object"]})


def status(version: int, *, at: datetime = EIGHT, **counts: tuple[int, int]) -> bytes:
    key = "num_bikes_available" if version == 2 else "num_vehicles_available"
    stations = [{"station_id": one, key: free, "num_docks_available": docks} for one, (free, docks) in counts.items()]
    return told(version, {"stations": stations}, at)


@pytest.mark.parametrize("version", [2, 3])
def test_both_versions_read_alike(version: int) -> None:
    data, moment = gbfs.read(information(version, A=(3.0, 45.0), B=(3.1, 45.1)), where="")
    now, _ = gbfs.read(status(version, A=(4, 6)), where="")
    assert moment == EIGHT
    assert gbfs.stations(data, now) == (
        gbfs.Station("A", "Gare A", 3.0, 45.0, 4, 6), gbfs.Station("B", "Gare B", 3.1, 45.1),
    )  # fmt: skip


def test_a_station_that_is_closed_lends_and_takes_nothing() -> None:
    data, _ = gbfs.read(information(3, A=(3.0, 45.0)), where="")
    now = {
        "stations": [{"station_id": "A", "num_vehicles_available": 4, "num_docks_available": 6, "is_renting": False}]
    }
    assert (gbfs.stations(data, now)[0].vehicles, gbfs.stations(data, now)[0].docks) == (0, 6)
    now["stations"][0]["is_installed"] = False
    assert not gbfs.stations(data, now)[0].takes_back


def test_only_vehicles_one_may_take_are_counted() -> None:
    free = {"lon": 3.0, "lat": 45.0, "is_reserved": False, "is_disabled": False}
    rows = [free | {"bike_id": "1"}, free | {"bike_id": "2", "is_disabled": True}, {"bike_id": "3", "station_id": "A"}]
    assert [one.id for one in gbfs.vehicles({"bikes": rows})] == ["1"]
    assert [one.id for one in gbfs.vehicles({"vehicles": [free | {"vehicle_id": "9"}]})] == ["9"]


@pytest.mark.parametrize("content", [b"<html>", b"[]", b'{"data": 3}'])
def test_what_is_no_gbfs_is_refused(content: bytes) -> None:
    with pytest.raises(gbfs.BadGbfs):
        gbfs.read(content, where="station_status")


@pytest.fixture(scope="module")
def server() -> Iterator[Network]:
    with network_server() as running:
        yield running


@pytest.fixture
def system(server: Network, tmp_path: Path, settings: Any) -> dict[str, tuple[float, float]]:
    """A system of two stations at both ends of a street, as version 2 tells it."""
    settings.DATA_DIR = tmp_path
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "velos.toml").write_text(
        f'territory = "{TOWN}"\nname = "Vélos d’essai"\ngbfs = "{server.address("gbfs.json")}"\n', encoding="utf-8"
    )
    files = {"station_information": "info", "station_status": "status", "system_regions": "regions"}
    feeds = [{"name": name, "url": server.address(path)} for name, path in files.items()]
    places = place_graph(TOWN, drawing=STREET, ways={})
    server.asked.clear()
    server.tell("gbfs.json", told(2, {"fr": {"feeds": feeds}}))
    server.tell("info", information(2, A=places["A"], B=places["B"]))
    server.tell("status", status(2, A=(3, 0), B=(0, 5)))
    return places


@pytest.mark.django_db
def test_what_a_system_has_is_asked_and_told_with_its_age(system: dict[str, Any], server: Network) -> None:
    assert poll(EIGHT) == 3
    (fleet,) = queries.fleets(TOWN, at=EIGHT + timedelta(minutes=2))
    assert (fleet.told_at, fleet.fresh) == (EIGHT, True)
    assert [(away, one.vehicles, one.docks) for away, one in queries.near(fleet, system["A"], within_m=50)] == [
        (0, 3, 0)
    ]
    # A minute later only what changes is asked again.
    server.asked.clear()
    server.tell("status", status(2, at=EIGHT + timedelta(minutes=1), A=(2, 1), B=(1, 4)))
    assert poll(EIGHT + timedelta(seconds=30)) == 0
    assert poll(EIGHT + timedelta(seconds=61)) == 1
    assert [path for path, _ in server.asked] == ["status"]
    assert queries.fleets(TOWN, at=EIGHT)[0].stations[0].vehicles == 2


@pytest.mark.django_db
def test_a_bad_answer_keeps_the_one_before(system: dict[str, Any], server: Network) -> None:
    poll(EIGHT)
    server.tell("status", b"<html>panne</html>")
    assert poll(EIGHT + timedelta(seconds=61)) == 0
    row = LiveMessage.objects.get(kind="station_status")
    assert row.failures == 1
    assert queries.fleets(TOWN, at=EIGHT)[0].stations[0].vehicles == 3


@pytest.mark.django_db
def test_one_rides_from_a_station_that_lends_to_one_that_takes_back(system: dict[str, Any], server: Network) -> None:
    poll(EIGHT)
    ends = {"start": system["A"], "goal": system["B"]}
    found = queries.ride(TOWN, at=EIGHT, **ends)
    assert found is not None
    assert (found.taken.id, found.left.id) == ("A", "B")
    # 610 m by bicycle, and two minutes to take it and leave it.
    assert 60 < found.ride_s < 240
    assert found.seconds == pytest.approx(found.walk_first_s + found.ride_s + found.walk_last_s + 120)
    # To go the other way one would walk to A, ride back to B and walk again: nobody would. Six minutes later nothing is
    # sure.
    assert queries.ride(TOWN, at=EIGHT, start=system["B"], goal=system["A"]) is None
    assert queries.ride(TOWN, at=EIGHT + timedelta(minutes=6), **ends) is None


def test_a_file_that_does_not_read_says_why(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "a.toml").write_text('territory = "1"\nname = "A"\ngbfs = "ftp://x"\n')
    (tmp_path / "shared" / "b.toml").write_text('territory = "1"\n')
    found, faults = systems()
    assert found == []
    assert ["ftp://x" in str(faults[0]), "gbfs" in str(faults[1])] == [True, True]
