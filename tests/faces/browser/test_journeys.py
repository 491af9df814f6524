"""Whole journeys in a real browser: by keyboard, without JavaScript, on the map."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from faces.browser.conftest import LONGITUDE, PHONE, Site, Watched, until, until_seen, wait_for_map
from faces.portal.small_town import CODE

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

TRUNK = "/carte/#z=16&lat=45.0092&lon=3.0046&couches=arbres"


def press_until(watched: Watched, name: str, *, most: int = 80) -> None:
    """Press Tab until what has the focus bears `name`."""
    for _ in range(most):
        watched.page.keyboard.press("Tab")
        text = watched.page.evaluate(
            "document.activeElement.matches('a, button') ? document.activeElement.innerText : ''"
        )
        if name in text:
            return
    pytest.fail(f"« {name} » cannot be reached by keyboard in {most} steps")


def test_by_keyboard_from_home_to_a_sorted_table_and_its_download(visit: Callable[..., Watched]) -> None:
    watched = visit("/")
    page = watched.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Aller au contenu"
    for name, title in (
        ("Données", "Données"),
        ("Arbres", "Arbres"),
        ("Tableau", "Tableau · Arbres"),
        ("Hauteur", "Tableau · Arbres"),
        ("Télécharger", "Télécharger · Arbres"),
    ):
        press_until(watched, name)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert title in page.title()
    press_until(watched, "Télécharger en CSV")
    with page.expect_download() as downloading:
        page.keyboard.press("Enter")
    assert downloading.value.suggested_filename.endswith(".csv")
    assert watched.complaints == []


def test_the_focus_is_always_visible(visit: Callable[..., Watched]) -> None:
    page = visit("/").page
    for _ in range(15):
        page.keyboard.press("Tab")
        shown = page.evaluate(
            """() => { const one = document.activeElement, card = one.closest('.card');
                return [one, card].some(el => el && getComputedStyle(el).outlineStyle !== 'none'); }"""
        )
        assert shown


@pytest.mark.parametrize(
    "address", ["/", "/donnees/", f"/donnees/{CODE}/arbres/", "/carte/", "/carte/liste/?couche=arbres"]
)
def test_pages_read_without_javascript(address: str, visit: Callable[..., Watched]) -> None:
    page = visit(address, javascript=False).page
    assert page.locator("h1").first.is_visible()
    assert page.locator("main a:visible").count() > 0


def test_a_search_is_sent_without_javascript(visit: Callable[..., Watched]) -> None:
    page = visit("/", javascript=False).page
    page.fill("#recherche", "arbres")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.get_by_role("link", name="Arbres").first.is_visible()


def test_the_map_is_drawn_in_more_than_one_colour(visit: Callable[..., Watched]) -> None:
    page = visit("/carte/").page
    wait_for_map(page)
    # A blank picture packs into almost nothing; a town does not.
    canvas = page.locator(".map canvas")
    until_seen(page, lambda: len(zlib.compress(canvas.screenshot())) > 20_000, "a town in its colours")


def test_the_address_of_the_map_says_what_it_shows(visit: Callable[..., Watched]) -> None:
    page = visit(TRUNK).page
    wait_for_map(page)
    assert page.locator("#c-arbres").is_checked()
    page.locator("[data-act=in]").click()
    until(page, "/z=17.*couches=arbres/.test(location.hash)")


def test_a_click_on_the_map_opens_the_sheet_of_what_is_there(visit: Callable[..., Watched]) -> None:
    watched = visit("/carte/#z=19&lat=45.0092&lon=3.002&couches=arbres")
    wait_for_map(watched.page)
    box = watched.page.locator(".map").bounding_box()
    assert box is not None
    watched.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    sheet = watched.page.locator(".map-sheet")
    expect(sheet).to_contain_text("Arbre 000")
    expect(sheet).to_contain_text("D’après « Arbres »")
    assert watched.complaints == []


def test_the_map_answers_the_keyboard(visit: Callable[..., Watched]) -> None:
    page = visit(TRUNK).page
    wait_for_map(page)
    page.locator(".map canvas").focus()
    before = page.evaluate(LONGITUDE)
    page.keyboard.press("ArrowRight")
    until(page, f"{LONGITUDE} > {before}")


def test_layers_are_switched_and_faded_from_the_panel(visit: Callable[..., Watched]) -> None:
    page = visit("/carte/", size=PHONE).page
    wait_for_map(page)
    page.locator("#c-arbres").check()
    until(page, "location.hash.includes('couches=arbres')")
    expect(page.locator("[data-opacity=arbres]")).to_be_visible()
    page.locator("#c-arbres").uncheck()
    until(page, "!location.hash.includes('couches')")


def test_the_appearance_and_the_language_chosen_stay(visit: Callable[..., Watched]) -> None:
    page = visit("/apparence/").page
    page.get_by_role("link", name="Sombre").click()
    until(page, "document.documentElement.dataset.theme === 'dark'")
    page.get_by_role("link", name="English").click()
    until(page, "document.documentElement.lang === 'en' && document.documentElement.dataset.theme === 'dark'")


def test_keys_lead_through_the_back_office_and_can_be_cut(visit: Callable[..., Watched], site: Site) -> None:
    page = visit("/agent/", sign_in=site.agent).page
    page.keyboard.press("?")
    until(page, "document.getElementById('raccourcis').open")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.wait_for_url(f"{site.url}/agent/formation/")
    page.goto(f"{site.url}/agent/personnes/inviter/")
    page.focus("input[name=name]")
    page.keyboard.type("dj?")
    # While one writes, a key is a letter.
    expect(page.locator("input[name=name]")).to_have_value("dj?")
    page.goto(f"{site.url}/agent/")
    page.keyboard.press("?")
    page.uncheck("[data-shortcuts-on]")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.keyboard.press("?")
    assert not page.evaluate("document.getElementById('raccourcis').open")
    assert page.url.endswith("/agent/")
