"""2-11, speeds: « per segment, with source and date, limit and practised speed (V85) told apart »."""

from __future__ import annotations

import pytest
from django.test import Client


@pytest.mark.django_db
def test_each_segment_says_its_limit_and_the_speed_practised_each_with_source_and_date(
    layers_town: str, client: Client
) -> None:
    (listed,) = client.get("/services/2-11/").context["layers"].datasets
    sentences = {place.name: place.sentence.replace("\u00a0", " ") for place in listed.places}
    assert sentences["Rue Haute"] == (
        "Autorisée : 30 km/h (Arrêté municipal du 01/09/2024), "
        "pratiquée : 38 km/h pour 85 % des conducteurs (Radar pédagogique, 10/04/2025)."
    )
    # Where nobody measured, nothing is said of the speed practised; the limit does not stand for it.
    assert "pratiquée" not in sentences["Rue Basse"]


@pytest.mark.django_db
def test_a_segment_without_the_source_of_its_limit_is_told_to_the_publisher(layers_town: str, client: Client) -> None:
    page = client.get(f"/donnees/{layers_town}/vitesses/rapport/").content.decode()
    assert "Source de la limite" in page
    assert "une valeur, obligatoire" in page


@pytest.mark.django_db
def test_a_street_is_looked_for_by_its_name(layers_town: str, client: Client) -> None:
    (listed,) = client.get("/services/2-11/", {"rue": "haut"}).context["layers"].datasets
    assert [place.name for place in listed.places] == ["Rue Haute"]
