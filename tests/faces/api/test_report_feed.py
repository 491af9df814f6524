"""The Atom feed of public reports: a filter in its address, nothing that is not public."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from beffroi.serve.cases import operations as cases
from serve_makers import LAT, LON, agent_of, make_open_town, send
from territory_makers import AT, TOWN

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def reporting(db: None, settings: Any) -> str:
    settings.ROOT_URLCONF = "beffroi.config.urls"
    settings.DEFAULT_COMMUNE = TOWN
    return make_open_town()


def _titles(client: Client, **query: str) -> list[str]:
    answer = client.get("/feeds/signalements.atom", query)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(answer.content)
    for name in ("id", "title", "updated", "author"):
        assert feed.find(f"{ATOM}{name}") is not None
    return [str(entry.findtext(f"{ATOM}title")) for entry in feed.iter(f"{ATOM}entry")]


def test_a_feed_tells_what_everyone_may_read_and_no_more(client: Client, reporting: str) -> None:
    opened = send("tag-graffiti", address="rue du Four & Cie", description="Pas encore relu")
    send("squat")
    assert _titles(client) == ["Tag ou graffiti – rue du Four & Cie (Reçu)"]
    assert b"Pas encore relu" not in client.get("/feeds/signalements.atom").content
    cases.accept_case(number=opened.number, by=agent_of("proprete"), at=AT)
    page = client.get("/feeds/signalements.atom").content.decode()
    assert "Pas encore relu" in page
    assert opened.number in page


def test_a_feed_is_narrowed_and_says_what_it_cannot_read(client: Client, reporting: str) -> None:
    send("tag-graffiti")
    send("nid-de-poule")
    assert len(_titles(client, categorie="nid-de-poule,depot-sauvage")) == 1
    assert len(_titles(client, etat="open", bbox=f"{LON - 1},{LAT - 1},{LON + 1},{LAT + 1}")) == 2
    assert _titles(client, etat="closed") == _titles(client, rue="ailleurs") == []
    for query in ({"etat": "ouvert"}, {"bbox": "x"}, {"couleur": "bleu"}):
        answer = client.get("/feeds/signalements.atom", query)
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
