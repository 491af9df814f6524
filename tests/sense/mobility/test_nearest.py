"""The nearest of some places, by the time it takes this person, now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from beffroi.base.kernel.time import now
from beffroi.sense.mobility import operations, queries
from sense.mobility.town_graph import place_graph

TOWN = "34172"


@pytest.fixture
def places(db: Any, tmp_path: Path, settings: Any) -> dict[str, tuple[float, float]]:
    settings.DATA_DIR = tmp_path
    return place_graph(TOWN)


def asked(places: dict[str, tuple[float, float]], slug: str, letters: str, **more: Any) -> list[tuple[str, int]]:
    found = queries.nearest(
        TOWN, profile=queries.profile(slug), place=places["A"], among=[places[one] for one in letters], at=now(), **more
    )
    return [(letters[one.rank], round(one.seconds)) for one in found]


def test_soonest_first_for_this_profile(places: dict[str, Any]) -> None:
    on_foot = asked(places, "a-pied", "BCDE")
    assert [letter for letter, _ in on_foot] == ["C", "B", "D", "E"]
    assert on_foot[0][1] == round(40 / (4.8 / 3.6))
    # The stairs from A to B are no way for wheels, and from B to E it is too narrow: E is not there at all.
    assert [letter for letter, _ in asked(places, "fauteuil-manuel", "BCDE")] == ["C", "D", "B"]
    assert [letter for letter, _ in asked(places, "a-pied", "BCDE", most=2)] == ["C", "B"]
    assert [letter for letter, _ in asked(places, "a-pied", "BCDE", within_min=1)] == ["C"]


def test_an_obstacle_counts_at_once_and_both_ways(places: dict[str, Any]) -> None:
    (ax, ay), (cx, cy) = places["A"], places["C"]
    operations.obstacle_at(
        territory=TOWN, subject="r:1", kind="rue-fermee", lon=(ax + cx) / 2, lat=(ay + cy) / 2, at=now()
    )
    assert [letter for letter, _ in asked(places, "a-pied", "BC")] == ["B", "C"]
    assert asked(places, "a-pied", "BC", towards=True) == asked(places, "a-pied", "BC")


def test_a_place_off_the_streets_is_left_out(places: dict[str, Any]) -> None:
    found = queries.nearest(
        TOWN, profile=queries.profile("a-pied"), place=places["A"], among=[(10.0, 10.0), places["C"]], at=now()
    )
    assert [one.rank for one in found] == [1]
    assert queries.nearest(TOWN, profile=queries.profile("a-pied"), place=places["A"], among=[], at=now()) == []
    with pytest.raises(queries.TooMany, match="20001"):
        queries.nearest(
            TOWN, profile=queries.profile("a-pied"), place=places["A"], among=[(0.0, 0.0)] * 20_001, at=now()
        )
