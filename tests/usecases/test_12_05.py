"""12-05, playgrounds: « filter by age, open now, outdoor playgrounds outside parks too »."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.faces.portal import layers as page
from beffroi.lake.town import write_town

NOON, NIGHT = datetime(2026, 3, 4, 11, 0, tzinfo=UTC), datetime(2026, 3, 4, 22, 0, tzinfo=UTC)


def names(answer: Any) -> list[str]:
    (listed,) = answer.context["layers"].datasets
    return [place.name for place in listed.places]


@pytest.mark.django_db
@pytest.mark.parametrize(("age", "kept"), [("2", ["Aire des Tilleuls"]), ("8", ["Aire du Parc"]), ("15", [])])
def test_an_age_keeps_the_playgrounds_made_for_it(age: str, kept: list[str], layers_town: str, client: Client) -> None:
    answer = client.get("/services/12-05/", {"age": age})
    assert names(answer) == kept
    (layer,) = json.loads(answer.context["layers"].map.config)["layers"]
    assert layer["where"] == [["age_min", "le", age], ["age_max", "ge", age]]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hour", "kept"), [(NOON, ["Aire des Tilleuls", "Aire du Parc"]), (NIGHT, ["Aire des Tilleuls"])]
)
def test_open_now_keeps_those_that_are_on_the_list_and_on_the_map(
    hour: datetime, kept: list[str], layers_town: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "now", lambda: hour)
    answer = client.get("/services/12-05/", {"ouvert": "on"})
    assert names(answer) == kept
    (layer,) = json.loads(answer.context["layers"].map.config)["layers"]
    assert len(layer["only"]) == len(kept)


@pytest.mark.django_db
def test_a_playground_outside_parks_is_found_as_such(layers_town: str, client: Client) -> None:
    assert names(client.get("/services/12-05/", {"ou": "Pied d’immeuble"})) == ["Aire des Tilleuls"]


@pytest.mark.django_db
def test_from_an_address_the_nearest_comes_first_in_a_straight_line_said_as_such(
    layers_town: str, client: Client
) -> None:
    answer = client.get("/services/12-05/", {"pres": "3.8705, 43.6002"})
    assert names(answer) == ["Aire des Tilleuls", "Aire du Parc"]
    assert "à vol d’oiseau" in answer.content.decode()


def test_the_generated_town_has_some_outside_parks(tmp_path: Path) -> None:
    town = write_town(tmp_path / "ville", population=2_000)
    places = [one["properties"]["lieu"] for one in town.shapes("espaces_verts/aires_jeux.geojson")]
    assert "Pied d’immeuble" in places
    assert len(set(places)) > 1
