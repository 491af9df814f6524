"""Work orders and contract visits, from the pages agents use on site."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases.definition import Status
from beffroi.serve.reports import orders, queries, visits
from desk_makers import sign_in_agent
from serve_makers import LAT, LON, make_open_town, send
from territory_makers import TOWN

pytestmark = pytest.mark.django_db
ORDERS, VISITS = "/agent/interventions/", "/agent/passages/"


@pytest.fixture
def town(settings: Any, tmp_path: Any) -> str:
    settings.STRONG_AUTH, settings.DATA_DIR = False, tmp_path
    return make_open_town(use_cases=("1-01", "5-09", "7-19"))


@pytest.fixture
def crew(town: str) -> tuple[Client, Viewer]:
    """An agent of the roads and of cleanliness."""
    return sign_in_agent("voirie", "proprete")


def test_an_order_goes_from_the_report_to_its_cost(crew: tuple[Client, Viewer]) -> None:
    client, me = crew
    hole, tomorrow = send("nid-de-poule"), timezone.localdate() + timedelta(days=1)
    form = {"title": "Reboucher", "instructions": "Enrobé à froid.", "crew": "Équipe nord", "planned_on": str(tomorrow)}
    page = client.post(f"{ORDERS}nouvelle/?signalement={hole.number}", form, follow=True)
    order = page.context["order"]
    assert (order.crew, order.planned_on, order.number) == ("Équipe nord", tomorrow, hole.number)
    assert queries.report(me, hole.number).case.status is Status.SCHEDULED
    planned = client.get(ORDERS, {"equipe": "Équipe nord"})
    assert [day for day, _lines in planned.context["days"]] == [tomorrow]
    done = {"action": "finish", "text": "Rebouché.", "hours": "1,5", "cost": "25,50", "close": "on", "key": "a" * 32}
    page = client.post(f"{ORDERS}{order.id}/", done, follow=True)
    assert (page.context["hours"], page.context["cost"]) == (1.5, 25.5)
    assert queries.report(me, hole.number).case.answer == "Rebouché."
    # The telephone sends it again: it is the same.
    assert client.post(f"{ORDERS}{order.id}/", done).status_code == 302
    assert client.get(ORDERS).context["spent"][0][1:] == (1, 1.5, 25.5)


def test_what_nobody_reported_is_ordered_directly(crew: tuple[Client, Viewer], town: str) -> None:
    client, me = crew
    form = {"category": "intervention-voirie", "lat": str(LAT), "lon": str(LON), "title": "Redresser le panneau"}
    page = client.post(f"{ORDERS}nouvelle/", form, follow=True)
    order = page.context["order"]
    assert order.title == "Redresser le panneau"
    info = queries.report(me, order.number)
    assert (info.case.access, info.case.category) == ("agents", "intervention-voirie")
    assert queries.public_reports(town, at=timezone.now()).total == 0


def test_work_is_ordered_from_the_sheet_of_a_thing_on_the_map(crew: tuple[Client, Viewer]) -> None:
    client, _ = crew
    page = client.get(f"{ORDERS}nouvelle/?lat={LAT}&lon={LON}&objet=lampes/L-12").context["form"]
    shown = {name: page[name].value() for name in ("lat", "lon", "place_object")}
    assert shown == {"lat": str(LAT), "lon": str(LON), "place_object": "lampes/L-12"}
    # What an address says is shown, and judged like the rest when it is sent.
    assert client.get(f"{ORDERS}nouvelle/?lat=ailleurs").status_code == 200


def test_an_order_that_cannot_be_kept_says_why(crew: tuple[Client, Viewer]) -> None:
    client, _ = crew
    assert client.post(f"{ORDERS}nouvelle/", {"title": "Où ?"}).status_code == 400
    hole = send("nid-de-poule")
    client.post(f"{ORDERS}nouvelle/?signalement={hole.number}", {"title": "Reboucher"})
    (order,) = orders.work_orders(crew[1], TOWN)
    assert client.post(f"{ORDERS}{order.id}/", {"action": "finish", "hours": "-1"}).status_code == 400
    client.post(f"{ORDERS}{order.id}/", {"action": "cancel", "reason": "Fait par la métropole."})
    assert client.post(f"{ORDERS}{order.id}/", {"action": "cancel", "reason": "Encore."}).status_code == 400
    assert sign_in_agent("habitat")[0].get(f"{ORDERS}{order.id}/").status_code == 404


def a_contract(**more: str) -> dict[str, str]:
    today = timezone.localdate()
    return {
        "name": "Nettoyage des sanisettes",
        "provider": "Propre et Net",
        "service": "proprete",
        "starts_on": str(today),
        "ends_on": str(today + timedelta(days=30)),
        "promised": "95",
        "visit": "80",
        "penalty": "50",
        "reach_m": "150",
        "places": f"Gare ; {LAT} ; {LON} ; 1234567 ; 0h-23h59\n\nMarché ; {LAT} ; {LON} ; 7",
    } | more


def test_a_contract_is_proved_on_site_and_summed_up_on_paper(crew: tuple[Client, Viewer], town: str) -> None:
    client, me = crew
    assert client.post(f"{VISITS}contrat/", a_contract()).status_code == 302
    (contract,) = visits.contracts(me, town)
    today = timezone.localdate()
    visit = next(one for one in visits.visits(me, town, first=today, last=today) if one.place == "Gare")
    far = client.post(f"{VISITS}{visit.id}/constat/", {"lat": str(LAT + 0.01), "lon": str(LON)}, follow=True)
    assert "m du lieu" in far.content.decode()
    near = client.post(
        f"{VISITS}{visit.id}/constat/", {"lat": f"{LAT}", "lon": f"{LON}", "note": "Propre."}, follow=True
    )
    states = {one.place: state for one, state, _kind in near.context["today"]}
    assert states["Gare"] == "Constaté"
    month = f"{VISITS}contrat/{contract.id}/{today:%Y-%m}/"
    assert "80,00 €" in client.get(month).content.decode()
    paper = client.get(month, {"pdf": ""})
    assert paper.content.startswith(b"%PDF-")
    assert paper.headers["Content-Type"] == "application/pdf"
    assert client.get(f"{VISITS}contrat/{contract.id}/2026-13/").status_code == 409
    assert sign_in_agent("voirie")[0].get(month).status_code == 404


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ("Gare ; 45,01", "2 parties au lieu de cinq"),
        ("Gare ; quarante ; 3 ; 1", "n’est pas un angle"),
        ("Gare ; 45,01 ; 3 ; 1 ; tôt", "heures « tôt » illisibles"),
        ("Gare ; 45,01 ; 3 ; 1 ; 6h-25h", "heures « 6h-25h » illisibles"),
        (f"Gare ; {LAT} ; {LON} ; lundi", "jours ou heures de passage illisibles"),
    ],
)
def test_a_place_that_cannot_be_read_is_told_by_its_line(crew: tuple[Client, Viewer], places: str, said: str) -> None:
    page = crew[0].post(f"{VISITS}contrat/", a_contract(places=places))
    assert page.status_code == 400
    assert said in page.content.decode()
