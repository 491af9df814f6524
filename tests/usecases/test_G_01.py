"""G-01, one platform: one box answers with everything, every open service is reached, twelve themes open the town."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.catalogue import queries
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.lake import operations as lake
from beffroi.lake import serving
from beffroi.lake.definitions import Definition
from beffroi.sense.places.operations import index_territory
from beffroi.sense.places.queries import Kind
from faces.portal.small_town import AT, CODE

pytestmark = pytest.mark.django_db

PROCEDURE = """
title    = "Demander un acte d’état civil"
workshop = 6
audience = ["citoyen"]
engine   = "layers"
state    = "live"
need     = "Obtenir un acte de naissance, de mariage ou de décès."
promise  = "L’acte est prêt au guichet, ou envoyé."
themes   = ["vie-quotidienne"]

[layers]
datasets = ["lieux-utiles"]

[[example]]
when = { dataset = "lieux-utiles", source = "nom,lon,lat\\nMairie,3.88,43.61\\n" }
then = { status = "published", rows = 1 }
"""
EVENTS = "titre;date_debut;date_fin;lieu;lon;lat\nFête du beffroi;2026-06-20;2026-06-21;Place Neuve;3.008;45.009\n"


@pytest.fixture
def town(small_town: str, small_lake: Path, settings: Any, tmp_path: Path) -> Iterator[str]:
    """The small town with an agenda and a procedure of its own, each one file."""
    home = tmp_path / "lake"
    # Versions never change: the same files under another root.
    shutil.copytree(small_lake / CODE, home / CODE, copy_function=os.link)
    settings.LAKE_DIR, settings.DATA_DIR = home, tmp_path
    agenda = tmp_path / "agenda.csv"
    agenda.write_text(EVENTS, encoding="utf-8")
    definition = Definition("agenda", theme="vie-locale", title="Agenda")
    outcome = lake.import_source(agenda, territory=CODE, at=AT, definition=definition, announce=False)
    assert outcome.version is not None, outcome.reason
    index_territory(CODE)
    (tmp_path / "usecases" / "6").mkdir(parents=True)
    (tmp_path / "usecases" / "6" / "T-01-etat-civil.toml").write_text(PROCEDURE, encoding="utf-8")
    queries.forget_catalogue()
    yield small_town
    queries.forget_catalogue()
    serving.close_all()


ANSWERS = [
    ("acte de naissance", Kind.SERVICE, "Demander un acte d’état civil"),
    ("fourriere", Kind.PLACE, "Fourrière du Bas"),
    ("fête du beffroi", Kind.EVENT, "Fête du beffroi"),
    ("12 bis grande rue", Kind.STREET, "12 bis Grande Rue"),
    ("arbres d'alignement", Kind.DATASET, "Arbres"),
]


def test_one_box_answers_with_everything(town: str, client: Client) -> None:
    assert re.search(r'<form[^>]*action="/recherche/"', client.get("/").content.decode())
    for asked, kind, title in ANSWERS:
        groups = client.get("/recherche/", {"q": asked}).context["groups"]
        assert title in {one.title for group in groups if group.kind is kind for one in group.results}, asked


def test_a_map_layer_found_is_drawn_on_its_page(town: str, client: Client) -> None:
    (group,) = client.get("/recherche/", {"q": "arbres", "genre": "dataset"}).context["groups"]
    layer = client.get(group.results[0].url).content.decode()
    assert "data-map=" in layer
    assert "/carte/" in layer


def test_every_open_use_case_is_reached_from_the_portal(town: str, client: Client) -> None:
    opened = {one.use_case.id for one in queries.use_cases(territory=town, states=OPEN_STATES)}
    assert "T-01" in opened
    assert len(opened) > 5
    assert 'href="/services/"' in client.get("/").content.decode()
    listed = set(re.findall(r'href="/services/([\w-]+)/"', client.get("/services/").content.decode()))
    # What waits for its data is off for residents, until they come.
    shown = {one.use_case.id for one in queries.with_data(queries.use_cases(territory=town, states=OPEN_STATES), town)}
    assert shown <= listed
    assert not listed & (opened - shown)
    assert {use_case: client.get(f"/services/{use_case}/").status_code for use_case in sorted(opened)} == dict.fromkeys(
        sorted(opened), 200
    )


def test_the_twelve_themes_are_entries_of_the_portal_and_of_the_model(town: str, client: Client) -> None:
    home, model = client.get("/").content.decode(), client.get("/carte/").content.decode()
    themes = [one for one in queries.themes() if one.workshop]
    assert len(themes) == 12
    for theme in themes:
        assert f'/services/?theme={theme.slug}"' in home
        assert client.get("/services/", {"theme": theme.slug}).status_code == 200
        assert theme.slug in model
        opened = client.get("/carte/", {"theme": theme.slug})
        assert opened.status_code == 200
        assert theme.title in opened.content.decode().replace("&#x27;", "’")
