"""Every page in a real browser: axe finds nothing, nothing scrolls sideways nor complains, nobody else is called."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
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
    "/reserver/",
    "/reserver/1-08/",
    "/reserver/1-08/?lat=45.0096&lon=3.0090",
    "/creneaux/",
    "/creneaux/6-13/",
    "/creneaux/6-13/?lieu=salle-des-fetes&vue=semaine",
    "/bilan-encombrants/1-07/",
    "/reservation/{booked}/",
    "/reservation/{booked}/deplacer/",
    "/creneaux/6-13/reserver/?{slot_link}",
    "/creneau/{slot_token}/",
    "/demarches/passage/{neighbour}/",
    "/creneau/{slot_token}/deplacer/",
    "/objets/",
    "/objets/1/",
    "/premiere-necessite/",
    "/premiere-necessite/ar/",
    "/annuaires/4-03/inscrire/",
    "/annuaires/10-11/",
    "/annuaires/10-04/inscrire/",
    "/demarches/",
    "/demarches/1-25/",
    "/demarches/7-17/",
    "/demarches/6-12/",
    "/demarches/6-05/",
    "/demarches/1-21/",
    "/demarches/2-18/",
    "/demarches/6-06/papier/",
    "/demarches/6-06/formulaire/{draft}/logement/",
    "/demarches/suivi/{asked_token}/",
    "/demarches/suivi/{asked_token}/recu/",
    "/verifier/",
    "/verifier/{certificate}/",
    "/inondation/01/01For/",
    "/services/7-16/?chez=3.0080,45.0095",
    "/habitat-indigne/publie/",
    "/bornes/",
    "/capteurs/",
    "/capteurs/1/",
    "/en-direct/12-04/",
    f"/batiments/{CODE}/maisons/maison/energie/",
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
    "/annuaires/6-02/",
    "/annuaires/6-14/associations/W341000001/",
    "/au-quotidien/6-03/?secteur=Nord",
    "/annuaires/6-02/deliberations/2025-02-03/",
    "/indicateurs/",
    "/signaler/",
    "/signalements/",
    "/alertes/",
    "/alertes/1/",
    "/alertes/abonnement/",
    "/alertes/projet/renovation-de-lecole-du-lavoir/",
    "/alertes/puis-je-rouler/",
    "/signaler/envois/",
    "/signalements/abonnement/?categorie=nid-de-poule",
    "/obstacles/",
    "/travaux/?rue=grande+rue",
    "/travaux/1/",
    "/sens-de-circulation/",
    "/sens-de-circulation/2/",
    "/trajets/?de=3.0081,45.0110&vers=3.0092,45.0110&depart=2026-03-02T07:58",
    "/heures/8-11/?lieu=comptages-horaires/Grande+Rue&jour=weekday",
    "/flux/8-21/?heure=8",
    "/heures/8-11/employeurs/?site=3.0100,45.0100&debut=09:00&fin=17:30",
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
    "/compte/signup/",
    "/compte/password/reset/",
    "/nulle-part/",
    f"{ARBRES}fiche/{{thing}}/",
    "/objet/arbres/{thing}/",
    "/acces/",
    "/regles/7-04/",
    "/trajets/8-22/",
    "/trajets/coupures-cyclables/",
    "/itineraire/8-04/",
    "/signaler/1-02/",
    "/signalements/{number}/",
    "/suivi/{token}/",
    "/suivi/{token}/recu/",
    "/travaux/1/",
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
        "/agent/objets/",
        "/agent/alertes/",
        "/agent/alertes/1/",
        "/agent/alertes/1/modifier/",
        "/agent/alertes/nouvelle/",
        "/agent/alertes/projets/",
        "/agent/lieux-a-verifier/",
        "/agent/reservations/",
        "/agent/reservations/1-08/",
        "/agent/reservations/1-08/chiffres/",
        "/videoprotection/",
        "/eclairage/",
        "/fret/?quoi=Sable&tonnes=1000&emballage=vrac&sens=part&ici=3.0080,45.0095&lieu=3.4,45.3",
        "/passoires/",
        "/commerces/evolution/",
        "/commerces/tendance/",
        "/sous-sol/?chez=3.0080,45.0095",
        "/eclairage/scenarios/1/",
        "/habitat-indigne/",
        "/proprietaires-locaux/consultations/",
        "/locaux/",
        "/locaux/batiments/AAAABBBBCCCC/",
        "/objets/proposer/",
        "/agent/energie/",
        "/agent/donnees-a-surveiller/",
        "/agent/sources/",
        "/agent/sources/brancher/",
        "/agent/capteurs/",
        "/agent/capteurs/ajouter/",
        "/agent/capteurs/1/",
        "/agent/responsables/",
        "/agent/responsables/arbres/",
        "/agent/bailleurs/",
        "/agent/bailleurs/552046484/",
        "/agent/bac-a-sable/",
        "/batiments/",
        "/croiser/",
        "/croiser/?e=jeu%7Carbres&e=dans%7Cquartiers&e=resumer%7C%40quartiers%7Ccount%7C&proposer=1",
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
        "/agent/personnes/2/",
        "/agent/accueil/",
        "/agent/signalements/",
        "/agent/signalements/chiffres/",
        "/agent/signalements/reponses/",
        "/agent/signalements/{number}/",
        "/agent/interventions/",
        "/agent/interventions/nouvelle/",
        "/agent/passages/",
        "/agent/passages/contrat/",
        "/agent/usages/",
        "/agent/usages/G-03/",
        "/agent/webhooks/",
        "/vues/technicien/",
        f"{ARBRES}ajouter/",
        f"{ARBRES}fiche/{{thing}}/retoucher/",
        "/objet/arbres/{thing}/etiquette/",
        "/compte/",
        "/compte/email/",
        "/compte/2fa/",
        "/compte/reauthenticate/",
        "/abonnements/",
        "/mes-donnees/",
        "/mes-donnees/effacer/",
    ],
    "equipe@bourg.test": [
        "/agent/reservations/1-08/liste/?jour={day}",
        "/agent/reservations/demande/{booking}/",
        "/agent/creneaux/6-13/?jour={slot_day}",
        "/agent/creneaux/demande/{slot}/",
        "/agent/creneaux/6-13/fermer/",
        "/agent/creneaux/6-13/saison/",
        "/agent/creneaux/6-13/chiffres/",
        "/factures/",
        "/factures/1/",
        "/paiement/{payment}/",
        "/paiement/bac-a-sable/{operation}/",
        "/agent/factures/",
        "/agent/factures/unites/",
        "/agent/factures/mois/{month}/",
        "/agent/factures/impayees/",
        "/agent/factures/4/",
        "/agent/factures/familles/",
        "/agent/factures/familles/4/",
        "/agent/factures/remboursements/",
        "/agent/factures/rapprochement/",
        "/agent/factures/regie/enfance/",
        "/agent/tournee/",
        "/agent/demarches/",
        "/agent/demarches/passages/",
        "/agent/registres/",
        "/agent/registres/1-21/",
        "/agent/registres/fiche/1/",
        "/agent/registres/appels/1/",
        "/agent/demarches/{certified}/",
        "/agent/travaux/1/",
        "/agent/travaux/2/",
        "/agent/travaux/1/rues/0/0/",
        "/agent/tournees/1/",
        "/agent/maraudes/4-10/",
        "/agent/maraudes/4-10/preparer/",
        "/agent/maraudes/4-10/besoins/nouveau/",
        "/agent/maraudes/4-10/besoins/1/",
        "/agent/maraudes/tournee/2/",
        "/agent/interventions/1/",
        "/agent/passages/contrat/1/{month}/",
    ],
    "elue@bourg.test": [
        "/indicateurs/9-03/",
        "/agent/maraudes/chiffres/",
        "/annuaires/6-14/associations/W341000001/tenir/",
        "/elu/",
        "/elu/note/",
        "/elu/communes/",
        "/elu/donnees/",
        "/elu/installation/",
        "/vues/elu/",
        "/mes-demandes/",
        "/demarches/demande/{asked}/",
        "/demarches/pieces/",
    ],
}


PARTS_OF = {"": 4, "agent@bourg.test": 3}


def walked_addresses() -> list[str]:
    """Return every address that is walked, whoever reads it."""
    return [*PAGES, *(address for pages in RESERVED.values() for address in pages)]


# Nothing is fetched again for the rules: those that read style sheets or films are not ours.
AXE_RUNS = """([within, rules]) =>
    axe.run(within ?? document, {runOnly: rules, resultTypes: ['violations'], preload: false})
    .then(result => result.violations)"""
# The header and the footer are those of every page: whoever reads, the first page of a walk has them in every look.
COMMON = {"exclude": [[".header"], [".footer"]]}
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


def axe_violations(page: Page, rules: dict[str, object] = ALL, within: dict[str, object] | None = None) -> list[str]:
    return [
        f"{one['id']}: {one['help']} – {node['target']} {node.get('failureSummary', '')[:200]}"
        for one in page.evaluate(AXE_RUNS, [within, rules])
        for node in one["nodes"][:3]
    ]


# On paper, what a page says is there, and what only serves a screen is not (G-12: every public page prints).
PRINTS = """() => {
    const shown = one => one.getClientRects().length > 0;
    const screens = [...document.querySelectorAll('.header .nav, .search, .map-tools')];
    return document.querySelector('main').offsetHeight > 20 && !screens.some(shown);
}"""


# Two widths, three styles: the whole rules at each width, the colours in each style. The narrow one is that of a
# 1,280-pixel window at 400 % (WCAG 1.4.10), narrower than any phone.
LOOKS = ((NARROW, "light", ALL), (DESKTOP, "dark", ALL), (DESKTOP, "contrast", COLOURS))
# One page for each script that draws a map; the others are drawn by the same.
DRAWN = {"/carte/", "/carte/quartiers/?couche=arbres&avant=2026-06-01", "/signaler/", "/itineraire/8-04/",
         "/carte/batiments/?couche=batiments&colonne=hauteur"}  # fmt: skip


# What is promised to hold on one sheet of paper.
ONE_SHEET = {"/elu/note/"}


def sheets_of(page: Page) -> int:
    """Return how many A4 sheets a page prints on."""
    paper = page.pdf(format="A4", margin=dict.fromkeys(("top", "right", "bottom", "left"), "15mm"))
    return len(re.findall(rb"/Type\s*/Page\b", paper))


WIDTH_UNFOLDED = """() => {
    for (const one of document.querySelectorAll('main details')) one.open = true;
    return document.documentElement.scrollWidth;
}"""


def faults(watched: Watched, address: str, *, first: bool) -> list[str]:
    """What is wrong with a page: axe at two sizes, in every style, its width at 320 px, what it says and asks for.

    `first` looks at what all pages share in every look too; the page comes, and is left, at the size of the first look.
    """
    page = watched.page
    found = []
    for rank, (size, style, rules) in enumerate(LOOKS):
        if size != LOOKS[rank - 1][0]:
            page.set_viewport_size({"width": size[0], "height": size[1]})
        page.evaluate(f"() => {{ document.documentElement.dataset.theme = '{style}'; }}")
        violations = axe_violations(page, rules, None if first or rank == 0 else COMMON)
        found += [f"{size[0]} px {style}: {one}" for one in violations]
    page.evaluate("() => { delete document.documentElement.dataset.theme; }")
    page.emulate_media(media="print")
    found += [] if page.evaluate(PRINTS) else ["does not print as it should"]
    found += ["prints on more than one sheet"] if address in ONE_SHEET and sheets_of(page) != 1 else []
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    width = page.evaluate(WIDTH_UNFOLDED)
    found += [f"{width} px wide at 320"] if width > NARROW[0] else []
    if address in DRAWN:
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
        # What works without network is tried elsewhere: here it would only keep each page aside as it is read.
        watched = visit(address, service_workers="block", **options)
        watched.page.add_init_script(path=AXE)
        watched.page.add_init_script(AT_REST)
        watched.page.reload()
        return watched

    return open_page


def walk(watched: Watched, site: Site, pages: list[str]) -> dict[str, list[str]]:
    known = json.loads((site.folder / "walked.json").read_text())
    month = f"{timezone.localdate():%Y-%m}"
    found = {}
    for address in pages:
        answer = watched.page.goto(site.url + address.format(month=month, **known))
        wrong = faults(watched, address, first=address == pages[0])
        wrong += [] if address in REFUSED or (answer and answer.ok) else [f"answers {answer and answer.status}"]
        found |= {address: wrong} if wrong else {}
    return found


# In parts, each far from the minutes that a test may take on a busy machine.
STAFF_PARTS = [(reader, part) for reader in RESERVED for part in range(PARTS_OF.get(reader, 1))]


@pytest.mark.parametrize("part", range(PARTS_OF[""]))
def test_public_pages_are_accessible_narrow_and_silent(
    part: int, visit_with_axe: Callable[..., Watched], site: Site
) -> None:
    assert walk(visit_with_axe("/", size=NARROW), site, PAGES[part :: PARTS_OF[""]]) == {}


@pytest.mark.parametrize(("reader", "part"), STAFF_PARTS)
def test_reserved_pages_are_accessible_narrow_and_silent(
    reader: str, part: int, visit_with_axe: Callable[..., Watched], site: Site
) -> None:
    pages = RESERVED[reader][part :: PARTS_OF.get(reader, 1)]
    assert walk(visit_with_axe("/", size=NARROW, sign_in=reader), site, pages) == {}


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
