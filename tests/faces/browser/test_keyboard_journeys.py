"""What residents ask, book and pay, from its page to its receipt, without a mouse: Tab, Space, Enter and letters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from faces.browser.conftest import Site, Watched, until

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
HAS_FOCUS = "wanted => document.activeElement.matches(wanted)"
NEXT = "main [name=go][value=next]"


def reach(page: Page, wanted: str, *, most: int = 120) -> None:
    """Press Tab until what has the focus matches a selector."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(HAS_FOCUS, wanted):
            return
    pytest.fail(f"« {wanted} » cannot be reached by keyboard in {most} steps on {page.url}: {page.title()}")


def press(page: Page, wanted: str) -> None:
    """Reach a link or a button and press it; another page comes."""
    reach(page, wanted)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def write(page: Page, name: str, text: str) -> None:
    reach(page, f"main [name='{name}']")
    page.keyboard.type(text)


def choose(page: Page, name: str) -> None:
    """Choose the first answer of a question."""
    reach(page, f"main [name='{name}']")
    page.keyboard.press("Space")


def test_a_bin_is_ordered_step_by_step(visit: Callable[..., Watched]) -> None:
    watched = visit("/demarches/6-06/", maps=False)
    page = watched.page
    press(page, "main form button, main a.button[href*=formulaire]")
    choose(page, "demande")
    choose(page, "flux")
    press(page, NEXT)
    write(page, "adresse", "12 Grande Rue 00100 Bourg-l’Essai")
    choose(page, "logement")
    write(page, "personnes", "4")
    press(page, NEXT)
    press(page, NEXT)
    write(page, "name", "Camille Rivebelle")
    write(page, "email", "camille@exemple.fr")
    press(page, NEXT)
    press(page, "main [name=go][value=send]")
    assert "/demarches/suivi/" in page.url
    assert watched.complaints == []


def test_a_collection_is_booked(visit: Callable[..., Watched]) -> None:
    watched = visit("/reserver/1-08/", maps=False)
    page = watched.page
    write(page, "adresse", "12 grande rue")
    page.wait_for_selector("[role=option]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('main [name=adresse_lon]').value !== ''")
    press(page, "main form button[type=submit]")
    choose(page, "jour")
    write(page, "o_matelas", "1")
    choose(page, "d_depot")
    write(page, "email", "camille@exemple.fr")
    press(page, "main form button[type=submit]")
    assert "/reservation/" in page.url
    assert watched.complaints == []


def test_a_bill_is_paid_and_the_way_back_says_so(visit: Callable[..., Watched], site: Site) -> None:
    """Another payment of the same bill was begun and left: it stays as it is, for those who walk its page."""
    watched = visit("/factures/", sign_in=site.crew)
    page = watched.page
    press(page, "main a[href^='/factures/']:not([href$='.pdf'])")
    press(page, "main form[action$='/payer/'] button")
    press(page, "main a[href*='/bac-a-sable/']")
    press(page, "main form button")
    assert "Paiement reçu" in page.inner_text("main")
    assert watched.complaints == []
