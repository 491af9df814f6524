"""2-18, « request with dates, patrol list, report of passage, done by police, postman or a chosen neighbour… »."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.territory import operations as territory
from beffroi.faces.shell.middleware import FOR_THE_DAY, KEEP_HEADER
from beffroi.serve.cases.definition import BadCase
from beffroi.serve.procedures import operations, passages, personal, queries
from beffroi.serve.procedures.models import Draft, Passage, Request
from beffroi.serve.procedures.opened import forget_procedures
from desk_makers import sign_in_agent
from faces.portal.reports.test_filing import shown
from faces.portal.small_town import AT
from serve_makers import agent_of
from usecases.test_6_06 import token_in, walk

pytestmark = pytest.mark.django_db
PAGE, SERVICE = "/demarches/2-18/", "police-municipale"
HOME = "12 Grande Rue 00100 Bourg-l’Essai"
WHO = {"name": "Camille Rivebelle", "email": "camille@exemple.fr"}


@pytest.fixture
def town(small_town: str, settings: Any, tmp_path: Path) -> Iterator[str]:
    settings.DATA_DIR, settings.STRONG_AUTH = tmp_path, False
    settings.NOTES_KEY = tmp_path / "notes.key"
    forget_procedures()
    territory.add_service(territory=small_town, slug=SERVICE, name="Police municipale", at=AT)
    territory.add_service(territory=small_town, slug="voirie", name="Voirie", at=AT)
    yield small_town
    forget_procedures()


def asked(client: Client, *, who: str = "police", inside: str = "non", away: int = 5) -> str:
    """Ask for passages from today on; return the follow-up page."""
    today = timezone.localdate()
    check = walk(
        client, client.post(f"{PAGE}commencer/", follow=True),
        {"depart": f"{today}", "retour": f"{today + timedelta(days=away)}", "qui": who},
        {"adresse": HOME, "logement": "maison", "alarme": "non", "entrer": inside},
        {"joindre": "06 00 00 00 00"}, WHO,
    )  # fmt: skip
    # What was typed is sealed from the first step on.
    draft = Draft.objects.get()
    assert (draft.typed, "Grande Rue" in draft.sealed, bool(draft.sealed)) == ({}, False, True)
    return str(client.post(check.request["PATH_INFO"], {"go": "send"})["Location"]).split("?")[0]


def number_of(follow: str) -> str:
    return queries.followed_request(token_in(follow))[0].number


def test_from_the_request_to_the_passage_told(town: str, client: Client, mailoutbox: list[Any]) -> None:
    follow = asked(client)
    number = number_of(follow)
    row = Request.objects.get()
    assert (row.answers, "Grande Rue" in row.sealed, bool(row.sealed)) == ({}, False, True)
    assert "12 Grande Rue" in shown(client.get(follow))
    agent, _me = sign_in_agent(SERVICE, town=town)
    page = agent.get("/agent/demarches/passages/")
    told = shown(page)
    for words in ("1 domicile à voir", "12 Grande Rue", "De l’extérieur seulement.", "06 00 00 00 00"):
        assert words in told, words
    # Kept on the phone until the evening, as a crew's list is.
    assert page[KEEP_HEADER] == FOR_THE_DAY
    sent = {"seen": "ouvert", "note": "Fenêtre de la cuisine.", "done_at": timezone.now().isoformat(), "key": "k1"}
    # A phone that did not hear the answer sends it again.
    answers = [agent.post(f"/agent/demarches/passages/{number}/envoi/", sent) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    assert Passage.objects.count() == 1
    assert "cuisine" not in Passage.objects.get().note
    assert agent.get("/agent/demarches/passages/").context["due"] == 0
    told = shown(client.get(follow))
    assert "Porte ou fenêtre ouverte" in told
    assert "Fenêtre de la cuisine." in told
    # Neither the address nor the days go by mail.
    assert all("Grande Rue" not in one.body for one in mailoutbox)
    assert agent.post(f"/agent/demarches/passages/{number}/", {"seen": "calme"}).status_code == 302
    assert "Rien d’anormal" in shown(agent.get(f"/agent/demarches/{number}/"))


def test_the_list_is_of_the_service_alone_and_of_those_who_are_away_today(town: str, client: Client) -> None:
    number = number_of(asked(client, inside="oui"))
    other, _me = sign_in_agent("voirie", town=town)
    assert "12 Grande Rue" not in shown(other.get("/agent/demarches/passages/"))
    assert other.post(f"/agent/demarches/passages/{number}/", {"seen": "calme"}).status_code == 404
    agent, now = agent_of(SERVICE, town=town), timezone.now()
    (home,) = passages.homes_of_the_day(agent, town, now)
    assert (home.inside, home.is_due) == (True, True)
    assert passages.homes_of_the_day(agent, town, now - timedelta(days=1)) == []
    assert passages.homes_of_the_day(agent, town, now + timedelta(days=6)) == []
    operations.note_passage(number=number, seen="calme", by=agent, at=now)
    # Promised every two days: the next one is due the day after tomorrow.
    due = [passages.homes_of_the_day(agent, town, now + timedelta(days=days))[0].is_due for days in (1, 2)]
    assert due == [False, True]


def test_a_chosen_neighbour_passes_by_the_link_that_was_handed_to_her(town: str, client: Client) -> None:
    follow = asked(client, who="voisin")
    url = client.get(follow).context["passage_url"].removeprefix("http://testserver")
    neighbour = Client()
    page = neighbour.get(url)
    assert "12 Grande Rue" in shown(page)
    assert page["Cache-Control"] == "no-store"
    assert neighbour.post(url, {"note": "…"}).status_code == 400
    assert neighbour.post(url, {"seen": "effraction", "note": "Vitre cassée.", "key": "n1"}).status_code == 302
    told = shown(client.get(follow))
    assert "Des traces d’effraction" in told
    assert "par la personne choisie" in told
    # The service does not have to pass, and reads what she saw.
    agent, _me = sign_in_agent(SERVICE, town=town)
    assert agent.get("/agent/demarches/passages/").context["due"] == 0
    assert "Des traces d’effraction" in shown(agent.get(f"/agent/demarches/{number_of(follow)}/"))
    assert neighbour.get(f"{url[:-3]}xy/").status_code == 404
    client.post(follow, {"do": "withdraw", "reason": "Nous ne partons plus."})
    assert neighbour.get(url).status_code == 404


def test_the_police_gets_no_link_to_hand_over(town: str, client: Client) -> None:
    assert client.get(asked(client)).context["passage_url"] == ""


def test_what_is_no_passage_is_refused(town: str, client: Client) -> None:
    number, agent, now = number_of(asked(client)), agent_of(SERVICE, town=town), timezone.now()
    for values, words in (
        ({"seen": "fantome"}, "dites ce que vous avez vu"),
        ({"seen": "calme", "done_at": now - timedelta(days=30)}, "ce moment n’est pas celui d’un passage"),
        ({"seen": "calme", "done_at": now - timedelta(days=2)}, "personne n’est absent ce jour-là"),
    ):
        with pytest.raises(BadCase, match=words):
            operations.note_passage(number=number, by=agent, at=now, **values)  # type: ignore[arg-type]


def test_all_of_it_is_erased_after_the_return(town: str, client: Client) -> None:
    follow = asked(client)
    number, agent, now = number_of(follow), agent_of(SERVICE, town=town), timezone.now()
    operations.note_passage(number=number, seen="calme", note="Volets fermés.", by=agent, at=now)
    assert sum(personal.expire(now, at=now)) == 0
    back = now + timedelta(days=6)
    assert sum(personal.expire(back, at=back)) == 0
    assert queries.followed_request(token_in(follow))[0].case.outcome == "done"
    assert Passage.objects.count() == 1
    later = back + timedelta(days=8)
    assert sum(personal.expire(later, at=later, dry_run=True)) == 1
    assert sum(personal.expire(later, at=later)) == 1
    assert (Request.objects.get().sealed, Passage.objects.count()) == ("", 0)
    assert "Grande Rue" not in shown(client.get(follow))
    assert queries.request(agent, number).answers == {}
