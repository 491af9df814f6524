"""Suggestions as one types: by keyboard, told to screen readers, harmless when the network is gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faces.browser.conftest import PHONE, Site, Watched, until
from faces.browser.test_accessible_pages import axe_violations
from faces.browser.test_accessible_pages import visit_with_axe as visit_with_axe

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

OPEN = "document.querySelector('[role=combobox]').getAttribute('aria-expanded') === 'true'"


def test_the_search_box_suggests_and_goes_there(visit_with_axe: Callable[..., Watched], site: Site) -> None:
    watched = visit_with_axe("/", size=PHONE)
    page = watched.page
    page.focus("#recherche")
    page.keyboard.type("fouri")
    until(page, OPEN)
    options = page.locator("[role=option]").all_inner_texts()
    assert any("Fourrière du Bas" in option for option in options)
    assert page.inner_text("form[role=search] [role=status]").endswith(str(len(options)))
    assert axe_violations(page) == []
    page.keyboard.press("Escape")
    assert not page.evaluate(OPEN)
    page.keyboard.press("ArrowDown")
    until(page, OPEN)
    page.keyboard.press("ArrowDown")
    active = page.get_attribute("#recherche", "aria-activedescendant")
    assert page.get_attribute(f"#{active}", "aria-selected") == "true"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "/fiche/" in page.url
    assert (watched.complaints, watched.strangers) == ([], [])


def test_the_address_field_keeps_the_place_chosen_and_the_device_remembers_it(visit: Callable[..., Watched]) -> None:
    page = visit("/autour/").page
    page.focus("#id_ou")
    page.keyboard.type("12 grnade")
    until(page, "!!document.querySelector('[role=option]')")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.input_value("#id_ou") == "12 Grande Rue 00100 Bourg-l’Essai"
    assert page.input_value("[data-part=lon]") == "3.0032"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("h2", has_text="Autour de 12 Grande Rue").count() == 1
    page.goto(page.url.partition("?")[0])
    assert page.input_value("#id_ou") == "12 Grande Rue 00100 Bourg-l’Essai"
    # Typing something else forgets the place: it is no longer that of the text.
    page.fill("#id_ou", "rue")
    assert page.input_value("[data-part=lon]") == ""


def test_without_javascript_the_server_proposes(visit: Callable[..., Watched]) -> None:
    page = visit("/autour/", javascript=False).page
    page.fill("#id_ou", "rue")
    page.click("main button[type=submit]")
    page.check("text=Rue du Beffroi")
    page.click("main button[type=submit]")
    assert page.locator("h2", has_text="Autour de Rue du Beffroi").count() == 1


def test_a_search_goes_on_when_suggestions_do_not_come(visit: Callable[..., Watched]) -> None:
    page = visit("/").page
    page.route("**/api/search**", lambda route: route.abort())
    page.focus("#recherche")
    page.keyboard.type("fourriere")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("h3", has_text="Fourrière du Bas").count() == 1
