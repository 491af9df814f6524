"""Suggestions as one types: by keyboard, told to screen readers, harmless when the network is gone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from faces.browser.conftest import PHONE, Site, Watched, until
from faces.browser.test_accessible_pages import axe_violations
from faces.browser.test_accessible_pages import visit_with_axe as visit_with_axe

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
WITHOUT_WORKER = True

OPEN = "document.querySelector('[role=combobox]').getAttribute('aria-expanded') === 'true'"


def type_at_once(page: Page, text: str) -> None:
    """Type faster than the page asks: what is proposed is for the whole text, not for its beginning."""
    page.keyboard.insert_text(text)


def test_the_search_box_suggests_and_goes_there(visit_with_axe: Callable[..., Watched], site: Site) -> None:
    watched = visit_with_axe("/", size=PHONE)
    page = watched.page
    page.focus("#recherche")
    type_at_once(page, "fouri")
    until(page, OPEN)
    options = page.locator("[role=option]")
    expect(options.filter(has_text="Fourrière du Bas").first).to_be_visible()
    expect(page.locator("form[role=search] [role=status]")).to_have_text(re.compile(rf"\D{options.count()}$"))
    assert axe_violations(page) == []
    page.keyboard.press("Escape")
    until(page, f"!({OPEN})")
    page.keyboard.press("ArrowDown")
    until(page, OPEN)
    page.keyboard.press("ArrowDown")
    active = "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))"
    until(page, f"{active}?.ariaSelected === 'true'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/fiche/**")
    assert (watched.complaints, watched.strangers) == ([], [])


def test_the_address_field_keeps_the_place_chosen_and_the_device_remembers_it(visit: Callable[..., Watched]) -> None:
    page = visit("/autour/").page
    page.focus("#id_ou")
    type_at_once(page, "12 grnade")
    until(page, "!!document.querySelector('[role=option]')")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    field, lon = page.locator("#id_ou"), page.locator("[data-part=lon]")
    expect(field).to_have_value("12 Grande Rue 00100 Bourg-l’Essai")
    expect(lon).to_have_value("3.0032")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("h2", has_text="Autour de 12 Grande Rue")).to_have_count(1)
    page.goto(page.url.partition("?")[0])
    expect(field).to_have_value("12 Grande Rue 00100 Bourg-l’Essai")
    # Typing something else forgets the place: it is no longer that of the text.
    page.fill("#id_ou", "rue")
    expect(lon).to_have_value("")


def test_without_javascript_the_server_proposes(visit: Callable[..., Watched]) -> None:
    page = visit("/autour/", javascript=False).page
    page.fill("#id_ou", "rue")
    page.click("main button[type=submit]")
    page.check("text=Rue du Beffroi")
    page.click("main button[type=submit]")
    expect(page.locator("h2", has_text="Autour de Rue du Beffroi")).to_have_count(1)


def test_a_search_goes_on_when_suggestions_do_not_come(visit: Callable[..., Watched]) -> None:
    page = visit("/").page
    page.route("**/api/search**", lambda route: route.abort())
    page.focus("#recherche")
    page.keyboard.type("fourriere")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("h3", has_text="Fourrière du Bas")).to_have_count(1)
