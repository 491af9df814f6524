"""1-01, « photo + position + category in three steps, works offline, routed to a service, followed to closure »."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page, expect

from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Outcome
from beffroi.serve.reports.operations import close_report
from faces.browser.conftest import NARROW, PHONE, Site, Watched, until, until_seen
from faces.portal.reports.test_filing import HERE, HOLE, SEND, picture, shown, walk
from faces.portal.small_town import SOUTH, WEST
from serve_makers import agent_of, photo

KEPT = "[data-outbox-list] li"


@pytest.mark.django_db
def test_it_is_found_from_the_home_page_and_its_service(reporting_town: str, client: Client) -> None:
    assert 'href="/signaler/"' in client.get("/").content.decode()
    assert 'href="/signaler/1-01/"' in client.get("/services/1-01/").content.decode()
    assert client.get("/signaler/1-01/").status_code == 200


@pytest.mark.django_db
def test_it_is_routed_followed_closed_and_told_back_to_its_author(reporting_town: str, client: Client) -> None:
    sent = walk(client, HERE, HOLE, {"description": "Un trou.", "photo": picture()}, SEND)["Location"].split("?")[0]
    number = client.get(sent).context["info"].number
    agent, now = agent_of("voirie", town=reporting_town), timezone.now()
    assert "Un trou." not in client.get(f"/signalements/{number}/").content.decode()
    cases.write_to_parties(number=number, text="De quel côté ?", by=agent, at=now, ask=True)
    assert "Répondre au service" in shown(client.get(sent))
    assert client.post(sent, {"do": "write", "text": "Côté pair."}).status_code == 302
    assert "Vous écrit" in shown(client.get(sent))
    assert "Côté pair." not in client.get(f"/signalements/{number}/").content.decode()
    close_report(number=number, outcome=Outcome.DONE, reason="Rebouché.", by=agent, at=now, photos=(photo(),))
    page = client.get(sent)
    assert "Rebouché." in shown(page)
    assert [one.from_service for one in page.context["photos"]] == [False, True]
    image = client.get(f"{sent}photo/{page.context['photos'][1].id}/?petite")
    assert b"".join(image).startswith(b"\xff\xd8")  # type: ignore[arg-type]
    assert client.post(sent, {"do": "reopen", "reason": ""}).status_code == 400
    assert client.post(sent, {"do": "reopen", "reason": "Il s’est rouvert."}).status_code == 302
    assert "Pris en charge" in shown(client.get(sent))
    assert client.post(sent, {"do": "withdraw", "reason": "Réglé."}).status_code == 302
    assert "Retiré par son auteur" in shown(client.get(f"/signalements/{number}/"))
    assert client.post(sent, {"do": "explode"}).status_code == 400


@pytest.mark.django_db
def test_a_passer_by_follows_and_sees_nothing_of_the_others(reporting_town: str, client: Client) -> None:
    sent = walk(client, HERE, HOLE, {"email": "camille@exemple.fr"}, SEND | {"email": "camille@exemple.fr"})
    number = client.get(sent["Location"]).context["info"].number
    passer_by = Client()
    followed = passer_by.post(f"/signalements/{number}/", {"do": "follow", "email": "zoe@exemple.fr"})
    page = passer_by.get(followed["Location"])
    assert "zoe@exemple.fr" in shown(page)
    assert "camille@exemple.fr" not in page.content.decode()
    assert page.context["info"].reporters == 2
    assert not page.context["may_withdraw"]
    refused = passer_by.post(followed["Location"], {"do": "withdraw", "reason": "Non"})
    assert refused.status_code == 403
    assert "Seul son auteur" in shown(refused)
    told = passer_by.post(followed["Location"], {"do": "tell"})
    assert told.status_code == 302
    assert "Me prévenir de la suite" in shown(passer_by.get(followed["Location"]))


@pytest.mark.django_db
def test_the_list_and_the_map_say_what_everyone_may_know(reporting_town: str, client: Client) -> None:
    sent = walk(client, HERE, HOLE, {"description": "Un trou."}, SEND)["Location"]
    number = client.get(sent).context["info"].number
    for query in ("", "?etat=open", "?categorie=nid-de-poule&age=7", f"?q={number}", "?lon=3,0045&lat=45,0092"):
        page = client.get(f"/signalements/{query}")
        assert number in shown(page), query
        assert "Un trou." not in shown(page)
    for query in ("?etat=closed", "?categorie=fontaine", "?q=licorne", "?lon=3.015&lat=45.018"):
        assert number not in shown(client.get(f"/signalements/{query}")), query
    (point,) = client.get("/signalements/carte.geojson?bbox=3,45,3.01,45.02").json()["features"]
    assert point["properties"]["url"] == f"/signalements/{number}/"
    assert client.get("/signalements/carte.geojson?bbox=3.01,45,3.02,45.02").json()["features"] == []
    fragment = client.get(f"/signalements/{number}/?fragment").content.decode()
    assert fragment.strip().startswith("<article")
    # An agent reads there what everyone reads: her own face shows the rest.
    assert "signalements" in [one["id"] for one in _overlays(client.get("/carte/"))]


def _overlays(answer: Any) -> list[dict[str, Any]]:
    import json

    return json.loads(answer.context["config"])["overlays"]


# --- In a real Chromium -----------------------------------------------------------------------------------------------

GPS = {"geolocation": {"longitude": WEST + 0.0095, "latitude": SOUTH + 0.0096}, "permissions": ["geolocation"]}
CONTROLLED = "navigator.serviceWorker.controller !== null"


def snapshot(size: tuple[int, int]) -> dict[str, Any]:
    """A photo as a telephone takes it, telling where it was."""
    picture, out = Image.effect_noise(size, 60).convert("RGB"), io.BytesIO()
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (45.0, 0.0, 34.0)}
    picture.save(out, "JPEG", exif=exif)
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def fill_in(page: Page, words: str, photo: tuple[int, int] = (640, 480)) -> int:
    """Fill in the form as a newcomer does, up to the last button; return how many times she touched the screen."""
    page.wait_for_selector("form[data-ready=yes]")
    page.click("[data-here]")
    # Who is told that the device was not found presses again: it has ten seconds to answer.
    lost = "document.querySelector('[data-here-status]').textContent === one.dataset.lost"
    again = f"{{ const one = document.querySelector('[data-here]'); if ({lost}) one.click(); }}"
    until_seen(
        page,
        lambda: page.evaluate("document.querySelector('[name=lat]').value !== ''"),
        "the position of the device",
        after=lambda: page.evaluate(again),
    )
    page.click("[data-step=where] [value=next]")
    page.click("[data-step=what] [value=depot-sauvage] >> nth=0")
    page.set_input_files("#photos", [snapshot(photo)])
    page.wait_for_selector("[data-shots] img")
    page.fill("textarea[name=description]", words)
    page.click("[data-step=details] [value=next]")
    # Position, continue, category, photo (two touches: the field, the shutter), words, continue, send.
    return 8


@pytest.mark.chromium
@pytest.mark.slow
def test_a_newcomer_sends_a_masked_photo_in_eight_touches(visit: Callable[..., Watched], site: Site) -> None:
    watched = visit("/signaler/", size=PHONE, has_touch=True, **GPS)
    page = watched.page
    # Large, as they are: it is made smaller on the telephone.
    assert fill_in(page, "Trois sacs éventrés.", (2600, 1800)) <= 8
    page.go_back()
    page.click("[data-shots] button >> nth=0")
    page.wait_for_selector("dialog[open] canvas")
    canvas = page.locator("dialog canvas")
    before = canvas.evaluate("one => one.toDataURL()")
    canvas.focus()
    for key in ("ArrowLeft", "ArrowUp", "+", "Enter"):
        page.keyboard.press(key)
    until_seen(page, lambda: canvas.evaluate("one => one.toDataURL()") != before, "what the keyboard hid")
    framed = canvas.evaluate("one => one.toDataURL()")
    # And by a finger that slides over a face.
    box = canvas.bounding_box() or {}
    finger = page.context.new_cdp_session(page)
    for kind, at in (("touchStart", 0.3), ("touchMove", 0.5), ("touchMove", 0.7), ("touchEnd", None)):
        points = [] if at is None else [{"x": box["x"] + at * box["width"], "y": box["y"] + 0.7 * box["height"]}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    drawn_now = "document.querySelector('dialog canvas').toDataURL()"
    until_seen(page, lambda: page.evaluate(drawn_now) != framed, "what the finger hid")
    painted = page.evaluate(drawn_now)
    page.click("[data-blur-act=undo]")
    until_seen(page, lambda: page.evaluate(drawn_now) != painted, "what was hidden, again")
    page.click("[data-blur-act=close]")
    page.click("[data-step=details] [value=next]")
    expect(page.locator("[data-summary]")).to_contain_text("Trois sacs éventrés.")
    page.click("[data-step=check] [value=send]")
    page.wait_for_url("**/suivi/**")
    expect(page.locator("main")).to_contain_text("C’est envoyé")
    image = page.request.get(f"{site.url}{page.get_attribute('.shots a', 'href')}")
    drawn = Image.open(io.BytesIO(image.body()))
    assert max(drawn.size) == 2048
    assert not drawn.getexif()
    assert watched.complaints == []
    assert watched.strangers == []


@pytest.mark.chromium
@pytest.mark.slow
def test_without_network_it_is_kept_and_sent_once(visit: Callable[..., Watched], site: Site) -> None:
    """The network cut while one writes, the page closed, the server restarted: one report, with its photo."""
    page = visit("/signaler/", size=PHONE, maps=False, **GPS).page
    # The browser's own sync would send from behind, by a network that Playwright does not cut.
    page.context.add_init_script("delete ServiceWorkerRegistration.prototype.sync")
    until(page, CONTROLLED)
    until(page, "caches.match('/signaler/', {ignoreVary: true}).then(kept => kept !== undefined)")
    page.reload()
    page.wait_for_selector("form[data-ready=yes]")
    context = page.context
    context.set_offline(True)
    page.reload()
    fill_in(page, "Envoyé hors réseau, une fois.")
    page.click("[data-step=check] [value=send]")
    page.wait_for_selector(f"{KEPT}[data-state=waiting] >> text=en attente du réseau")
    page.close()
    site.restart()
    later = context.new_page()
    later.goto(f"{site.url}/signaler/envois/")
    later.wait_for_selector(f"{KEPT} >> text=en attente du réseau")
    # Two tabs find the network again at the same instant.
    twin = context.new_page()
    twin.goto(f"{site.url}/signaler/")
    context.set_offline(False)
    for one in (later, twin):
        one.evaluate("dispatchEvent(new Event('online'))")
    later.wait_for_selector(f"{KEPT}[data-state=sent]")
    said = later.inner_text("[data-outbox]")
    assert "envoyé n° " in said
    later.click(f"{KEPT} a")
    later.wait_for_url("**/suivi/**")
    expect(later.locator(".shots img")).to_have_count(1)
    number = said.split("n° ")[1].split()[0]
    listed = later.request.get(f"{site.url}/signalements/?categorie=depot-sauvage").text()
    assert listed.count(f">{number}<") + listed.count(f"· {number}") == 1
    later.goto(f"{site.url}/signaler/envois/")
    later.click(f"{KEPT} button")
    until(later, "document.querySelector('[data-outbox]').hidden")


@pytest.mark.chromium
@pytest.mark.slow
def test_a_browser_that_keeps_nothing_still_sends(visit: Callable[..., Watched], site: Site) -> None:
    """No room left on the phone, or a window that refuses to store: it is said, and sent once the network is there."""
    page = visit("/signaler/", size=NARROW, maps=False, **GPS).page
    refuse = "IDBFactory.prototype.open = () => { throw new DOMException('no room', 'QuotaExceededError'); }"
    page.context.add_init_script(refuse)
    page.reload()
    fill_in(page, "Rien n’est gardé sur ce téléphone.")
    page.context.set_offline(True)
    page.click("[data-step=check] [value=send]")
    expect(page.locator("p[data-sending]")).to_contain_text("laissez cette page ouverte")
    page.context.set_offline(False)
    page.click("[data-step=check] [value=send]")
    page.wait_for_url("**/suivi/**")


@pytest.mark.chromium
@pytest.mark.slow
def test_what_the_town_refuses_is_mended_and_sent(visit: Callable[..., Watched], site: Site) -> None:
    page = visit(
        "/signaler/", size=NARROW, maps=False, **GPS | {"geolocation": {"longitude": 2.35, "latitude": 48.85}}
    ).page
    fill_in(page, "Trop loin.")
    page.click("[data-step=check] [value=send]")
    problem = page.locator("[data-step=where] [data-problem]")
    expect(problem).to_contain_text("loin de la commune")
    for name, value in (("lat", "45.0096"), ("lon", "3.0095")):
        page.evaluate("([name, value]) => { document.querySelector(`[name=${name}]`).value = value; }", [name, value])
    page.click("[data-step=where] [value=next]")
    expect(page.locator("textarea[name=description]")).to_have_value("Trop loin.")
    page.click("[data-step=details] [value=next]")
    page.click("[data-step=check] [value=send]")
    page.wait_for_url("**/suivi/**")


@pytest.mark.chromium
@pytest.mark.slow
def test_by_keyboard_alone(visit: Callable[..., Watched]) -> None:
    page = visit("/signaler/", maps=False).page
    page.wait_for_selector("form[data-ready=yes]")
    page.focus("[name=address]")
    # At once: what is proposed is for the whole of it.
    page.keyboard.insert_text("12 rue de l’église")
    page.wait_for_selector("[role=option]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('[name=lat]').value !== ''")
    page.focus("[data-step=where] [value=next]")
    page.keyboard.press("Enter")
    until(page, "document.activeElement.textContent === 'Qu’est-ce que c’est ?'")
    page.keyboard.press("Tab")
    page.keyboard.type("tag")
    found = page.locator("[data-step=what] [data-words]:visible")
    until_seen(page, lambda: found.count() < 6, "the few kinds that « tag » means")
    page.focus("[data-step=what] li:not([hidden]) [value=tag-graffiti] >> visible=true")
    page.keyboard.press("Enter")
    until(page, "document.activeElement.textContent === 'Tag ou graffiti'")
    page.focus("[data-step=details] [value=next]")
    page.keyboard.press("Enter")
    page.focus("[data-step=check] [value=send]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/suivi/**")
