"""The agents' first page: what is late, and which doors are open to whom."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.doors import KEYS_KEPT
from beffroi.faces.backoffice.freshness import late_datasets
from bill_makers import SERVICE, make_billing_town
from faces.portal.test_words_of_search import a_dataset
from territory_makers import make_person

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


@pytest.mark.django_db
def test_each_door_has_its_own_key_and_none_of_those_kept(settings: Any) -> None:
    """On a queue, j went down a row and left for the data at once: two listeners heard one key."""
    settings.STRONG_AUTH = False
    town, client = make_billing_town(), Client()
    keeper = make_person(Role.ADMINISTRATOR, Role.AGENT, territory=town, services=(SERVICE,))
    client.force_login(get_user_model().objects.get(pk=keeper), "django.contrib.auth.backends.ModelBackend")
    keys = re.findall(r'data-key="(.)"', client.get("/agent/raccourcis/").content.decode())
    assert {"h", "y"} < set(keys)
    assert len(set(keys)) == len(keys)
    assert set(keys) & KEYS_KEPT == {"h"}


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
