"""9-04, property sales: « national file imported with its pitfalls handled, price per m² by street, trend, 3D »."""

from __future__ import annotations

import json
import statistics
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.definitions import definition_for, load_definitions
from beffroi.lake.operations import import_source
from beffroi.lake.queries import DatasetRef, Filter, Measure
from beffroi.lake.town import write_town


@pytest.mark.django_db
def test_a_sale_on_several_lines_is_one_and_its_price_per_m2_is_told_where_it_means_something(
    layers_town: str, client: Client
) -> None:
    (listed,) = client.get("/services/9-04/").context["layers"].datasets
    told = {place.name: place.sentence.replace("\u00a0", " ").replace("\u202f", " ") for place in listed.places}
    assert told["3 RUE HAUTE"] == "Dépendance, Maison, vendu 200 000 € le 01/02/2024, 100 m², soit 2 000 €/m²."
    # Sold with a shop, or for one euro: the price stands, not the price per m².
    assert "soit" not in told["5 RUE HAUTE"]
    assert "soit" not in told["7 RUE HAUTE"]


@pytest.mark.django_db
def test_the_map_stands_in_relief_and_has_the_classes_of_price(layers_town: str, client: Client) -> None:
    config = json.loads(client.get("/services/9-04/").context["layers"].map.config)
    assert [one["below"] for one in config["layers"][0]["look"]["classes"]][:3] == [1500, 2500, 4000]


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dvf")
    town = write_town(folder / "ville", population=2_000)
    source = town.folder / "immobilier/dvf_00001.csv"
    definition = definition_for(source.name, town.insee, load_definitions()[0])
    outcome = import_source(
        source, territory=town.insee, at=datetime(2026, 3, 2, tzinfo=UTC), definition=definition, lake=folder / "lake",
        announce=False,
    )  # fmt: skip
    assert outcome.version is not None, outcome.reason
    assert outcome.report is not None
    assert outcome.report.rows_kept < outcome.report.rows_read
    return folder / "lake"


def test_the_figures_by_street_and_by_year_are_those_of_another_way_to_count(sales: Path, settings: object) -> None:
    settings.LAKE_DIR = sales  # type: ignore[attr-defined]
    ref = DatasetRef("00001", "ventes-immobilieres")
    rows = lake.rows(ANONYMOUS, ref, columns=["annee", "valeur_fonciere", "surface_logement", "prix_m2"]).rows
    by_year: dict[int, list[float]] = {}
    for year, price, surface, each in rows:
        if each is not None:
            assert abs(each - price / surface) <= 0.5
            by_year.setdefault(year, []).append(each)
    found = lake.aggregate(
        ANONYMOUS, ref, group_by=["annee"], measures=[Measure("m", "median", "prix_m2")],
        where=[Filter("prix_m2", "null", False)],
    )  # fmt: skip
    assert dict(found.rows) == {year: pytest.approx(statistics.median(values)) for year, values in by_year.items()}
