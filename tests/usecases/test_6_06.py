"""6-06, « form to delivery »: the form without JavaScript, the size proposed, the day planned, delivered and closed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue.definition import State
from beffroi.base.journal import queries as journal
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import Role
from beffroi.serve.cases import operations as cases
from beffroi.serve.procedures import operations, queries
from beffroi.serve.procedures.opened import forget_procedures
from faces.portal.reports.test_filing import fields_of, shown
from faces.portal.small_town import AT
from serve_makers import agent_of, photo
from territory_makers import administrator

pytestmark = pytest.mark.django_db
PAGE = "/demarches/6-06/"
ASKED = {"demande": "premier", "flux": "tri"}
HOME = {"adresse": "12 Grande Rue 00100 Bourg-l’Essai", "logement": "maison", "personnes": "4"}
ACCESS = {"acces": "Derrière le portail."}
WHO = {"name": "Camille Rivebelle", "email": "camille@exemple.fr"}


@pytest.fixture
def town(small_town: str, settings: Any, tmp_path: Path) -> Iterator[str]:
    """The small town, with the service that delivers bins; attachments in a folder of the test."""
    settings.DATA_DIR = tmp_path
    forget_procedures()
    territory.add_service(territory=small_town, slug="proprete", name="Propreté", at=AT)
    yield small_town
    forget_procedures()


def begin(client: Client, **fields: str) -> Any:
    """Begin the form and return its first page."""
    return client.post(f"{PAGE}commencer/", fields, follow=True)


def walk(client: Client, answer: Any, *steps: dict[str, Any]) -> Any:
    """Send each step with what its page held; return the last page come to."""
    for step in steps:
        url, held = answer.request["PATH_INFO"], fields_of(answer.content.decode())
        # The box that takes a file away is left unticked.
        held.pop("retirer", None)
        answer = client.post(url, held | {"go": "next"} | step, follow=True)
    return answer


def sent(client: Client, **others: Any) -> str:
    """Fill the whole form in and send it; return the address of the follow-up page."""
    check = walk(client, begin(client), ASKED | others, HOME, ACCESS, WHO)
    done = client.post(check.request["PATH_INFO"], {"go": "send"})
    return str(done["Location"])


def token_in(url: str) -> str:
    return url.split("/")[3]


def test_from_the_form_to_the_delivery(town: str, client: Client, mailoutbox: list[Any]) -> None:
    assert "/demarches/6-06/" in client.get("/services/6-06/").content.decode()
    listed = shown(client.get("/demarches/", {"q": "poubelle"}))
    assert "Commander un bac" in listed
    told = shown(client.get(PAGE))
    assert "15 jours ouvrés au plus" in told
    assert "Après 2 mois, la demande est réputée rejetée" in told
    check = walk(client, begin(client), ASKED, HOME, ACCESS, WHO)
    assert "Bac proposé : 180 litres" in shown(check)
    assert "120 litres jusqu’à 2 personnes" in shown(check)
    done = client.post(check.request["PATH_INFO"], {"go": "send"})
    page = client.get(done["Location"])
    text, token = shown(page), token_in(done["Location"])
    info, _party = queries.followed_request(token)
    assert f"C’est envoyé. Votre numéro : {info.number}" in text
    # Its address is a key: no other host hears of it; this one must, or the browser's forms would come from nowhere.
    assert (page["Cache-Control"], page["Referrer-Policy"]) == ("no-store", "same-origin")
    assert info.answers["adresse"]["lon"] == pytest.approx(3.0032)
    # Sent again, by a finger that pressed twice: the same request.
    assert client.post(check.request["PATH_INFO"], {"go": "send"})["Location"] == done["Location"]
    # What an acknowledgement of receipt must say (CRPA, art. R112-11-1).
    receipt = shown(client.get(f"/demarches/suivi/{token}/recu/"))
    for words in (
        info.number,
        "Propreté",
        "elle est réputée rejetée (CRPA, art. L231-4",
        "saisir le tribunal administratif",
    ):
        assert words in receipt
    agent = agent_of("proprete", town=town)
    at, day = timezone.now(), timezone.localdate() + timedelta(days=4)
    cases.accept_case(number=info.number, by=agent, at=at, publish=False)
    cases.schedule_case(number=info.number, day=day, by=agent, at=at)
    assert "Livraison du bac" in shown(client.get(page.request["PATH_INFO"]))
    operations.record_findings(number=info.number, findings={"volume": "180", "puce": "B-0412"}, by=agent, at=at)
    operations.decide(number=info.number, decision="livre", by=agent, at=at)
    last = shown(client.get(page.request["PATH_INFO"]))
    assert "le bac de 180 litres est en place" in last
    assert "Vous pouvez rouvrir cette demande jusqu’au" in last


def test_a_step_that_does_not_hold_loses_nothing_and_is_resumed_by_its_address(town: str, client: Client) -> None:
    answer = walk(client, begin(client), ASKED)
    wrong = client.post(answer.request["PATH_INFO"], HOME | {"adresse": "99 impasse Introuvable", "personnes": "mille"})
    assert wrong.status_code == 400
    text = shown(wrong)
    assert "Le formulaire n’est pas encore complet" in text
    assert "« mille » n’est pas une réponse à : Combien de personnes y vivent" in text
    assert unescape(wrong.content.decode()).count("99 impasse Introuvable") >= 1
    # An address that no list knows is kept as it was written, by who vouches for it.
    mended = HOME | {"adresse": "99 impasse Introuvable", "adresse_libre": "on"}
    assert client.post(answer.request["PATH_INFO"], mended).status_code == 302
    key = answer.request["PATH_INFO"].split("/")[4]
    # Another browser, without account: the address is enough, and opens where one stood.
    other = Client()
    resumed = other.get(f"{PAGE}formulaire/{key}/", follow=True)
    assert resumed.request["PATH_INFO"].endswith("/passage/")
    kept = other.post(resumed.request["PATH_INFO"], ACCESS | {"go": "later"})
    assert f"/formulaire/{key}/" in kept.content.decode()
    assert "Derrière le portail." in other.get(resumed.request["PATH_INFO"]).content.decode()
    assert other.post(f"{PAGE}formulaire/{key}/effacer/").status_code == 302
    assert other.get(f"{PAGE}formulaire/{key}/").status_code == 404


def test_only_what_concerns_her_is_asked_and_documents_are_kept_while_she_writes(
    town: str, client: Client, connection_kept: None
) -> None:
    broken = {"demande": "remplacement", "flux": "tri"}
    home = walk(client, begin(client), broken)
    assert "Combien de personnes" not in shown(home)
    step = walk(client, home, {"adresse": HOME["adresse"], "logement": "maison", "constat": "casse"})
    assert "Photo du bac abîmé" in shown(step)
    assert "Récépissé de plainte" not in shown(step)
    url = step.request["PATH_INFO"]
    refused = client.post(url, {"photo-bac": SimpleUploadedFile("note.txt", b"bonjour", "text/plain")})
    assert "n’est pas une photo lisible" in shown(refused)
    picture = SimpleUploadedFile("bac.jpg", photo().content, "image/jpeg")
    assert client.post(url, {"photo-bac": picture, "go": "stay"}).status_code == 302
    again = client.get(url)
    assert "Retirer bac.jpg" in shown(again)
    check = walk(client, again, {"acces": ""}, WHO)
    assert "bac.jpg" in shown(check)
    location = client.post(check.request["PATH_INFO"], {"go": "send"})["Location"]
    page = client.get(location)
    (file,) = page.context["own_files"]
    opened = client.get(f"/demarches/suivi/{token_in(location)}/fichier/{file.id}/")
    opened.close()
    assert opened.status_code == 200
    # Nobody else's: neither by its number alone, nor by another request's token.
    assert client.get(f"/demarches/fichier/{file.id}/").status_code == 404
    assert Client().get(f"/demarches/suivi/{token_in(sent(client))}/fichier/{file.id}/").status_code == 404


def test_a_document_asked_for_is_brought_an_answer_corrected_and_both_are_told(town: str, client: Client) -> None:
    page = sent(client).split("?")[0]
    info, _party = queries.followed_request(token_in(page))
    agent, at = agent_of("proprete", town=town), timezone.now()
    operations.ask_piece(number=info.number, code="autre", label="Bail ou facture", by=agent, at=at)
    waiting = client.get(page)
    assert "Bail ou facture" in shown(waiting)
    assert "Le délai au terme duquel notre silence vaudrait décision est arrêté" in shown(waiting)
    (piece,) = waiting.context["info"].awaited_pieces
    nothing = client.post(page, {"do": "supply", "piece": piece.id})
    assert nothing.status_code == 400
    assert "Aucun fichier n’est joint" in shown(nothing)
    lease = SimpleUploadedFile("bail.pdf", b"%PDF-1.4\n%%EOF\n", "application/pdf")
    assert client.post(page, {"do": "supply", "piece": piece.id, "files": lease}).status_code == 302
    assert client.get(page).context["case"].status == "accepted"
    operations.edit_answers(number=info.number, answers={"personnes": 5}, reason="Appel du 3.", by=agent, at=at)
    told = shown(client.get(page))
    assert "« 4 personnes » devient « 5 personnes »" in told
    assert "240 litres" in told
    client.post(page, {"do": "withdraw", "reason": "Je déménage."})
    assert client.get(page).context["case"].outcome == "withdrawn"


def test_it_is_found_with_her_other_requests_drafts_too_and_by_nobody_else(
    town: str, signed_in: Callable[..., Client]
) -> None:
    reader = signed_in(Role.RESIDENT)
    begun = begin(reader)
    page = sent(reader)
    mine = reader.get("/mes-demandes/")
    titles = [one.title for one in mine.context["sections"]]
    assert titles[:1] == ["Mes démarches"]
    assert "Mes démarches commencées" in titles
    number = queries.followed_request(token_in(page))[0].number
    assert f"/demarches/demande/{number}/" in mine.content.decode()
    assert number in shown(reader.get(f"/demarches/demande/{number}/"))
    stranger = signed_in(Role.RESIDENT)
    assert stranger.get(f"/demarches/demande/{number}/").status_code == 404
    assert stranger.get(begun.request["PATH_INFO"]).status_code == 404
    assert Client().get(begun.request["PATH_INFO"]).status_code == 404


def test_at_the_counter_it_is_asked_for_somebody_else(town: str, signed_in: Callable[..., Client]) -> None:
    agent: Any = signed_in(Role.AGENT)
    for_her = {"name": "Lucienne Morel", "mandate": "counter"}
    check = walk(agent, begin(agent, pour="autrui"), ASKED, HOME, ACCESS, for_her)
    assert "Au guichet" in shown(check)
    location = agent.post(check.request["PATH_INFO"], {"go": "send"})["Location"]
    info, party = queries.followed_request(token_in(location))
    person = int(agent.session["_auth_user_id"])
    assert (party.name, party.person, party.filed_by, party.mandate) == ("Lucienne Morel", None, person, "counter")
    event = next(one for one in journal.all_events(administrator(town)) if one.subject == f"case:{info.number}")
    assert (event.actor, event.payload["mandate"]) == (person, "counter")
    # What she filed for another is followed by the link of the receipt.
    assert location.split("?")[0] in agent.get("/mes-demandes/").content.decode()


def test_a_town_that_opened_none_says_so_and_a_flood_is_stopped(
    town: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beffroi.serve.procedures.drafts.MOST_BEGUN", 2)
    assert [client.post(f"{PAGE}commencer/").status_code for _ in range(3)] == [302, 302, 429]
    assert re.search(r"formulaires sont commencés", shown(client.post(f"{PAGE}commencer/")))
    for one in list(queries.open_procedures(town)):
        catalogue.set_state(one, State.RETIRED, territory=town, by=None, at=AT, reason="essai")
    assert "Aucune démarche n’est encore ouverte" in shown(client.get("/demarches/"))
    assert client.get(PAGE).status_code == 404
