"""The agents' first page: what is late, and which doors are open to whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.test import Client

from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.doors import DOORS
from beffroi.faces.backoffice.freshness import late_datasets
from faces.portal.test_words_of_search import a_dataset

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rhythm", "today", "days"),
    [
        ("mensuel", date(2026, 2, 8), []),
        ("mensuel", date(2026, 2, 9), [1]),
        ("Annuel ", date(2027, 4, 3), [1]),
        ("", date(2036, 1, 1), []),
        ("irrégulier", date(2036, 1, 1), []),
    ],
)
def test_a_dataset_is_late_by_the_rhythm_it_promises(rhythm: str, today: date, days: list[int]) -> None:
    known = [a_dataset("arbres", rhythm=rhythm, updated_at=JANUARY)]
    assert [one.days for one in late_datasets(known, today=today)] == days


def test_the_latest_comes_first() -> None:
    known = [
        a_dataset("rues", rhythm="annuel", updated_at=JANUARY),
        a_dataset("air", rhythm="quotidien", updated_at=JANUARY),
    ]
    assert [one.summary.ref.slug for one in late_datasets(known, today=date(2028, 1, 1))] == ["air", "rues"]


def test_each_door_has_its_own_key() -> None:
    keys = [key for *_, key, _reserved in DOORS]
    assert len(set(keys)) == len(keys)


@pytest.mark.django_db
def test_the_back_office_is_for_agents(small_town: str, client: Client, signed_in: Callable[..., Client]) -> None:
    assert client.get("/agent/").status_code == 302
    assert signed_in(Role.RESIDENT).get("/agent/").status_code == 403
    assert signed_in(Role.AGENT).get("/agent/").status_code == 200


@pytest.mark.django_db
def test_doors_of_administrators_are_not_shown_to_agents(small_town: str, signed_in: Callable[..., Client]) -> None:
    agent, administrator = signed_in(Role.AGENT).get("/agent/"), signed_in(Role.ADMINISTRATOR).get("/agent/")
    shown = [{door.url for door in page.context["doors"]} for page in (agent, administrator)]
    assert shown[0] <= shown[1]
    assert "Personnes et droits" not in agent.content.decode()
