"""Makers of communes, people and keys for the tests of every floor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from django.contrib.auth.hashers import Argon2PasswordHasher

from beffroi.base.territory import operations
from beffroi.base.territory.viewer import Grant, Role, Viewer

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TOWN = "34172"
OTHER_TOWN = "34057"
PASSWORD = "le-beffroi-sonne-midi"
_numbers = count(1)


def make_town(code: str = TOWN, name: str = "Montpellier", **facts: object) -> str:
    """Create a commune and return its code."""
    return operations.add_commune(code=code, name=name, at=AT, **facts).code


def make_person(
    *roles: Role, territory: str = TOWN, services: tuple[str, ...] = (), email: str = "", password: str | None = None
) -> int:
    """Create a person who holds `roles` in a territory; services only go to an agent."""
    email = email or f"personne{next(_numbers)}@exemple.fr"
    person_id = operations.create_person(email=email, name="Camille Durand", password=password, at=AT)
    for role in roles:
        own = services if role is Role.AGENT else ()
        operations.grant_role(person_id=person_id, territory=territory, role=role, services=own, by=None, at=AT)
    return person_id


def make_key(*scopes: str, territory: str = TOWN, days: int = 36500) -> str:
    """Create an API key and return it whole."""
    expires = AT + timedelta(days=days)
    return operations.create_api_key(
        territory=territory, name="essai", scopes=scopes, expires_at=expires, by=None, at=AT
    )


def administrator(territory: str = TOWN, person_id: int | None = None) -> Viewer:
    """Return a viewer who administers a territory."""
    return Viewer(person_id, (Grant(territory, Role.ADMINISTRATOR),))


class QuickArgon2(Argon2PasswordHasher):
    """The same algorithm at its least cost: what is slow on purpose need not be so in tests."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
