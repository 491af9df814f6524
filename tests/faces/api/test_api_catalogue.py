"""`/api/catalogue` tells every use case, cheaply, and lets those who may switch them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from beffroi.base.catalogue import operations, queries
from beffroi.base.catalogue.definition import State
from beffroi.base.territory.operations import create_api_key
from pilots import g_03_is_a_pilot as g_03_is_a_pilot

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("town")]


def _by_id(client: Client) -> dict[str, Any]:
    return {line["id"]: line for line in client.get("/api/catalogue").json()["use_cases"]}


def test_every_use_case_is_told_with_the_seven_keys(client: Client) -> None:
    lines = _by_id(client)
    assert len(lines) == 227
    assert {tuple(line) for line in lines.values()} == {
        ("id", "title", "workshop", "audience", "engine", "state", "url")
    }
    assert lines["1-11"] == {
        "id": "1-11",
        "title": "Inscription en ligne à la déchetterie avec justificatifs, accès par plaque, affluence",
        "workshop": 1,
        "audience": ["citoyen", "agent"],
        "engine": "procedures",
        "state": "draft",
        "url": None,
    }


def test_the_state_is_the_commune_s_own_and_only_open_ones_have_an_address(client: Client) -> None:
    assert _by_id(client)["G-03"]["state"] == "pilot"
    assert _by_id(client)["G-03"]["url"]
    operations.set_state("G-03", State.RETIRED, territory="34172", by=None, at=AT, reason="Essai")
    assert (_by_id(client)["G-03"]["state"], _by_id(client)["G-03"]["url"]) == ("retired", None)
    other = client.get("/api/catalogue?territory=34057").json()
    assert (other["territory"], other["use_cases"][2]["state"]) == ("34057", "pilot")


def test_an_unchanged_catalogue_is_not_sent_again(client: Client) -> None:
    first = client.get("/api/catalogue")
    again = client.get("/api/catalogue", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    operations.set_state("G-03", State.LIVE, territory="34172", by=None, at=AT)
    changed = client.get("/api/catalogue", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_once_made_it_costs_no_more_than_two_queries(client: Client, django_assert_max_num_queries: Any) -> None:
    client.get("/api/catalogue")
    with django_assert_max_num_queries(2):
        client.get("/api/catalogue")


def test_one_use_case_tells_its_need(client: Client) -> None:
    answer = client.get("/api/catalogue/1-05").json()
    assert answer["need"] == "Prévenir tout de suite d’une pollution et savoir si l’on est concerné."
    assert (answer["also"], answer["themes"]) == (["alerts"], ["proprete-sante"])


def test_an_unknown_use_case_is_a_problem_that_says_where_to_look(client: Client) -> None:
    answer = client.get("/api/catalogue/9-99")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["title"] == "aucun usage ne porte l’identifiant « 9-99 »"
    assert "/api/catalogue" in answer.json()["remedy"]


@pytest.mark.parametrize("scopes", [[], ["data:write"]])
def test_switching_takes_the_right_scope(client: Client, scopes: list[str]) -> None:
    refused = client.put("/api/catalogue/G-03/state", {"state": "live"}, "application/json", headers=_key(scopes))
    assert refused.status_code == 403
    assert queries.state_of("G-03", "34172") is State.PILOT


def test_nobody_switches_without_saying_who_she_is(client: Client) -> None:
    assert client.put("/api/catalogue/G-03/state", {"state": "live"}, "application/json").status_code == 401


def _key(scopes: list[str]) -> dict[str, str]:
    key = create_api_key(
        territory="34172",
        name="essai",
        scopes=scopes,
        expires_at=datetime.now(UTC) + timedelta(days=1),
        by=None,
        at=AT,
    )
    return {"Authorization": f"Bearer {key}"}


def test_a_key_with_the_scope_switches_and_is_told_what_is_missing(client: Client) -> None:
    headers = _key(["catalogue:write"])
    lived = client.put("/api/catalogue/G-03/state", {"state": "live"}, "application/json", headers=headers)
    assert (lived.status_code, lived.json()["state"]) == (200, "live")
    unexplained = client.put("/api/catalogue/G-03/state", {"state": "retired"}, "application/json", headers=headers)
    assert (unexplained.status_code, unexplained.json()["title"]) == (409, "il manque le motif")
    misspelt = client.put("/api/catalogue/G-03/state", {"state": "alive"}, "application/json", headers=headers)
    assert misspelt.status_code == 422
    assert misspelt.json()["errors"][0]["where"] == "state"
    garbage = client.put("/api/catalogue/G-03/state", b"{", "application/json", headers=headers)
    assert garbage.status_code == 400
    assert json.loads(garbage.content)["title"] == "Requête illisible."
