"""Each rule of each profile, on a network one reads at a glance (as Valhalla's "gurka" tests do)."""

from __future__ import annotations

from typing import Any

import pytest

from beffroi.sense.mobility.drawn import BadDrawing, answer_on, drawn_graph

# The short way is along AB; the long one by C and D is flat, wide, smooth.
SQUARE = """
A--s--B
|     |
C-----D
"""
STAIRS = {"AB": {"kind": "steps", "steps": 12}}
WHEELED = ("fauteuil-manuel", "fauteuil-electrique", "poussette")

TAKEN = [
    # profile, what the short way has, way taken
    ("a-pied", {}, {}, "AB"),
    ("a-pied", STAIRS, {}, "AB"),
    ("a-pied", {"AB": {"incline_pct": 12}}, {}, "AB"),
    ("fauteuil-manuel", STAIRS, {}, "ACDB"),
    ("fauteuil-electrique", STAIRS, {}, "ACDB"),
    ("poussette", STAIRS, {}, "ACDB"),
    ("marche-difficile", {"AB": {"kind": "steps", "steps": 40}}, {}, "ACDB"),
    ("fauteuil-manuel", {"AB": {"incline_pct": 9}}, {}, "ACDB"),
    ("fauteuil-manuel", {"AB": {"incline_pct": -9}}, {}, "ACDB"),
    ("fauteuil-manuel", {"AB": {"incline_pct": 4}}, {}, "AB"),
    ("fauteuil-electrique", {"AB": {"incline_pct": 9}}, {}, "AB"),
    ("fauteuil-electrique", {"AB": {"incline_pct": 14}}, {}, "ACDB"),
    ("marche-difficile", {"AB": {"incline_pct": 16}}, {}, "ACDB"),
    ("poussette", {"AB": {"incline_pct": 20}}, {}, "ACDB"),
    ("fauteuil-manuel", {"AB": {"width_cm": 80}}, {}, "ACDB"),
    ("fauteuil-manuel", {"AB": {"width_cm": 95}}, {}, "AB"),
    ("poussette", {"AB": {"width_cm": 60}}, {}, "ACDB"),
    ("a-pied", {"AB": {"width_cm": 60}}, {}, "AB"),
    ("fauteuil-manuel", {"AB": {"surface": "cobble"}}, {}, "ACDB"),
    ("fauteuil-manuel", {"AB": {"surface": "sand"}}, {}, "ACDB"),
    ("a-pied", {"AB": {"surface": "cobble"}}, {}, "AB"),
    ("fauteuil-manuel", {"AB": {"wheelchair": "no"}}, {}, "ACDB"),
    ("fauteuil-manuel", {"AB": {"kind": "crossing", "crossing": "marked", "kerb_cm": 12}}, {}, "ACDB"),
    ("fauteuil-manuel", {"AB": {"kind": "crossing", "crossing": "marked", "kerb_cm": 2}}, {}, "AB"),
    ("malvoyance", {"AB": {"kind": "crossing", "crossing": "unmarked"}}, {}, "ACDB"),
    ("malvoyance", {"AB": {"kind": "crossing", "crossing": "signals"}}, {}, "AB"),
    ("nuit", {"AB": {"lit": "no"}}, {}, "ACDB"),
    ("a-pied", {"AB": {"lit": "no"}}, {}, "AB"),
    ("voiture", {"AB": {"oneway": True}}, {}, "AB"),
    ("voiture", {"BA": {"oneway": True}}, {}, "ACDB"),
    ("a-pied", {"BA": {"oneway": True}}, {}, "AB"),
    ("velo", {"BA": {"oneway": True}}, {}, "ACDB"),
    ("voiture", {"AB": "pedestrian"}, {}, "ACDB"),
    ("benne", {"AB": {"max_weight_kg": 3500}}, {}, "ACDB"),
    ("voiture", {"AB": {"max_weight_kg": 3500}}, {}, "AB"),
    ("benne", {"AB": {"road_cm": 250}}, {}, "ACDB"),
    ("fourgon", {"AB": {"max_height_cm": 250}}, {}, "ACDB"),
    ("voiture", {"AB": {"max_height_cm": 250}}, {}, "AB"),
    ("a-pied", {"AB": "motorway"}, {}, "ACDB"),
    # What the person sets.
    ("fauteuil-electrique", {"AB": {"incline_pct": 4}}, {"max_slope_pct": 3}, "ACDB"),
    ("poussette", {"AB": {"kind": "steps", "steps": 3}}, {"stairs": True}, "AB"),
    ("a-pied", STAIRS, {"stairs": False}, "ACDB"),
    ("fauteuil-manuel", {"AB": {"unknown": ["width"]}}, {}, "AB"),
    ("fauteuil-manuel", {"AB": {"unknown": ["width"]}}, {"documented_only": True}, "ACDB"),
]  # fmt: skip


@pytest.mark.parametrize(("profile", "ways", "settings", "path"), TAKEN)
def test_a_profile_takes_or_leaves_the_short_way(
    profile: str, ways: dict[str, Any], settings: dict[str, Any], path: str
) -> None:
    told = answer_on({"map": SQUARE, "ways": ways, "profile": profile, "settings": settings, "from": "A", "to": "B"})
    assert told["path"] == path


LINE = "A----B----C\n|    |    |\nD----E----F"


@pytest.mark.parametrize(
    ("profile", "end", "path"),
    [
        ("fauteuil-manuel", {"kerb_cm": 14}, "ADEFC"),
        ("fauteuil-manuel", {"kerb_cm": 2}, "ABC"),
        ("fauteuil-manuel", {"barrier": 16}, "ADEFC"),
        ("voiture", {"barrier": 12}, "ADEFC"),
        ("a-pied", {"kerb_cm": 14}, "ABC"),
    ],
)
def test_what_stands_at_a_crossroads_is_met_by_who_passes(profile: str, end: dict[str, Any], path: str) -> None:
    assert answer_on({"map": LINE, "ends": {"B": end}, "profile": profile, "from": "A", "to": "C"})["path"] == path


def test_a_forbidden_turn_binds_vehicles_only() -> None:
    asked = {"map": "A----B----C\n|         |\nD---------F", "turns": ["ABC"], "from": "A", "to": "C"}
    assert answer_on(asked | {"profile": "voiture"})["path"] == "ADFC"
    assert answer_on(asked | {"profile": "a-pied"})["path"] == "ABC"
    # The other way is free: the turn is forbidden, not the street.
    assert answer_on(asked | {"profile": "voiture", "from": "C", "to": "A"})["path"] == "CBA"


def test_a_person_may_accept_a_steeper_slope() -> None:
    asked = {
        "map": "Z--A----B--Y",
        "ways": {"AB": {"incline_pct": 9}},
        "profile": "fauteuil-manuel",
        "from": "Z",
        "to": "Y",
    }
    assert not answer_on(asked)["possible"]
    assert answer_on(asked | {"settings": {"max_slope_pct": 12}})["possible"]


@pytest.mark.parametrize("kind", ["rue-fermee", "travaux", "trottoir-encombre"])
def test_an_obstacle_of_the_moment_is_gone_round_and_named(kind: str) -> None:
    told = answer_on({"map": SQUARE, "profile": "fauteuil-manuel", "obstacle": {"kind": kind, "on": "AB"},
                      "from": "A", "to": "B"})  # fmt: skip
    assert (told["path"], told["avoided"]) == ("ACDB", ["closed"])


def test_an_obstacle_concerns_only_the_profiles_it_stops() -> None:
    asked = {"map": SQUARE, "obstacle": {"kind": "circulation-fermee", "on": "AB"}, "from": "A", "to": "B"}
    assert answer_on(asked | {"profile": "voiture"})["path"] == "ACDB"
    assert answer_on(asked | {"profile": "a-pied"})["path"] == "AB"


def test_one_may_go_up_to_an_obstacle_on_a_long_street() -> None:
    street = "A-----------B"
    asked = {"map": street, "profile": "a-pied", "obstacle": {"kind": "rue-fermee", "on": "AB"}}
    assert answer_on(asked | {"from": "A", "to": "A"})["possible"]
    assert not answer_on(asked | {"from": "A", "to": "B"})["possible"]


def test_no_way_names_the_one_barrier_to_remove() -> None:
    ways = {"AB": {"kind": "steps"}, "CD": {"incline_pct": 12}}
    told = answer_on({"map": SQUARE, "ways": ways, "profile": "fauteuil-electrique", "settings": {"max_slope_pct": 8},
                      "from": "A", "to": "B"})  # fmt: skip
    assert told == {"possible": False, "path": "", "opens": "stairs"}


def test_no_way_across_two_barriers_names_none() -> None:
    ways = {"AB": {"width_cm": 50}, "BC": {"width_cm": 50}}
    told = answer_on({"map": "Z--A--B--C--Y", "ways": ways, "from": "Z", "to": "Y", "profile": "fauteuil-manuel"})
    assert told["opens"] == ""


def test_time_is_what_the_profile_says() -> None:
    told = answer_on({"map": "A----B", "profile": "a-pied", "from": "A", "to": "B"})
    assert told["metres"] == 50
    assert told["seconds"] == round(50 / (4.8 / 3.6))


@pytest.mark.parametrize("text", ["A B", "   ", "a--b"])
def test_a_drawing_without_a_street_is_refused(text: str) -> None:
    with pytest.raises(BadDrawing, match="aucune rue"):
        drawn_graph(text)
