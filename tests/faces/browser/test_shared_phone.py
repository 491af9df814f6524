"""What waits on a phone that several people share: sent under whom it was written, or not before someone says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from faces.browser.conftest import PASSWORD, PHONE, Site, Watched, until
from faces.portal.small_town import SOUTH, WEST

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
KEPT = "[data-outbox-list] li"


def change_hands(page: Page) -> None:
    """Sign out and close the page before the network is back: nobody sends anything in between.

    Left open, the page asks at once for the mark of a sending, without a cookie: answered after the form of the next
    sign-in was, its cookie takes the place of that form's, which is then refused.
    """
    page.goto("about:blank")
    page.context.clear_cookies()
    page.context.set_offline(False)


def sign(page: Page, site: Site, email: str) -> None:
    page.goto(f"{site.url}/compte/login/")
    page.fill("input[type=email]", email)
    page.fill("input[type=password]", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "/compte/login/" not in page.url, page.inner_text("main")


def test_what_one_wrote_is_not_sent_under_another_account(visit: Callable[..., Watched], site: Site) -> None:
    page = visit("/signaler/", size=PHONE, maps=False, sign_in=site.agent).page
    page.context.add_init_script("delete ServiceWorkerRegistration.prototype.sync")
    page.reload()
    page.wait_for_selector("form[data-ready=yes]")
    until(page, "localStorage.getItem('beffroi-qui') !== null")
    for name, value in (("lat", f"{SOUTH + 0.0096:.5f}"), ("lon", f"{WEST + 0.009:.5f}")):
        page.evaluate("([name, value]) => { document.querySelector(`[name=${name}]`).value = value; }", [name, value])
    page.click("[data-step=where] [value=next]")
    page.click("[data-step=what] [value=depot-sauvage] >> nth=0")
    page.click("[data-step=details] [value=next]")
    page.context.set_offline(True)
    page.click("[data-step=check] [value=send]")
    page.wait_for_selector(".notice.success")
    change_hands(page)
    sign(page, site, site.elected)
    page.goto(f"{site.url}/signaler/envois/")
    page.wait_for_selector(f"{KEPT}[data-state=other] >> text=écrit sous un autre compte")
    page.reload()
    page.wait_for_selector(f"{KEPT}[data-state=other]")
    page.get_by_role("button", name="Envoyer sous le compte de").click()
    page.wait_for_selector(f"{KEPT}[data-state=sent]")
    page.goto(f"{site.url}/mes-demandes/")
    expect(page.locator("main")).to_contain_text("Mes signalements")


def test_what_a_crew_did_is_not_sent_under_the_next_account(visit: Callable[..., Watched], site: Site) -> None:
    page = visit("/agent/", size=PHONE, sign_in=site.crew).page
    page.context.add_init_script("delete ServiceWorkerRegistration.prototype.sync")
    page.goto(f"{site.url}/agent/tournee/")
    line = page.locator("li", has=page.get_by_text("Reboucher le trou", exact=True))
    line.locator("summary").click()
    line.get_by_label("Ce qui a été fait").fill("Rebouché.")
    line.get_by_label("Temps passé").fill("1")
    page.context.set_offline(True)
    line.get_by_role("button", name="Envoyer le compte rendu").click()
    page.wait_for_selector("[data-field-state] >> text=Gardé sur cet appareil")
    change_hands(page)
    sign(page, site, site.agent)
    page.goto(f"{site.url}/agent/tournee/")
    page.wait_for_selector(f"{KEPT}[data-state=other] >> text=écrit sous un autre compte")
    page.get_by_role("button", name="Envoyer sous le compte de").wait_for()
    # The crew is back on its phone: what it did goes by itself, once, under its own name.
    change_hands(page)
    sign(page, site, site.crew)
    page.goto(f"{site.url}/agent/tournee/")
    page.wait_for_selector(f"{KEPT}[data-state=sent]")
