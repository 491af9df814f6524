"""4-16: « INSEE age/family/occupation/income by statistical block »."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest
from django.test import Client

from beffroi.base.territory.viewer import Role
from usecases.reading import text_of

pytestmark = pytest.mark.django_db


def test_blocks_are_named_drawn_and_set_beside_the_commune(
    indicators_town: str, signed_in: Callable[..., Client]
) -> None:
    agent = signed_in(Role.AGENT)
    page = agent.get("/indicateurs/4-16/?mesure=moins-de-15-ans")
    rows = {row.name: row for row in page.context["rows"]}
    # 440 of 2,400 in all; the small block is told to be imprecise.
    assert (rows["Le Haut"].value, rows["Le Haut"].besides) == ("20\u00a0%", ("18,3\u00a0%",))
    assert rows["Le Bas"].note == "imprécis : peu d’habitants"
    assert "18,3 % en 2022 dans la commune" in text_of(page)
    zones = json.loads(agent.get("/indicateurs/4-16/zones.geojson?mesure=moins-de-15-ans").content)
    assert {one["properties"]["title"] for one in zones["features"]} == {"Le Haut : 20\u00a0%", "Le Bas : 10\u00a0%"}


def test_a_secret_income_says_why_and_what_the_town_lacks_is_named(
    indicators_town: str, signed_in: Callable[..., Client]
) -> None:
    page = signed_in(Role.ELECTED).get("/indicateurs/4-16/?mesure=revenu")
    rows = {row.name: row for row in page.context["rows"]}
    # The year is that of the file; nothing stands for a block under secrecy, nor for the commune.
    assert page.context["answer"].year == "2021"
    assert rows["Le Haut"].value.replace("\u202f", "").startswith("21500")
    assert (rows["Le Bas"].value, rows["Le Bas"].note) == ("–", "secret statistique")
    assert page.context["answer"].whole.value is None
    assert "--as familles-iris" in text_of(page)


def test_the_file_holds_every_measure_with_its_source(indicators_town: str, signed_in: Callable[..., Client]) -> None:
    text = signed_in(Role.AGENT).get("/indicateurs/4-16/?csv=1").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    managers = {row["IRIS"]: row for row in rows if row["Mesure"].startswith("Cadres")}
    assert {name: float(row["Valeur"]) for name, row in managers.items()} == {
        "Toute la commune": 18.163, "Le Haut": 20.0, "Le Bas": 10.0,
    }  # fmt: skip
    assert all("INSEE" in row["Source"] for row in rows)


def test_residents_read_none_of_it(indicators_town: str, signed_in: Callable[..., Client]) -> None:
    resident = signed_in(Role.RESIDENT)
    for path in ("/indicateurs/4-16/", "/indicateurs/4-16/zones.geojson?mesure=habitants"):
        assert resident.get(path).status_code == 403
