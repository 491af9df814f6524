"""1-06, triage: duplicates by distance, category and time; a queue per service; limits on who sends too much."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.serve.cases.definition import Requester
from beffroi.serve.reports.abuse import ProofNeeded, sender_of
from beffroi.serve.reports.intake import Submission, file_report
from desk_makers import QUEUE, act, sign_in_agent
from faces.browser.conftest import Site, Watched, until
from faces.portal.small_town import SOUTH, WEST
from serve_makers import LAT, LON, make_open_town, send
from territory_makers import AT, TOWN

METRE = 1 / 111_195


@pytest.fixture
def town(settings: Any, tmp_path: Any) -> str:
    settings.STRONG_AUTH, settings.DATA_DIR = False, tmp_path
    return make_open_town(use_cases=("1-01", "1-06"))


def proposed(client: Client, number: str) -> list[str]:
    return [one.report.number for one in client.get(f"{QUEUE}{number}/").context["similar"]]


@pytest.mark.django_db
def test_duplicates_are_proposed_on_distance_category_and_time(town: str) -> None:
    client, _ = sign_in_agent("proprete", "voirie")
    dump = send("depot-sauvage")
    near = send("depot-sauvage", lat=LAT + 20 * METRE, hours=1)
    far = send("depot-sauvage", lat=LAT + 400 * METRE, hours=1)
    hole = send("nid-de-poule", hours=1, description="Un trou devant le passage.")
    late = send("depot-sauvage", hours=24 * 300)
    order = proposed(client, near.number)
    assert order[0] == dump.number
    assert not {far.number, hole.number} & set(order)
    # As near and as alike, but ten months later: it comes after.
    assert order.index(dump.number) < order.index(late.number)
    act(client, near.number, "joindre", into=dump.number)
    assert near.number not in proposed(client, dump.number)


@pytest.mark.django_db
def test_each_service_has_its_queue(town: str) -> None:
    dump, hole = send("depot-sauvage"), send("nid-de-poule")
    for service, number in (("proprete", dump.number), ("voirie", hole.number)):
        page = sign_in_agent(service)[0].get(QUEUE)
        assert [row.info.number for row in page.context["rows"]] == [number]


@pytest.mark.django_db
def test_one_device_cannot_flood_the_town(town: str) -> None:
    flood = sender_of(device="même-appareil", address="203.0.113.7", at=AT)

    def once(n: int) -> None:
        submission = Submission("depot-sauvage", LON, LAT, description=f"Dépôt numéro {n}")
        file_report(territory=TOWN, submission=submission, requester=Requester(), viewer=ANONYMOUS, at=AT, sender=flood)

    for n in range(5):
        once(n)
    with pytest.raises(ProofNeeded):
        once(6)


@pytest.mark.django_db
def test_the_back_office_answers_at_once(town: str) -> None:
    """What the team does is on the reporter's page with the next look: no copy, no delay."""
    client, _ = sign_in_agent("proprete")
    sent = send("depot-sauvage")
    act(client, sent.number, "prendre", text="Une équipe part.", publish="on")
    assert "Une équipe part." in Client().get(f"/signalements/{sent.number}/").content.decode()


@pytest.mark.django_db
def test_one_act_leads_to_the_next_of_the_queue_as_filtered(town: str) -> None:
    client, _ = sign_in_agent("proprete")
    first, second, third = (send("depot-sauvage", hours=hour).number for hour in range(3))
    query = "categorie=depot-sauvage"
    page = client.post(f"{QUEUE}{first}/clore/?{query}", {"outcome": "done", "reason": "Ramassé.", "then": "next"})
    onward = client.get(page["Location"])
    assert onward["Location"] == f"{QUEUE}{second}/?{query}"
    page = client.post(f"{QUEUE}{second}/prendre/", {"then": "next"}, follow=True)
    assert page.redirect_chain[-1][0].rstrip("?") == f"{QUEUE}{third}/"
    # What cannot be done stays where it is, with what was typed.
    assert client.post(f"{QUEUE}{third}/clore/", {"outcome": "done", "reason": "", "then": "next"}).status_code == 400


@pytest.mark.chromium
@pytest.mark.slow
def test_an_agent_goes_through_her_queue_by_keyboard_alone(visit: Callable[..., Watched], site: Site) -> None:
    page = visit("/agent/", sign_in=site.crew).page
    marked = {
        "X-CSRFToken": page.request.get(f"{site.url}/signaler/jeton/").json()["token"],
        "Accept": "application/json",
    }
    for n in range(2):
        place = {"category": "plaque-egout", "lat": str(SOUTH + 0.0096), "lon": str(WEST + 0.009 + n * 0.003)}
        sent = page.request.post(f"{site.url}/signaler/envoi/", form=place | {"key": f"{n}" * 32}, headers=marked)
        assert sent.status == 201, sent.text()
    page.goto(f"{site.url}/agent/signalements/?categorie=plaque-egout")
    keys = page.keyboard
    keys.press("j")
    until(page, "document.activeElement.closest('tr[aria-selected=true]') !== null")
    keys.press("Enter")
    until(page, "document.querySelector('#clore') !== null && document.readyState === 'complete'")
    first = page.url
    keys.press("c")
    page.locator("#clore[open] textarea").wait_for()
    page.focus("#clore textarea")
    keys.type("Réparée.")
    with page.expect_navigation():
        keys.press("Control+Enter")
    expect(page).not_to_have_url(first)
    expect(page).to_have_url(re.compile(r"\?categorie=plaque-egout$"))
    keys.press("a")
    until(page, "document.activeElement.closest('#prendre') !== null")
    with page.expect_navigation():
        keys.press("Control+Enter")
    expect(page.locator("main")).to_contain_text("C’était le dernier de la file.")
