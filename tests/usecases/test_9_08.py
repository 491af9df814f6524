"""9-08, businesses: « national file, activity classes, openings and closures »."""

from __future__ import annotations

import pytest
from django.test import Client


@pytest.mark.django_db
def test_businesses_are_kept_by_sector_and_by_state(layers_town: str, client: Client) -> None:
    (listed,) = (
        client.get("/services/9-08/", {"secteur": "Commerce et réparation automobile"}).context["layers"].datasets
    )
    assert [place.sentence for place in listed.places] == [
        "Commerce et réparation automobile, ouvert en 2010, fermé en 2023."
    ]
    (listed,) = client.get("/services/9-08/", {"etat": "A"}).context["layers"].datasets
    assert listed.total == 2


@pytest.mark.django_db
def test_openings_and_closures_are_counted_by_year(layers_town: str, client: Client) -> None:
    tables = {one.title: one for one in client.get("/services/9-08/").context["layers"].figures}
    assert [(row.key, row.figure) for row in tables["Ouvertures par année"].rows] == [
        ("2010", "1"),
        ("2015", "1"),
        ("2019", "1"),
    ]
    assert [(row.key, row.figure) for row in tables["Fermetures par année"].rows] == [("2023", "1")]


@pytest.mark.django_db
def test_who_opposes_diffusion_is_not_named_and_the_reason_is_told(layers_town: str, client: Client) -> None:
    (listed,) = client.get("/services/9-08/").context["layers"].datasets
    hidden = next(place for place in listed.places if "Autres services" in place.sentence)
    sheet = client.get(f"/donnees/{layers_town}/etablissements/fiche/{hidden.id}/").content.decode()
    assert "Non diffusé, à la demande de la personne" in sheet
    assert "DUPONT" not in sheet
