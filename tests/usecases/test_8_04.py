"""8-04: « several profiles, travel time, slopes/kerbs/surface, obstacle reported avoided by the next request, why this
way, national accessibility data (streets, public places, transit) imported with their date »."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.time import now
from beffroi.faces.shell.sentences import said as said_of
from beffroi.lake.definitions import Definition
from beffroi.lake.operations import import_source
from beffroi.sense.mobility import operations, venues
from sense.mobility.town_graph import asked, place_graph
from sense.mobility.transit_feeds import NETWORK, place_network
from territory_makers import make_town

PAGE = "/itineraire/8-04/"
TOWN = "00001"
IMPORTED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
# A pavement that climbs at 4 %, a crossing with a kerb of 3 cm, a flight of steps beside: as the CNIG's tables say it.
WAYS = {"T1": ("trottoir", 4, "A", "B"), "T2": ("traversée piétonne", 0, "B", "C"), "T3": ("escalier", 0, "A", "C")}
ENDS = {"A": (3.0080, 45.0110, 0.0), "B": (3.0092, 45.0110, 0.03), "C": (3.0092, 45.0112, 0.0)}

pytestmark = pytest.mark.django_db


def _features(rows: list[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    features = [{"type": "Feature", "geometry": shape, "properties": told} for shape, told in rows]
    return json.dumps({"type": "FeatureCollection", "features": features})


def _cnig() -> dict[str, tuple[str, str]]:
    lines = [
        ({"type": "LineString", "coordinates": [ENDS[a][:2], ENDS[b][:2]]},
         {"idtroncon": name, "typetroncon": kind, "pente": slope})
        for name, (kind, slope, a, b) in WAYS.items()
    ]  # fmt: skip
    nodes = [
        ({"type": "Point", "coordinates": place[:2]}, {"idnoeud": name, "hauteurressaut": place[2]})
        for name, place in ENDS.items()
    ]
    return {
        "troncon-cheminement": ("troncon.geojson", _features(lines)),
        "noeud-cheminement": ("noeud.geojson", _features(nodes)),
        "circulation": ("circulation.csv", "idtroncon;typesol;largeurutile\nT1;asphalt;1.5\n"),
        "escalier": ("escalier.csv", "idtroncon;nbmarches;largeurutile\nT3;9;1.2\n"),
        "acceslibre": (
            "acceslibre.csv",
            "id,name,longitude,latitude,entree_plain_pied,entree_marches,entree_marches_rampe,entree_largeur_mini,"
            "sanitaires_adaptes\n1,Médiathèque,3.00921,45.01121,false,2,amovible,85,true\n"
            "2,Halle,3.0300,45.0300,true,,,120,\n",
        ),
    }


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("8-04")
    for slug, (name, text) in _cnig().items():
        (folder / name).write_text(text, encoding="utf-8")
        outcome = import_source(
            folder / name, territory=TOWN, at=IMPORTED, definition=Definition(slug), lake=folder / "lake",
            announce=False,
        )  # fmt: skip
        assert outcome.version is not None, outcome.reason
    return folder / "lake"


@pytest.fixture
def town(lake: Path, tmp_path: Path, settings: Any) -> str:
    settings.LAKE_DIR, settings.DATA_DIR = lake, tmp_path
    make_town(TOWN, "Bourg-l’Essai", population=812, fictional=True, bbox=BBox(3.0, 45.0, 3.02, 45.02))
    return TOWN


def text(answer: Any) -> str:
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", unescape(plain)).replace("\u00a0", " ")


@pytest.fixture
def way(client: Client, town: str) -> Callable[..., str]:
    places = place_graph(town)

    def ask(profile: str, goal: str = "B") -> str:
        query = {"de": asked(places, "A"), "vers": asked(places, goal), "profil": profile}
        return text(client.get(PAGE, query))

    return ask


def test_its_page_opens_on_a_wheelchair_and_offers_every_profile(client: Client, town: str) -> None:
    place_graph(town)
    page = client.get(PAGE).content.decode()
    assert '<option value="fauteuil-manuel" selected>' in page
    assert page.count("<option value=") >= 11
    assert f'href="{PAGE}"' in client.get("/services/8-04/").content.decode()


def test_each_profile_has_its_way_its_time_and_its_reasons(way: Callable[..., str]) -> None:
    assert "Chemin conseillé : 3 min, 180 m" in way("fauteuil-manuel")
    assert "vous ferait rencontrer : Escalier de 14 marches, rue AB" in way("fauteuil-manuel")
    assert "100 m" in way("a-pied").split("Autre chemin")[0]
    for told in ("Pente la plus forte", "Ressauts", "Sols", "Traversées"):
        assert told in way("fauteuil-manuel")


def test_what_is_reported_is_gone_round_by_the_very_next_request(way: Callable[..., str], town: str) -> None:
    assert "Prenez l’escalier" in way("a-pied").split("Autre chemin")[0]
    operations.obstacle_at(
        territory=town, subject="report:12", kind="rue-fermee", lon=3.0086, lat=45.0110, label="Câble à terre", at=now()
    )
    told = way("a-pied").split("Autre chemin")[0]
    assert "Prenez l’escalier" not in told
    assert "vous ferait rencontrer : Rue fermée à tous, rue AB" in told
    operations.end_obstacle(subject="report:12", at=now())
    assert "Prenez l’escalier" in way("a-pied").split("Autre chemin")[0]


def test_the_streets_of_the_national_standard_make_the_graph_with_their_date(client: Client, town: str) -> None:
    graph = operations.build_graph(town, at=now(), announce=False)
    assert graph is not None
    assert len(graph) == 3
    a, _, c = (f"{lon},{lat}" for lon, lat, _ in ENDS.values())
    told = client.get("/api/route", {"from": a, "to": c, "profile": "fauteuil-manuel"}).json()
    (found,) = told["features"]
    assert (found["properties"]["steepest_up_pct"], found["properties"]["steps"]) == (4.0, 0)
    assert found["properties"]["surfaces_m"]["enrobé"] == pytest.approx(94, abs=2)
    assert (found["properties"]["highest_kerb_cm"], found["properties"]["narrowest_cm"]) == (3, 150)
    assert [one["said"] for one in told["why"]["avoided"]] == ["Escalier de 9 marches, une rue sans nom"]
    assert {one["date"] for one in told["graph"]["sources"]} == {"2026-03-02"}


def test_the_door_and_the_stops_of_the_arrival_are_told_with_their_date(
    client: Client, town: str, tmp_path: Path, settings: Any
) -> None:
    operations.build_graph(town, at=now(), announce=False)
    tables = dict(NETWORK)
    tables["stops"] = tables["stops"].replace("M,Mairie,45.0080,3.0080", "M,Mairie,45.0111,3.0093")
    place_network(town, tmp_path, tables)
    query = {"de": "3.0080, 45.0110", "vers": "3.0092, 45.0112", "profil": "fauteuil-manuel"}
    told = text(client.get(PAGE, query))
    assert "Médiathèque : 2 marches à l’entrée ; rampe amovible ; porte large de 85 cm ; toilettes adaptées." in told
    assert "2 mars 2026" in told
    assert "Mairie, à 14 m : accessible en fauteuil" in told
    assert "Halle" not in told, "too far to be the place"


def test_a_door_that_nobody_told_is_not_said_to_be_open() -> None:
    assert venues.facts_of({"name": "Mairie", "level": None, "steps": None, "width_cm": None}) == ()
    (said,) = venues.facts_of({"name": "Mairie", "level": False, "steps": None})
    assert said_of(said) == "entrée qui n’est pas de plain-pied"
