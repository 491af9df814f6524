"""7-06, the road: « asset inventory with condition »."""

from __future__ import annotations

import pytest
from django.test import Client


@pytest.mark.django_db
def test_each_asset_says_its_condition_and_when_it_was_seen(layers_town: str, client: Client) -> None:
    answer = client.get("/services/7-06/")
    listed = next(one for one in answer.context["layers"].datasets if one.ref.slug == "mobilier-voirie")
    told = {place.name: place.sentence for place in listed.places}
    assert told["Ralentisseur"] == "Rue Haute, état : Mauvais, vu le 12/06/2025, posé en 2004."
    assert {
        table.title: [(row.key, row.figure) for row in table.rows] for table in answer.context["layers"].figures
    } == {
        "L’inventaire par genre": [("Panneau de signalisation", "1"), ("Ralentisseur", "1")],
        "L’inventaire par état": [("Mauvais", "1"), ("Neuf", "1")],
    }


@pytest.mark.django_db
def test_a_condition_outside_the_scale_is_told_to_the_publisher_with_its_line(layers_town: str, client: Client) -> None:
    page = client.get(f"/donnees/{layers_town}/mobilier-voirie/rapport/").content.decode()
    assert "l’une de : « Bon », « Moyen », « Mauvais », « À remplacer »" in page
    assert "« Neuf »" in page
    assert "ligne 4" in page or "ligne 3" in page
