"""1-21, « registration by oneself or a third party, encrypted register, call rounds, access logged, requests… »."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import Role
from beffroi.serve.cases.definition import BadCase
from beffroi.serve.procedures import calls, personal, queries, register
from beffroi.serve.procedures.models import Card, CardReading, Need, Request
from beffroi.serve.procedures.opened import forget_procedures
from desk_makers import sign_in_agent
from faces.portal.reports.test_filing import shown
from faces.portal.small_town import AT
from serve_makers import agent_of
from usecases.test_6_06 import token_in, walk

pytestmark = pytest.mark.django_db
PAGE, SERVICE = "/demarches/1-21/", "solidarites"
NAME = "Lucienne Morel"
PERSON = {
    "nom": NAME, "naissance": "1940-02-03", "adresse": "12 Grande Rue 00100 Bourg-l’Essai", "adresse_libre": "on",
    "telephone": "04 67 00 00 01", "situation": "age", "mobilite": "oui",
}  # fmt: skip


@pytest.fixture
def town(small_town: str, settings: Any, tmp_path: Path) -> Iterator[str]:
    settings.DATA_DIR, settings.STRONG_AUTH = tmp_path, False
    settings.NOTES_KEY = tmp_path / "notes.key"
    forget_procedures()
    for slug, name in ((SERVICE, "Solidarités"), ("voirie", "Voirie")):
        territory.add_service(territory=small_town, slug=slug, name=name, at=AT)
    yield small_town
    forget_procedures()


def entered(client: Client, *, who: str = "moi", page: str = PAGE, person: dict[str, str] = PERSON) -> str:
    """Enter the register and return the follow-up page."""
    last = {"demandeur": "Sa fille, 04 67 00 00 02"} if who != "moi" else {"remarque": ""}
    check = walk(client, client.post(f"{page}commencer/", follow=True), {"qui": who}, person, last)
    return str(client.post(check.request["PATH_INFO"], {"go": "send"})["Location"]).split("?")[0]


def stored_words() -> str:
    """Return every word the registry holds, as one who has a copy of the base reads it."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith(("cases_", "procedures_", "journal_")):
                cursor.execute(f'SELECT * FROM "{table}"')
                found += [str(row) for row in cursor.fetchall()]
    return "\n".join(found)


def test_one_enters_oneself_and_the_base_alone_names_nobody(town: str, client: Client) -> None:
    follow = entered(client)
    told = shown(client.get(follow))
    assert "Inscrite" in told
    assert NAME in told
    words = stored_words()
    assert all(one not in words for one in (NAME, "Lucienne", "Grande Rue", "04 67 00 00 01"))
    # Neither a name nor a mail was asked for beside the card: it would be kept in clear.
    assert "Adresse électronique" not in told


def test_water_points_are_on_the_map_of_the_plan(town: str, client: Client) -> None:
    assert 'href="/services/1-21/"' in client.get(PAGE).content.decode()
    page = client.get("/services/1-21/")
    assert page.status_code == 200
    assert f'href="{PAGE}"' in page.content.decode()


def test_every_reading_is_shown_to_the_person_and_no_other_service_reads(town: str, client: Client) -> None:
    follow = entered(client)
    assert "Personne encore." in shown(client.get(follow))
    other, _me = sign_in_agent("voirie", town=town)
    card = Card.objects.get().pk
    assert [other.get(f"/agent/registres/{one}/").status_code for one in ("1-21", f"fiche/{card}")] == [404, 404]
    assert CardReading.objects.count() == 0
    agent, _me = sign_in_agent(SERVICE, town=town)
    assert NAME not in shown(agent.get("/agent/registres/"))
    assert CardReading.objects.count() == 0
    for _time in range(2):
        assert NAME in shown(agent.get("/agent/registres/1-21/"))
    assert NAME in shown(agent.get(f"/agent/registres/fiche/{card}/"))
    number = queries.followed_request(token_in(follow))[0].number
    assert "Cette lecture est notée" in shown(agent.get(f"/agent/demarches/{number}/"))
    told = shown(client.get(follow))
    assert told.count("la liste du registre, par un agent du service") == 1
    assert told.count("la fiche, par un agent du service") == 1


def test_a_third_party_asks_and_nobody_is_called_before_the_person_agreed(town: str, client: Client) -> None:
    follow = entered(client, who="proche")
    assert "Accord attendu" in shown(client.get(follow))
    agent, _me = sign_in_agent(SERVICE, town=town)
    round_form = {"do": "round", "reason": "Vigilance orange"}
    refused = agent.post("/agent/registres/1-21/", round_form)
    assert refused.status_code == 400
    assert "Personne n’a encore donné son accord" in shown(refused)
    page = f"/agent/registres/fiche/{Card.objects.get().pk}/"
    assert agent.post(page, {"do": "confirm", "how": ""}).status_code == 400
    assert agent.post(page, {"do": "confirm", "how": "Au téléphone."}).status_code == 302
    assert agent.post("/agent/registres/1-21/", round_form).status_code == 302


def test_calls_are_tried_again_a_need_is_followed_until_done(town: str, client: Client) -> None:
    follow = entered(client)
    agent, _me = sign_in_agent(SERVICE, town=town)
    url = str(agent.post("/agent/registres/1-21/", {"do": "round", "reason": "Vigilance orange"})["Location"])
    assert "À appeler" in shown(agent.get(url))
    key = Card.objects.get().pk
    assert agent.post(url, {"card": key, "outcome": "absent"}).status_code == 302
    assert "à rappeler à" in shown(agent.get(url))
    assert agent.post(url, {"card": key, "outcome": "need"}).status_code == 400
    need = {"card": key, "outcome": "need", "need": "eau", "note": "Deux packs, au deuxième étage."}
    assert agent.post(url, need).status_code == 302
    assert "1 jointes sur 1" in shown(agent.get(url))
    assert "deuxième étage" not in stored_words()
    listed = shown(agent.get("/agent/registres/1-21/"))
    assert "De l’eau" in listed
    # She asks for more from her own page, and sees how far both have come.
    assert client.post(follow, {"do": "want", "card": key, "kind": "visite"}).status_code == 302
    first = Need.objects.order_by("pk")[0].pk
    assert agent.post("/agent/registres/1-21/", {"do": "take", "need": first}).status_code == 302
    assert "Pris en charge" in shown(client.get(follow))
    assert agent.post("/agent/registres/1-21/", {"do": "done", "need": first}).status_code == 302
    told = shown(client.get(follow))
    assert "De l’eau" in told
    assert "Fait" in told
    assert "Demandé" in told
    assert agent.post(url, {"do": "close"}).status_code == 302
    assert agent.post(url, {"card": key, "outcome": "well"}).status_code == 400


def test_after_two_hours_she_is_called_again_and_after_three_calls_somebody_goes(town: str, client: Client) -> None:
    entered(client)
    agent, now = agent_of(SERVICE, town=town), timezone.now()
    key = Card.objects.get().pk
    number = calls.open_round(use_case="1-21", reason="Orange", by=agent, territory=town, at=now)
    with pytest.raises(BadCase, match="des appels sont déjà en cours"):
        calls.open_round(use_case="1-21", reason="Rouge", by=agent, territory=town, at=now)

    def state(hours: int) -> str:
        return calls.round_list(agent, number, town, at=now + timedelta(hours=hours))[1][0].state

    states = []
    for hours in (0, 3, 6):
        at = now + timedelta(hours=hours)
        calls.note_call(round_id=number, card_id=key, outcome="absent", by=agent, territory=town, at=at)
        states += [state(hours + 1), state(hours + 2)]
    assert states == ["later", "to-call", "later", "to-call", "visit", "visit"]


def test_she_leaves_when_she_wants_and_nothing_remains(
    town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    follow = entered(client)
    key = Card.objects.get().pk
    stranger = entered(Client())
    assert client.post(stranger, {"do": "leave", "card": key}).status_code == 404
    assert Card.objects.count() == 2
    assert client.post(follow, {"do": "leave", "card": key}).status_code == 302
    assert NAME not in shown(client.get(follow))
    row = Request.objects.get(
        case__parties__isnull=False, pk__in=[queries.followed_request(token_in(follow))[0].case.id]
    )
    assert (row.sealed, row.answers) == ("", {})
    assert Card.objects.filter(pk=key).count() == 0
    # An account that goes does not take off the register the person it entered.
    daughter: Any = signed_in(Role.RESIDENT)
    kept = entered(daughter, who="proche")
    person = int(daughter.session["_auth_user_id"])
    assert personal.erase(person, erased_number=1, at=timezone.now()) == 0
    assert Request.objects.get(pk=queries.followed_request(token_in(kept))[0].case.id).sealed
    assert register.registers(agent_of("voirie", town=town), town) == {}
