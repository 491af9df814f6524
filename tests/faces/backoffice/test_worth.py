"""The works and the measurements worth doing for those who move with difficulty, ranked over a sample of trips."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Role
from beffroi.sense.mobility import operations
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.coverage.worth import worth_doing
from sense.mobility.town_graph import WEST, place_graph
from territory_makers import make_person
from usecases.test_12_07 import lake, town

__all__ = ["lake", "town"]

PAGE = "/agent/accessibilite/"
# The library is at B: homes about A go there by the steps, or round by C and D; the home near E by a narrow street.
STEPPED = """
A----s----B---t---E
|
C
"""

pytestmark = pytest.mark.django_db


def agent(territory: str, settings: Any) -> Client:
    settings.STRONG_AUTH = False
    client = Client()
    person = get_user_model().objects.get(pk=make_person(Role.AGENT, territory=territory))
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def found(territory: str, profile: str = "fauteuil-manuel") -> Any:
    return worth_doing(territory, profile=mobility.profile(profile), at=now())


def test_the_steps_that_alone_stop_everybody_come_first(town: str) -> None:
    place_graph(town, drawing=STEPPED, ways={"AB": {"kind": "steps", "steps": 14}})
    told = found(town)
    first = told.works[0]
    assert (first.met.reason.name, first.met.name, first.met.amount) == ("STAIRS", "rue AB", 14)
    assert first.opens == pytest.approx(told.stuck)
    assert told.stuck == pytest.approx(300, abs=60), "who lives about A and C, give or take the sample"
    assert not found(town, "a-pied").works, "nothing stops who walks with ease"


def test_where_a_way_round_exists_the_minutes_are_told(town: str) -> None:
    told = found(town)
    (steps,) = [one for one in told.works if one.met.name == "rue AB"]
    assert steps.opens == 0
    assert steps.saved_min > 100, "a good minute for each of the two hundred people at A"
    assert told.stuck == 0


def test_an_obstacle_of_the_moment_is_no_work(town: str) -> None:
    place_graph(town, drawing=STEPPED, ways={})
    operations.obstacle_at(
        territory=town, subject="r:1", kind="rue-fermee", lon=WEST + 0.0006, lat=45.0110, at=now(), until=None
    )
    told = found(town)
    assert told.stuck > 0
    assert told.works == ()


def test_the_street_to_measure_is_that_of_most_trips(town: str) -> None:
    place_graph(town, drawing=STEPPED, ways={"AB": {"unknown": ["width", "kerb"]}, "AC": {"unknown": ["slope"]}})
    told = found(town)
    first = told.measures[0]
    assert (first.street, [need.name for need in first.missing]) == ("rue AB", ["WIDTH", "KERB"])
    assert first.unlocks == pytest.approx(200, abs=60), "those at A need that street alone"
    assert first.passing == pytest.approx(300, abs=60)
    assert told.undocumented >= first.passing


def test_the_page_and_the_file_say_both_lists(town: str, settings: Any, client: Client) -> None:
    place_graph(town, drawing=STEPPED, ways={"AB": {"kind": "steps", "steps": 14}, "BE": {"unknown": ["width"]}})
    reader = agent(town, settings)
    page = reader.get(PAGE, {"profil": "fauteuil-manuel"})
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.content.decode())))
    assert page.status_code == 200
    assert "Escalier de 14 marches, rue AB" in text
    assert "rue BE largeur" in text
    rows = list(csv.reader(io.StringIO(reader.get(PAGE, {"csv": "1"}).content.decode("utf-8-sig"))))
    assert ["travaux", "Escalier de 14 marches, rue AB"] in [row[:2] for row in rows]
    assert ["relevé", "rue BE : largeur"] in [row[:2] for row in rows]
    assert reader.get(PAGE, {"profil": "licorne"}).status_code == 400
    assert client.get(PAGE).status_code in (302, 403)
