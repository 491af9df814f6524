"""6-12, gardens: « gardens and free plots on the map, application, waiting list with rank, activities announced »."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import BadCase, Requester
from beffroi.serve.procedures import operations, queries, waiting
from beffroi.serve.procedures.declaration import Procedure
from beffroi.serve.procedures.definition import BadDecision
from beffroi.serve.procedures.opened import forget_procedures
from desk_makers import sign_in_agent
from faces.portal.reports.test_filing import fields_of, shown

pytestmark = pytest.mark.django_db
PAGE, SERVICE = "/demarches/6-12/", "espaces-verts"
PLOT, OTHER_PLOT = "Jardin des Lilas, parcelle 1", "Jardin des Lilas, parcelle 2"


@pytest.fixture
def town(layers_town: str, settings: Any, tmp_path: Path) -> Iterator[str]:
    settings.STRONG_AUTH, settings.DATA_DIR = False, tmp_path
    forget_procedures()
    territory.add_service(territory=layers_town, slug=SERVICE, name="Espaces verts", at=timezone.now())
    yield layers_town
    forget_procedures()


def asked(town: str, name: str, *, at: datetime, lives: bool = True, home: str = "sans") -> str:
    """Ask for a plot; return the follow-up token."""
    answers = {"habite": lives, "logement": home, "adresse": "12 rue Haute", "partage": False}
    who = Requester(name=name, email=f"{name.lower()}@exemple.fr")
    return operations.file_request(territory=town, use_case="6-12", answers=answers, requester=who, at=at).token


def standing(token: str, at: datetime) -> tuple[int | None, int]:
    info, _party = queries.followed_request(token)
    found = waiting.rank_of(info, at)
    assert found is not None
    return found.rank, found.total


def number_of(token: str) -> str:
    return queries.followed_request(token)[0].number


def gardener(town: str) -> Viewer:
    return Viewer(None, (Grant(town, Role.AGENT, frozenset({SERVICE})),))


def test_gardens_free_plots_and_activities_are_on_the_map_and_in_the_list(town: str, client: Client) -> None:
    answer = client.get("/services/6-12/")
    told = shown(answer)
    for words in ("Jardin des Lilas", "2 libres", "parcelle 1", "Libre", "Troc de plants", "09/05/2026"):
        assert words in told, words
    assert f'href="{PAGE}"' in answer.content.decode()
    layers = json.loads(answer.context["layers"].map.config)["layers"]
    assert len(layers) == 3
    free = client.get("/services/6-12/", {"etat": "libre"}).context["layers"].datasets
    assert [place.name for one in free if one.ref.slug == "parcelles-jardins" for place in one.places] == [
        "Jardin des Lilas, parcelle 1"
    ]


def test_from_the_form_to_the_plot_by_the_rank(town: str, client: Client) -> None:
    now = timezone.now()
    before = asked(town, "Ferriere", at=now - timedelta(days=3))
    assert "Une place proposée vous est gardée 15 jours." in shown(client.get(PAGE))
    page = client.post(f"{PAGE}commencer/", follow=True)
    for step in (
        {"habite": "oui", "logement": "sans", "adresse": "12 rue Haute", "adresse_libre": "on"},
        {"partage": "non"},
        {"name": "Noa Castelnau", "email": "noa@exemple.fr"},
    ):
        url, held = page.request["PATH_INFO"], fields_of(page.content.decode())
        page = client.post(url, held | {"go": "next"} | step, follow=True)
    follow = str(client.post(page.request["PATH_INFO"], {"go": "send"})["Location"]).split("?")[0]
    told = shown(client.get(follow))
    assert "Rang 2 sur 2" in told
    assert "Habiter la commune ; Habiter un logement sans jardin" in told
    assert "Ferriere" not in told
    assert number_of(before) not in told
    # The list goes in order: the agent cannot pass anyone over.
    agent, _me = sign_in_agent(SERVICE, town=town)
    mine = number_of(follow.split("/")[3])
    refused = agent.post(f"/agent/demarches/{mine}/proposer/", {"what": PLOT})
    assert refused.status_code == 400
    assert f"La liste va dans l’ordre ; proposez d’abord à {number_of(before)}" in shown(refused)
    assert agent.post(f"/agent/demarches/{number_of(before)}/proposer/", {"what": PLOT}).status_code == 302
    # One does not want it: the next is offered it, and takes it.
    assert "J’accepte cette place" in shown(client.get(f"/demarches/suivi/{before}/"))
    assert client.post(f"/demarches/suivi/{before}/", {"do": "decline"}).status_code == 302
    assert standing(before, timezone.now()) == (2, 2)
    assert agent.post(f"/agent/demarches/{mine}/proposer/", {"what": PLOT}).status_code == 302
    assert client.post(follow, {"do": "take"}).status_code == 302
    assert f"{PLOT} : acceptée" in shown(client.get(follow))
    assert standing(before, timezone.now()) == (1, 1)
    sheet = shown(agent.get(f"/agent/demarches/{mine}/"))
    assert "acceptée" in sheet
    assert agent.post(f"/agent/demarches/{mine}/constater/", {"parcelle": PLOT}).status_code == 302
    assert agent.post(f"/agent/demarches/{mine}/decider/", {"decision": "attribuer"}).status_code == 302
    assert f"La parcelle est à vous : {PLOT}" in shown(client.get(follow))


def test_the_order_is_that_of_the_criteria_then_of_the_days(town: str) -> None:
    now = timezone.now()
    outside = asked(town, "Loin", at=now - timedelta(days=9), lives=False)
    garden = asked(town, "Pelouse", at=now - timedelta(days=8), home="avec")
    late = asked(town, "Tard", at=now - timedelta(days=1))
    early = asked(town, "Tot", at=now - timedelta(days=2))
    assert [standing(one, now) for one in (early, late, garden, outside)] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    # Whoever leaves lets the others move up.
    cases.withdraw_case(number=number_of(early), reason="Déménagement", viewer=Viewer(), token=early, at=now)
    assert [standing(one, now) for one in (late, garden, outside)] == [(1, 3), (2, 3), (3, 3)]
    procedure = queries.procedure_for(town, "6-12").procedure
    assert waiting.waiting_list(gardener(town), town, "6-12", procedure, now) == [
        number_of(one) for one in (late, garden, outside)
    ]
    assert waiting.waiting_list(Viewer(), town, "6-12", procedure, now) == []


def test_an_offer_lapses_by_itself_and_goes_to_the_next(town: str) -> None:
    now, agent = timezone.now(), gardener(town)
    first, second = asked(town, "Un", at=now - timedelta(days=2)), asked(town, "Deux", at=now - timedelta(days=1))
    operations.offer_place(number=number_of(first), what=PLOT, by=agent, at=now)
    with pytest.raises(BadDecision, match="une offre attend déjà"):
        operations.offer_place(number=number_of(second), what=PLOT, by=agent, at=now)
    # Another plot may go to the next meanwhile.
    operations.offer_place(number=number_of(second), what=OTHER_PLOT, by=agent, at=now)
    operations.answer_offer(number=number_of(second), accepts=False, viewer=Viewer(), token=second, at=now)
    assert [standing(one, now) for one in (first, second)] == [(1, 2), (2, 2)]
    later = now + timedelta(days=16)
    assert [standing(one, later) for one in (second, first)] == [(1, 2), (2, 2)]
    with pytest.raises(BadCase, match="aucune offre"):
        operations.answer_offer(number=number_of(first), accepts=True, viewer=Viewer(), token=first, at=later)
    operations.offer_place(number=number_of(second), what=PLOT, by=agent, at=later)


def test_a_criterion_that_no_answer_meets_is_refused(town: str) -> None:
    declared = queries.procedure_for(town, "6-12").procedure.model_dump()
    declared["waiting"]["criterion"][0]["among"] = ("peut-être",)
    with pytest.raises(ValueError, match="« habite » n’a pas de réponse « peut-être »"):
        Procedure.model_validate(declared)
