"""12-07: « population within x minutes by equipment type against age structure », for two ways of going there."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue.models import UseCaseUsage
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.time import now
from beffroi.lake.definitions import Definition
from beffroi.lake.operations import import_source
from beffroi.sense.mobility import operations
from sense.mobility.town_graph import NORTH, WEST, place_graph
from territory_makers import make_town

PAGE = "/acces/12-07/"
TOWN = "00001"
IMPORTED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EAST, SOUTH = WEST + 0.0030, NORTH - 0.0010

pytestmark = pytest.mark.django_db


def _square(lon: float, lat: float, side: float) -> dict[str, Any]:
    ring = [(lon, lat), (lon + side, lat), (lon + side, lat + side), (lon, lat + side), (lon, lat)]
    return {"type": "Polygon", "coordinates": [ring]}


def _features(rows: list[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    features = [{"type": "Feature", "geometry": shape, "properties": told} for shape, told in rows]
    return json.dumps({"type": "FeatureCollection", "features": features})


def _box(west: float, east: float) -> dict[str, Any]:
    ring = [(west, SOUTH), (east, SOUTH), (east, NORTH + 0.001), (west, NORTH + 0.001), (west, SOUTH)]
    return {"type": "Polygon", "coordinates": [ring]}


def _sources() -> dict[str, tuple[str, str]]:
    """Two zones: the first about A and C, 300 people in three homes; the second about E, 200 in one. A library at B."""
    middle = WEST + 0.0008
    home = 0.00002
    return {
        "iris": ("iris.geojson", _features([
            (_box(WEST - 0.001, middle), {"code_iris": "000010101", "nom_iris": "Le Bas"}),
            (_box(middle, EAST), {"code_iris": "000010102", "nom_iris": "Le Haut"}),
        ])),
        "population-iris": (
            "pop.csv",
            "IRIS;P22_POP;P22_POP0014;P22_POP1529;P22_POP3044;P22_POP4559;P22_POP6074;P22_POP75P\n"
            "000010101;300;100;0;100;0;0;100\n000010102;200;0;0;100;0;0;100\n",
        ),
        "batiments": ("batiments.geojson", _features([
            (_square(WEST, NORTH, home), {"nb_logts": 2}),
            (_square(WEST, NORTH - 0.00036, home), {"nb_logts": 1}),
            (_square(WEST + 0.0021, NORTH, home), {"nb_logts": 4}),
            (_square(WEST + 0.0012, NORTH, home), {"nb_logts": 0}),
        ])),
        "equipements": (
            "bpe.csv",
            f"TYPEQU;LIBELLE;LON;LAT\nF307;Bibliothèque;{WEST + 0.00127:.6f};{NORTH}\nB3xx;Halle;{WEST};{NORTH}\n",
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("12-07")
    for slug, (name, text) in _sources().items():
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
    make_town(TOWN, "Bourg-l’Essai", population=500, fictional=True, bbox=BBox(3.0, 45.0, 3.02, 45.02))
    place_graph(TOWN)
    return TOWN


def text(answer: Any) -> str:
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", unescape(plain).replace("\u202f", " ").replace("\u00a0", " "))


def test_it_counts_who_is_in_time_by_zone_and_by_age(client: Client, town: str) -> None:
    # On foot, B is 100 m from A by the steps (two thirds of Le Bas), 140 m from C, 65 m from the home towards E.
    told = text(client.get(PAGE, {"genre": "bibliotheque", "profil": "a-pied", "minutes": "2"}))
    assert "500 habitants sur 500 (100 %) y sont à temps." in told
    told = text(client.get(PAGE, {"genre": "bibliotheque", "profil": "a-pied", "minutes": "1"}))
    assert "200 habitants sur 500 (40 %) y sont à temps. 300 n’y sont pas." in told
    assert "Le quartier le moins bien couvert : Le Bas, où 300 habitants sont trop loin." in told
    assert "Le Bas 300 0 0 % 300 1 0" in told
    assert "0 à 14 ans 100 0 0 % moins bien couvert" in told
    assert "30 à 44 ans 200 100 50 % comme l’ensemble, ou mieux" in told
    assert "Un lieu de plus, là où la carte l’indique, en mettrait 300 à temps." in told
    assert "Bibliothèque 200" in told


def test_the_gap_with_a_wheelchair_is_told(client: Client, town: str) -> None:
    # In a wheelchair the steps are gone round (180 m, 3 min), and the street to E is too narrow for anybody there.
    told = text(client.get(PAGE, {"genre": "bibliotheque", "profil": "fauteuil-manuel", "minutes": "4"}))
    assert "300 habitants sur 500 (60 %) y sont à temps. 200 n’y sont pas." in told
    assert "« Je marche sans difficulté » : 500 habitants à temps, soit un écart de 200." in told
    assert "Le Haut 200 0 0 % 200 – 200" in told


def test_an_obstacle_counts_here_too(client: Client, town: str) -> None:
    asked = {"kind": "bibliotheque", "profile": "a-pied", "minutes": 2}
    assert client.get("/api/coverage", asked).json()["total"]["covered"] == 500
    operations.obstacle_at(
        territory=town, subject="r:1", kind="rue-fermee", lon=WEST + 0.0018, lat=NORTH, at=now(), until=None
    )
    body = client.get("/api/coverage", asked).json()
    assert body["total"] == {"title": "", "people": 500, "covered": 300, "share": 0.6, "covered_compared": 0}
    assert [zone["share"] for zone in body["zones"]] == [1.0, 0.0]
    assert {one["date"] for one in body["sources"][:4]} == {"2026-03-02"}


def test_the_same_as_a_file_and_on_a_map(client: Client, town: str) -> None:
    asked = {"genre": "bibliotheque", "profil": "a-pied", "minutes": "1"}
    rows = list(csv.reader(io.StringIO(client.get(PAGE, asked | {"csv": "1"}).content.decode("utf-8-sig"))))
    assert rows[0][:5] == ["quartier", "âge", "habitants", "à temps", "hors délai"]
    assert ["Le Bas", "tous", "300", "0", "300", "0"] in rows
    assert ["Le Haut", "75 ans et plus", "100", "100", "0", "0"] in rows
    page = client.get(PAGE, asked)
    url = json.loads(page.context["map"].config)["overlays"][0]["url"]
    features = client.get(url).json()["features"]
    assert [one["properties"]["class"] for one in features] == ["0", "3", "place", "more"]
    catalogue.flush_usage()
    assert UseCaseUsage.objects.filter(use_case="12-07").exists()


def test_the_nearest_of_a_kind(client: Client, town: str) -> None:
    assert [one["id"] for one in client.get("/api/destinations").json()["kinds"]] == ["bibliotheque"]
    body = client.get("/api/nearest", {"kind": "bibliotheque", "from": f"{WEST},{NORTH}"}).json()
    assert [(one["name"], one["seconds"]) for one in body["places"]] == [("Bibliothèque", pytest.approx(82, abs=2))]
    assert body["source"]["date"] == "2026-03-02"


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/api/nearest?kind=pharmacie&from=3.008,45.011", 404, "Pharmacies"),
        ("/api/nearest?kind=licorne&from=3.008,45.011", 404, "licorne"),
        ("/api/coverage?kind=bibliotheque&minutes=90", 422, ""),
        ("/acces/12-07/?genre=licorne", 400, ""),
        ("/acces/12-07/?genre=bibliotheque&minutes=soon", 400, ""),
        ("/acces/2-12/", 404, ""),
    ],
)
def test_a_bad_question_gets_a_clear_refusal(client: Client, town: str, address: str, status: int, said: str) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert said in answer.content.decode()
