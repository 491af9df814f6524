"""6-09, the next buses: « GTFS + GTFS-RT, next departures at a stop, delays », from the files to the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue.models import UseCaseUsage
from beffroi.base.kernel.geo import BBox
from beffroi.lake.operations import announce_published, import_source
from beffroi.sense.mobility.transit import store
from beffroi.sense.mobility.transit.operations import build_timetables
from beffroi.sense.mobility.transit.polling import poll
from sense.mobility.transit_feeds import NETWORK, PARIS, Network, archive, message, network_server, trip_update
from territory_makers import make_town

TOWN = "00001"
EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=PARIS)
STOP = "/transports/arret/reseau/M/"

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server() -> Iterator[Network]:
    with network_server() as running:
        yield running


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of a publisher, imported as any other data."""
    folder = tmp_path_factory.mktemp("6-09")
    outcome = import_source(archive(folder, NETWORK), territory=TOWN, at=EIGHT, lake=folder / "lake", announce=False)
    assert len(outcome.parts) == len(NETWORK)
    return folder / "lake"


@pytest.fixture
def town(lake: Path, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    settings.LAKE_DIR, settings.DATA_DIR = lake, tmp_path
    make_town(TOWN, "Bourg-l’Essai", population=812, fictional=True, bbox=BBox(3.0, 45.0, 3.02, 45.02))
    (built,) = build_timetables(TOWN, at=EIGHT)
    assert built.feed == "reseau"
    monkeypatch.setattr("beffroi.faces.portal.transit.pages.now", lambda: EIGHT)
    return TOWN


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))).replace("\u00a0", " ")


@pytest.mark.parametrize("address", ["/services/", "/services/6-09/", "/recherche/?q=bus en temps réel"])
def test_it_is_found_from_the_services_and_the_search(address: str, client: Client, town: str) -> None:
    page = client.get(address).content.decode()
    assert "/transports/" in page or "/services/6-09/" in page


def test_a_stop_is_found_and_its_departures_follow_what_the_network_tells(
    client: Client, town: str, server: Network, tmp_path: Path
) -> None:
    found = client.get("/transports/?q=mairie").content.decode()
    assert f'href="{STOP}"' in found
    assert "08:11 dans 11 min Horaire prévu" in text(client, STOP)
    (tmp_path / "transit").mkdir()
    address = server.address("trip_updates")
    (tmp_path / "transit" / "reseau.toml").write_text(
        f'territory = "{TOWN}"\nfeed = "reseau"\ntrip_updates = "{address}"\n', encoding="utf-8"
    )
    server.tell("trip_updates", message(EIGHT, trip_update("a1", "20260302", delay=180)))
    assert poll(EIGHT) == 1
    page = text(client, STOP)
    assert "Temps réel Retards et suppressions dits par le réseau à 08:00." in page
    assert "08:14 dans 14 min Retard de 3 min prévu à 08:11" in page
    server.tell("trip_updates", b"", status=503)
    poll(EIGHT + timedelta(minutes=10))
    assert "Retard de 3 min" in text(client, STOP), "what was told five minutes ago at most still holds"


def test_new_files_change_the_departures_and_the_same_ones_cost_nothing(
    client: Client, town: str, lake: Path, tmp_path: Path, settings: Any
) -> None:
    assert [one.timetable for one in build_timetables(TOWN, at=EIGHT + timedelta(days=1))] == [None]
    settings.LAKE_DIR = tmp_path / "lake"
    tables = {**NETWORK, "stop_times": NETWORK["stop_times"].replace("08:11:00", "08:13:00")}
    import_source(archive(tmp_path, tables), territory=TOWN, at=EIGHT, lake=settings.LAKE_DIR, announce=False)
    announce_published(at=EIGHT)
    (built,) = build_timetables(TOWN, at=EIGHT + timedelta(days=1))
    assert built.timetable is not None
    assert "08:13 dans 13 min" in text(client, STOP)
    settings.LAKE_DIR = tmp_path / "empty"
    settings.LAKE_DIR.mkdir()
    assert build_timetables(TOWN, at=EIGHT) == []
    assert store.feeds(TOWN) == []


def test_a_use_is_counted_for_the_town(client: Client, town: str) -> None:
    client.get(STOP)
    catalogue.flush_usage()
    assert (
        sum(count for *_, count in UseCaseUsage.objects.filter(use_case="6-09").values_list("use_case", "count")) == 1
    )
