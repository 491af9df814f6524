"""7-19, an intervention asked for inside the town hall: a request, a work order, its time and its cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from beffroi.serve.cases.definition import Status
from beffroi.serve.reports import orders, queries
from desk_makers import sign_in_agent
from faces.browser.conftest import PHONE, Site, Watched, until
from faces.portal.small_town import SOUTH, WEST
from serve_makers import LAT, LON, make_open_town, photo
from territory_makers import TOWN

ROUND = "/agent/tournee/"


@pytest.fixture
def town(settings: Any, tmp_path: Any) -> str:
    settings.STRONG_AUTH, settings.DATA_DIR = False, tmp_path
    return make_open_town(use_cases=("7-19",))


@pytest.mark.django_db
def test_an_internal_request_becomes_a_work_order_with_time_and_cost(town: str) -> None:
    client, me = sign_in_agent("voirie")
    form = {
        "category": "intervention-batiment",
        "lat": str(LAT),
        "lon": str(LON),
        "title": "Réparer la porte du gymnase",
        "crew": "Serrurerie",
        "planned_on": str(timezone.localdate()),
    }
    order = client.post("/agent/interventions/nouvelle/", form, follow=True).context["order"]
    assert queries.report(me, order.number).case.status is Status.SCHEDULED
    assert "Interventions du jour" in client.get("/agent/").content.decode()
    done = {"action": "finish", "text": "Gond changé.", "hours": "1.5", "cost": "42", "close": "on"}
    client.post(f"/agent/interventions/{order.id}/", done)
    found = orders.work_order(me, order.id)
    assert (found.state, found.minutes, found.cost_cents) == ("done", 90, 4200)
    assert queries.report(me, order.number).case.status is Status.CLOSED
    # It is the town's own business.
    assert Client().get(f"/signalements/{order.number}/").status_code == 404
    assert orders.costs(me, TOWN, since=timezone.localdate(), until=timezone.localdate()) == [("voirie", 1, 90, 4200)]


@pytest.mark.django_db
def test_a_phone_says_late_and_twice_what_was_done_once(town: str) -> None:
    client, me = sign_in_agent("voirie")
    form = {"category": "intervention-voirie", "lat": str(LAT), "lon": str(LON), "title": "Redresser"}
    order = client.post("/agent/interventions/nouvelle/", form, follow=True).context["order"]
    page = client.get(ROUND)
    assert page["X-Beffroi-Keep"] == "day"
    assert f'data-field="/agent/interventions/{order.id}/envoi/"' in page.content.decode()
    when = timezone.now() - timedelta(hours=5)
    done = {"text": "Redressé.", "hours": "0,5", "close": "on", "key": "b" * 32, "done_at": when.isoformat()}
    address = f"/agent/interventions/{order.id}/envoi/"
    answers = [
        client.post(address, done | {"photo": SimpleUploadedFile("p.jpg", photo().content, "image/jpeg")})
        for _ in range(2)
    ]
    assert [one.status_code for one in answers] == [201, 201]
    assert (
        answers[0].json() == answers[1].json() == {"number": order.number, "url": f"/agent/interventions/{order.id}/"}
    )
    found = orders.work_order(me, order.id)
    assert (found.done_at, found.minutes) == (when, 30)
    assert len(queries.report(me, order.number).photos) == 1
    assert order.title not in client.get(ROUND).content.decode()
    other = client.post(address, done | {"key": "c" * 32})
    assert (other.status_code, "déjà faite" in other.json()["title"]) == (409, True)
    assert client.post(address, done | {"hours": "x"}).json()["where"] == "hours"
    assert client.post("/agent/interventions/999/envoi/", done).status_code == 404
    assert sign_in_agent("habitat")[0].post(address, done).status_code == 404


@pytest.mark.chromium
@pytest.mark.slow
def test_a_crew_without_network_says_what_is_done_and_it_is_sent_once(
    visit: Callable[..., Watched], site: Site
) -> None:
    here = {"latitude": SOUTH + 0.0096, "longitude": WEST + 0.009}
    page = visit("/agent/", size=PHONE, sign_in=site.crew, geolocation=here, permissions=["geolocation"]).page
    until(page, "navigator.serviceWorker.controller !== null")
    page.goto(site.url + ROUND)
    until(page, "caches.open('day').then(day => day.keys()).then(kept => kept.length > 0)")
    page.context.set_offline(True)
    page.reload()
    expect(page.locator(".kept")).to_contain_text("Sans réseau")
    line = page.locator("li", has=page.get_by_text("Redresser le panneau", exact=True))
    line.locator("summary").click()
    line.get_by_label("Ce qui a été fait").fill("Redressé.")
    line.get_by_label("Temps passé").fill("0,75")
    line.get_by_label("Fournitures").fill("12,50")
    line.locator("input[type=file]").set_input_files(
        {"name": "apres.jpg", "mimeType": "image/jpeg", "buffer": photo(size=(640, 480)).content}
    )
    line.get_by_role("button", name="Envoyer le compte rendu").click()
    waits = "Gardé sur cet appareil"
    page.wait_for_selector(f"[data-field-state] >> text={waits}")
    proof = page.locator("li", has=page.get_by_text("Gare", exact=True))
    proof.get_by_role("button", name="Constater sur place").click()
    page.wait_for_selector(f"li:has-text('Gare') [data-field-state] >> text={waits}")
    # The page closed and opened again, still without network: nothing is lost, nothing is asked twice.
    page.reload()
    page.wait_for_selector(f"[data-field-state] >> text={waits}")
    expect(line.locator("form")).to_be_hidden()
    page.context.set_offline(False)
    page.wait_for_selector("li:has-text('Redresser') [data-field-state] >> text=Envoyé")
    page.wait_for_selector("li:has-text('Gare') [data-field-state] >> text=Envoyé")
    page.goto(f"{site.url}/agent/interventions/")
    done = page.locator("section", has_text="Faites depuis deux semaines")
    expect(done.get_by_text("Redresser le panneau")).to_have_count(1)
    done.get_by_text("Redresser le panneau").click()
    told = page.locator("dl.facts").first
    expect(told).to_contain_text("0,75 h")
    expect(told).to_contain_text("12,50 €")
    page.goto(f"{site.url}/agent/passages/")
    expect(page.locator("li", has_text="Gare").first).to_contain_text("à 0 m")
    # Signed out, the day is no longer on the device.
    page.goto(f"{site.url}/compte/logout/")
    page.locator("main form button[type=submit]").first.click()
    until(page, "caches.has('day').then(one => !one)")
