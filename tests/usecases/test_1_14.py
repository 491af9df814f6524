"""1-14: « national AED/FINESS schemas imported, nearest open one by walking time, one offline emergency screen,
coverage gaps show where to place the next AED ».
"""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from beffroi.faces.portal import layer_near
from beffroi.sense.mobility.queries import Nearby


@pytest.mark.django_db
def test_the_nearest_open_one_by_the_time_of_the_walk_is_told_first(
    layers_town: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer_near.mobility, "has_graph", lambda _territory: True)
    monkeypatch.setattr(
        layer_near.mobility,
        "nearest",
        lambda *_args, among, **_options: [Nearby(rank, 60.0 * (rank + 3)) for rank in range(len(among))],
    )
    answer = client.get("/services/1-14/", {"pres": "3.87, 43.60", "ouvert": "on"})
    listed = next(one for one in answer.context["layers"].datasets if one.ref.slug == "defibrillateurs")
    # The one of the gymnasium is nearer, but nobody says when its doors are open.
    assert [(place.name, place.away.said) for place in listed.places] == [("Mairie", "à 3 minutes à pied")]
    said = listed.places[0].sentence.replace("\u00a0", " ")
    assert said == "Défibrillateur, 1 Place Neuve, Extérieur, accessible tous les jours : 24 h sur 24."
    assert "Le plus proche" in answer.content.decode()


@pytest.mark.django_db
def test_one_emergency_screen_holds_them_all_and_the_page_leads_to_it(layers_town: str, client: Client) -> None:
    assert f'href="{reverse("portal:urgences")}"' in client.get("/services/1-14/").content.decode()
    page = client.get("/urgences/").content.decode()
    for place in ("Mairie", "Pharmacie du Pont", "Commissariat central", "CENTRE HOSPITALIER"):
        assert place in page


@pytest.mark.django_db
def test_the_page_leads_to_where_one_more_defibrillator_would_serve_best(layers_town: str, client: Client) -> None:
    """What that page computes is tested with 12-07, on the same kinds of place."""
    address = reverse("portal:coverage-for", args=["1-14"])
    assert f'href="{address}"' in client.get("/services/1-14/").content.decode()
    assert client.get(address).status_code == 200
