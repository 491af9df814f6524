"""A town, its administrator and a resident, signed in."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from beffroi.base.territory.viewer import Role
from territory_makers import PASSWORD, TOWN, make_person, make_town


@pytest.fixture(autouse=True)
def addresses(settings: Any, db: None) -> None:
    settings.STRONG_AUTH = False
    settings.DEFAULT_COMMUNE = TOWN
    make_town()


def signed_in(person_id: int) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person_id), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def resident() -> int:
    return make_person(Role.RESIDENT, email="claude.personne@exemple.fr", password=PASSWORD)


@pytest.fixture
def reader(resident: int) -> Client:
    return signed_in(resident)


@pytest.fixture
def administrator() -> int:
    return make_person(Role.ADMINISTRATOR, email="admin@exemple.fr")


@pytest.fixture
def auditor(administrator: int) -> Client:
    return signed_in(administrator)
