"""2-02: « camera sites with field of view, public part and restricted part, open camera datasets imported, incident
spots without camera listed to site or move one ».
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import shapely
from django.contrib.auth import get_user_model
from django.test import Client

from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.definitions import Definition, definition_named, load_definitions
from beffroi.lake.operations import import_source
from beffroi.lake.queries import DatasetRef
from beffroi.sense.twin.cameras import watch
from beffroi.sense.twin.sight import METRES_PER_DEGREE, field_of_view
from territory_makers import make_person, make_town

CODE, AT = "00000", datetime(2026, 3, 2, 9, tzinfo=UTC)
LON, LAT = 3.8750, 43.6050
METRE = 1 / METRES_PER_DEGREE
EAST = METRE / math.cos(math.radians(LAT))
POLICE = Viewer(1, (Grant(CODE, Role.AGENT, frozenset({"police-municipale"})),))


def metres2(field: shapely.Geometry) -> float:
    return field.area / (METRE * EAST)


def test_a_field_is_the_sector_it_says() -> None:
    for angle in (40.0, 90.0, 360.0):
        seen = field_of_view(LON, LAT, bearing_deg=90, angle_deg=angle, reach_m=80)
        # The polygon is inscribed in the sector: chords of 2° miss 0.02 % of it.
        assert metres2(seen) == pytest.approx(math.radians(angle) / 2 * 80**2, rel=1e-3)
    north = field_of_view(LON, LAT, bearing_deg=0, angle_deg=60, reach_m=80)
    assert north.contains(shapely.Point(LON, LAT + 70 * METRE))
    assert not north.contains(shapely.Point(LON + 70 * EAST, LAT))


def test_a_wall_hides_what_is_behind_and_the_one_that_bears_the_camera_hides_nothing() -> None:
    wall = shapely.box(LON + 30 * EAST, LAT - 20 * METRE, LON + 40 * EAST, LAT + 20 * METRE)
    own = shapely.box(LON - 10 * EAST, LAT - 5 * METRE, LON, LAT + 5 * METRE)
    seen = field_of_view(LON, LAT, bearing_deg=90, angle_deg=40, reach_m=80, walls=[wall, own])
    assert seen.contains(shapely.Point(LON + 29 * EAST, LAT))
    assert not seen.contains(shapely.Point(LON + 41 * EAST, LAT))
    # Every ray meets the wall 30 m away: the field is the triangle before it.
    assert metres2(seen) == pytest.approx(30 * 30 * math.tan(math.radians(20)), rel=1e-3)


CAMERAS = f"""id,nom,voie,lat,lon,annee,responsable,azimut,ouverture,portee_m
CAM-1,Halle,Place de la Halle,{LAT},{LON},2019,Le maire,90,60,80
CAM-2,Gare,Rue Basse,{LAT + 0.005},{LON},2021,Le maire,0,360,60
CAM-3,Pont,Rue du Pont,{LAT - 0.005},{LON},2021,Le maire,,,
"""


def facts() -> str:
    """Two facts in the field of the first camera, four behind it in one square, one alone elsewhere."""
    seen = [(LON + 40 * EAST, LAT), (LON + 50 * EAST, LAT + 5 * METRE)]
    behind = [(LON - (200 + n) * EAST, LAT + n * METRE) for n in range(4)]
    rows = [*((lon, lat, "Place de la Halle") for lon, lat in seen), *((lon, lat, "Rue Noire") for lon, lat in behind),
            (LON + 0.01, LAT, "Rue Seule")]  # fmt: skip
    lines = [f"{n},2025-01-01,vol,police,{street},{lat:.7f},{lon:.7f}" for n, (lon, lat, street) in enumerate(rows)]
    return "\n".join(["numero,date_faits,nature,source,voie,lat,lon", *lines]) + "\n"


@pytest.fixture(scope="module")
def watched_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cameras")
    definitions, faults = load_definitions()
    assert not faults
    cameras = definition_named("videoprotection", "", definitions)
    assert cameras is not None
    for slug, text, definition in (
        ("videoprotection", CAMERAS, cameras),
        ("infractions", facts(), Definition("infractions", id="numero", access="service:police-municipale")),
    ):
        path = folder / f"{slug}.csv"
        path.write_text(text, encoding="utf-8")
        import_source(
            path, territory=CODE, slug=slug, at=AT, definition=definition, lake=folder / "lake", announce=False
        )
    return folder / "lake"


@pytest.fixture
def watched_town(db: None, watched_lake: Path, settings: Any) -> str:
    settings.LAKE_DIR, settings.STRONG_AUTH = watched_lake, False
    make_town(CODE, "Bourg-les-Caméras", fictional=True)
    territory.add_service(territory=CODE, slug="police-municipale", name="Police municipale", at=AT)
    return CODE


def client_of(*services: str) -> Client:
    client = Client()
    person = make_person(Role.AGENT, territory=CODE, services=services)
    client.force_login(get_user_model().objects.get(pk=person), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.django_db
def test_the_site_is_public_and_where_it_looks_is_not(watched_town: str) -> None:
    page = Client().get("/services/2-02/")
    (listed,) = page.context["layers"].datasets
    assert [place.name for place in listed.places] == ["Gare", "Halle", "Pont"]
    ref = DatasetRef(CODE, "videoprotection")
    assert not {"azimut", "ouverture", "portee_m"} & {one.key for one in lake.dataset(ANONYMOUS, ref).columns}
    assert {"azimut", "ouverture", "portee_m"} <= {one.key for one in lake.dataset(POLICE, ref).columns}
    assert b"azimut" not in lake.features(ANONYMOUS, ref).features[0]
    assert watch(ANONYMOUS, [], cameras=ref, incidents=None) is None
    # An agent of another service reads that it is reserved, and gets no field.
    other = client_of()
    assert "Réservé à la police municipale" in other.get("/videoprotection/").content.decode()
    assert other.get("/videoprotection/champs.geojson").json()["features"] == []
    assert Client().get("/videoprotection/champs.geojson").status_code in (302, 401, 403)


@pytest.mark.django_db
def test_the_police_reads_the_fields_and_where_nothing_is_seen(watched_town: str) -> None:
    police = client_of("police-municipale")
    page = police.get("/videoprotection/")
    found = page.context["watch"]
    assert (found.incidents, found.outside) == (7, 5)
    # A square of three at least: the one alone is not a spot.
    assert [(one.street, one.incidents) for one in found.unseen] == [("Rue Noire", 4)]
    assert [(one.name, one.incidents) for one in found.cameras] == [("Gare", 0), ("Halle", 2)]
    features = police.get("/videoprotection/champs.geojson").json()["features"]
    fields = [one for one in features if one["properties"]["genre"] == "champ"]
    assert {one["properties"]["title"] for one in fields} == {"Gare", "Halle"}
    halle = next(one for one in fields if one["properties"]["title"] == "Halle")
    assert shapely.from_geojson(json.dumps(halle["geometry"])).contains(shapely.Point(LON + 40 * EAST, LAT))
    assert [one["properties"]["title"] for one in features if one["properties"]["genre"] == "hors"] == [
        "4 faits hors de tout champ"
    ]
    assert "no-store" in page["Cache-Control"]
    # On from the start on their own page only: the map of the town is that of all.
    assert [one["shown"] for one in json.loads(page.context["map"].config)["overlays"]] == [True]
    town = police.get("/carte/").context["overlays"]
    assert [one["shown"] for one in town if one["id"] == "champs-cameras"] == [False]


@pytest.mark.django_db
def test_a_town_that_published_no_camera_says_so(watched_town: str, settings: Any, tmp_path: Path) -> None:
    settings.LAKE_DIR = tmp_path
    police = client_of("police-municipale")
    assert "pas encore publié ses caméras" in police.get("/videoprotection/").content.decode()
    assert police.get("/videoprotection/champs.geojson").json()["features"] == []


def test_a_file_that_loses_where_they_look_is_not_published(tmp_path: Path) -> None:
    """A renamed column would come back open to all."""
    definition = definition_named("videoprotection", "", load_definitions()[0])
    path = tmp_path / "videoprotection.csv"
    path.write_text(CAMERAS.replace("azimut", "direction"), encoding="utf-8")
    outcome = import_source(path, territory=CODE, slug="videoprotection", at=AT, definition=definition,
                            lake=tmp_path / "lake", announce=False)  # fmt: skip
    assert outcome.version is None
    assert "azimut" in str(outcome.reason)


def test_the_open_file_of_a_real_town_is_read_as_published(tmp_path: Path) -> None:
    """The columns of Montpellier's file, in Lambert-93 without saying so, two of its 141 cameras."""
    rows = [("C59.04", "Lapeyronie", 768915.19, 6281719.38), ("C94.07", "Rond point de la Lyre", 769210.0, 6282500.0)]
    features = [
        {"type": "Feature", "properties": {"FID_1": n, "Id": 0, "Nom": code, "Adresse": place, "QUARTMNO": "HO",
         "LIBQUART": "HOPITAUX", "SQUARTMNO": "HOP", "LIBSQUART": "Hôpitaux", "Année": 2004},
         "geometry": {"type": "Point", "coordinates": [x, y]}}
        for n, (code, place, x, y) in enumerate(rows)
    ]  # fmt: skip
    path = tmp_path / "VilleMTP_MTP_CameraSurv.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    definition = definition_named("videoprotection", "34172", load_definitions()[0])
    outcome = import_source(path, territory="34172", slug="videoprotection", at=AT, definition=definition,
                            lake=tmp_path / "lake", announce=False)  # fmt: skip
    assert outcome.version is not None, outcome.reason
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.LAKE_DIR", tmp_path / "lake")
        page = lake.features(ANONYMOUS, DatasetRef("34172", "videoprotection"))
    read = [json.loads(one) for one in page.features]
    assert {one["properties"]["nom"] for one in read} == {"Lapeyronie", "Rond point de la Lyre"}
    assert all(3.8 < one["geometry"]["coordinates"][0] < 3.9 for one in read)
