"""8-06, cycling and walking: « each layer imported from its national schema with date, secure bike parking with free
places where published, bike charging, walking zones and stops ».
"""

from __future__ import annotations

import pytest
from django.test import Client

from beffroi.base.catalogue import queries
from beffroi.lake.definitions import definition_named, load_definitions


@pytest.mark.django_db
def test_free_places_are_told_where_the_operator_publishes_them_with_their_hour(
    layers_town: str, client: Client
) -> None:
    answer = client.get("/services/8-06/")
    listed = next(one for one in answer.context["layers"].datasets if one.ref.slug == "stationnement-cyclable")
    told = {place.name: place.sentence for place in listed.places}
    assert told["Abri de la gare"] == "Consigne collective fermée, 40 places, 12 libres le 02/03/2026 08:00."
    assert told["Arceaux de la Halle"] == "À l’air libre, 8 places."


@pytest.mark.django_db
def test_a_cycle_way_is_told_in_words_with_its_date(layers_town: str, client: Client) -> None:
    answer = client.get("/services/8-06/")
    listed = next(one for one in answer.context["layers"].datasets if one.ref.slug == "amenagements-cyclables")
    told = {place.name: place.sentence for place in listed.places}
    assert told["Quai du Verdanson"] == "Piste cyclable, Deux sens, relevé le 01/03/2025."


def test_each_layer_has_a_dataset_file_with_a_date_and_says_its_schema() -> None:
    definitions, _faults = load_definitions()
    wanted = queries.catalogue().use_cases["8-06"].settings["layers"].datasets
    files = {slug: definition_named(slug, "", definitions) for slug in wanted if slug != "bus-stops"}
    assert all(one is not None and "date_maj" in one.columns for one in files.values())
    national = {slug for slug, one in files.items() if one is not None and one.schema_url}
    assert national == {"amenagements-cyclables", "stationnement-cyclable", "bornes-recharge"}
