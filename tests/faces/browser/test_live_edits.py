"""What another process corrects is on an open map at once, without baking anything again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from beffroi.lake.edits import ADDED, CHANGED, REMOVED, Edit, lay
from beffroi.lake.queries import DatasetRef
from beffroi.lake.reading import Column
from beffroi.lake.store import Lake
from faces.browser.conftest import Site, Watched, until, until_seen, wait_for_map
from faces.portal.small_town import CODE

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
WITHOUT_WORKER = True

TREES = DatasetRef(CODE, "arbres")
# Where there is nothing yet, at the middle of the map.
LON, LAT = 3.0172, 45.0161
HERE = {"type": "Point", "coordinates": [LON, LAT]}
COLUMNS = (Column("nom", "Nom"), Column("essence", "Essence"))


def test_an_edit_is_on_an_open_map_at_once(visit: Callable[..., Watched], site: Site) -> None:
    watched = visit(f"/carte/#z=17&lat={LAT}&lon={LON}&couches=arbres")
    page, lake = watched.page, Lake(site.folder / "lake")
    wait_for_map(page)
    empty = page.locator(".map canvas").screenshot()

    def edit(kind: str, found: str | None, name: str) -> str:
        changed = Edit(kind, found, {"nom": name} if name else {}, HERE if kind == ADDED else None)
        return lay(lake, TREES, changed, columns=COLUMNS, at=datetime.now(UTC), by=None)

    def told(words: str) -> None:
        # Enter asks for what is at the middle of the map, as a finger would: at each look, as it may not be drawn yet.
        main = page.locator("main")
        page.locator(".map canvas").focus()
        until_seen(page, lambda: words in main.inner_text(), words, after=lambda: page.keyboard.press("Enter"))

    found = edit(ADDED, None, "Ginkgo de l’essai")
    try:
        told("Ginkgo de l’essai")
        until_seen(page, lambda: page.locator(".map canvas").screenshot() != empty, "the tree on the map")
        edit(CHANGED, found, "Ginkgo rebaptisé")
        told("Ginkgo rebaptisé")
        edit(REMOVED, found, "")
        told("Rien de connu à cet endroit")
    finally:
        # The site is the same for all: its next map shows what was there.
        (site.folder / "lake" / CODE / "arbres" / "edits.current").unlink(missing_ok=True)
        (site.folder / "lake" / CODE / "arbres" / "dataset.json").touch()
    until(page, "document.querySelector('.map[data-ready=yes]') !== null")
    # A sheet asked for just after its thing went is not found, and says so.
    assert [one for one in watched.complaints if "404" not in one] == []


def test_a_slider_goes_back_to_the_days_when_data_changed(visit: Callable[..., Watched]) -> None:
    watched = visit("/carte/#z=15&lat=45.0092&lon=3.0046&couches=arbres")
    page = watched.page
    wait_for_map(page)
    slider = page.locator("#curseur")
    expect(slider).to_have_attribute("aria-valuetext", "aujourd’hui")
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_url(re.compile(r"date=2026-02-01.*#z=15"))
    expect(page.locator("main")).to_contain_text("telles que la plateforme les connaissait le 1 février 2026")
    page.wait_for_selector("#curseur[aria-valuetext$='février 2026']")
    assert watched.complaints == []
