"""The worker asks a network over HTTP: what answers well is kept, what does not is said, and times fall back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from beffroi.sense.mobility.models import LiveMessage
from beffroi.sense.mobility.transit import queries
from beffroi.sense.mobility.transit.live import Status, live_of
from beffroi.sense.mobility.transit.polling import poll
from beffroi.sense.mobility.transit.sources import sources
from sense.mobility.transit_feeds import PARIS, Network, message, network_server, place_network, trip_update

EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=PARIS)
TOWN = "00001"
LATE = trip_update("a1", "20260302", delay=180)
WORKS: dict[str, object] = {
    "alert": {"informed_entity": [{"stop_id": "M"}], "header_text": {"translation": [{"text": "Travaux"}]}}
}

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server() -> Iterator[Network]:
    with network_server() as running:
        yield running


@pytest.fixture
def network(server: Network, tmp_path: Path, settings: Any) -> Network:
    settings.DATA_DIR = tmp_path
    place_network(TOWN, tmp_path)
    (tmp_path / "transit").mkdir()
    (tmp_path / "transit" / "reseau.toml").write_text(
        f'territory = "{TOWN}"\nfeed = "reseau"\nevery_s = 30\n'
        + "".join(f'{kind} = "{server.address(kind)}"\n' for kind in ("trip_updates", "alerts", "vehicle_positions")),
        encoding="utf-8",
    )
    server.asked.clear()
    server.tell("trip_updates", message(EIGHT, LATE), ETag='"un"', Last_Modified="Mon, 02 Mar 2026 07:00:00 GMT")
    server.tell("alerts", message(EIGHT, WORKS))
    server.tell("vehicle_positions", message(EIGHT, {"vehicle": {
        "trip": {"trip_id": "a1"}, "position": {"latitude": 45.0090, "longitude": 3.0090},
        "timestamp": int(EIGHT.timestamp()),
    }}))  # fmt: skip
    return server


def delays(at: datetime) -> list[tuple[str, int | None]]:
    _, _, found = queries.next_departures(TOWN, "reseau", "M", at=at, most=1)
    return [(one.trip_id, one.delay_s) for one in found]


def test_delays_incidents_and_places_are_kept_and_told(network: Network) -> None:
    assert live_of(TOWN, "reseau", at=EIGHT).status is Status.WAITING
    assert delays(EIGHT) == [("a1", None)]
    assert poll(EIGHT) == 3
    assert delays(EIGHT) == [("a1", 180)]
    told = live_of(TOWN, "reseau", at=EIGHT)
    assert (told.status, told.told_at, told.problem) == (Status.FRESH, EIGHT, None)
    assert [one.title for one in queries.board(TOWN, "reseau", "M", at=EIGHT).alerts] == ["Travaux"]
    assert queries.board(TOWN, "reseau", "E", at=EIGHT).alerts == ()
    ((vehicle, line),) = queries.vehicles(TOWN, at=EIGHT)
    assert (round(vehicle.lon, 3), line and line.name) == (3.009, "1")


def test_it_is_asked_on_its_rhythm_and_unchanged_costs_nothing(network: Network) -> None:
    poll(EIGHT)
    assert poll(EIGHT + timedelta(seconds=29)) == 0
    assert len(network.asked) == 3
    network.tell("trip_updates", b"", status=304)
    poll(EIGHT + timedelta(seconds=30))
    _, headers = next(one for one in network.asked[3:] if one[0] == "trip_updates")
    assert (headers["If-None-Match"], headers["If-Modified-Since"]) == ('"un"', "Mon, 02 Mar 2026 07:00:00 GMT")
    row = LiveMessage.objects.get(kind="trip_updates")
    assert (row.number, row.fetched_at, row.problem) == (1, EIGHT + timedelta(seconds=30), None)
    assert delays(EIGHT) == [("a1", 180)]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"content": b"", "status": 503}, "le réseau répond 503"),
        ({"content": message(EIGHT, LATE)[:20], "cut": 100}, "réponse coupée en route"),
        ({"content": b"<html>Maintenance</html>"}, "message GTFS-RT illisible (24 octets)"),
    ],
)
def test_an_answer_that_fails_changes_nothing_and_is_said(network: Network, bad: dict[str, Any], why: str) -> None:
    poll(EIGHT)
    network.tell("trip_updates", **bad)
    later = EIGHT + timedelta(minutes=1)
    poll(later)
    told = live_of(TOWN, "reseau", at=later)
    assert told.status is Status.FRESH
    assert str(told.problem) == why
    assert delays(later) == [("a1", 180)]
    # It waits longer after each failure; told well again, nothing is said of it any more.
    asked = len(network.asked)
    poll(later + timedelta(seconds=31))
    assert [path for path, _ in network.asked[asked:]] == ["alerts", "vehicle_positions"]
    network.tell("trip_updates", message(later, LATE))
    poll(later + timedelta(seconds=61))
    assert live_of(TOWN, "reseau", at=later).problem is None


def test_old_news_is_no_news(network: Network) -> None:
    poll(EIGHT)
    later = EIGHT + timedelta(minutes=6)
    told = live_of(TOWN, "reseau", at=later)
    assert (told.status, told.trips, told.vehicles) == (Status.STALE, None, ())
    assert [one.title for one in told.alerts] == ["Travaux"]
    # The network answers still, with the instant of an hour ago: planned times all the same.
    network.tell("trip_updates", message(EIGHT - timedelta(hours=1), LATE))
    poll(later)
    assert live_of(TOWN, "reseau", at=later).status is Status.STALE
    assert delays(EIGHT) == [("a1", None)]
    assert live_of(TOWN, "reseau", at=EIGHT + timedelta(days=2)).alerts == ()


def test_a_network_that_does_not_answer_is_said(network: Network, tmp_path: Path) -> None:
    with network_server() as gone:
        address = gone.address("trip_updates")
    file = tmp_path / "transit" / "reseau.toml"
    file.write_text(f'territory = "{TOWN}"\nfeed = "reseau"\ntrip_updates = "{address}"\n', encoding="utf-8")
    assert poll(EIGHT) == 0
    told = live_of(TOWN, "reseau", at=EIGHT)
    assert told.status is Status.WAITING
    assert "le réseau ne répond pas" in str(told.problem)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("territory = ", "TOML illisible"),
        ('territory = "1"\nfeed = "x"\nalertes = "y"', "clés inconnues : alertes"),
        ('feed = "x"', "absentes : territory"),
        ('territory = "1"\nfeed = "x"\nalerts = "file:///etc/passwd"', "alerts : adresse"),
        ('territory = "1"\nfeed = "x"\nevery_s = 0', "every_s : 0 hors des bornes"),
    ],
)
def test_a_file_that_does_not_read_is_set_aside_with_its_reason(
    tmp_path: Path, settings: Any, text: str, why: str
) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "transit").mkdir()
    (tmp_path / "transit" / "faux.toml").write_text(text, encoding="utf-8")
    found, (fault,) = sources()
    assert found == []
    assert str(fault).startswith("transit/faux.toml : ")
    assert why in str(fault)
