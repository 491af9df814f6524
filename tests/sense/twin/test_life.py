"""The life of a building: what agents note, who may, what it tells of its ageing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.apps import apps

from beffroi.base.journal.models import Event
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.sense.twin import life, operations
from beffroi.sense.twin.condition import ageing_of
from beffroi.sense.twin.life import BuildingRef, NotForYou
from beffroi.sense.twin.operations import BadNote, NoteNotFound
from territory_makers import make_person, make_town

CODE = "00009"
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
TODAY = AT.date()
HALL = BuildingRef(CODE, "batiments", "B1", "Hôtel de ville", "JP8BP25CV22P")
AGENT = Viewer(None, (Grant(CODE, Role.AGENT),))

registry = pytest.mark.django_db


def noted(viewer: Viewer = AGENT, **more: Any) -> int:
    told = {"kind": "renovation", "day": date(2019, 6, 1), "title": "Toiture neuve", "cost_eur": Decimal("1250.50")}
    return operations.note_work(viewer, HALL, at=AT, **(told | more))


def read_on(year: int, grade: int, component: str = "toiture", building: BuildingRef = HALL) -> int:
    return operations.read_condition(AGENT, building, component=component, grade=grade, day=date(year, 6, 1), at=AT)


@registry
def test_what_is_noted_is_told_with_its_costs_and_to_the_journal() -> None:
    noted(by_whom="Couvreurs de l’Onde")
    noted(day=date(2027, 1, 5), title="Fenêtres", cost_eur=Decimal(900))
    read_on(2024, 4)
    told = life.life_of(AGENT, HALL, today=TODAY)
    assert [work.title for work in told.works] == ["Fenêtres", "Toiture neuve"]
    assert (told.spent_eur, told.planned_eur) == (Decimal("1250.50"), Decimal(900))
    assert told.latest["toiture"].grade == 4
    kinds = list(Event.objects.filter(subject=HALL.subject).order_by("pk").values_list("kind", flat=True))
    assert kinds == ["building.work_noted", "building.work_noted", "building.condition_read"]


@registry
def test_the_same_building_in_another_dataset_has_the_same_life() -> None:
    noted()
    twin = BuildingRef(CODE, "monuments-3d", "M7", "Beffroi", HALL.rnb)
    stranger = BuildingRef(CODE, "monuments-3d", "B1", "Autre")
    assert len(life.life_of(AGENT, twin, today=TODAY).works) == 1
    assert life.life_of(AGENT, stranger, today=TODAY).works == ()


@registry
@pytest.mark.parametrize(
    "viewer",
    [
        ANONYMOUS,
        Viewer(1, (Grant(CODE, Role.RESIDENT),)),
        Viewer(1, (Grant(CODE, Role.ELECTED),)),
        Viewer(1, (Grant("00010", Role.AGENT),)),
    ],
)
def test_only_the_agents_of_the_town_read_and_write_it(viewer: Viewer) -> None:
    number = noted()
    for act in (
        lambda: life.life_of(viewer, HALL, today=TODAY),
        lambda: life.followed(viewer, CODE, today=TODAY),
        lambda: noted(viewer),
        lambda: operations.withdraw(viewer, HALL, what="work", number=number, at=AT),
    ):
        with pytest.raises(NotForYou):
            act()
    assert len(life.life_of(AGENT, HALL, today=TODAY).works) == 1


@registry
def test_a_mistake_is_withdrawn_once_and_kept() -> None:
    number = read_on(2024, 1)
    operations.withdraw(AGENT, HALL, what="reading", number=number, at=AT)
    assert life.life_of(AGENT, HALL, today=TODAY).readings == ()
    assert apps.get_model("twin", "Reading").objects.get(pk=number).withdrawn_at == AT
    for building, what in ((HALL, "reading"), (BuildingRef(CODE, "batiments", "B2"), "reading"), (HALL, "autre")):
        with pytest.raises(NoteNotFound):
            operations.withdraw(AGENT, building, what=what, number=number, at=AT)


@registry
@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"kind": "magie"}, "kind"),
        ({"component": "aile"}, "component"),
        ({"title": "  "}, "title"),
        ({"cost_eur": Decimal(-1)}, "cost_eur"),
        ({"day": date(900, 1, 1)}, "day"),
    ],
)
def test_works_that_mean_nothing_are_refused(wrong: dict[str, Any], where: str) -> None:
    with pytest.raises(BadNote) as refused:
        noted(**wrong)
    assert refused.value.where == where


@registry
@pytest.mark.parametrize(
    ("year", "grade", "component"),
    [(2024, 6, "toiture"), (2024, 0, "toiture"), (2024, 3, "aile"), (2027, 3, "toiture")],
)
def test_readings_that_mean_nothing_are_refused(year: int, grade: int, component: str) -> None:
    with pytest.raises(BadNote):
        read_on(year, grade, component)


@registry
def test_followed_buildings_come_by_the_works_they_need() -> None:
    school = BuildingRef(CODE, "batiments", "B2", "École")
    for year, grade in ((2014, 5), (2019, 4), (2024, 3)):
        read_on(year, grade)
    read_on(2025, 1, "facade", school)
    found = life.followed(AGENT, CODE, today=TODAY)
    assert [(one.building.name, one.year, one.worst and one.worst.grade) for one in found] == [
        ("Hôtel de ville", 2029, 3),
        ("École", None, 1),
    ]
    assert life.followed(AGENT, CODE, today=TODAY)[0].readings == 3


@registry
def test_works_make_a_component_anew_once_they_are_done() -> None:
    for year, grade in ((2014, 5), (2019, 4), (2024, 3)):
        read_on(year, grade)
    noted(day=date(2027, 1, 1), component="toiture")
    noted(day=date(2020, 1, 1), component="facade")
    assert [one.readings for one in life.life_of(AGENT, HALL, today=TODAY).ageings] == [3]
    noted(day=date(2016, 1, 1), component="")
    assert life.life_of(AGENT, HALL, today=TODAY).ageings == ()


@registry
def test_a_sandbox_forgets_and_a_town_does_not() -> None:
    noted()
    with pytest.raises(BadNote):
        operations.forget_sandbox(CODE)
    assert len(life.life_of(AGENT, HALL, today=TODAY).works) == 1


@registry
def test_the_author_is_known_and_leaves_no_trace_once_erased() -> None:
    make_town(CODE, "Bourg")
    person = make_person(Role.AGENT, territory=CODE)
    noted(Viewer(person, (Grant(CODE, Role.AGENT),)))
    work = apps.get_model("twin", "Work").objects.get()
    assert work.author_id == person
    assert dict(type(work).privacy.erased) == {"author": None}


def test_the_line_is_the_one_numpy_solves_another_way() -> None:
    """By the normal equations, on readings that are not in line."""
    readings = [(date(2010, 3, 1), 5), (date(2013, 9, 1), 4), (date(2018, 1, 1), 4), (date(2024, 6, 1), 3)]
    found = ageing_of("toiture", readings)
    years = np.array([(day - readings[0][0]).days / 365.2425 for day, _grade in readings])
    grades = np.array([grade for _day, grade in readings], dtype=float)
    matrix = np.column_stack([np.ones(4), years])
    start, slope = np.linalg.solve(matrix.T @ matrix, matrix.T @ grades)
    assert found is not None
    assert found.per_year == pytest.approx(slope)
    assert found.year == int(2010.16 + (2 - start) / slope)


@pytest.mark.parametrize(
    ("readings", "year"),
    [
        ([(2020, 5), (2022, 5), (2024, 5)], None),
        ([(2020, 3), (2022, 4), (2024, 5)], None),
        ([(1990, 5), (2010, 5), (2024, 4)], None),
        ([(2020, 3), (2022, 2), (2024, 1)], 2024),
    ],
)
def test_what_does_not_wear_or_not_soon_is_given_no_year(readings: list[tuple[int, int]], year: int | None) -> None:
    found = ageing_of("toiture", [(date(when, 1, 1), grade) for when, grade in readings])
    assert found is not None
    assert found.year == year


def test_three_readings_of_one_day_are_no_trend() -> None:
    assert ageing_of("toiture", [(date(2020, 1, 1), 5), (date(2020, 1, 1), 4), (date(2024, 1, 1), 3)]) is None
