"""The map of the town in a real browser: measure, styles, several things under the finger, paper, help."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from pyproj import Geod

from beffroi.sense.twin.underground import COLOURS
from faces.browser.conftest import LONGITUDE, Site, Watched, still, until, until_seen, wait_for_map
from faces.portal.small_town import CODE

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
WITHOUT_WORKER = True

TRUNK = "/carte/#z=16&lat=45.0092&lon=3.0046&couches=arbres"
THEMED = TRUNK.replace("#", "?theme=culture-sport-loisirs#")


def test_a_length_is_the_geodesic_one(visit: Callable[..., Watched]) -> None:
    """Two corners at the middle of the map, between which it is panned: the address tells where."""
    watched = visit(TRUNK)
    page = watched.page
    wait_for_map(page)
    page.locator("[data-act=measure]").click()
    until(page, "document.querySelector('.map-status').textContent.startsWith('Mesure')")
    places = []
    for _ in range(2):
        page.keyboard.press("Enter")
        until(page, "location.hash.includes('lat=')")
        found = re.search(r"lat=([\d.]+)&lon=([\d.]+)", page.evaluate("location.hash"))
        assert found
        places.append((float(found[2]), float(found[1])))
        # One press: the address is written once the map rests.
        page.keyboard.press("ArrowRight")
        until(page, f"{LONGITUDE} > {places[-1][0]}")
    until(page, "document.querySelector('.map-status').textContent.includes('à vol d’oiseau')")
    told = page.locator(".map-status").inner_text()
    number = re.match(r"([\d,\s ]+) (m|km) à vol d’oiseau", told)
    assert number, told
    metres = float(number[1].replace(",", ".").replace("\u202f", "")) * (1000 if number[2] == "km" else 1)
    exact = Geod(ellps="GRS80").inv(*places[0], *places[1])[2]
    # The address rounds to 5 decimals, about a metre.
    assert metres == pytest.approx(exact, abs=2.5)
    # A finger has no key that takes a corner back.
    page.locator("[data-act=unmeasure]").click()
    until(page, "document.querySelector('.map-status').textContent.startsWith('Mesure')")
    page.locator("[data-act=measure]").click()
    page.locator("[data-act=unmeasure]").wait_for(state="hidden")
    assert watched.complaints == []


def test_each_style_draws_the_same_layers_and_the_address_says_which(visit: Callable[..., Watched]) -> None:
    watched = visit(TRUNK)
    page = watched.page
    wait_for_map(page)
    page.locator("details:has(#style) summary").click()
    canvas = page.locator(".map canvas")
    shots = {canvas.screenshot()}
    for style in ("relief", "sombre", "contraste"):
        page.locator("#style").select_option(style)
        until(page, f"location.hash.includes('style={style}') && location.hash.includes('couches=arbres')")
        until_seen(page, lambda: canvas.screenshot() not in shots, f"the map in the style {style}")
        shots.add(still(page))
    assert len(shots) == 4
    assert watched.complaints == []


def test_several_things_under_the_finger_are_offered_as_a_choice(visit: Callable[..., Watched]) -> None:
    """From far enough, neighbouring trees are under one finger; Enter asks for the middle of the map."""
    watched = visit("/carte/#z=15&lat=45.00935&lon=3.0047&couches=arbres")
    page = watched.page
    wait_for_map(page)
    page.locator(".map canvas").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".map-choice")
    until(page, "document.activeElement.tagName === 'H2'")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".map-sheet .sheet")
    expect(page.locator(".map-sheet h2")).to_contain_text("Arbre 0")
    assert watched.complaints == []


def test_the_list_link_and_the_code_for_other_sites_follow_the_map(visit: Callable[..., Watched]) -> None:
    page = visit(THEMED).page
    wait_for_map(page)
    page.locator("[data-act=in]").click()
    expect(page.locator("#integrer")).to_have_value(re.compile(r"/carte/integrer/\?theme=\S+#z=17.*couches=arbres"))
    expect(page.locator("[data-list]")).to_have_attribute("href", re.compile(r"bbox=3\.0"))
    expect(page.locator("[data-list]")).to_have_attribute("href", re.compile("couche=arbres"))
    # What the theme shows by itself and the reader turned off, parts of the base too, stays off for who gets the link.
    page.locator("#c-arbres").uncheck()
    until(page, "/couches=(&|$)/.test(location.hash)")
    page.locator("details:has(#style) summary").click()
    page.locator("[data-base=batiments]").uncheck()
    until(page, "location.hash.includes('sans=batiments')")
    page.reload()
    wait_for_map(page)
    expect(page.locator("#c-arbres")).not_to_be_checked()
    expect(page.locator("[data-base=batiments]")).not_to_be_checked()


def test_paper_carries_title_picture_scale_legend_and_sources(visit: Callable[..., Watched]) -> None:
    watched = visit(f"{TRUNK}&cap=90&direct=signalements")
    page = watched.page
    wait_for_map(page)
    # The button and the browser's own command announce themselves alike; nothing is printed here.
    page.evaluate("() => { window.print = () => { dispatchEvent(new Event('beforeprint')); }; }")
    page.locator("[data-act=print]").click()
    until(page, "!document.querySelector('[data-paper]').hidden")
    page.emulate_media(media="print")
    expect(page.locator(".map-frame")).to_be_hidden()
    for words in (
        "Carte · Bourg-l’Essai", "Échelle : ", "Nord", "Signalements : En cours",
        "Arbres (Service des espaces verts, 2 mars 2026)",
    ):  # fmt: skip
        expect(page.locator("[data-paper]")).to_contain_text(words)
    colours = page.evaluate(
        """() => { const canvas = document.querySelector('.map-paper-picture');
            const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            const seen = new Set();
            for (let at = 0; at < data.length; at += 4000) seen.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2]);
            return seen.size; }"""
    )
    assert colours > 4
    assert watched.complaints == []


def test_help_opens_closes_and_gives_the_focus_back(visit: Callable[..., Watched]) -> None:
    page = visit("/carte/").page
    wait_for_map(page)
    page.locator("[data-act=help]").click()
    expect(page.locator("#aide-carte")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#aide-carte")).to_be_hidden()
    until(page, "document.activeElement.dataset.act === 'help'")


def test_a_small_map_is_a_picture_until_it_is_asked_for(visit: Callable[..., Watched]) -> None:
    watched = visit(f"/donnees/{CODE}/arbres/")
    page = watched.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    until(page, "!document.querySelector('[data-map-open]').hidden")
    where = "JSON.stringify(document.querySelector('#liste').getBoundingClientRect())"
    before = page.evaluate(where)
    assert page.locator(".map-still .still-points").count() == 1
    # Reached and pressed from the keyboard, as any button; reading its code ahead is all that the focus does.
    page.locator("[data-map-open]").focus()
    assert page.locator("canvas").count() == 0
    assert not [url for url in asked if "/tuiles/" in url]
    page.keyboard.press("Enter")
    page.wait_for_selector(".map[data-ready=yes]")
    until(page, "document.activeElement.className === 'maplibregl-canvas'")
    assert page.evaluate(where) == before
    assert watched.complaints == []


def test_what_is_ticked_before_the_map_of_the_town_is_there_starts_it(visit: Callable[..., Watched]) -> None:
    """This browser draws without a graphics processor: the picture waits, with a button."""
    watched = visit("/carte/")
    page = watched.page
    until(page, "!document.querySelector('[data-map-open]').hidden")
    assert page.locator("canvas").count() == 0
    page.locator("#c-arbres").check()
    page.wait_for_selector(".map[data-ready=yes]")
    until(page, "location.hash.includes('couches=arbres')")
    expect(page.locator("#c-arbres")).to_be_checked()
    expect(page.locator("[data-map-open]")).to_be_hidden()
    assert watched.complaints == []


@pytest.mark.parametrize(
    ("able", "spares", "starts"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_the_map_of_the_town_starts_by_itself_where_a_graphics_processor_draws_it(
    able: bool, spares: bool, starts: bool, visit: Callable[..., Watched]
) -> None:
    """The probe's answer is put in its place: no machine of the tests has a graphics processor."""
    watched = visit("/nulle-part/", service_workers="block")
    page, asked = watched.page, list[str]()
    watched.complaints.clear()
    answer = {"body": f"postMessage({str(able).lower()})", "content_type": "text/javascript"}
    page.route("**/power.worker*", lambda route: route.fulfill(**answer))
    page.add_init_script(
        f"Object.defineProperty(navigator, 'connection', {{value: {{saveData: {str(spares).lower()}}}}})"
    )
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page.url.replace("/nulle-part/", "/carte/"))
    button = page.locator("[data-map-open]")
    if starts:
        page.wait_for_selector(".map[data-ready=yes]")
        # Nobody pressed it.
        expect(button).to_be_hidden()
    else:
        button.wait_for(state="visible")
        assert page.locator("canvas").count() == 0
        assert [url for url in asked if "/tuiles/" in url] == []
    assert any("power.worker" in url for url in asked) is not spares, "who spares data is not even asked"
    assert [one for one in watched.complaints if "blocked by Playwright" not in one] == []


def test_without_javascript_the_picture_stays(visit: Callable[..., Watched]) -> None:
    page = visit(f"/donnees/{CODE}/arbres/", javascript=False).page
    expect(page.locator(".map-still")).to_be_visible()
    expect(page.locator("[data-map-open]")).to_be_hidden()
    expect(page.get_by_role("link", name="La liste dit la même chose.")).to_be_visible()


def points_of(page: Page, colour: str) -> int:
    """Count the points of the map that are exactly of a colour."""
    shot = Image.open(io.BytesIO(page.locator(".map canvas").screenshot())).convert("RGB")
    wanted = tuple(bytes.fromhex(colour.removeprefix("#")))
    return sum(count for count, found in shot.getcolors(shot.width * shot.height) or () if found == wanted)


def test_networks_are_drawn_below_the_ground(visit: Callable[..., Watched], site: Site) -> None:
    """Opaque: what is also drawn on the ground, to be touched, is a third of its colour there."""
    watched = visit("/sous-sol/?chez=3.0080,45.0095", sign_in=site.agent)
    page = watched.page
    wait_for_map(page)
    for kind in ("gaz", "eau"):
        until_seen(page, lambda colour=COLOURS[kind]: points_of(page, colour) > 100, kind)
    assert watched.complaints == []
