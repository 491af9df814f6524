"""The page of webhooks: added with a secret shown once, their deliveries told, woken and removed, by administrators."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from beffroi.base.journal.operations import deliver_pending
from beffroi.base.territory.viewer import Role
from beffroi.serve.cases import outside, webhooks
from desk_makers import sign_in_agent
from serve_makers import make_open_town, send
from territory_makers import TOWN, administrator, make_person

pytestmark = pytest.mark.django_db
PAGE, URL = "/agent/webhooks/", "https://exemple.org/signalements"


@pytest.fixture
def client(settings: Any) -> Client:
    settings.STRONG_AUTH = False
    make_open_town()
    client = Client()
    person = get_user_model().objects.get(pk=make_person(Role.ADMINISTRATOR, territory=TOWN))
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_one_is_added_seen_to_fail_woken_and_removed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Aucun logiciel" in client.get(PAGE).content.decode()
    added = client.post(PAGE, {"do": "add", "url": URL, "kinds": ["case.opened"]})
    secret = added.context["secret"]
    assert len(secret) > 30
    assert f'value="{secret}"' in added.content.decode()
    assert "no-store" in added["Cache-Control"]
    again = client.get(PAGE).content.decode()
    assert secret not in again
    assert "Rien à dire encore" in again

    def away(*_args: object) -> tuple[int, str]:
        return 0, "personne ne répond"

    monkeypatch.setattr(outside, "post", away)
    number = send("depot-sauvage").number
    deliver_pending(100)
    told = client.get(PAGE).content.decode()
    assert "Ne répond pas" in told
    assert "case.opened" in told
    assert number not in told
    (one,) = webhooks.webhooks(administrator(), TOWN)
    for act, left in (("wake", 1), ("remove", 0), ("explode", 0)):
        assert client.post(PAGE, {"do": act, "id": str(one.id)}).status_code == 302
        assert len(webhooks.webhooks(administrator(), TOWN)) == left


def test_what_cannot_be_told_is_said_beside_its_field(client: Client) -> None:
    for url in ("http://127.0.0.1/", "pas une adresse", ""):
        refused = client.post(PAGE, {"do": "add", "url": url})
        assert refused.status_code == 400
        assert re.search(r"errorlist", refused.content.decode()), url
    agent, _me = sign_in_agent("proprete")
    assert agent.get(PAGE).status_code == 403
