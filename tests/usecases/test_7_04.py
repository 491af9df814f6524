"""7-04: « CNIG/GPU standard imported, rules at a point, cadastre and heritage layers, PLU as 3D envelopes »."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from shapely.geometry import Point, shape

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.beside import definitions_of
from beffroi.lake.definitions import load_definitions
from beffroi.lake.operations import ImportOutcome, import_source
from beffroi.lake.queries import DatasetRef
from beffroi.lake.reading import ReadOptions
from beffroi.sense.planning.queries import How, Kind, RulesSettings, rules_at

AT = datetime(2026, 3, 2, tzinfo=UTC)
# In the plot AB 12, which the examples of the use case draw.
LON, LAT = 3.8725, 43.6050
PLAN, CORSICA = "30014_PLU_20171013.zip", "172014607_AC1_2A_20180130.zip"


def shown(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.replace("\u00a0", " ").replace("\u202f", " ")))


def imported(source: Path, territory: str, folder: Path, extent: Any = None) -> dict[str, ImportOutcome]:
    """Import every dataset a real archive holds, as `beffroi import` does."""
    return {
        one.slug: import_source(
            source, territory=territory, at=AT, definition=one, lake=folder, announce=False,
            options=ReadOptions(extent=extent),
        )
        for one in definitions_of(source, territory, load_definitions()[0])
    }  # fmt: skip


@pytest.fixture(scope="module")
def real_plan(open_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of a town whose plan is the one of 30014, as the validator of the IGN holds it."""
    folder = tmp_path_factory.mktemp("plan")
    outcomes = imported(open_data / "autres/urbanisme/cnig" / PLAN, "30014", folder)
    assert set(outcomes) == {"zonage-plu", "prescriptions-plu", "informations-plu"}
    assert all(one.version is not None for one in outcomes.values()), outcomes
    return folder


def test_a_real_archive_of_the_standard_gives_zones_prescriptions_and_perimeters(
    real_plan: Path, settings: Any
) -> None:
    settings.LAKE_DIR = real_plan
    counts = {
        slug: lake.dataset(ANONYMOUS, DatasetRef("30014", slug)).summary.rows
        for slug in ("zonage-plu", "prescriptions-plu", "informations-plu")
    }
    # As GDAL counts the shapes of each layer: 90; 77 areas, 15 lines and 93 points; 18 areas and 6 points.
    assert counts == {"zonage-plu": 90, "prescriptions-plu": 77 + 15 + 93, "informations-plu": 18 + 6}


def test_the_rules_at_a_point_of_a_real_plan_are_those_its_shapes_hold(real_plan: Path, settings: Any) -> None:
    settings.LAKE_DIR = real_plan
    ref = DatasetRef("30014", "prescriptions-plu")
    wood = next(json.loads(body) for body in lake.features(ANONYMOUS, ref, limit=500).features if b'"EBC"' in body)
    inside = shape(wood["geometry"]).representative_point()
    here = rules_at(ANONYMOUS, "30014", lon=inside.x, lat=inside.y, settings=RulesSettings())
    told = [one.rule for one in here.found[Kind.PRESCRIPTION] if one.reach.how is How.HERE]
    assert ("Espace boisé classé", ("L. 113-1", "R. 151-31")) in [(one.name, one.articles) for one in told]
    # A second way to say which zone holds the point: every shape of the layer is asked.
    zones = {
        json.loads(body)["properties"]["libelle"]
        for body in lake.features(ANONYMOUS, DatasetRef("30014", "zonage-plu"), limit=500).features
        if shape(json.loads(body)["geometry"]).contains(Point(inside.x, inside.y))
    }
    assert {one.rule.name for one in here.found[Kind.ZONE]} == zones != set()
    (zone,) = here.found[Kind.ZONE]
    assert str(zone.rule.dated) == "2017-10-13"
    assert zone.rule.file.startswith("30014_reglement_20171013.pdf#page=")
    assert {Kind.EASEMENT, Kind.RISK, Kind.PARCEL} <= set(here.unknown)


def test_real_easements_are_told_with_the_monument_and_its_act_near_the_town_alone(
    open_data: Path, tmp_path: Path, settings: Any
) -> None:
    source = open_data / "autres/urbanisme/cnig" / CORSICA
    (outcome,) = imported(source, "2A041", tmp_path, extent=(9.10, 41.36, 9.25, 41.45)).values()
    assert outcome.report is not None, outcome.reason
    assert 0 < outcome.report.rows_kept < 206
    settings.LAKE_DIR = tmp_path
    columns = ["nom", "categorie", "date_acte", "fichier_acte"]
    rows = lake.rows(ANONYMOUS, outcome.ref, columns=columns).rows
    acts = {row[0]: (row[1], str(row[2]), row[3]) for row in rows}
    assert acts["Citadelle de Bonifacio"] == ("AC1", "1929-10-24", "AC1_CitadelledeBonifacio_19291024_act.pdf")


def test_a_real_plan_of_risks_is_told_with_its_procedure_and_its_day(
    open_data: Path, tmp_path: Path, settings: Any
) -> None:
    (outcome,) = imported(open_data / "autres/urbanisme/risques/pprt_69dreal20090005.gpkg", "69276", tmp_path).values()
    assert outcome.version is not None, outcome.reason
    settings.LAKE_DIR = tmp_path
    rows = lake.rows(ANONYMOUS, outcome.ref, columns=["plan", "etat_plan", "date_plan"]).rows
    assert {(plan, state, str(day)) for plan, state, day in rows} == {
        ("PPRT Domène - Sobégal", "approuve", "2017-02-08")
    }
    assert len(rows) == 25


@pytest.mark.django_db
def test_the_rules_are_read_in_sentences_with_their_article_their_day_and_what_is_unknown(
    layers_town: str, client: Client
) -> None:
    answer = client.get("/regles/7-04/", {"lat": f"{LAT}", "lon": f"{LON}"})
    text = shown(answer.content.decode())
    assert answer.status_code == 200
    assert "Ce point est en zone UA ; la hauteur y est limitée à 12,5 m." in text
    assert "Centre ancien. Zone urbaine. Document approuvé le 15 janvier 2025." in text
    assert "Texte : fichier 00000_reglement_20250115.pdf, page 12, dont l’adresse n’est pas publiée" in text
    assert "Hauteur maximale : 12,5 m. Article R. 151-39 du code de l’urbanisme." in text
    assert "Parcelle AB 12" in text
    assert "Contenance au registre : 540 m²." in text
    assert "AC1_Abords-Halle_ass" in text
    # The tree stands on the plot, eleven metres away: it is told as such, not as a rule of the point.
    assert re.search(r"Arbre remarquable .*? (Ailleurs sur la parcelle, pas à ce point|À \d+ m de ce point)\.", text)
    assert "Ce point n’est dans aucune zone publiée d’un plan de prévention" in text
    assert "Personne n’a publié ici, pour cette commune : les périmètres d’information du plan" in text
    assert "certificat d’urbanisme" in text


@pytest.mark.django_db
def test_elsewhere_the_height_is_not_guessed_from_a_bare_number(layers_town: str, client: Client) -> None:
    page = client.get("/regles/7-04/", {"lat": "43,605", "lon": "3,8825"}).content.decode()
    text = shown(page)
    assert "Ce point est en zone N." in text
    # « 5 » may be metres or storeys: the rule is told, no height is drawn from it.
    assert "Hauteur maximale 5. Article R. 151-39 du code de l’urbanisme." in text
    assert "la hauteur y est limitée" not in text
    assert 'href="https://exemple.fr/reglement.pdf"' in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({}, 200, "Donnez une adresse ou un point de la carte"),
        ({"lat": "43,605"}, 400, "Donnez la latitude et la longitude."),
        ({"lat": "48,85", "lon": "2,35"}, 400, "Ce lieu est loin de la commune."),
        ({"adresse": "1 rue qui n’existe pas"}, 400, "Cette adresse n’est pas connue ici."),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(
    asked: dict[str, str], status: int, told: str, layers_town: str, client: Client
) -> None:
    answer = client.get("/regles/7-04/", asked)
    assert answer.status_code == status
    assert told in shown(answer.content.decode())


@pytest.mark.django_db
def test_the_map_of_the_service_stands_the_envelopes_of_the_plan_over_the_buildings(
    layers_town: str, client: Client
) -> None:
    answer = client.get("/services/7-04/")
    config = json.loads(answer.context["layers"].map.config)
    plan = next(one for one in config["layers"] if one["id"] == "prescriptions-plu")
    assert plan["look"]["height"] == "hauteur_max_m"
    fields = client.get(plan["tiles"]).json()["vector_layers"][0]["fields"]
    assert "hauteur_max_m" in fields
    assert 'href="/regles/7-04/"' in answer.content.decode()
    assert client.get("/regles/7-06/").status_code == 404
