"""3-05, broadband: « fibre coverage and measured throughput »."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from beffroi.lake.town import write_town


@pytest.mark.django_db
def test_the_throughput_measured_in_a_school_is_told_with_its_day(layers_town: str, client: Client) -> None:
    answer = client.get("/services/3-05/")
    listed = next(one for one in answer.context["layers"].datasets if one.ref.slug == "debits-etablissements")
    told = {place.name: place.sentence.replace("\u00a0", " ") for place in listed.places}
    assert told["École Jean Moulin"] == "Fibre, 420 Mbit/s reçus, 210 Mbit/s envoyés, mesuré le 12/05/2025."
    (table,) = answer.context["layers"].figures
    assert [row.key for row in table.rows] == ["Fibre", "Cuivre"]


def test_the_generated_town_covers_each_iris_and_measures_each_school(tmp_path: Path) -> None:
    town = write_town(tmp_path / "ville", population=2_000)
    fibre = [one["properties"] for one in town.shapes("numerique/couverture_fibre.geojson")]
    assert all(0 <= one["locaux_fibre"] <= one["locaux"] for one in fibre)
    assert len(fibre) == len({one["code_iris"] for one in fibre})
