"""The installed application in a real Chromium: the network cut, a page read again, a new version, a form kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from faces.browser.conftest import PHONE, Site, Watched, until
from faces.portal.small_town import CODE

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

CONTROLLED = "navigator.serviceWorker.controller !== null"
INVITE = "/agent/personnes/inviter/"


@pytest.fixture
def installed(visit: Callable[..., Watched]) -> Page:
    """The home page on a phone, its service worker in charge."""
    page = visit("/", size=PHONE).page
    until(page, CONTROLLED)
    # Its own copy of the page it came after.
    until(page, "caches.match(location.href, {ignoreVary: true}).then(kept => kept !== undefined)")
    return page


def test_without_network_pages_read_before_open_and_say_so(installed: Page, site: Site) -> None:
    installed.goto(f"{site.url}/donnees/{CODE}/arbres/tableau/?tri=-hauteur")
    # The page is there before its copy is.
    until(installed, "caches.match(location.href, {ignoreVary: true}).then(kept => kept !== undefined)")
    installed.context.set_offline(True)
    installed.reload()
    expect(installed.locator("table")).to_contain_text("Arbre")
    expect(installed.locator(".kept")).to_contain_text("Sans réseau : cette page a été gardée le")
    assert installed.evaluate("getComputedStyle(document.body).display") == "flex", "styles are kept too"
    installed.goto(f"{site.url}/")
    expect(installed.locator("h1")).to_have_text("Bourg-l’Essai")


def test_without_network_urgent_numbers_open_though_never_read(installed: Page, site: Site) -> None:
    installed.context.set_offline(True)
    installed.goto(f"{site.url}/urgences/")
    expect(installed.get_by_role("link", name="115")).to_have_attribute("href", "tel:115")


def test_without_network_other_pages_say_what_opens(installed: Page, site: Site) -> None:
    installed.context.set_offline(True)
    installed.goto(f"{site.url}/mentions-legales/")
    expect(installed.locator("h1")).to_contain_text("Pas de réseau")
    installed.context.set_offline(False)
    installed.goto(f"{site.url}/mentions-legales/")
    expect(installed.locator("h1")).to_have_text("Mentions légales")


def test_what_an_agent_reads_is_not_left_on_the_device(visit: Callable[..., Watched], site: Site) -> None:
    page = visit("/", sign_in=site.agent).page
    until(page, CONTROLLED)
    page.goto(f"{site.url}/donnees/{CODE}/astreintes/tableau/")
    page.goto(f"{site.url}/agent/")
    page.context.set_offline(True)
    for address in (f"/donnees/{CODE}/astreintes/tableau/", "/agent/"):
        page.goto(site.url + address)
        expect(page.locator("h1")).to_contain_text("Pas de réseau")


def test_a_new_version_waits_and_a_form_in_progress_is_kept(visit: Callable[..., Watched], site: Site) -> None:
    """The commune changes its colours: the shell is another. Each page learns of it, and nothing typed is lost.

    What no draft holds (a report) is not offered to be read again, even once another page has taken the new version.
    """
    page = visit(INVITE, sign_in=site.agent, maps=False).page
    until(page, CONTROLLED)
    page.fill("input[name=name]", "Lucie Martin")
    report = page.context.new_page()
    report.goto(f"{site.url}/signaler/")
    report.wait_for_selector("form[data-ready=yes]")
    report.fill("input[name=address]", "Devant le lavoir")
    dress(visit, site, house=False)
    try:
        page.evaluate("navigator.serviceWorker.ready.then(one => one.update()).then(() => undefined)")
        page.wait_for_selector(".toast >> text=nouvelle version")
        name = page.locator("input[name=name]")
        expect(name).to_have_value("Lucie Martin")
        report.wait_for_selector(".toast >> text=après ce formulaire")
        expect(report.get_by_role("button", name="Recharger")).to_have_count(0)
        with page.expect_navigation():
            page.get_by_role("button", name="Recharger").click()
        until(page, "document.querySelector('link[href*=\"commune.css\"]') !== null")
        expect(name).to_have_value("Lucie Martin")
        expect(page.locator("[data-draft-note]")).to_be_visible()
        expect(report.locator("input[name=address]")).to_have_value("Devant le lavoir")
        report.goto(f"{site.url}/services/")
        until(report, "document.querySelector('link[href*=\"commune.css\"]') !== null")
        page.get_by_role("button", name="Tout effacer et recommencer").click()
        expect(name).to_have_value("")
    finally:
        dress(visit, site, house=True)


def dress(visit: Callable[..., Watched], site: Site, *, house: bool) -> None:
    page = visit("/agent/couleurs/", sign_in=site.agent).page
    page.fill("input[name=colour]", "#7a1f5c")
    page.set_checked("input[name=house]", house)
    with page.expect_navigation():
        page.get_by_role("button", name="Porter ces couleurs").click()
    page.context.close()


def test_a_form_sent_without_network_is_still_there(visit: Callable[..., Watched], site: Site) -> None:
    page = visit(INVITE, sign_in=site.agent).page
    until(page, CONTROLLED)
    page.fill("input[name=name]", "Nadia Belkacem")
    page.context.set_offline(True)
    with page.expect_navigation():
        page.get_by_role("button", name="Envoyer l’invitation").click()
    page.context.set_offline(False)
    page.goto(site.url + INVITE)
    expect(page.locator("input[name=name]")).to_have_value("Nadia Belkacem")


def test_the_application_can_be_installed(installed: Page) -> None:
    session = installed.context.new_cdp_session(installed)
    found = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # The windows of the tests are private ones, where nothing can be installed.
    assert [one["errorId"] for one in found if one["errorId"] != "in-incognito"] == []
    parsed = session.send("Page.getAppManifest")
    assert parsed["errors"] == []
    assert "Bourg-l’Essai" in parsed["data"]
