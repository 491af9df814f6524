"""Buses and trams on the portal: words first, without JavaScript, times of the moment or said to be planned."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.faces.shell.colours import contrast
from beffroi.sense.mobility.models import LiveMessage
from sense.mobility.transit_feeds import NETWORK, PARIS, message, place_network, trip_update

EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=PARIS)
STOP = "/transports/arret/reseau/M/"


@pytest.fixture
def network(small_town: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A network in service in the small town, on Monday 2 March 2026 at eight."""
    settings.DATA_DIR = tmp_path
    place_network(small_town, tmp_path)
    for module in ("pages", "layers"):
        monkeypatch.setattr(f"beffroi.faces.portal.transit.{module}.now", lambda: EIGHT)
    return small_town


def tell(town: str, folder: Path, kind: str, *entities: dict[str, object], at: datetime = EIGHT) -> None:
    """Have the network tell of the moment, as the worker keeps it."""
    (folder / "transit").mkdir(exist_ok=True)
    kinds = "".join(
        f'{one} = "https://reseau.example/{one}"\n' for one in ("trip_updates", "alerts", "vehicle_positions")
    )
    (folder / "transit" / "reseau.toml").write_text(f'territory = "{town}"\nfeed = "reseau"\n{kinds}', encoding="utf-8")
    number = LiveMessage.objects.count() + 1 + int(at.timestamp())
    LiveMessage.objects.create(territory=town, feed="reseau", kind=kind, content=message(at, *entities), told_at=at,
                               fetched_at=at, number=number)  # fmt: skip


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    words = unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))
    return re.sub(r"\s+", " ", words).replace("\u00a0", " ")


def test_a_stop_tells_its_departures_line_by_line(client: Client, network: str) -> None:
    page = text(client, STOP)
    assert "Mairie" in page
    assert "Arrêt accessible en fauteuil." in page
    assert "Horaires prévus Ce réseau ne dit pas ici ses retards." in page
    assert re.search(r"vers Église .* 08:11 dans 11 min Horaire prévu oui", page)
    assert re.search(r"vers 09:10 à réserver par téléphone non", page)
    assert re.search(r"vers Gare .* 08:40 dans 40 min Horaire prévu non dit", page)


def test_delays_and_cancellations_are_told_and_said_to_be_of_the_moment(
    client: Client, network: str, tmp_path: Path
) -> None:
    tell(network, tmp_path, "trip_updates", trip_update("a1", "20260302", delay=240),
         trip_update("r1", "20260302", relation="CANCELED"))  # fmt: skip
    page = text(client, STOP)
    assert "Temps réel Retards et suppressions dits par le réseau à 08:00." in page
    assert "08:15 dans 15 min Retard de 4 min prévu à 08:11" in page
    assert "08:40 Supprimé" in page


def test_old_news_is_said_and_times_are_those_planned(client: Client, network: str, tmp_path: Path) -> None:
    tell(network, tmp_path, "trip_updates", trip_update("a1", "20260302", delay=240), at=EIGHT - timedelta(minutes=20))
    page = text(client, STOP)
    assert "Temps réel interrompu : horaires prévus Sans nouvelles du réseau depuis le 2 mars à 07:40." in page
    assert "08:11 dans 11 min Horaire prévu" in page


def test_incidents_are_told_where_they_are_with_their_dates(client: Client, network: str, tmp_path: Path) -> None:
    soon, later = (int((EIGHT + timedelta(days=days)).timestamp()) for days in (-1, 3))
    tell(network, tmp_path, "alerts", {"alert": {
        "active_period": [{"start": soon, "end": later}], "informed_entity": [{"route_id": "L1", "stop_id": "M"}],
        "cause": "CONSTRUCTION", "effect": "STOP_MOVED",
        "header_text": {"translation": [{"text": "Travaux <b>place</b> de la Mairie"}]},
    }})  # fmt: skip
    told = "Travaux place de la Mairie Arrêt déplacé (travaux) Du 1 mars 2026, 08:00 au 5 mars 2026, 08:00"
    assert told in text(client, STOP)
    assert told in text(client, "/transports/")
    assert told not in text(client, "/transports/arret/reseau/E/")


def test_none_left_today_says_when_the_first_is(client: Client, network: str) -> None:
    for when, said in (
        ("2026-03-02T22:00", "Plus de passage aujourd’hui ; premier demain à 08:11."),
        ("2026-03-06T22:00", "Plus de passage aujourd’hui ; premier lundi 9 mars à 08:11."),
        ("2026-03-03T01:00", "Plus de passage cette nuit ; premier à 08:11."),
        ("2027-03-03T01:00", "Aucun passage dans les quinze jours."),
    ):
        assert said in text(client, f"{STOP}?quand={when}"), when
    refused = client.get(f"{STOP}?quand=tantôt")
    assert refused.status_code == 400
    assert "Écrivez par exemple 2026-03-29T08:30." in refused.content.decode()


def test_a_station_and_its_platforms(client: Client, network: str) -> None:
    station = text(client, "/transports/arret/reseau/G/")
    assert "Quai par quai" in station
    assert re.search(r"08:00 à l’approche quai 1 Horaire prévu", station)
    platform = text(client, "/transports/arret/reseau/G2/")
    assert "Gare, quai 2" in platform
    assert "Arrêt non accessible en fauteuil." in platform


@pytest.mark.parametrize(
    ("asked", "there", "absent"),
    [("?q=mai", "Mairie", "Église"), ("?q=eglise", "Église", "Mairie"), ("?lon=3.0001&lat=45.002", "Église", "Mairie"),
     ("?q=licorne", "Aucun arrêt trouvé", "à vol d’oiseau")],
)  # fmt: skip
def test_a_stop_is_found_by_name_or_around(client: Client, network: str, asked: str, there: str, absent: str) -> None:
    page = text(client, f"/transports/{asked}").partition("Les lignes")[0]
    assert there in page
    assert absent not in page


def test_a_line_tells_its_stops_in_both_directions(client: Client, network: str) -> None:
    page = text(client, "/transports/ligne/reseau/L1/")
    assert re.search(r"Vers Église Gare .* Mairie .* Église", page)
    assert "Vers Gare" in page
    assert "Gare — Église" in text(client, "/transports/")
    shown = json.loads(client.get("/transports/").context["map"].config)["overlays"]
    assert [(one["id"], one["shown"]) for one in shown] == [("lignes", True)]


def test_the_publisher_is_told_what_to_mend(client: Client, network: str) -> None:
    page = text(client, "/transports/horaires/reseau/")
    assert "du 1 janvier 2026 au 31 décembre 2026" in page
    assert "Texte peu lisible sur la couleur de la ligne À corriger 1 fois" in page
    assert "routes.txt, ligne 3 : T : FFFFFF / FFB900" in page


def test_lines_are_on_the_map_of_the_town_in_colours_that_stand_out(client: Client, network: str) -> None:
    config = json.loads(client.get("/carte/").context["config"])
    (overlay,) = [one for one in config["overlays"] if one["id"] == "lignes"]
    features = client.get(overlay["url"]).json()["features"]
    assert [one["properties"]["title"] for one in features] == ["Tram T", "Bus 1", "Bus 1"]
    for one in features:
        assert one["geometry"]["coordinates"][0] == pytest.approx((3.01, 45.01), abs=5e-3)
        assert contrast(one["properties"]["colour"], "#f4f0e7") >= 3
        assert contrast(one["properties"]["colour_dark"], "#1c2226") >= 3
    assert "vehicules" not in [one["id"] for one in config["overlays"]]


def test_vehicles_are_on_the_map_where_the_network_tells_them(client: Client, network: str, tmp_path: Path) -> None:
    tell(network, tmp_path, "vehicle_positions", {"vehicle": {
        "trip": {"trip_id": "a1"}, "position": {"latitude": 45.009, "longitude": 3.009},
        "timestamp": int(EIGHT.timestamp()),
    }})  # fmt: skip
    assert "vehicules" in [one["id"] for one in json.loads(client.get("/carte/").context["config"])["overlays"]]
    (point,) = client.get("/transports/vehicules.geojson").json()["features"]
    assert point["properties"] == {"title": "Bus 1", "url": "/transports/ligne/reseau/L1/"}


@pytest.mark.parametrize(
    "address",
    ["/transports/arret/reseau/Z/", "/transports/arret/autre/M/", "/transports/ligne/reseau/Z/",
     "/transports/horaires/autre/"],
)  # fmt: skip
def test_what_is_not_there_is_said(client: Client, network: str, address: str) -> None:
    assert client.get(address).status_code == 404


def test_without_a_network_the_page_says_so(client: Client, small_town: str, tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path
    assert "Pas encore d’horaires ici" in client.get("/transports/").content.decode()
    assert client.get("/transports/lignes.geojson").json()["features"] == []


def test_ids_with_slashes_and_colons_have_their_page(
    client: Client, small_town: str, tmp_path: Path, settings: Any
) -> None:
    settings.DATA_DIR = tmp_path
    tables = {
        name: body.replace(",M,", ",FR:1/M:2,").replace("M,Mairie", "FR:1/M:2,Mairie") for name, body in NETWORK.items()
    }
    place_network(small_town, tmp_path, tables)
    page = client.get("/transports/?q=mairie").content.decode()
    address = unescape(re.search(r'href="(/transports/arret/[^"]+)"', page)[1])  # type: ignore[index]
    assert "Mairie" in client.get(address).content.decode()


def test_a_stop_costs_a_few_queries(client: Client, network: str, django_assert_max_num_queries: Any) -> None:
    client.get(STOP)
    with django_assert_max_num_queries(4):
        client.get(STOP)
