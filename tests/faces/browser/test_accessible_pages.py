"""Every page in a real browser: axe finds nothing, nothing scrolls sideways nor complains, nobody else is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from faces.browser.conftest import DESKTOP, NARROW, PHONE, Site, Watched, wait_for_map
from faces.portal.small_town import CODE

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

AXE = Path(__file__).resolve().parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "RGAAv4", "best-practice"]

ARBRES = f"/donnees/{CODE}/arbres/"
OBJETS = f"/ogc/collections/{CODE}.arbres/items"
PAGES = [
    "/",
    "/urgences/",
    "/vues/",
    "/vues/habitant/",
    "/hors-ligne/",
    "/recherche/?q=arbres",
    "/recherche/?q=fouriere",
    "/recherche/?q=zzzzzz",
    "/autour/?ou=12+grande+rue",
    "/autour/?ou=rue",
    "/services/",
    "/services/?theme=proprete-sante&public=citoyen",
    "/services/1-23/",
    "/services/2-01/",
    "/services/G-03/",
    "/services/G-07/",
    "/regles/7-04/",
    "/application/",
    "/registre-des-traitements/",
    "/donnees/",
    ARBRES,
    f"{ARBRES}tableau/?tri=-hauteur",
    f"{ARBRES}tableau/?tri=inconnue",
    f"{ARBRES}schema/",
    f"{ARBRES}historique/",
    f"{ARBRES}differences/",
    f"{ARBRES}rapport/",
    f"{ARBRES}telecharger/",
    "/carte/",
    "/carte/liste/?couche=arbres",
    "/maquette/",
    "/carte/integrer/?theme=culture-sport-loisirs",
    "/carte/ici/?lat=45.0092&lon=3.002",
    "/itineraire/?de=3.0081,45.0110&vers=3.0092,45.0110&profil=fauteuil-manuel",
    "/acces/1-15/",
    "/carte/quartiers/?couche=arbres&avant=2026-06-01",
    "/carte/batiments/?couche=batiments&colonne=hauteur",
    "/signaler/",
    "/signalements/",
    "/alertes/",
    "/signaler/envois/",
    "/signalements/abonnement/?categorie=nid-de-poule",
    "/obstacles/",
    "/travaux/?rue=grande+rue",
    "/travaux/1/",
    "/trajets/?de=3.0081,45.0110&vers=3.0092,45.0110&depart=2026-03-02T07:58",
    "/transports/?q=gare",
    "/transports/arret/reseau/G/",
    "/transports/ligne/reseau/L1/",
    "/transports/horaires/reseau/",
    "/accueil-accompagne/",
    "/composants/",
    "/accessibilite/",
    "/mentions-legales/",
    "/plan-du-site/",
    "/apparence/",
    "/langue/",
    "/compte/login/",
    "/nulle-part/",
    "/ogc/",
    "/ogc/api",
    "/ogc/collections",
    OBJETS.removesuffix("/items"),
    f"{OBJETS}?limit=5",
    OBJETS.replace("/items", "/tiles/WebMercatorQuad"),
    "/ogc/collections/catalogue/items",
]
RESERVED = {
    "agent@bourg.test": [
        "/agent/",
        "/agent/accessibilite/",
        "/agent/retenues/",
        "/agent/donnees-a-surveiller/",
        "/agent/bac-a-sable/",
        "/batiments/",
        f"/batiments/{CODE}/maisons/maison/",
        "/agent/couleurs/",
        "/agent/depots/",
        "/agent/formation/",
        "/agent/formation/donnees/",
        "/agent/journal/",
        "/agent/personnes/",
        "/agent/personnes/inviter/",
        "/agent/raccourcis/",
        "/agent/signalements/obstacles/",
        "/agent/frequentation/",
        "/agent/tournees/",
        "/agent/travaux/",
        "/agent/travaux/nouveaux/",
        "/agent/tournees/nouvelle/",
        "/agent/usages/",
        "/agent/usages/G-03/",
        "/agent/webhooks/",
        "/vues/technicien/",
        "/compte/",
        "/mes-donnees/",
    ],
    "equipe@bourg.test": ["/agent/tournee/", "/agent/travaux/1/", "/agent/tournees/1/"],
    "elue@bourg.test": ["/elu/", "/elu/note/", "/elu/communes/", "/vues/elu/", "/mes-demandes/"],
}


AXE_RUNS = """rules => axe.run({runOnly: rules, resultTypes: ['violations']}).then(result => result.violations)"""
ALL = {"type": "tag", "values": RULES}
# What depends on colours alone; names, order and sizes do not change with the scheme.
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
# A colour on its way, from one scheme to the other or as a message arrives, is not the one people read.
AT_REST = """
    const still = new CSSStyleSheet();
    still.replaceSync('*, *::before, *::after { transition: none !important; animation: none !important }');
    document.adoptedStyleSheets = [still];
"""
# Those that answer as they should with an error, which the browser tells on its console.
REFUSED = {"/nulle-part/", f"{ARBRES}tableau/?tri=inconnue", "/agent/accessibilite/"}


def axe_violations(page: Page, rules: dict[str, object] = ALL) -> list[str]:
    return [
        f"{one['id']}: {one['help']} – {node['target']} {node.get('failureSummary', '')[:200]}"
        for one in page.evaluate(AXE_RUNS, rules)
        for node in one["nodes"][:3]
    ]


# On paper, what a page says is there, and what only serves a screen is not (G-12: every public page prints).
PRINTS = """() => {
    const shown = one => one.getClientRects().length > 0;
    const screens = [...document.querySelectorAll('.header .nav, .search, .map-tools')];
    return document.querySelector('main').offsetHeight > 20 && !screens.some(shown);
}"""


def faults(watched: Watched, address: str) -> list[str]:
    """What is wrong with a page: axe at two sizes in every style, its width at 320 px, what it says and asks for."""
    page = watched.page
    found = []
    for size, schemes in ((PHONE, ("light", "dark")), (DESKTOP, ("dark", "light"))):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for scheme, rules in zip(schemes, (ALL, COLOURS), strict=True):
            page.emulate_media(color_scheme=scheme)
            found += [f"{size[0]} px {scheme}: {one}" for one in axe_violations(page, rules)]
    page.evaluate("() => { document.documentElement.dataset.theme = 'contrast'; }")
    found += [f"contrast: {one}" for one in axe_violations(page, COLOURS)]
    page.evaluate("() => { delete document.documentElement.dataset.theme; }")
    # 320 CSS pixels: a 1,280-pixel window at 400 % (WCAG 1.4.10).
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    width = page.evaluate("document.documentElement.scrollWidth")
    found += [f"{width} px wide at 320"] if width > NARROW[0] else []
    page.emulate_media(media="print")
    found += [] if page.evaluate(PRINTS) else ["does not print as it should"]
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    if page.query_selector("[data-map]"):
        wait_for_map(page)
    found += [f"calls {one}" for one in watched.strangers]
    found += [f"says {one}" for one in watched.complaints] if address not in REFUSED else []
    watched.strangers.clear()
    watched.complaints.clear()
    return found


@pytest.fixture
def visit_with_axe(visit: Callable[..., Watched]) -> Callable[..., Watched]:
    """Open pages that all carry axe; a script of the browser's own, which the policy of our pages does not concern."""

    def open_page(address: str, **options: Any) -> Watched:
        watched = visit(address, **options)
        watched.page.add_init_script(path=AXE)
        watched.page.add_init_script(AT_REST)
        watched.page.reload()
        return watched

    return open_page


def walk(watched: Watched, site: Site, pages: list[str]) -> dict[str, list[str]]:
    found = {}
    for address in pages:
        watched.page.goto(site.url + address)
        wrong = faults(watched, address)
        found |= {address: wrong} if wrong else {}
    return found


def test_public_pages_are_accessible_narrow_and_silent(visit_with_axe: Callable[..., Watched], site: Site) -> None:
    assert walk(visit_with_axe("/", size=PHONE), site, PAGES) == {}


@pytest.mark.parametrize("reader", RESERVED)
def test_reserved_pages_are_accessible_narrow_and_silent(
    reader: str, visit_with_axe: Callable[..., Watched], site: Site
) -> None:
    assert walk(visit_with_axe("/", size=PHONE, sign_in=reader), site, RESERVED[reader]) == {}


@pytest.mark.parametrize("wish", [{"theme": "contrast"}, {"forced_colors": "active"}], ids=["contrast", "forced"])
def test_axe_finds_nothing_when_more_contrast_is_wished(
    wish: dict[str, str], visit_with_axe: Callable[..., Watched], site: Site
) -> None:
    theme = wish.pop("theme", "auto")
    watched = visit_with_axe(f"/apparence/?vers={theme}", **wish)
    found = {}
    for address in ("/", "/composants/", f"{ARBRES}tableau/", "/carte/"):
        watched.page.goto(site.url + address)
        violations = axe_violations(watched.page)
        found |= {address: violations} if violations else {}
    assert found == {}


def test_targets_are_large_enough_to_touch(visit: Callable[..., Watched], site: Site) -> None:
    """24 by 24 CSS pixels, links within a sentence aside (WCAG 2.5.8)."""
    watched = visit("/", size=PHONE)
    small = watched.page.evaluate(
        """() => [...document.querySelectorAll('nav a, button, input, select, .button')]
            .filter(one => one.checkVisibility())
            .map(one => [one.textContent.trim() || one.id, one.getBoundingClientRect()])
            .filter(([, box]) => box.width < 24 || box.height < 24).map(([name]) => name)"""
    )
    assert small == []
