"""Every open use case of the `layers` engine: its example is imported, its page has map, legend, list and sheets."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from beffroi.base.catalogue import queries
from beffroi.base.catalogue.definition import State
from beffroi.base.catalogue.loader import load_catalogue
from beffroi.faces.shell.colours import contrast
from beffroi.faces.shell.icons import ICONS
from beffroi.lake.layer_colours import COLOURS
from beffroi.lake.layer_settings import ICONS as MARKS
from beffroi.lake.layer_settings import Look
from usecases.layers_town import IDS, RESERVED, UNPLACED

# The grounds of the map, `web/src/map/palette.ts`: on a dark one, colours are taken half-way to white.
LIGHT_GROUND, DARK_GROUND = "#f4f0e7", "#171d20"


def shown(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.replace("\u00a0", " ")))


def test_all_that_are_open_are_walked() -> None:
    known = queries.catalogue().use_cases.values()
    live = [one for one in known if one.engine == "layers" and one.state is State.LIVE]
    # Reserved data that the public sees counted have a page of their own (2-01).
    assert {one.id for one in live if not one.settings["layers"].counted} == {*IDS, *UNPLACED, *RESERVED}


@pytest.mark.django_db
@pytest.mark.parametrize("one", IDS)
def test_the_page_has_its_map_its_legend_its_list_and_its_sheets(one: str, layers_town: str, client: Client) -> None:
    answer = client.get(f"/services/{one}/")
    layers, page = answer.context["layers"], answer.content.decode()
    settings = queries.catalogue().use_cases[one].settings["layers"]
    config = json.loads(layers.map.config)
    assert [layer["id"] for layer in config["layers"]] == [listed.ref.slug for listed in layers.datasets]
    assert {layer["id"] for layer in config["layers"]} <= set(settings.datasets)
    for layer in config["layers"]:
        fields = client.get(layer["tiles"]).json()["vector_layers"][0]["fields"]
        assert not layer["look"] or not layer["look"]["column"] or layer["look"]["column"] in fields
    text = shown(page)
    for listed in layers.datasets:
        assert listed.places
        for mark in listed.marks:
            assert mark.label in text
        for place in listed.places:
            assert place.name in text
            assert f"{listed.ref.slug}/fiche/{place.id}/" in page
        look = settings.look(listed.ref.slug)
        told = listed.places[0]
        sheet = client.get(f"/donnees/{layers_town}/{listed.ref.slug}/fiche/{told.id}/?usage={one}&fragment")
        assert sheet.status_code == 200
        assert (shown(told.sentence) in shown(sheet.content.decode())) == bool(
            (look and look.sentence) or not told.sentence
        )
        assert f"version du {listed.updated_at.day} mars 2026" in text


@pytest.mark.parametrize("name", COLOURS)
def test_every_colour_stands_out_on_both_grounds_and_under_its_icon(name: str) -> None:
    colour = COLOURS[name]
    lightened = "#" + "".join(f"{round(int(colour[i : i + 2], 16) * 0.5 + 127.5):02x}" for i in (1, 3, 5))
    assert contrast(colour, LIGHT_GROUND) >= 3
    assert contrast(lightened, DARK_GROUND) >= 3
    assert contrast(colour, "#ffffff") >= 3


def test_the_icons_of_marks_are_those_of_the_house() -> None:
    assert set(MARKS) <= set(ICONS)


TWO_ALIKE = [{"value": 1, "label": "Un", "colour": "orange"}, {"value": 2, "label": "Deux", "colour": "or"}]


def test_classes_that_some_would_confuse_are_refused_unless_their_icons_differ() -> None:
    with pytest.raises(ValueError, match="se confondent pour qui ne voit pas le rouge ou le vert"):
        Look(dataset="x", column="c", classes=TWO_ALIKE)  # type: ignore[arg-type]
    Look(dataset="x", column="c", classes=[TWO_ALIKE[0], {**TWO_ALIKE[1], "icon": "bell"}])  # type: ignore[list-item]


BROKEN = """
title = "Arbres"
workshop = 7
audience = ["citoyen"]
engine = "layers"
state = "draft"
themes = ["urbanisme"]
need = "Voir les arbres."
promise = "Ils sont sur la carte."

[layers]
datasets = ["arbres"]
"""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('[[layers.looks]]\ndataset = "arbres"\ncolour = "fuchsia"', "layers.looks.0.colour : valeur « fuchsia »"),
        ('[[layers.looks]]\ndataset = "arbre"\ncolour = "vert"', "« arbre » n'est pas dans datasets"),
        ('[[layers.looks]]\ndataset = "arbres"\ncolumn = "espece"', "à la fois column et classes"),
        ('[[layers.filters]]\nname = "age"\nkind = "between"\nlabel = "Âge"\ncolumns = ["a"]', "demande 2 colonne(s)"),
        (
            '[[layers.figures]]\ntitle = "X"\ndataset = "arbres"\nby = "a"\nfunction = "mean"',
            "column va avec toute mesure",
        ),
    ],
)
def test_a_table_that_cannot_be_shown_is_refused_with_its_key(tmp_path: object, said: str, told: str) -> None:
    folder = tmp_path / "7"  # type: ignore[operator]
    folder.mkdir()
    (folder / "7-99-arbres.toml").write_text(f"{BROKEN}\n{said}\n", encoding="utf-8")
    problems = load_catalogue([(tmp_path, False)]).problems  # type: ignore[list-item]
    assert any(told in str(problem) for problem in problems), [str(problem) for problem in problems]
