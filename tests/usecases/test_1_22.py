"""1-22, the maps: « static maps », noise on buildings, antennas and exposures with their threshold, the index of air.

On trial: live stations, recurrent noise and series before and after a measure are not here, and nothing says they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import State
from beffroi.lake import tasks
from beffroi.lake.definitions import Definition, definition_named, load_definitions
from beffroi.lake.operations import import_source
from beffroi.lake.store import Lake
from beffroi.sense.live.settings import rule_of
from city_models import square
from faces.portal.small_town import AT, CODE, SOUTH, WEST
from usecases.reading import text_of

pytestmark = pytest.mark.django_db

LON, LAT = WEST + 0.01, SOUTH + 0.01


def collection(rows: list[tuple[dict[str, Any], Any]]) -> str:
    features = [{"type": "Feature", "properties": told, "geometry": shape.__geo_interface__} for told, shape in rows]
    return json.dumps({"type": "FeatureCollection", "features": features})


@pytest.fixture(scope="module")
def noisy_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two houses, one in a zone of 70 dB(A) and one in none; a mast, two exposures, three days of air."""
    folder = tmp_path_factory.mktemp("bruit")
    houses = [
        ({"id": name, "hauteur": 6}, square(LON + 0.002 * at, LAT, 12)) for at, name in enumerate(("rue", "parc"))
    ]
    zone = ({"legende": "70", "typesource": "R", "indicetype": "LD"}, square(LON - 0.0002, LAT - 0.0002, 60))
    days = "\n".join(f"2026-03-0{day};{CODE};Bourg;{index};1;1;1;1;{index}" for day, index in ((1, 2), (2, 2), (3, 4)))
    sources = {
        "batiments": ("batiments.geojson", collection(houses)),
        "bruit-jour": ("bruit_jour.geojson", collection([zone])),
        "antennes": ("antennes.csv", "adm_lb_nom;sup_id;generation;emr_lb_systeme;emr_dt;statut;sup_nm_haut;longitude;"
                     f"latitude\nMobile d’ici;7;4G;LTE 800;2018-04-01;En service;24;{LON};{LAT}\n"),
        "mesures-ondes": ("mesures_ondes.csv", "numero;date_mesure;niveau_v_m;adresse;longitude;latitude\n"
                          f"1;2025-03-15;0.7;Halle;{LON};{LAT}\n2;2025-04-15;7.2;Pont;{LON + 0.001};{LAT}\n"),
        "indice-air": ("indice_air.csv", "date_ech;code_zone;lib_zone;code_qual;code_no2;code_so2;code_o3;code_pm10;"
                       f"code_pm25\n{days}\n"),
    }  # fmt: skip
    known = load_definitions()[0]
    for slug, (name, text) in sources.items():
        (folder / name).write_text(text, encoding="utf-8")
        done = import_source(
            folder / name, territory=CODE, slug=slug, at=AT, lake=folder / "lake", announce=False,
            definition=Definition(slug, id="id") if slug == "batiments" else definition_named(slug, "", known),
        )  # fmt: skip
        assert done.version, done.reason
        if slug == "bruit-jour":
            tasks.bake_missing_tiles(Lake(folder / "lake"), done.ref, done.version)
    return folder / "lake"


@pytest.fixture
def page(noisy_lake: Path, settings: Any, small_town: str, client: Client) -> Any:
    settings.LAKE_DIR = noisy_lake
    return client.get("/services/1-22/")


def test_maps_tell_noise_exposures_and_air_with_their_thresholds(page: Any) -> None:
    told = text_of(page)
    for words in (
        "moins 70 dB(A)", "70 dB(A) et plus", "6 V/m et plus : lieu atypique", "7,2 V/m", "Mobile d’ici, 4G",
        "Jours de l’année par qualité de l’air",
    ):  # fmt: skip
        assert words in told
    (table,) = page.context["layers"].figures
    assert [(row.key, row.figure) for row in table.rows] == [("Moyen", "2"), ("Mauvais", "1")]


def test_buildings_take_the_class_of_the_noise_where_they_stand(page: Any) -> None:
    painted = page.context["layers"].painted
    assert (painted.known, painted.blocks.rows) == (1, 2)


def test_it_is_on_trial_and_its_stations_read_by_the_steps_of_the_index(page: Any) -> None:
    assert catalogue.use_case("1-22", territory=CODE).state is State.PILOT
    assert "les stations que la commune branche se lisent en direct" in text_of(page)
    rule = rule_of("1-22", "no2")
    assert rule is not None
    # Arrêté du 10 juillet 2020, annex: nitrogen dioxide, µg/m³.
    assert [one.begins for one in rule.level] == [None, 40, 90, 120, 230, 340]
