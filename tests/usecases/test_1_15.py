"""1-15: « travel-time access to a GP per inhabitant mapped, official revitalisation zones (ZRR, now FRR) and
under-served zones shown with the aids attached »."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.lake.operations import import_source
from beffroi.sense.mobility.coverage.zonings import BadZoning, read_zoning, zonings
from usecases.test_12_07 import IMPORTED, NORTH, TOWN, WEST, lake, text, town

__all__ = ["lake", "town"]
PAGE = "/acces/1-15/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def classed(town: str, lake: Path, tmp_path: Path, settings: Any) -> str:
    """Return the town of 12-07 with a doctor, and how the State classes it, in a lake of its own."""
    settings.LAKE_DIR = shutil.copytree(lake, tmp_path / "lake")
    for name, content in {
        "zrr.csv": "CODGEO,LIBGEO,ZRR_SIMP\n00001,Bourg-l’Essai,C - Classée en ZRR\n48095,Mende,NC\n",
        "zonage_medecins.csv": "code_commune,commune,zonage\n00001,Bourg-l’Essai,Hors zonage\n48095,Mende,ZIP\n",
        "bpe.csv": f"TYPEQU;LIBELLE;LON;LAT\nD265;Cabinet du Pont;{WEST + 0.00127:.6f};{NORTH}\n",
    }.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
        outcome = import_source(tmp_path / name, territory=TOWN, at=IMPORTED, lake=settings.LAKE_DIR, announce=False)
        assert outcome.version is not None, outcome.reason
    return town


def test_how_long_to_a_doctor_how_the_town_is_classed_and_what_aids_that_opens(client: Client, classed: str) -> None:
    page = client.get(PAGE, {"profil": "a-pied", "minutes": "1"})
    told = text(page)
    assert "Médecins généralistes à 1 minutes" in told
    assert "200 habitants sur 500 (40 %) y sont à temps." in told
    url = json.loads(page.context["map"].config)["overlays"][0]["url"]
    assert [one["properties"]["class"] for one in client.get(url).json()["features"]] == ["0", "3", "place", "more"]
    assert "Bourg-l’Essai : Classée en revitalisation rurale." in told
    assert "version du 2 mars 2026" in told
    assert "CGI, art. 44 quindecies A" in told
    assert "Bourg-l’Essai : Hors des zones sous-dotées." in told
    assert "L1511-8" not in told, "outside those zones no aid is due"


def test_it_asks_first_by_car_and_says_when_nothing_classes_the_town(client: Client, town: str) -> None:
    told = text(client.get(PAGE))
    assert told.count("Aucun jeu de données de la commune ne dit son classement") == 2
    assert "Aides qui s’attachent à ce classement" in told
    assert "CGCT, art. L1511-8" in told


@pytest.mark.parametrize(
    ("slug", "value", "label", "listed"),
    [
        ("frr", "FRR+", "Classée France ruralités revitalisation « plus »", True),
        ("frr", "FRR", "Classée en revitalisation rurale", True),
        ("frr", "C  Classée en ZRR", "Classée en revitalisation rurale", True),
        ("frr", "P - Commune partiellement classée en ZRR", "Classée pour une partie de la commune", True),
        ("frr", "NC - Commune non classée", "Non classée", False),
        ("medecins", "ZIP", "Zone d’intervention prioritaire", True),
        ("medecins", "Zone d'action complémentaire (ZAC)", "Zone d’action complémentaire", True),
        ("medecins", "HV", "Hors des zones sous-dotées", False),
    ],
)
def test_published_values_are_understood(slug: str, value: str, label: str, listed: bool) -> None:
    found = zonings()[slug].class_of(value)
    assert found is not None
    assert (found.label, found.listed) == (label, listed)
    assert zonings()[slug].class_of("?") is None


def test_a_zoning_that_does_not_read_says_its_keys(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('title = "X"\ncolour = "bleu"\n', encoding="utf-8")
    with pytest.raises(BadZoning, match=r"colour.*about"):
        read_zoning(tmp_path / "x.toml")
