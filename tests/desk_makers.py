"""Makers for the agents' desk: a client signed in as an agent of services, pages posted as a form would."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client

from beffroi.base.territory import queries as territory
from beffroi.base.territory.viewer import Role, Viewer
from territory_makers import AT, TOWN, make_person

QUEUE = "/agent/signalements/"


def sign_in_agent(*services: str, town: str = TOWN, email: str = "") -> tuple[Client, Viewer]:
    """Return a client signed in as an agent of services of a town, and the viewer she is."""
    number = make_person(Role.AGENT, territory=town, services=services, email=email)
    client = Client()
    person = get_user_model().objects.get(pk=number)
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client, territory.viewer_of_person(number, at=AT)


def act(client: Client, number: str, name: str, **fields: Any) -> Any:
    """Post one act on a report, and return the page that follows."""
    return client.post(f"{QUEUE}{number}/{name}/", fields, follow=True)
