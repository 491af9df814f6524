"""The catalogue as shipped: every use case of the mission has its file, every file is valid, every example holds."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from beffroi.base.catalogue import queries
from beffroi.base.catalogue.definition import Example, State, UseCase
from beffroi.base.catalogue.engine import engines
from beffroi.base.catalogue.examples import run_example
from beffroi.base.catalogue.loader import load_catalogue
from beffroi.base.kernel.resources import shipped_folder

IDS = (Path(__file__).parent / "ids.txt").read_text("utf-8").split()


def _shipped() -> list[UseCase]:
    return list(queries.catalogue().use_cases.values())


def _examples() -> list[object]:
    return [
        pytest.param(one, example, id=f"{one.id}-{example.number}") for one in _shipped() for example in one.examples
    ]


def test_every_shipped_file_is_valid() -> None:
    assert [str(problem) for problem in queries.problems()] == []


def test_ids_on_disk_are_those_of_the_list() -> None:
    catalogue = load_catalogue([(shipped_folder("usecases"), False)])
    assert sorted(catalogue.use_cases) == sorted(IDS)


def test_the_list_is_the_mission(open_data: Path) -> None:
    mission = open_data.parent / "usecases.csv"
    if not mission.is_file():
        pytest.skip("no usecases.csv beside the open data")
    with mission.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    shipped = {one.id: one for one in _shipped()}
    assert [row["id"] for row in rows] == IDS
    assert {row["id"]: (int(row["workshop"]), row["audience"].split(",")) for row in rows} == {
        one.id: (one.workshop, [item.value for item in one.audience]) for one in shipped.values()
    }
    assert {row["id"]: row["title"].replace("'", "’") for row in rows} == {
        one.id: one.title for one in shipped.values()
    }


@pytest.mark.parametrize("one", _shipped(), ids=lambda one: one.id)
def test_a_resident_can_read_it(one: UseCase) -> None:
    assert one.need.endswith(".")
    assert one.promise.endswith(".")
    assert one.need != one.promise
    assert one.themes


def test_names_of_files_and_needs_are_told_apart() -> None:
    shipped = _shipped()
    assert len({one.slug for one in shipped}) == len(shipped)
    assert len({one.need for one in shipped}) == len(shipped)


def test_the_twelve_workshops_each_have_a_theme_and_use_cases() -> None:
    assert {theme.workshop for theme in queries.themes()} == set(range(13))
    assert {one.workshop for one in _shipped()} == set(range(13))


def test_every_engine_of_the_vocabulary_serves() -> None:
    assert {name for one in _shipped() for name in one.engines} | {"planning"} == set(engines())


def test_what_is_shown_to_people_carries_an_example() -> None:
    shown = [one for one in _shipped() if one.state is not State.DRAFT]
    assert shown
    assert [one.id for one in shown if not one.examples] == []


@pytest.mark.django_db
@pytest.mark.parametrize(("one", "example"), _examples())
def test_example(one: UseCase, example: Example) -> None:
    run_example(one, example)
