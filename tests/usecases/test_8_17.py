"""8-17, directions of traffic: « scenario, computed effect, opinions »; opinions await their room."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.journal.models import Event
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.drawn import drawn_graph
from beffroi.sense.mobility.works import operations, queries
from beffroi.sense.mobility.works.directions import followed
from beffroi.sense.mobility.works.drawn import effect_on, stretch
from beffroi.sense.mobility.works.plan import BadWorks
from desk_makers import sign_in_agent
from sense.mobility.town_graph import place_graph
from serve_makers import make_open_town
from territory_makers import TOWN

DRAWING = """
A----B----E
|    |
C----D
"""
HOME = "/agent/travaux/"
DAY = timezone.localdate() + timedelta(days=40)


@pytest.fixture
def places(db: None, settings: Any, tmp_path: Path) -> dict[str, tuple[float, float]]:
    settings.STRONG_AUTH, settings.DATA_DIR = False, tmp_path
    make_open_town()
    return place_graph(TOWN, drawing=DRAWING, ways={})


def text_of(page: Any) -> str:
    plain = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.content.decode())))
    return plain.replace("\u00a0", " ").replace("\u202f", " ")


def asked(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Apaiser la rue AB", "service": "voirie", "description": "Avant d’en débattre.", "street": "rue AB",
        "first": f"{DAY}", "last": f"{DAY + timedelta(days=180)}", "who": ["car"], "direction": "west",
        "contraflow": "on",
    } | changes  # fmt: skip


def proposed(client: Client, **changes: Any) -> tuple[str, int]:
    """Describe a change of direction by the form; return the address of its sheet, and its number."""
    answer = client.post(f"{HOME}nouveaux/", asked(**changes))
    assert answer.status_code == 302, text_of(answer)[:1500]
    assert "Tronçons qui changent de sens" in text_of(client.get(answer.url))
    address = answer.url.split("rues/")[0]
    return address, int(address.rstrip("/").split("/")[-1])


def act(client: Client, address: str, gesture: str, **fields: Any) -> str:
    return text_of(client.post(f"{address}geste/", {"geste": gesture, **fields}, follow=True))


def test_scenarios_are_computed_proposed_and_read_beside_today(places: dict[str, Any], client: Client) -> None:
    agent, me = sign_in_agent("voirie")
    address, number = proposed(agent)
    act(agent, address, "scenario", scenario="0")
    info = queries.one_works(me, TOWN, number)
    east = info.scenarios[0].phases[0].model_copy(update={"direction": "east"})
    other = info.scenarios[0].model_copy(update={"title": "Vers l’est", "phases": (east,)})
    operations.change_scenarios(me, TOWN, number, scenarios=[info.scenarios[0], other], at=timezone.now())
    assert "les effets ne sont pas calculés" in act(agent, address, "publier", scenario="0")
    assert client.get(f"/sens-de-circulation/{number}/").status_code == 404, "a draft is nobody's"
    act(agent, address, "calculer")
    operations.compute_now(number, at=timezone.now())
    found = queries.one_works(me, TOWN, number).effects
    (west_car, west_bicycle), (east_car, _bicycle) = found[0][0], found[1][0]
    assert (west_car.profile, west_bicycle.profile) == ("voiture", "velo")
    assert west_car.worse > 0
    assert west_car.better == west_car.lost == west_bicycle.touched == 0
    assert [name for name, _share in west_car.relieved] == ["rue AB"]
    assert {name for name, _share in west_car.streets} == {"rue AC", "rue CD", "rue BD"}
    assert west_car.over_all_m != east_car.over_all_m
    assert sum(trips for _name, trips, *_more in west_car.districts) == 400, "every resident leaves from somewhere"
    assert "Proposé aux habitants" in act(agent, address, "publier", scenario="0")
    assert "Apaiser la rue AB" in text_of(client.get("/sens-de-circulation/"))
    page = text_of(client.get(f"/sens-de-circulation/{number}/"))
    for said in (
        "sens unique vers l’ouest : voitures ; vélos dans les deux sens", "sens unique vers l’est", "Aujourd’hui",
        "Rien n’est décidé", "Préféré par la commune", "Rues qui s’allègent", "Qui gagne", "embouteillages",
        "Avant d’en débattre.", "Aucun trajet de l’échantillon ne change.",
    ):  # fmt: skip
        assert said.lower() in page.lower()
    assert "Aujourd’hui" in text_of(agent.get(address))
    assert "La proposition est close" in act(agent, address, "terminer")
    assert "Cette proposition est close" in text_of(client.get(f"/sens-de-circulation/{number}/"))
    kinds = Event.objects.filter(subject=f"works:{number}").order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["works.described", "works.computed", "direction.proposed", "direction.closed"]


def test_proposed_it_changes_no_route_and_is_no_works(places: dict[str, Any], client: Client) -> None:
    agent, _me = sign_in_agent("voirie")
    address, number = proposed(agent)
    operations.compute_now(number, at=timezone.now())
    act(agent, address, "publier", scenario="0")
    noon = datetime.combine(DAY, time(12), UTC)
    answer = mobility.route(TOWN, profile=mobility.profile("voiture"), start=places["A"], goal=places["B"], at=noon)
    assert round(answer.routes[0].length_m) == 50
    assert "Apaiser" not in text_of(client.get("/travaux/"))
    assert client.get(f"/travaux/{number}/").status_code == 404
    assert "Changements de sens proposés" in text_of(client.get("/travaux/"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"direction": "north"}, "« rue AB » ne va pas de ce côté"),
        ({"direction": ""}, "un contresens vélo sans changement de sens"),
        ({"who": ["bicycle", "car"]}, "les vélos suivraient le sens de la rue et son contresens"),
        ({"who": ["foot"]}, "un sens de circulation vaut jour et nuit, pour des véhicules"),
        ({"hours": "8h-17h", "last": f"{DAY}"}, "un sens de circulation vaut jour et nuit, pour des véhicules"),
    ],
)
def test_what_makes_no_sense_is_told(places: dict[str, Any], changes: dict[str, Any], said: str) -> None:
    client, _me = sign_in_agent("voirie")
    page = client.post(f"{HOME}nouveaux/", asked(**changes))
    assert page.status_code == 400
    assert said in text_of(page)


def test_closing_and_turning_are_two_files(places: dict[str, Any]) -> None:
    client, me = sign_in_agent("voirie")
    _address, number = proposed(client)
    info = queries.one_works(me, TOWN, number)
    closed = info.scenarios[0].phases[0].model_copy(update={"direction": "", "contraflow": False})
    mixed = info.scenarios[0].model_copy(update={"phases": (*info.scenarios[0].phases, closed)})
    with pytest.raises(BadWorks, match="deux dossiers"):
        operations.change_scenarios(me, TOWN, number, scenarios=[mixed], at=timezone.now())


def test_a_street_is_followed_whichever_way_its_stretches_are_drawn() -> None:
    _graph, places = drawn_graph("A----B----C----D")
    street = [stretch(ends, places) for ends in ("AB", "CB", "CD")]
    assert followed(street, "east") == [True, False, True]
    assert followed(street, "west") == [False, True, False]
    assert followed(street, "north") == [None] * 3


def test_lorries_keep_both_ways_when_cars_alone_follow() -> None:
    square = "A----B\n|    |\n|    |\nC----D"
    when = {"map": square, "turn": ["AB"], "direction": "west", "who": ["car"], "trips": ["AB", "BA"]}
    assert effect_on(when)["worse"] == 50
    assert effect_on(when | {"profile": "benne"})["worse"] == 0
    assert effect_on(when | {"trips": ["AB"] * 3 + ["BA"]})["over_all_m"] == 90  # 120 m more, three times out of four
