"""Live layers of the map: registered by faces, shown by right, told as a list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from beffroi.base.territory.viewer import Role
from beffroi.faces.shell import overlays
from beffroi.faces.shell.overlays import Mark, Overlay, register

LAMPS = Overlay(
    slug="essai-pannes",
    title="Pannes signalées",
    address="portal:near",
    list_address="portal:map-list",
    property="etat",
    marks=(Mark("ouvert", "Ouvert", "#b3261e"), Mark("", "Autre", "#17613a")),
    roles=frozenset({Role.AGENT}),
    refresh_s=60,
)


@pytest.fixture
def lamps() -> Iterator[Overlay]:
    register(LAMPS)
    yield LAMPS
    overlays._known.pop(LAMPS.slug)


def shown(answer: Any) -> list[dict[str, Any]]:
    return [one for one in json.loads(answer.context["config"])["overlays"] if one["id"] == LAMPS.slug]


@pytest.mark.django_db
def test_a_live_layer_is_on_the_map_of_those_it_is_for_and_in_no_other_page(
    lamps: Overlay, small_town: str, client: Client, signed_in: Any
) -> None:
    public = client.get("/carte/")
    assert shown(public) == []
    assert "Pannes signalées" not in public.content.decode()
    agents = signed_in(Role.AGENT).get("/carte/")
    (one,) = shown(agents)
    assert one["url"] == "/carte/proches/"
    assert one["marks"][0] == ["ouvert", "Ouvert", "#b3261e"]
    page = agents.content.decode()
    assert 'data-live="essai-pannes"' in page
    assert 'href="/carte/liste/"' in page
    assert 'fill="#b3261e"' in page


def test_a_live_layer_without_mark_or_named_twice_is_refused(lamps: Overlay) -> None:
    register(LAMPS)
    with pytest.raises(ValueError, match="registered twice"):
        register(Overlay("essai-pannes", "Autre", "portal:near", "portal:map-list", LAMPS.marks))
    with pytest.raises(ValueError, match="no mark"):
        register(Overlay("vide", "Vide", "portal:near", "portal:map-list", ()))


def test_every_layer_registered_leads_to_views_that_exist() -> None:
    for one in overlays.registered():
        assert overlays.overlay_config(one)["url"].startswith("/")
