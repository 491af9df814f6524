"""7-16, under the streets.

« underground networks with depth, shown below ground, fibre nodes located, terrain model, citizen sees at his address
networks at public precision and ground-movement risk ».
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake import tasks
from beffroi.lake.definitions import Definition, definition_named, load_definitions
from beffroi.lake.operations import import_source
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.lake.store import Lake
from beffroi.sense.places.operations import index_territory
from beffroi.sense.twin.underground import UnderStreet, section, under_street
from faces.portal.small_town import AT, CODE
from faces.portal.small_town import _addresses as address_book
from usecases.reading import text_of

pytestmark = pytest.mark.django_db

# « 12 Grande Rue » of the small town.
LON, LAT = 3.0032, 45.0089
NORTH = 1 / 111_195
EAST = NORTH / math.cos(math.radians(LAT))
AGENT = Viewer(1, (Grant(CODE, Role.AGENT),))
REF = DatasetRef(CODE, "reseaux-enterres")


def at(x: float, y: float) -> list[float]:
    return [LON + x * EAST, LAT + y * NORTH]


def collection(rows: list[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    features = [{"type": "Feature", "properties": told, "geometry": shape} for told, shape in rows]
    return json.dumps({"type": "FeatureCollection", "features": features})


def pipe(number: str, kind: str, north: float, depth: float | None, grade: str, street: str, **more: Any) -> Any:
    told = {"id": number, "reseau": kind, "exploitant": f"Régie {kind}", "voie": street, "profondeur_m": depth,
            "classe": grade, "flexible": kind == "gaz", "sensible": kind == "gaz", **more}  # fmt: skip
    return told, {"type": "LineString", "coordinates": [at(-60, north), at(60, north)]}


NETWORKS = [
    pipe("E1", "eau", 2.0, 1.1, "B", "Grande Rue"),
    pipe("G1", "gaz", -3.0, 0.9, "A", "GRANDE RUE"),
    pipe("S1", "assainissement", 0.0, None, "C", "Grande Rue"),
    # A street whose name holds that of the other, 300 m away.
    pipe("T1", "telecom", 300.0, 0.6, "A", "Impasse de la Grande Rue"),
]


@pytest.fixture(scope="module")
def dug_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sous-sol")
    square = [at(-200, -200), at(200, -200), at(200, 200), at(-200, 200), at(-200, -200)]
    near, far = at(0, 120), at(0, 900)
    sources = {
        "reseaux-enterres": ("reseaux_enterres.geojson", collection(NETWORKS)),
        "noeuds-fibre": ("noeuds_fibre.csv", f"id;genre;exploitant;voie;prises;longitude;latitude\n"
                                             f"N1;SRO;Fibre;Grande Rue;420;{LON};{LAT}\n"),
        "argiles": ("argiles.geojson", collection([({"alea": "Fort"}, {"type": "Polygon", "coordinates": [square]})])),
        "mouvements-terrain": (
            "mouvements_terrain.csv", "identifiant;type;fiabilite;lieu;date_debut;longitude;latitude\n"
            f"M1;Glissement;Fort;Le Coteau;1998-02-10;{near[0]};{near[1]}\n"
            f"M2;Coulée;Fort;Loin;2001-02-10;{far[0]};{far[1]}\n"),
        "couverture-fibre": ("couverture_fibre.geojson", collection([
            ({"code_iris": "000010101", "nom": "IRIS 0101", "locaux": 100, "locaux_fibre": 83, "part_fibre": 83.0,
              "date_maj": "2025-12-31"}, {"type": "Polygon", "coordinates": [square]})])),
        "adresses": ("adresses.csv", address_book()),
    }  # fmt: skip
    known = load_definitions()[0]
    for slug, (name, text) in sources.items():
        (folder / name).write_text(text, encoding="utf-8")
        done = import_source(
            folder / name, territory=CODE, slug=slug, at=AT, lake=folder / "lake", announce=False,
            definition=Definition(slug, theme="adresses", id="cle_interop") if slug == "adresses" else
            definition_named(slug, "", known),
        )  # fmt: skip
        assert done.version, done.reason
        if slug == "argiles":
            tasks.bake_missing_tiles(Lake(folder / "lake"), done.ref, done.version)
    return folder / "lake"


@pytest.fixture
def town(dug_lake: Path, settings: Any, small_town: str) -> str:
    settings.LAKE_DIR = dug_lake
    index_territory(small_town)
    return small_town


def test_a_resident_is_told_kinds_by_street_and_never_a_place(town: str, client: Client) -> None:
    assert under_street(CODE, "reseaux-enterres", "Grande Rue") == [
        UnderStreet("gaz", "Régie gaz"), UnderStreet("eau", "Régie eau"),
        UnderStreet("assainissement", "Régie assainissement"),
    ]  # fmt: skip
    page = client.get(f"/services/7-16/?chez={LON},{LAT}")
    told = text_of(page)
    assert "Sous cette rue passent : Gaz (Régie gaz) Eau potable (Régie eau) Assainissement" in told
    # Neither depth, nor class, nor the networks of another street; nor the datasets themselves.
    assert not re.search(r"1,1 m|0,9 m|Télécommunications", told)
    assert {one.ref.slug for one in page.context["layers"].datasets} == {
        "argiles", "mouvements-terrain", "couverture-fibre",
    }  # fmt: skip
    for slug in ("reseaux-enterres", "noeuds-fibre"):
        with pytest.raises(DatasetNotFound):
            lake.dataset(ANONYMOUS, DatasetRef(CODE, slug))
    assert client.get("/sous-sol/").status_code == 302
    assert client.get("/sous-sol/reseaux.geojson").status_code in (302, 401, 403)


def test_a_resident_is_told_of_the_ground_at_her_address(town: str, client: Client) -> None:
    told = text_of(client.get(f"/services/7-16/?chez={LON},{LAT}"))
    assert "exposition forte" in told
    assert "art. L132-5" in told
    assert "glissement en 1998 à 120 m" in told
    assert "coulée" not in told
    assert "La fibre atteint 83 % des locaux" in told
    elsewhere = text_of(client.get("/services/7-16/?chez=3.0100,45.0020"))
    assert "aucune exposition sur la carte nationale" in elsewhere
    assert "Aucun réseau n’est connu sous Rue du Beffroi" in elsewhere


def test_an_agent_cuts_the_street_across(town: str, signed_in: Callable[..., Client]) -> None:
    found = section(AGENT, REF, lon=LON, lat=LAT)
    assert found is not None
    # The cut goes through the nearest network, from north to south as drawn from west to east: told by the page.
    met = {one.pipe.id: one for one in found.crossings}
    assert set(met) == {"E1", "G1", "S1"}
    assert abs(met["E1"].offset_m - met["G1"].offset_m) == pytest.approx(5.0, abs=0.05)
    assert met["S1"].offset_m == pytest.approx(0.0, abs=0.05)
    assert (met["G1"].pipe.tolerance_m, met["E1"].pipe.tolerance_m, met["S1"].pipe.tolerance_m) == (0.5, 1.5, None)
    assert section(AGENT, REF, lon=LON + 0.01, lat=LAT) is None
    page = signed_in(Role.AGENT).get(f"/sous-sol/?chez={LON},{LAT}")
    lines = {line.kind: line for line in page.context["cut"].lines}
    assert (lines["Gaz"].depth, lines["Gaz"].grade, lines["Gaz"].is_sensitive) == ("0,9 m", "A, à 0,5 m près", True)
    assert lines["Assainissement"].depth == "inconnue"
    # What has no depth is in the table, not in the drawing.
    assert [mark.kind for mark in page.context["cut"].marks] == [
        one.pipe.kind for one in found.crossings if one.pipe.depth_m is not None
    ]
    assert "no-store" in page["Cache-Control"]
    assert signed_in(Role.ELECTED).get("/sous-sol/").status_code == 403


def test_the_map_draws_networks_below_the_ground_by_box(town: str, signed_in: Callable[..., Client]) -> None:
    agent = signed_in(Role.AGENT)
    west, south = at(-100, -100)
    east, north = at(100, 100)
    found = agent.get(f"/sous-sol/reseaux.geojson?bbox={west},{south},{east},{north}").json()["features"]
    assert {(one["properties"]["reseau"], one["properties"]["depth_m"]) for one in found} == {
        ("eau", 1.1), ("gaz", 0.9), ("assainissement", None),
    }  # fmt: skip
    assert agent.get("/sous-sol/reseaux.geojson?bbox=2,44,4,46").json()["features"] == []
    assert agent.get("/sous-sol/reseaux.geojson?bbox=4,44,2,nan").status_code == 400
    config = json.loads(agent.get(f"/sous-sol/?chez={LON},{LAT}").context["map"].config)
    (drawn,) = config["overlays"]
    assert (drawn["deep"], drawn["byBox"], config["pitch"] > 30) == (True, True, True)
    # Agents see where the fibre's nodes are.
    assert lake.features(AGENT, DatasetRef(CODE, "noeuds-fibre")).features
