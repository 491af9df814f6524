"""The agents' queue of reports and the page of one: what they show, to whom, and what is done from them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.utils import CaptureQueriesContext

from beffroi.base.journal import queries as journal
from beffroi.base.territory.viewer import ANONYMOUS, Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Outcome, Status
from beffroi.serve.reports import desk, queries
from desk_makers import QUEUE, act, sign_in_agent
from serve_makers import make_open_town, photo, send
from territory_makers import AT, administrator

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(settings: Any, tmp_path: Any) -> str:
    settings.STRONG_AUTH, settings.DATA_DIR = False, tmp_path
    return make_open_town(use_cases=("1-01", "1-03", "1-05", "1-06"))


@pytest.fixture
def desk_of(town: str) -> tuple[Client, Viewer]:
    """An agent of two services, before her queue."""
    return sign_in_agent("proprete", "voirie")


def numbers(page: Any) -> list[str]:
    return [row.info.number for row in page.context["rows"]]


def test_the_queue_holds_what_her_services_owe_late_first(desk_of: tuple[Client, Viewer]) -> None:
    client, _ = desk_of
    hole, dump = send("nid-de-poule", hours=1), send("depot-sauvage")
    send("insalubrite", details={"desordres": "structure"})
    page = client.get(QUEUE)
    assert numbers(page) == [dump.number, hole.number]
    assert all(row.late for row in page.context["rows"])
    assert "En retard" in page.content.decode()


def test_filters_narrow_the_queue_and_are_said(desk_of: tuple[Client, Viewer]) -> None:
    client, me = desk_of
    hole, dump = send("nid-de-poule"), send("depot-sauvage")
    cases.assign_case(number=hole.number, to=me, by=me, at=AT)
    assert numbers(client.get(QUEUE, {"categorie": "depot-sauvage"})) == [dump.number]
    mine = client.get(QUEUE, {"qui": "moi"})
    assert numbers(mine) == [hole.number]
    assert mine.context["active"] == [("Suivi par : Moi", f"{QUEUE}?")]
    assert numbers(client.get(QUEUE, {"qui": "personne"})) == [dump.number]
    assert numbers(client.get(QUEUE, {"q": dump.number})) == [dump.number]
    assert client.get(QUEUE, {"etat": "inconnu", "page": "zéro"}).status_code == 200


def test_an_agent_without_service_is_told_how_to_get_one(town: str) -> None:
    send("depot-sauvage")
    page = sign_in_agent()[0].get(QUEUE)
    assert "aucun service" in page.content.decode()
    assert not page.context["rows"]


def test_the_queue_costs_the_same_however_long_it_is(
    desk_of: tuple[Client, Viewer], django_assert_num_queries: Any
) -> None:
    client, _ = desk_of
    send("depot-sauvage")
    client.get(QUEUE)
    from django.db import connection

    with CaptureQueriesContext(connection) as few:
        client.get(QUEUE)
    for hour in range(8):
        send("depot-sauvage", hours=hour)
    with django_assert_num_queries(len(few)):
        client.get(QUEUE)


def test_many_at_once_are_told_line_by_line(desk_of: tuple[Client, Viewer]) -> None:
    client, me = desk_of
    dump, hole, closed = send("depot-sauvage"), send("nid-de-poule"), send("depot-sauvage")
    cases.close_case(number=closed.number, outcome=Outcome.DONE, reason="Fait.", by=me, at=AT)
    page = client.post(
        f"{QUEUE}lot/", {"action": "accept", "number": [dump.number, hole.number, closed.number]}, follow=True
    )
    told = [str(one) for one in page.context["messages"]]
    assert told[0] == "2 signalements traités."
    assert told[1].startswith(closed.number)
    assert queries.report(me, dump.number).case.status is Status.ACCEPTED


def test_closing_many_asks_for_the_reason_first(desk_of: tuple[Client, Viewer]) -> None:
    client, _ = desk_of
    dump = send("depot-sauvage")
    asked = client.post(f"{QUEUE}lot/", {"action": "close", "number": dump.number})
    assert (asked.status_code, asked.context["numbers"]) == (200, [dump.number])
    missing = client.post(f"{QUEUE}lot/", {"action": "close", "number": dump.number, "confirmed": "1"})
    assert missing.status_code == 400
    client.post(
        f"{QUEUE}lot/",
        {"action": "close", "number": dump.number, "confirmed": "1", "outcome": "done", "reason": "Ramassé."},
    )
    assert queries.report(ANONYMOUS, dump.number).case.answer == "Ramassé."


def test_many_change_category_at_once_and_what_cannot_is_told(desk_of: tuple[Client, Viewer]) -> None:
    client, me = desk_of
    dump, closed = send("depot-sauvage"), send("depot-sauvage")
    cases.close_case(number=closed.number, outcome=Outcome.DONE, reason="Fait.", by=me, at=AT)
    lot = {"action": "reclassify", "number": [dump.number, closed.number]}
    assert "tag-graffiti" in client.post(f"{QUEUE}lot/", lot).content.decode()
    page = client.post(f"{QUEUE}lot/", lot | {"confirmed": "1", "category": "tag-graffiti"}, follow=True)
    told = [str(one) for one in page.context["messages"]]
    assert (told[0], told[1].split()[0]) == ("1 signalement traité.", closed.number)
    assert queries.report(me, dump.number).case.category == "tag-graffiti"
    assert client.post(f"{QUEUE}lot/", lot | {"confirmed": "1", "category": "licorne"}).status_code == 400


def test_the_queue_as_filtered_is_a_file_without_names_nor_formulas(desk_of: tuple[Client, Viewer]) -> None:
    client, _ = desk_of
    dump = send("depot-sauvage", description="=cmd|calc", address="rue du Four")
    send("nid-de-poule")
    send("insalubrite", details={"desordres": "structure"})
    answer = client.get(QUEUE, {"csv": "", "categorie": "depot-sauvage"})
    assert answer["Content-Disposition"].startswith('attachment; filename="file-')
    text = answer.content.decode("utf-8-sig")
    (line,) = csv.DictReader(io.StringIO(text))
    assert (line["numero"], line["adresse"], line["en_retard"]) == (dump.number, "rue du Four", "1")
    assert line["description"] == "'=cmd|calc"
    assert "exemple.fr" not in text
    assert len(client.get(QUEUE, {"csv": ""}).content.splitlines()) == 3


def test_a_filter_is_kept_under_a_name_and_forgotten(desk_of: tuple[Client, Viewer], town: str) -> None:
    client, me = desk_of
    client.post(f"{QUEUE}filtre/", {"name": "Mes dépôts", "query": "categorie=depot-sauvage&qui=moi"})
    assert client.get(QUEUE).context["filters"] == [("Mes dépôts", f"{QUEUE}?categorie=depot-sauvage&qui=moi")]
    client.post(f"{QUEUE}filtre/", {"forget": "Mes dépôts"})
    assert desk.saved_filters(me, town) == []


def test_the_next_report_keeps_the_filters(desk_of: tuple[Client, Viewer]) -> None:
    client, _ = desk_of
    first, second = send("depot-sauvage"), send("depot-sauvage", hours=1)
    send("nid-de-poule")
    query = {"categorie": "depot-sauvage"}
    onward = client.get(f"{QUEUE}suivant/", query | {"apres": first.number})
    assert onward.headers["Location"] == f"{QUEUE}{second.number}/?categorie=depot-sauvage"
    last = client.get(f"{QUEUE}suivant/", query | {"apres": second.number})
    assert last.headers["Location"] == f"{QUEUE}?categorie=depot-sauvage"


def test_live_points_are_those_of_her_services(desk_of: tuple[Client, Viewer]) -> None:
    client, _ = desk_of
    dump = send("depot-sauvage")
    send("insalubrite", details={"desordres": "structure"})
    found = json.loads(client.get(f"{QUEUE}carte.geojson", {"bbox": "3,43,4,44"}).content)["features"]
    assert [one["properties"]["url"] for one in found] == [f"{QUEUE}{dump.number}/"]
    assert json.loads(client.get(f"{QUEUE}carte.geojson", {"bbox": "0,0,1,1"}).content)["features"] == []


# --- One report ------------------------------------------------------------------------------------------------------


def test_a_report_is_followed_to_its_end_from_its_page(desk_of: tuple[Client, Viewer]) -> None:
    client, me = desk_of
    sent = send("depot-sauvage", photos=(photo(),))
    assert act(client, sent.number, "prendre", publish="on").status_code == 200
    act(client, sent.number, "noter", text="Vu avec l’équipe du matin.")
    act(client, sent.number, "ecrire", text="De quelle couleur est-il ?", ask="on")
    assert queries.report(me, sent.number).case.status is Status.WAITING
    act(client, sent.number, "suivre", person=str(me.person_id))
    picture = SimpleUploadedFile("apres.jpg", photo(colour="green").content, "image/jpeg")
    page = act(client, sent.number, "clore", outcome="done", reason="Enlevé ce matin.", photo=picture)
    case = queries.report(me, sent.number).case
    assert (case.status, case.answer, case.assignee) == (Status.CLOSED, "Enlevé ce matin.", me.person_id)
    titles = [one["title"] for one in page.context["events"]]
    assert titles == ["Clos : Réglé", "Message", "Question posée", "Note du service", "Pris en charge", "Reçu"]
    assert len(page.context["photos"]) == 2
    # What the service writes for itself stays with it.
    assert "équipe du matin" not in str(case_queries.thread(ANONYMOUS, sent.number))


def test_a_twin_is_proposed_and_joined_in_one_gesture(desk_of: tuple[Client, Viewer]) -> None:
    client, me = desk_of
    first, twin = send("depot-sauvage"), send("depot-sauvage", hours=1)
    page = client.get(f"{QUEUE}{twin.number}/")
    assert [one.report.number for one in page.context["similar"]] == [first.number]
    act(client, twin.number, "joindre", into=first.number)
    assert queries.report(me, twin.number).case.lead == first.number
    act(client, twin.number, "separer")
    assert queries.report(me, twin.number).case.lead == ""


def test_what_cannot_be_done_says_why_and_keeps_what_was_typed(desk_of: tuple[Client, Viewer]) -> None:
    client, _ = desk_of
    sent = send("depot-sauvage")
    page = act(client, sent.number, "prevoir", day="2020-01-01", text="On passera.")
    assert page.status_code == 400
    assert "est passé" in page.content.decode()
    assert "On passera." in page.content.decode()
    assert act(client, sent.number, "clore", outcome="done", reason="").status_code == 400
    assert act(client, sent.number, "danser").status_code == 404


def test_a_doubtful_report_is_let_in_or_thrown_out(desk_of: tuple[Client, Viewer]) -> None:
    client, me = desk_of
    sent = send("depot-sauvage")
    act(client, sent.number, "mettre-de-cote", reason="Publicité ?")
    assert numbers(client.get(QUEUE, {"etat": "held"})) == [sent.number]
    act(client, sent.number, "lever-le-doute")
    assert queries.report(me, sent.number).case.status is Status.RECEIVED


def test_handing_over_takes_the_report_out_of_sight(desk_of: tuple[Client, Viewer]) -> None:
    client, _ = desk_of
    sent = send("depot-sauvage")
    page = act(client, sent.number, "transmettre", service="espaces-verts", reason="Au parc.")
    assert page.redirect_chain[-1][0].startswith(QUEUE)
    assert numbers(client.get(QUEUE)) == []


def test_a_response_template_fills_the_closing(desk_of: tuple[Client, Viewer], town: str) -> None:
    client, me = desk_of
    page = client.post(
        f"{QUEUE}reponses/",
        {"title": "Ramassé", "text": "Le dépôt {numero} est enlevé.", "service": "proprete", "outcome": "done"},
        follow=True,
    )
    (kept,) = desk.templates(me, town)
    assert "Le dépôt {numero} est enlevé." in page.content.decode()
    sent = send("depot-sauvage")
    shown = client.get(f"{QUEUE}{sent.number}/", {"modele": kept.id}).content.decode()
    assert f"Le dépôt {sent.number} est enlevé." in shown
    client.post(f"{QUEUE}reponses/", {"forget": kept.id})
    assert desk.templates(me, town) == []


def test_an_agent_of_another_service_reads_without_contacts_and_cannot_act(town: str) -> None:
    client, _ = sign_in_agent("habitat")
    sent = send("depot-sauvage")
    page = client.get(f"{QUEUE}{sent.number}/")
    assert "exemple.fr" not in page.content.decode()
    assert page.context["acts"] == []
    assert act(client, sent.number, "clore", outcome="done", reason="Non.").status_code == 403


def test_a_restricted_report_is_for_its_service(desk_of: tuple[Client, Viewer]) -> None:
    sent = send("insalubrite", details={"desordres": "structure"})
    assert desk_of[0].get(f"{QUEUE}{sent.number}/").status_code == 404
    assert sign_in_agent("habitat")[0].get(f"{QUEUE}{sent.number}/").status_code == 200


def test_an_agent_of_another_town_does_not_even_read(town: str) -> None:
    sent = send("insalubrite", details={"desordres": "structure"})
    make_open_town("34057", "Castries", use_cases=("1-01", "1-03"))
    stranger, _ = sign_in_agent("habitat", "proprete", town="34057")
    assert stranger.get(f"{QUEUE}{sent.number}/").status_code in (403, 404)


def test_figures_count_and_download(desk_of: tuple[Client, Viewer]) -> None:
    client, _ = desk_of
    send("depot-sauvage"), send("depot-sauvage"), send("nid-de-poule")
    period = {"du": "2026-03-01", "au": "2026-03-31", "par": "category"}
    page = client.get(f"{QUEUE}chiffres/", period)
    counted = {name: line.received for name, line, _share in page.context["lines"]}
    assert counted == {"Dépôt sauvage ou encombrants abandonnés": 2, "Trou ou nid-de-poule dans la chaussée": 1}
    lines = client.get(f"{QUEUE}chiffres/", period | {"csv": ""}).content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("catégorie,recus")
    assert lines[1].startswith("Dépôt sauvage ou encombrants abandonnés,2,2,0,2")
    assert client.get(f"{QUEUE}chiffres/", {"du": "2026-03-31", "au": "2026-03-01"}).status_code == 400


def test_each_act_is_in_the_journal_with_who_did_it(desk_of: tuple[Client, Viewer], town: str) -> None:
    client, me = desk_of
    sent = send("depot-sauvage")
    act(client, sent.number, "prendre")
    told = journal.all_events(administrator(town))
    last = next(one for one in told if one.kind == "case.accepted")
    assert (last.actor, last.subject) == (me.person_id, f"case:{sent.number}")
