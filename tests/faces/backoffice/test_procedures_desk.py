"""`/agent/demarches/`: the queue of one's services, a request treated from its page, nobody else's business."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import Role
from beffroi.serve.cases.definition import Requester
from beffroi.serve.cases.operations import Opened
from beffroi.serve.procedures import operations, queries
from beffroi.serve.procedures.opened import forget_procedures
from faces.portal.reports.test_filing import shown
from faces.portal.small_town import AT
from territory_makers import make_person

pytestmark = pytest.mark.django_db
ANSWERS = {"demande": "premier", "flux": "tri", "adresse": "12 Grande Rue", "logement": "maison", "personnes": 3}
LIST = "/agent/demarches/"


@pytest.fixture
def town(small_town: str, settings: Any, tmp_path: Path) -> Iterator[str]:
    settings.DATA_DIR, settings.STRONG_AUTH = tmp_path, False
    forget_procedures()
    for slug in ("proprete", "voirie"):
        territory.add_service(territory=small_town, slug=slug, name=slug.capitalize(), at=AT)
    yield small_town
    forget_procedures()


def agent(town: str, *services: str) -> Client:
    client = Client()
    person = get_user_model().objects.get(pk=make_person(Role.AGENT, territory=town, services=services))
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def ask(town: str, name: str = "Camille Rivebelle", *, days: int = 0, **answers: Any) -> Opened:
    return operations.file_request(
        territory=town, use_case="6-06", answers=ANSWERS | answers, requester=Requester(name=name, phone="0467000000"),
        at=timezone.now() - timedelta(days=days),
    )  # fmt: skip


def test_the_queue_is_narrowed_found_by_name_and_left_as_a_file(town: str) -> None:
    late, new = ask(town, days=40), ask(town, "Dominique Vauclair")
    mine = agent(town, "proprete")
    rows = mine.get(LIST).context["rows"]
    assert [one.info.number for one in rows] == [late.number, new.number]
    assert [one.late for one in rows] == [True, False]
    for asked, numbers in (
        ({"etat": "late"}, [late.number]),
        ({"q": "vauclair"}, [new.number]),
        ({"q": new.number.lower()}, [new.number]),
        ({"etat": "closed"}, []),
        ({"qui": "moi"}, []),
        ({"demarche": "6-06", "qui": "personne"}, [late.number, new.number]),
    ):
        assert [one.info.number for one in mine.get(LIST, asked).context["rows"]] == numbers
    assert mine.get(f"{LIST}suivante/", {"apres": late.number})["Location"] == f"{LIST}{new.number}/"
    assert mine.get(f"{LIST}suivante/", {"apres": new.number})["Location"] == LIST
    assert "Camille Rivebelle" in mine.get(LIST, {"csv": ""}).content.decode("utf-8-sig")
    assert "Démarches en retard" in shown(mine.get("/agent/"))


def test_the_queue_asks_little_however_long(town: str, django_assert_max_num_queries: Any) -> None:
    mine = agent(town, "proprete")
    for name in ("Ana", "Bo", "Cy", "Dé"):
        ask(town, name)
    mine.get(LIST)
    with django_assert_max_num_queries(14):
        mine.get(LIST)


def test_a_request_is_treated_from_its_page(town: str) -> None:
    opened = ask(town)
    mine, page = agent(town, "proprete"), f"{LIST}{opened.number}/"

    def does(name: str, **fields: Any) -> Any:
        return mine.post(f"{page}{name}/", fields)

    assert "180 litres" in shown(mine.get(page))
    assert does("prendre").status_code == 302
    assert does("piece", code="autre", label="Bail", until=f"{timezone.localdate():%Y-%m-%d}").status_code == 302
    assert "attendue d’ici le" in shown(mine.get(page))
    answers = {code: str(value) for code, value in ANSWERS.items()}
    wrong = does("corriger", **answers | {"personnes": "zéro"}, reason="Appel.")
    assert wrong.status_code == 400
    assert "« zéro » n’est pas une réponse" in shown(wrong)
    assert does("corriger", **answers | {"personnes": "7"}, reason="Appel du 3.").status_code == 302
    assert queries.followed_request(opened.token)[0].proposal == "360 litres"
    # Nothing is delivered that was not seen: the finding comes first.
    early = does("decider", decision="livre")
    assert early.status_code == 400
    assert "Il manque un constat : Volume du bac" in shown(early)
    assert does("constater", volume="360", puce="").status_code == 302
    bare = does("decider", decision="refuse", reason="Non.")
    assert "Cette décision doit être motivée" in shown(bare)
    day = timezone.localdate() + timedelta(days=2)
    assert does("prevoir", day=f"{day:%Y-%m-%d}", text="Le matin.").status_code == 302
    assert does("noter", text="Accès par la cour.").status_code == 302
    assert does("decider", decision="livre", then="next").status_code == 302
    done = mine.get(page)
    assert done.context["case"].outcome == "done"
    assert "Accès par la cour." in shown(done)
    # What is written for the service stays with it.
    assert "Accès par la cour." not in shown(Client().get(f"/demarches/suivi/{opened.token}/"))
    assert does("rouvrir", reason="Mauvaise couleur.").status_code == 302
    assert does("transmettre", service="voirie", reason="").headers["Location"] == LIST
    assert mine.get(page).status_code == 404


def test_a_refusal_names_its_author_and_says_how_to_challenge_it(town: str) -> None:
    opened = ask(town)
    reason = "Un bac de tri est déjà en place (règlement de collecte, art. 4)."
    sent = agent(town, "proprete").post(
        f"{LIST}{opened.number}/decider/", {"decision": "refuse", "reason": reason, "quality": "cheffe du service"}
    )
    assert sent.status_code == 302
    told = shown(Client().get(f"/demarches/suivi/{opened.token}/"))
    for words in (
        reason,
        "Pour le maire, Camille Durand, cheffe du service, service Proprete",
        "Voies et délais de recours",
    ):
        assert words in told
    # It is challenged, not reopened: no message says that it could be.
    assert queries.followed_request(opened.token)[0].case.reopen_until is None
    last = queries.appeal_day(town, timezone.now())
    assert f"soit jusqu’au {last:%d/%m/%Y}" in told


def test_other_services_and_other_people_know_nothing_of_it(town: str) -> None:
    opened = ask(town)
    other = agent(town, "voirie")
    assert other.get(LIST).context["rows"] == []
    assert other.get(f"{LIST}{opened.number}/").status_code == 404
    assert other.post(f"{LIST}{opened.number}/prendre/").status_code == 404
    assert agent(town).get(LIST).status_code == 200
