"""2-09, floods.

« zones on 3D with water height, buildings and people touched counted, same on the coast: submersion, bathing flag and
dangers ».
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.faces.portal.floods import said
from beffroi.lake import queries, tasks
from beffroi.lake.definitions import Definition, definition_named, load_definitions
from beffroi.lake.operations import import_source
from beffroi.lake.queries import DatasetRef
from beffroi.lake.store import Lake
from beffroi.sense.twin.floods import Water, floods
from city_models import square
from faces.portal.small_town import AT, CODE, SOUTH, WEST
from usecases.reading import text_of

pytestmark = pytest.mark.django_db

LON, LAT = WEST + 0.01, SOUTH + 0.01
STEP = 0.002
# Three houses from west to east, some 160 m apart; the water of each scenario goes further east.
HOUSES = ("rive", "pre", "coteau")
ZONES = [
    ("01", "01For", 0.0, 0.5, 0, 90),
    ("01", "04Fai", 2.0, 2.0, 0, 90),
    ("01", "04Fai", 0.5, 1.0, 1, 90),
    ("03", "02Moy", 1.0, 2.0, 2, 90),
]


def collection(rows: list[tuple[dict[str, Any], Any]]) -> str:
    features = [{"type": "Feature", "properties": told, "geometry": shape.__geo_interface__} for told, shape in rows]
    return json.dumps({"type": "FeatureCollection", "features": features})


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Houses, a school, their zones, who lives there, a beach."""
    folder = tmp_path_factory.mktemp("crues")
    told = {"hauteur": 6, "usage1": "Résidentiel", "nombre_de_logements": 1}
    houses = [({"id": name, **told}, square(LON + STEP * at, LAT, 20)) for at, name in enumerate(HOUSES)]
    zones = [
        ({"id_zone": str(rank), "typ_inond": kind, "scenario": scenario, "ht_min": low, "ht_max": high},
         square(LON - 0.0002 + STEP * at, LAT - 0.0002, side))
        for rank, (kind, scenario, low, high, at, side) in enumerate(ZONES)
    ]  # fmt: skip
    iris = [({"code_iris": f"{CODE}0101", "nom_iris": "Centre"}, square(LON - 0.01, LAT - 0.005, 1500))]
    sources = {
        "batiments": ("batiments.geojson", collection(houses)),
        "hauteurs-eau": ("n_x_iso_ht_01_s_000.geojson", collection(zones)),
        "iris": ("iris.geojson", collection(iris)),
        "population-iris": (
            "base-ic-evol-struct-pop-2022.csv",
            f"IRIS;COM;P22_POP;P22_POP0014\n{CODE}0101;{CODE};300;60\n",
        ),
        "ecoles": ("ecoles.csv", f"id;nom;lon;lat\n1;École du Pré;{LON + STEP + 0.0001};{LAT + 0.0001}\n"),
        "sites-baignade": (
            "sites-baignade.csv",
            f"id;nom;type_eau;drapeau;classement;dangers;surveillance;lon;lat\nP1;Plage du Phare;mer;violet;excellente;"
            f"Méduses;juillet et août;{LON};{LAT}\n",
        ),
    }
    known = load_definitions()[0]
    for slug, (name, text) in sources.items():
        (folder / name).write_text(text, encoding="utf-8")
        national = definition_named(slug, CODE, known) if slug in ("hauteurs-eau", "sites-baignade") else None
        done = import_source(
            folder / name, territory=CODE, slug=slug, at=AT, lake=folder / "lake", announce=False,
            definition=national or Definition(slug, id="id" if slug in ("batiments", "ecoles") else None),
        )  # fmt: skip
        assert done.version, done.reason
        if slug == "hauteurs-eau":
            tasks.bake_missing_tiles(Lake(folder / "lake"), DatasetRef(CODE, slug), done.version)
    return folder / "lake"


@pytest.fixture
def town(lake: Path, settings: Any, small_town: str) -> str:
    settings.LAKE_DIR = lake
    return small_town


def test_zones_stand_as_high_as_their_water(town: str, client: Client) -> None:
    layers = client.get("/services/2-09/").context["layers"]
    (drawn,) = json.loads(layers.map.config)["layers"]
    assert (drawn["id"], drawn["look"]["height"]) == ("hauteurs-eau", "hauteur_eau")
    # A class without an upper bound stands at its lower one.
    rows = queries.rows(ANONYMOUS, DatasetRef(CODE, "hauteurs-eau"), columns=["ht_min", "hauteur_eau"]).rows
    assert sorted(rows) == [(0.0, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, 2.0)]


def test_buildings_and_people_are_counted_by_scenario_on_the_river_and_on_the_coast(town: str, client: Client) -> None:
    found = floods(ANONYMOUS, queries.datasets(ANONYMOUS, territory=CODE), zones="hauteurs-eau")
    assert {(one.kind, one.scenario): dict(one.buildings) for one in found or ()} == {
        ("01", "01For"): {"rive": Water(0.0, 0.5)},
        ("01", "04Fai"): {"rive": Water(2.0, None), "pre": Water(0.5, 1.0)},
        ("03", "02Moy"): {"coteau": Water(1.0, 2.0)},
    }
    table = client.get("/services/2-09/").context["layers"].floods
    # 300 people in three homes.
    assert [(line.kind, line.buildings, line.deep, line.people) for line in table.lines] == [
        ("Débordement de cours d’eau", "1", "0", "environ 100"),
        ("Débordement de cours d’eau", "2", "1", "environ 200"),
        ("Submersion marine", "1", "1", "environ 100"),
    ]
    assert table.has_submersion


def test_the_bathing_place_has_its_flag_its_water_and_its_dangers(town: str, client: Client) -> None:
    page = text_of(client.get("/services/2-09/"))
    assert "Violet : pollution, ou espèces dangereuses, eau excellente, dangers : Méduses" in page


def test_agents_print_who_to_warn_schools_first(town: str, signed_in: Callable[..., Client], client: Client) -> None:
    address = "/inondation/01/04Fai/"
    assert client.get(address).status_code == 302
    assert signed_in().get(address).status_code == 403
    answer = signed_in(Role.AGENT).get(address)
    page = text_of(answer)
    assert "École du Pré" in page
    assert [(one["id"], one["water"].replace("\u202f", " ")) for one in answer.context["buildings"]] == [
        ("rive", "plus de 2 m d’eau"),
        ("pre", "de 0,5 à 1 m d’eau"),
    ]
    assert signed_in(Role.AGENT).get("/inondation/09/01For/").status_code == 404


def test_heights_are_said_in_words() -> None:
    assert [said(one) for one in (Water(0, 0.5), Water(0.5, 1), Water(2, None))] == [
        "jusqu’à 0,5 m d’eau",
        "de 0,5 à 1 m d’eau",
        "plus de 2 m d’eau",
    ]
