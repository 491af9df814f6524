"""6-23, « one page with reports, procedures, bookings, invoices »: what there is, and that what comes joins it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.territory.viewer import Role
from beffroi.faces.portal import own_requests
from beffroi.faces.portal.own_requests import OwnCase, Told, request_kind
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Access, Outcome, Requester
from faces.portal.reports.test_filing import HERE, HOLE, SEND, shown, walk
from serve_makers import agent_of

pytestmark = pytest.mark.django_db
PAGE = "/mes-demandes/"


@pytest.fixture
def reader(reporting_town: str, signed_in: Callable[..., Client]) -> Client:
    return signed_in(Role.RESIDENT)


@pytest.fixture
def reports(reader: Client, reporting_town: str) -> list[str]:
    """Three reports of hers: a question was put about the first, the second is done, the third just sent."""
    numbers = [reader.get(walk(reader, HERE, HOLE, {}, SEND)["Location"]).context["info"].number for _ in range(3)]
    service, at = agent_of("voirie", town=reporting_town), timezone.now()
    cases.write_to_parties(number=numbers[0], text="De quel côté ?", by=service, at=at, ask=True)
    cases.close_case(number=numbers[1], outcome=Outcome.DONE, reason="=Rebouché.", by=service, at=at, reopen_days=30)
    return numbers


def ask(reader: Client, town: str, kind: str, **fields: Any) -> str:
    """Ask for something that is no report, as a room to come does."""
    person = int(reader.session["_auth_user_id"])
    return cases.open_case(
        territory=town,
        kind=kind,
        category="acte-de-naissance",
        service="etat-civil",
        requester=Requester(person=person),
        at=timezone.now() - timedelta(hours=1),
        access=Access.SERVICE,
        **fields,
    ).number


def test_what_is_open_done_and_awaited_is_told_and_narrowed(reader: Client, reports: list[str]) -> None:
    asked, _done, _sent = reports
    page = reader.get(PAGE)
    text = shown(page)
    assert all(number in text for number in reports)
    assert [line.url for line in page.context["awaited"]] == [f"/signalements/{asked}/"]
    assert "réponse d’ici le" in text
    assert "vous pouvez rouvrir jusqu’au" in text
    open_ones, closed_ones = shown(reader.get(PAGE, {"etat": "open"})), shown(reader.get(PAGE, {"etat": "closed"}))
    assert [number in open_ones for number in reports] == [True, False, True]
    assert [number in closed_ones for number in reports] == [False, True, False]
    assert reader.get(PAGE, {"etat": "perdu"}).status_code == 400
    reader.post(f"/signalements/{asked}/", {"do": "write", "text": "À droite."})
    assert reader.get(PAGE).context["awaited"] == []


def test_it_leaves_with_her_as_a_file_without_formulas(reader: Client, reports: list[str]) -> None:
    response = reader.get(PAGE, {"csv": "", "etat": "closed"})
    assert response["Content-Disposition"].startswith('attachment; filename="mes-demandes-')
    (line,) = csv.DictReader(io.StringIO(response.content.decode("utf-8-sig")))
    assert (line["numero"], line["genre"], line["etat"]) == (reports[1], "Mes signalements", "Réglé")
    assert line["reponse"] == "'=Rebouché."


def test_the_requests_of_a_room_to_come_join_it_without_touching_the_page(
    reader: Client, reports: list[str], reporting_town: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = ask(reader, reporting_town, "permit")
    # Its room has said nothing yet: the request is not lost for all that.
    before = reader.get(PAGE)
    assert number in shown(before)
    assert [one.title for one in before.context["sections"]][:2] == ["Mes signalements", "Autres demandes"]
    monkeypatch.setattr(own_requests, "_kinds", dict(own_requests._kinds))

    @request_kind("permit", title="Mes permis", rank=4)
    def told(mine: Sequence[OwnCase]) -> Mapping[int, Told]:
        return {one.case.id: Told("Acte de naissance", f"/permis/{one.case.number}/") for one in mine}

    page = reader.get(PAGE)
    assert [one.title for one in page.context["sections"]][:2] == ["Mes permis", "Mes signalements"]
    assert [one.title for one in page.context["sections"][0].lines] == ["Acte de naissance"]
    assert f'href="/permis/{number}/"' in page.content.decode()
    only = shown(reader.get(PAGE, {"genre": "permit"}))
    assert number in only
    assert reports[0] not in only


def test_a_kind_the_commune_has_not_is_not_shown_and_nobody_else_reads_it(
    reader: Client, reports: list[str], reporting_town: str, signed_in: Callable[..., Client]
) -> None:
    assert "Autres demandes" not in shown(reader.get(PAGE))
    assert "Genre" not in shown(reader.get(PAGE))
    stranger = shown(signed_in(Role.RESIDENT).get(PAGE))
    assert "Vous n’avez encore rien demandé" in stranger
    assert not any(number in stranger for number in reports)
    assert Client().get(PAGE).status_code == 302


def test_the_page_asks_little_however_many_requests(
    reader: Client, reports: list[str], reporting_town: str, django_assert_max_num_queries: Any
) -> None:
    reader.get(PAGE)
    for _ in range(5):
        ask(reader, reporting_town, "permit")
    with django_assert_max_num_queries(21):
        reader.get(PAGE)
