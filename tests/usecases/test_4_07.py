"""4-07, « consented registration, category, follow-up, reporting »: a report names nobody, and hides the few."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.serve.cases.definition import Requester
from beffroi.serve.procedures import operations, register
from beffroi.serve.procedures.models import Card
from desk_makers import sign_in_agent
from faces.portal.reports.test_filing import shown
from serve_makers import agent_of
from usecases.test_1_21 import SERVICE
from usecases.test_1_21 import town as town
from usecases.test_6_06 import walk

pytestmark = pytest.mark.django_db
PAGE = "/demarches/4-07/"


def test_one_registers_under_a_category_and_is_followed(town: str, client: Client) -> None:
    check = walk(
        client, client.post(f"{PAGE}commencer/", follow=True), {"qui": "moi", "besoin": "logement"},
        {"nom": "Ange Morel", "telephone": "04 67 00 00 01", "adresse": "12 rue Haute", "adresse_libre": "on"},
    )  # fmt: skip
    follow = str(client.post(check.request["PATH_INFO"], {"go": "send"})["Location"]).split("?")[0]
    key = Card.objects.get().pk
    assert client.post(follow, {"do": "want", "card": key, "kind": "rendez-vous"}).status_code == 302
    assert client.post(follow, {"do": "want", "card": key, "kind": "piscine"}).status_code == 400
    agent, _me = sign_in_agent(SERVICE, town=town)
    told = shown(agent.get(f"/agent/registres/fiche/{key}/"))
    for words in ("Ange Morel", "Se loger, se chauffer", "Un rendez-vous", "elle s’est inscrite elle-même"):
        assert words in told, words
    summary = shown(agent.get("/agent/registres/"))
    assert "1 personne inscrite" in summary
    assert "trop peu pour être dit" in summary
    assert "Ange Morel" not in summary


def test_a_report_hides_the_few_and_what_would_give_them_away(town: str) -> None:
    agent, now = agent_of(SERVICE, town=town), timezone.now()

    def enter(need: str, count: int) -> None:
        answers: dict[str, Any] = {
            "qui": "moi", "besoin": need, "nom": "X Y", "telephone": "04", "adresse": "12 rue Haute",
        }  # fmt: skip
        for _time in range(count):
            operations.file_request(
                territory=town, use_case="4-07", answers=answers, requester=Requester(name="–"), at=now
            )

    enter("logement", 6)
    enter("argent", 5)
    total, counts = register.report(agent, town, "4-07")
    told = dict(counts)
    assert (total, told["Se loger, se chauffer"], told["Des factures, des dettes"]) == (11, 6, 5)
    enter("emploi", 2)
    total, counts = register.report(agent, town, "4-07")
    told = dict(counts)
    # Alone hidden, it would be the total less the others: the next smallest is hidden with it.
    assert (told["Le travail"], told["Des factures, des dettes"], told["Se loger, se chauffer"]) == (None, None, 6)
    assert (total, told["Se nourrir"]) == (13, 0)
