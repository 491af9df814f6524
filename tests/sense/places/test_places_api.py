"""`/api/search` and `/api/addresses`: shapes, refusals, and how little they ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from beffroi.base.territory.viewer import Role
from faces.portal.small_town import CODE, NAME

pytestmark = pytest.mark.django_db


def asked(client: Client, address: str, **parameters: Any) -> dict[str, Any]:
    answer = client.get(address, parameters)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_house_answers_as_the_national_geocoder_does(
    client: Client, small_town: str, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        answer = asked(client, "/api/addresses", q="12 bis gde rue".replace("gde", "grande"), limit=1, citycode=CODE)
    (feature,) = answer.pop("features")
    assert answer == {
        "type": "FeatureCollection",
        "version": "draft",
        "attribution": "Commune",
        "licence": "Licence Ouverte 2.0",
        "query": "12 bis grande rue",
        "limit": 1,
    }
    score = feature["properties"].pop("score")
    assert 0.95 < score <= 1
    assert feature == {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [3.0032, 45.008923]},
        "properties": {
            "label": f"12 bis Grande Rue 00100 {NAME}",
            "id": "00001_0000_00012bis",
            "type": "housenumber",
            "name": "12 bis Grande Rue",
            "housenumber": "12 bis",
            "street": "Grande Rue",
            "postcode": "00100",
            "citycode": CODE,
            "city": NAME,
        },
    }


def test_a_street_has_no_house_number(client: Client, small_town: str) -> None:
    (feature,) = asked(client, "/api/addresses", q="rue de l'eglise", type="street")["features"]
    assert feature["properties"]["type"] == "street"
    assert "housenumber" not in feature["properties"]


def test_reverse_tells_the_distance(client: Client, small_town: str, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        (feature,) = asked(client, "/api/addresses/reverse", lon=3.0103, lat=45.0021)["features"]
    assert feature["properties"]["label"] == f"3 Rue du Beffroi 00100 {NAME}"
    assert feature["properties"]["distance"] == 8
    assert asked(client, "/api/addresses/reverse", lon=1, lat=45)["features"] == []


def test_everything_is_searched_at_once(client: Client, small_town: str) -> None:
    answer = asked(client, "/api/search", q="fouriere")
    assert answer["instead"] == "fourrière"
    place, service = (next(one for one in answer["results"] if one["kind"] == kind) for kind in ("place", "service"))
    assert service["url"] == "/services/1-23/"
    assert (place["title"], place["dataset"]) == ("Fourrière du Bas", f"{CODE}/lieux-utiles")
    assert client.get(place["url"]).status_code == 200
    assert place["map_url"] == "/carte/#z=18.00&lat=45.00900&lon=3.00400&couches=lieux-utiles"
    assert answer["counts"]["place"] == 1


def test_kinds_narrow_a_search_and_a_wrong_one_is_named(client: Client, small_town: str) -> None:
    answer = asked(client, "/api/search", q="beffroi", kinds="street, dataset")
    assert {one["kind"] for one in answer["results"]} == {"street"}
    refused = client.get("/api/search", {"q": "rue", "kinds": "streets"})
    assert refused.status_code == 400
    assert "street" in refused.json()["remedy"]


@pytest.mark.parametrize(
    "address",
    [
        "/api/search",
        "/api/search?q=",
        "/api/addresses?q=rue&limit=0",
        "/api/addresses/reverse?lon=3",
        "/api/addresses?q=rue&lang=fr",
    ],
)
def test_a_search_that_cannot_be_read_is_refused(address: str, client: Client, small_town: str) -> None:
    answer = client.get(address)
    assert answer.status_code in (400, 422)
    assert answer.json()["detail"]


def test_what_is_reserved_to_agents_is_found_by_them_alone(
    client: Client, signed_in: Callable[..., Client], small_town: str
) -> None:
    assert asked(client, "/api/search", q="astreintes")["results"] == []
    assert [one["title"] for one in asked(signed_in(Role.AGENT), "/api/search", q="astreintes")["results"]] == [
        "Astreintes"
    ]
