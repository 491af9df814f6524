"""The page of routes: words first, without JavaScript, nothing lost of what was typed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from django.test import Client

from beffroi.base.kernel.time import now
from beffroi.sense.mobility import compiled, landmarks, operations
from beffroi.sense.mobility.assembling import with_about
from beffroi.sense.mobility.drawn import drawn_graph
from beffroi.sense.mobility.store import put_in_place
from sense.mobility.town_graph import DRAWING, NORTH, WAYS, WEST, asked, place_graph

PAGE = "/itineraire/"


@pytest.fixture
def places(small_town: str, tmp_path: Path, settings: Any) -> dict[str, tuple[float, float]]:
    settings.DATA_DIR = tmp_path
    return place_graph(small_town)


def told(client: Client, places: dict[str, Any], **more: str) -> tuple[int, str]:
    query = {"de": asked(places, "A"), "vers": asked(places, "B"), "profil": "fauteuil-manuel"} | more
    answer = client.get(PAGE, query)
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return answer.status_code, re.sub(r"\s+", " ", unescape(text)).replace("\u00a0", " ")


def test_it_says_the_way_why_and_what_is_known(client: Client, places: dict[str, Any]) -> None:
    status, text = told(client, places)
    assert status == 200
    assert "Chemin conseillé : 3 min, 180 m" in text
    assert "Le chemin le plus rapide vous ferait rencontrer : Escalier de 14 marches, rue AB" in text
    assert "Documenté à 100 % pour ce profil" in text
    assert "Partez vers le sud : rue AC" in text
    assert "Vous êtes à destination" in text


def test_on_foot_the_stairs_are_taken(client: Client, places: dict[str, Any]) -> None:
    _, text = told(client, places, profil="a-pied")
    assert "un escalier, 14 marches" in text
    assert "Prenez l’escalier (14 marches)" in text
    assert "C’est aussi le plus rapide" in text


def test_steps_are_told_by_what_one_sees_at_the_turn(client: Client, small_town: str, places: dict[str, Any]) -> None:
    graph, _ = drawn_graph(DRAWING, ways=WAYS, at=(WEST, NORTH))
    turn = np.zeros(graph.ends, np.int32)
    seen = with_about(graph, territory=small_town, version="20260302T090000Z-seen00000000")
    put_in_place(replace(seen, landmark=turn, landmarks=("Boulangerie du Pont",)))
    _, text = told(client, places)
    assert "Repère : Boulangerie du Pont" in text.partition("Pas à pas")[2]


def test_only_documented_ways_when_one_asks_and_nothing_of_it_is_kept(
    client: Client, small_town: str, places: dict[str, Any]
) -> None:
    square, unsure = "A--s--B\n|     |\nC-----D\n", {"AB": {"unknown": ["width"]}}
    found = place_graph(small_town, "20260302T090000Z-square000000", drawing=square, ways=unsure)
    _, text = told(client, found)
    assert "60 m" in text.partition("Chemin conseillé")[2][:20]
    assert "Documenté à 0 % pour ce profil" in text
    assert "Chercher par les seules rues documentées" in text
    query = {"de": asked(found, "A"), "vers": asked(found, "B"), "profil": "fauteuil-manuel", "documente": "on"}
    answer = client.get(PAGE, query | {"pente": "6", "ressaut": "2"})
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))
    assert "Documenté à 100 % pour ce profil" in text
    # Settings live on the device and in the question: neither a cookie nor a session remembers them.
    assert not answer.cookies
    assert not client.session.items()


def test_no_way_says_what_stops_and_how_far_one_gets(client: Client, places: dict[str, Any]) -> None:
    _, text = told(client, places, vers=asked(places, "E"))
    assert "Chemin conseillé" in text, "brought to the nearest street one may use"
    _, text = told(client, places, profil="poussette", vers=asked(places, "B"), documente="on", ressaut="")
    assert "Chemin conseillé" in text
    lon, lat = places["D"]
    operations.obstacle_at(territory="00001", subject="r:1", kind="rue-fermee", lon=lon, lat=lat + 0.0002, at=now())
    _, text = told(client, places)
    assert "Aucun chemin ne convient à ce profil" in text
    assert "Un seul obstacle ferme la route : Escalier de 14 marches, rue AB" in text
    assert "On peut approcher à 40 m de l’arrivée à vol d’oiseau, après 140 m." in text


def test_an_obstacle_on_the_way_is_said(client: Client, places: dict[str, Any]) -> None:
    operations.obstacle_at(territory="00001", subject="r:2", kind="trottoir-abime", label="racines", at=now(),
                           lon=places["C"][0] + 0.0004, lat=places["C"][1])  # fmt: skip
    _, text = told(client, places)
    assert "Encore sur le chemin en ce moment Trottoir abîmé : racines" in text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"de": "ici"}, "Cette adresse n’est pas connue ici"),
        ({"de": "1,1"}, "aucune rue praticable à moins de 300 m"),
        ({"profil": "trottinette"}, "Sélectionnez un choix valide"),
        ({"pente": "beaucoup"}, "Saisissez un nombre"),
        ({"pente": "30"}, "hors des bornes"),
    ],
)
def test_a_question_it_cannot_read_is_kept_and_explained(
    client: Client, places: dict[str, Any], more: dict[str, str], said: str
) -> None:
    status, text = told(client, places, **more)
    assert status == 400
    assert said in text
    page = client.get(PAGE, {"de": "ici", "vers": "là", "profil": "velo"}).content.decode()
    assert 'value="ici"' in page
    assert 'value="là"' in page


def test_a_gpx_track_has_the_turns(client: Client, places: dict[str, Any]) -> None:
    query = {"de": asked(places, "A"), "vers": asked(places, "B"), "profil": "fauteuil-manuel"}
    answer = client.get("/itineraire/1.gpx", query)
    assert answer["Content-Type"] == "application/gpx+xml"
    track = ElementTree.fromstring(answer.content)
    space = "{http://www.topografix.com/GPX/1/1}"
    assert len(track.findall(f".//{space}trkpt")) == 4
    assert len(track.findall(f"{space}wpt")) >= 3
    assert "Chemin conseillé" in client.get("/itineraire/9.gpx", query).content.decode()


def test_the_map_is_told_where_the_same_answer_is(client: Client, places: dict[str, Any]) -> None:
    page = client.get(
        PAGE, {"de": asked(places, "A"), "vers": asked(places, "B"), "profil": "fauteuil-manuel", "pente": "6"}
    )
    config = json.loads(unescape(re.search(r'data-route="([^"]+)"', page.content.decode())[1]))  # type: ignore[index]
    answer = client.get(config["route"]).json()
    assert answer["features"][0]["properties"]["length_m"] == pytest.approx(180, abs=1)
    assert "max_slope_pct=6" in config["route"]


def test_without_a_graph_or_without_the_search_the_page_says_so(
    client: Client, small_town: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = tmp_path
    assert "Pas encore d’itinéraires ici" in client.get(PAGE).content.decode()
    places = place_graph(small_town)

    def absent() -> None:
        raise compiled.NoEngine(
            "le calcul d'itinéraires n'est pas installé sur ce serveur", remedy="faites « make install »"
        )

    monkeypatch.setattr(landmarks, "search_module", absent)
    status, text = told(client, places)
    assert status == 404
    assert "n'est pas installé sur ce serveur" in text


def test_the_page_costs_a_few_queries(
    client: Client, places: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    told(client, places)
    with django_assert_max_num_queries(3):
        told(client, places)
