"""Every page in a real browser: axe finds nothing, nothing scrolls sideways nor complains, nobody else is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

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
    "/services/G-03/",
    "/services/G-07/",
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
    "/carte/integrer/?theme=culture-sport-loisirs",
    "/carte/ici/?lat=45.0092&lon=3.002",
    "/itineraire/?de=3.0081,45.0110&vers=3.0092,45.0110&profil=fauteuil-manuel",
    "/carte/quartiers/?couche=arbres&avant=2026-06-01",
    "/signaler/",
    "/signalements/",
    "/signaler/envois/",
    "/signalements/abonnement/?categorie=nid-de-poule",
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
        "/agent/bac-a-sable/",
        "/agent/couleurs/",
        "/agent/depots/",
        "/agent/formation/",
        "/agent/formation/donnees/",
        "/agent/journal/",
        "/agent/personnes/",
        "/agent/personnes/inviter/",
        "/agent/raccourcis/",
        "/agent/usages/",
        "/agent/usages/G-03/",
        "/vues/technicien/",
        "/compte/",
        "/mes-donnees/",
    ],
    "elue@bourg.test": ["/elu/", "/elu/note/", "/elu/communes/", "/vues/elu/", "/mes-demandes/"],
}


def axe_violations(watched: Watched) -> list[str]:
    watched.page.add_script_tag(path=AXE)
    found = watched.page.evaluate(
        "rules => axe.run({runOnly: {type: 'tag', values: rules}}).then(result => result.violations)", RULES
    )
    return [
        f"{one['id']}: {one['help']} – {node['target']} {node.get('failureSummary', '')[:200]}"
        for one in found
        for node in one["nodes"][:3]
    ]


# Names and order depend on the size, contrast on the scheme: two passes see both of each.
@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")], ids=["phone-light", "desktop-dark"])
def test_axe_finds_nothing_on_public_pages(
    size: tuple[int, int], scheme: str, visit: Callable[..., Watched], site: Site
) -> None:
    watched = visit("/", size=size, scheme=scheme, bypass_csp=True)
    found = {}
    for address in PAGES:
        watched.page.goto(site.url + address)
        violations = axe_violations(watched)
        found |= {address: violations} if violations else {}
    assert found == {}


@pytest.mark.parametrize("wish", [{"theme": "contrast"}, {"forced_colors": "active"}], ids=["contrast", "forced"])
def test_axe_finds_nothing_when_more_contrast_is_wished(
    wish: dict[str, str], visit: Callable[..., Watched], site: Site
) -> None:
    theme = wish.pop("theme", "auto")
    watched = visit(f"/apparence/?vers={theme}", bypass_csp=True, **wish)
    found = {}
    for address in ("/", "/composants/", f"{ARBRES}tableau/", "/carte/"):
        watched.page.goto(site.url + address)
        violations = axe_violations(watched)
        found |= {address: violations} if violations else {}
    assert found == {}


@pytest.mark.parametrize("reader", RESERVED)
def test_axe_finds_nothing_on_reserved_pages(reader: str, visit: Callable[..., Watched], site: Site) -> None:
    watched = visit("/", sign_in=reader, bypass_csp=True)
    found = {}
    for address in RESERVED[reader]:
        watched.page.goto(site.url + address)
        violations = axe_violations(watched)
        found |= {address: violations} if violations else {}
    assert found == {}


def test_nothing_scrolls_sideways_at_320_pixels(visit: Callable[..., Watched], site: Site) -> None:
    """320 CSS pixels: a 1,280-pixel window at 400 % (WCAG 1.4.10)."""
    watched = visit("/", size=NARROW)
    wide = {}
    for address in PAGES:
        watched.page.goto(site.url + address)
        width = watched.page.evaluate("document.documentElement.scrollWidth")
        wide |= {address: width} if width > NARROW[0] else {}
    assert wide == {}


def test_pages_are_silent_and_call_nobody_else(visit: Callable[..., Watched], site: Site) -> None:
    watched = visit("/")
    for address in [one for one in PAGES if one not in ("/nulle-part/", f"{ARBRES}tableau/?tri=inconnue")]:
        watched.page.goto(site.url + address)
        watched.page.wait_for_load_state("load")
        if watched.page.query_selector("[data-map]"):
            wait_for_map(watched.page)
    assert watched.strangers == []
    assert watched.complaints == []


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
