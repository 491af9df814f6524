"""2-12, safe ways: « preferring lit, frequented streets, avoiding reported spots, shows what was avoided »."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue.models import UseCaseUsage
from beffroi.base.kernel.time import now
from beffroi.sense.mobility import operations
from sense.mobility.town_graph import asked, place_graph

PAGE = "/itineraire/2-12/"
THEME = "/services/?theme=securite"
# From A to B: straight on along a dark street; or below, lit. From C to E: by a busy road above, or by a lonely path.
DRAWING = """
A---s---B
|       |
C-------D---f---E
        |       |
        F-------G
"""
WAYS = {"AB": {"lit": "no"}, "DE": {"kind": "path"}, "DF": "road", "FG": "road", "EG": "road"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def places(small_town: str, tmp_path: Path, settings: Any) -> dict[str, tuple[float, float]]:
    settings.DATA_DIR = tmp_path
    return place_graph(small_town, drawing=DRAWING, ways=WAYS)


@pytest.fixture
def way(client: Client, places: dict[str, Any]) -> Callable[..., str]:
    """Ask as a person does, by the form of the page; give the text of the answer."""

    def ask(start: str, goal: str, profile: str = "nuit") -> str:
        query = {"de": asked(places, start), "vers": asked(places, goal), "profil": profile}
        page = client.get(PAGE, query).content.decode()
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page))).replace("\u00a0", " ")

    return ask


@pytest.mark.parametrize("address", [THEME, "/services/", "/recherche/?q=parcours securises"])
def test_it_is_found_from_the_home_page_the_services_and_the_search(
    address: str, client: Client, places: dict[str, Any]
) -> None:
    assert f'href="{THEME}"' in client.get("/").content.decode()
    assert "/2-12/" in client.get(address).content.decode()


def test_its_page_chooses_the_night_first(client: Client, places: dict[str, Any]) -> None:
    assert f'href="{PAGE}"' in client.get("/services/2-12/").content.decode()
    page = client.get(PAGE).content.decode()
    assert '<option value="nuit" selected>' in page
    assert "Parcours sécurisés" in page
    assert client.get("/itineraire/1-23/").status_code == 404


def test_it_prefers_lit_streets_and_shows_what_it_avoided(way: Callable[..., str]) -> None:
    text = way("A", "B")
    assert "Chemin conseillé : 2 min, 160 m" in text
    assert "Le chemin le plus rapide vous ferait rencontrer : Rue sans éclairage, rue AB" in text
    assert "Éclairé 100 % du chemin" in text
    assert "Éclairé 0 % du chemin" in way("A", "B", "a-pied"), "by day the short way is taken"


def test_it_prefers_frequented_streets(way: Callable[..., str]) -> None:
    assert "160 m" in way("D", "E").split("Autre chemin")[0]
    assert "Tournez à gauche : rue FG" in way("D", "E")
    assert "80 m" in way("D", "E", "a-pied").split("Autre chemin")[0]


def test_it_goes_round_a_spot_that_was_reported_from_the_next_request_on(
    way: Callable[..., str], places: dict[str, Any]
) -> None:
    assert "rue AC" not in way("C", "D").split("Autre chemin")[0]
    lon, lat = places["C"]
    operations.obstacle_at(
        territory="00001", subject="report:9", kind="lieu-signale", lon=lon + 0.0004, lat=lat, at=now()
    )
    text = way("C", "D").split("Autre chemin")[0]
    assert "rue AC" in text
    assert "Lieu signalé comme inquiétant, rue CD" in text
    operations.end_obstacle(subject="report:9", at=now())
    assert "rue AC" not in way("C", "D").split("Autre chemin")[0]


def test_a_use_is_counted_for_the_town(way: Callable[..., str]) -> None:
    way("A", "B")
    catalogue.flush_usage()
    assert (
        sum(count for *_, count in UseCaseUsage.objects.filter(use_case="2-12").values_list("use_case", "count")) == 1
    )
