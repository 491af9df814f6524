"""A layer summed up by district: figures a second method finds, rights kept, two days side by side."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from shapely.geometry import Point, shape

from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.lake import operations, queries
from beffroi.lake.definitions import ColumnDefinition, Definition
from beffroi.lake.queries import BadQuery, DatasetNotFound, DatasetRef, Measure
from faces.portal.small_town import CODE

pytestmark = pytest.mark.django_db

ARBRES, QUARTIERS = DatasetRef(CODE, "arbres"), DatasetRef(CODE, "quartiers")


def every(ref: DatasetRef) -> list[dict[str, Any]]:
    return [json.loads(body) for body in queries.features(ANONYMOUS, ref, limit=1000).features]


def test_figures_by_area_are_those_shapely_finds(small_town: str) -> None:
    trees = [(Point(one["geometry"]["coordinates"]), one["properties"]["hauteur"]) for one in every(ARBRES)]
    for measure, figure in (("mean", lambda found: sum(found) / len(found)), ("sum", sum)):
        found = queries.by_area(ANONYMOUS, ARBRES, QUARTIERS, measure=Measure("x", measure, "hauteur"))
        assert len(found) == 2
        for area in every(QUARTIERS):
            inside = [height for place, height in trees if shape(area["geometry"]).contains(place)]
            (mine,) = [one for one in found if one.area_id == str(area["id"])]
            assert mine.count == len(inside)
            expected = figure(inside) if inside else None
            assert mine.value == (expected if expected is None else pytest.approx(expected))


def test_what_a_reader_may_not_see_is_not_summed_up_for_her(small_town: str) -> None:
    with pytest.raises(BadQuery, match="releve_par"):
        queries.by_area(ANONYMOUS, ARBRES, QUARTIERS, measure=Measure("x", "sum", "releve_par"))
    with pytest.raises(DatasetNotFound):
        queries.by_area(ANONYMOUS, DatasetRef(CODE, "astreintes"), QUARTIERS)
    with pytest.raises(BadQuery, match="n’est pas situé"):
        queries.by_area(ANONYMOUS, DatasetRef(CODE, "marches"), QUARTIERS)


def test_the_page_says_in_a_table_what_its_map_draws(small_town: str, client: Client) -> None:
    answer = client.get("/carte/quartiers/", {"couche": "arbres", "mesure": "moyenne:hauteur"})
    page = answer.content.decode()
    assert "Arbres, par quartier" in page
    assert "Moyenne : Hauteur (m)" in page
    told = answer.context["told"]
    ((_day, config),) = answer.context["maps"]
    (overlay,) = json.loads(config)["overlays"]
    drawn = client.get(overlay["url"]).json()["features"]
    assert {one["properties"]["title"].split(" : ")[0] for one in drawn} == {one.name for one in told.figures}
    assert {mark[0] for mark in overlay["marks"]} >= {one["properties"]["classe"] for one in drawn}
    assert "releve_par" not in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"couche": "inconnue"}, "la couche « inconnue » n’est pas connue"),
        ({"couche": "astreintes"}, "la couche « astreintes » n’est pas connue"),
        ({"couche": "arbres", "mesure": "total:releve_par"}, "ne se calcule pas sur cette couche"),
        ({"couche": "arbres", "avant": "jadis"}, "« jadis » n’est pas une date"),
    ],
)
def test_what_cannot_be_summed_up_is_refused_in_words(
    query: dict[str, str], said: str, small_town: str, client: Client
) -> None:
    for address in ("/carte/quartiers/", "/carte/quartiers.geojson"):
        answer = client.get(address, query)
        assert answer.status_code == 400
    assert said in client.get("/carte/quartiers/", query).content.decode()


def test_two_days_are_drawn_side_by_side_in_the_same_classes(
    small_town: str, client: Client, signed_in: Callable[..., Client], settings: Any, tmp_path: Path
) -> None:
    settings.LAKE_DIR = tmp_path / "lake"
    area = {"type": "Polygon", "coordinates": [[[3, 45], [3.01, 45], [3.01, 45.01], [3, 45.01], [3, 45]]]}
    district = {"type": "Feature", "properties": {"nom": "Le Bas"}, "geometry": area}
    files = {
        "quartiers": [(3, json.dumps({"type": "FeatureCollection", "features": [district]}), "geojson")],
        "arbres": [
            (3, "numero;cout;lon;lat\n1;100;3.001;45.001\n", "csv"),
            (5, "numero;cout;lon;lat\n1;100;3.001;45.001\n2;250;3.002;45.002\n3;9;3.5;45.5\n", "csv"),
        ],
    }
    columns = {"cout": ColumnDefinition(title="Coût", unit="€", access="agents")}
    for slug, versions in files.items():
        definition = Definition(slug, theme="espaces_verts", columns=columns if slug == "arbres" else {})
        for month, text, ending in versions:
            source = tmp_path / f"{slug}.{ending}"
            source.write_text(text)
            at = datetime(2026, month, 2, 9, tzinfo=UTC)
            outcome = operations.import_source(
                source, territory=CODE, at=at, definition=definition, lake=settings.LAKE_DIR, announce=False
            )
            assert outcome.version, outcome.reason
    query = {"couche": "arbres", "avant": "2026-03-10"}
    answer = client.get("/carte/quartiers/", query)
    (figure,) = answer.context["told"].figures
    assert (figure.value, figure.before, figure.change) == (2, 1, 1)
    assert answer.content.decode().count("data-sync") == 2
    assert client.get("/carte/quartiers/", query | {"mesure": "total:cout"}).status_code == 400
    (figure,) = signed_in(Role.AGENT).get("/carte/quartiers/", query | {"mesure": "total:cout"}).context["told"].figures
    assert (figure.value, figure.before) == (350, 100)
