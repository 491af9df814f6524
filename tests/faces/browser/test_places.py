"""Choosing a place on a map: by touch, by keyboard, and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from faces.browser.conftest import PHONE, Watched, until, wait_for_map
from faces.browser.test_accessible_pages import axe_violations
from faces.browser.test_accessible_pages import visit_with_axe as visit_with_axe
from faces.portal.small_town import CODE

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
WITHOUT_WORKER = True

HERE = "/carte/ici/?lat=45.0092&lon=3.002"


def test_a_touch_moves_the_pin_and_fills_the_fields_and_arrows_move_it_finely(visit: Callable[..., Watched]) -> None:
    watched = visit(HERE, size=PHONE)
    page = watched.page
    page.locator("[data-pick]").scroll_into_view_if_needed()
    wait_for_map(page)
    box = page.locator(".map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2 + 60, box["y"] + box["height"] / 2)
    until(page, "Number(document.querySelector('#id_lon').value) > 3.0021")
    assert page.input_value("#id_lat").startswith("45.009")
    page.locator(".map-pin").focus()
    before = float(page.input_value("#id_lat"))
    page.keyboard.press("ArrowUp")
    coarse = float(page.input_value("#id_lat")) - before
    page.keyboard.press("Shift+ArrowUp")
    fine = float(page.input_value("#id_lat")) - before - coarse
    assert 0 < fine < coarse
    until(page, "document.querySelector('.map-status').textContent.startsWith('Repère posé à 45,009')")
    page.get_by_role("button", name="Dire ce que l’on sait").click()
    page.wait_for_selector("#connu")
    assert watched.complaints == []


def test_without_javascript_the_place_is_written_and_the_page_answers(visit: Callable[..., Watched]) -> None:
    page = visit("/carte/ici/", javascript=False).page
    expect(page.locator(".map-frame")).to_be_hidden()
    page.fill("#id_lat", "45,0092")
    page.fill("#id_lon", "3,002")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Arbre 000")).to_be_visible()


def test_a_zone_is_drawn_by_keyboard_alone_and_counted(visit: Callable[..., Watched]) -> None:
    watched = visit(HERE)
    page = watched.page
    page.locator("[data-pick]").scroll_into_view_if_needed()
    wait_for_map(page)
    corner = page.get_by_role("button", name="Ajouter un coin au milieu de la carte")
    for number, key in enumerate(("ArrowRight", "ArrowDown", "ArrowLeft"), start=1):
        corner.focus()
        page.keyboard.press("Enter")
        # Corners move as the pin does: three presses set them apart.
        page.locator(".map-corner").nth(number - 1).focus()
        for _ in range(3):
            page.keyboard.press(key)
    until(page, "document.querySelector('#id_zone').value.trim().split('\\n').length === 3")
    until(page, "/^Zone de 3 coins, [1-9]\\d* m²/.test(document.querySelector('.map-status').textContent)")
    page.get_by_role("button", name="Dire ce que l’on sait").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#dedans")).to_contain_text("Dans la zone")
    assert watched.complaints == []


@pytest.mark.parametrize("address", ["/signaler/", f"/donnees/{CODE}/arbres/"])
def test_nothing_lies_on_the_buttons_of_a_map_wherever_the_page_is_scrolled(
    address: str, visit_with_axe: Callable[..., Watched]
) -> None:
    """A bar that follows the reader once hid the half of them at some heights (WCAG 2.5.8)."""
    page = visit_with_axe(address, size=PHONE).page
    page.locator("[data-pick], .map-frame").first.scroll_into_view_if_needed()
    wait_for_map(page)
    hidden = page.evaluate(
        """() => { const found = [];
            for (let y = 0; y + innerHeight < document.documentElement.scrollHeight; y += 20) {
                scrollTo({ top: y, behavior: "instant" });
                for (const button of document.querySelectorAll(".map-tools button")) {
                    const { left, right, top, bottom } = button.getBoundingClientRect();
                    for (const at of [top + 4, bottom - 4]) {
                        const over = document.elementFromPoint((left + right) / 2, at);
                        if (over && !button.contains(over)) found.push([y, button.dataset.act, over.className]);
                    }
                }
            }
            return found; }"""
    )
    assert hidden == []
    # Maps wait to be asked for: the walk of all pages does not see their buttons.
    assert axe_violations(page) == []
