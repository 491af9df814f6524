"""2-14: « police, gendarmerie, fire and first-aid points and cash machines themselves (not banks), open now, nearest
by walking time ».
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from beffroi.faces.portal import layer_near
from beffroi.faces.portal import layers as page
from beffroi.sense.mobility.queries import Nearby

WINTER_NIGHT = datetime(2026, 1, 14, 22, 0, tzinfo=UTC)


def places(answer: Any) -> dict[str, list[str]]:
    return {one.ref.slug: [place.name for place in one.places] for one in answer.context["layers"].datasets}


@pytest.mark.django_db
def test_open_now_leaves_out_the_beach_post_in_winter_and_the_machine_of_a_closed_shop(
    layers_town: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "now", lambda: WINTER_NIGHT)
    assert places(client.get("/services/2-14/", {"ouvert": "on"})) == {
        "points-secours": ["Commissariat central"],
        "distributeurs-billets": ["Distributeur de la Halle"],
    }


@pytest.mark.django_db
def test_the_nearest_is_that_of_the_shortest_walk_not_of_the_straight_line(
    layers_town: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The far bank of a river is near as the crow flies."""
    monkeypatch.setattr(layer_near.mobility, "has_graph", lambda _territory: True)
    # The one further east is across the water.
    monkeypatch.setattr(
        layer_near.mobility,
        "nearest",
        lambda *_args, among, **_options: sorted(
            (Nearby(rank, 1500.0 if lon > 3.875 else 240.0) for rank, (lon, _lat) in enumerate(among)),
            key=lambda one: one.seconds,
        ),
    )
    answer = client.get("/services/2-14/", {"pres": "3.88, 43.61"})
    listed = next(one for one in answer.context["layers"].datasets if one.ref.slug == "distributeurs-billets")
    assert [place.away.said for place in listed.places] == ["à 4 minutes à pied", "à 25 minutes à pied"]
    assert listed.places[0].name == "Distributeur du tabac"


@pytest.mark.django_db
def test_each_kind_of_post_has_its_line_in_the_legend(layers_town: str, client: Client) -> None:
    listed = client.get("/services/2-14/").context["layers"].datasets[0]
    assert [mark.label for mark in listed.marks] == [
        "Police nationale",
        "Police municipale",
        "Gendarmerie",
        "Pompiers",
        "Premiers secours",
    ]
