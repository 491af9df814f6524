"""HTML that machines can rely on: html-validate finds nothing on any page (rules in web/.htmlvalidate.json)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.territory.viewer import Role
from faces.portal.small_town import CODE
from sense.mobility.transit_feeds import place_network

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

WEB = Path(__file__).resolve().parents[3] / "web"
VALIDATOR = WEB / "node_modules" / "html-validate" / "bin" / "html-validate.mjs"
ARBRES = f"/donnees/{CODE}/arbres/"
TABS = [
    f"{ARBRES}{tab}" for tab in ("", "tableau/", "schema/", "historique/", "differences/", "rapport/", "telecharger/")
]
SHARED = ["/composants/", "/accessibilite/", "/mentions-legales/", "/plan-du-site/", "/apparence/", "/langue/"]
PUBLIC = [
    "/",
    "/urgences/",
    "/vues/",
    "/vues/habitant/",
    "/hors-ligne/",
    "/recherche/?q=arbres",
    "/services/",
    "/services/1-23/",
    "/services/G-03/",
    "/services/G-07/",
    "/registre-des-traitements/",
    "/donnees/",
    "/carte/",
    "/carte/liste/?couche=arbres",
    "/carte/?theme=culture-sport-loisirs&date=2026-06-01",
    "/carte/integrer/",
    "/carte/quartiers/?couche=arbres&avant=2026-06-01",
    "/carte/batiments/?couche=arbres&colonne=essence",
    "/carte/?batiments=batiments:hauteur",
    "/carte/liste/?couche=arbres&bbox=3.0,45.0,3.01,45.01",
    "/carte/ici/?lat=45.0092&lon=3.002&zone=",
    "/signaler/",
    "/signalements/",
    "/signaler/envois/",
    "/signalements/abonnement/?categorie=nid-de-poule",
    "/transports/?q=gare",
    "/transports/arret/reseau/G/",
    "/transports/ligne/reseau/L1/",
    "/transports/horaires/reseau/",
    "/nulle-part/",
    "/ogc/?f=html",
    f"/ogc/collections/{CODE}.arbres?f=html",
    f"/ogc/collections/{CODE}.arbres/items?f=html&limit=5",
]
RESERVED = [
    "/agent/",
    "/agent/bac-a-sable/",
    "/agent/couleurs/",
    "/agent/depots/",
    "/agent/formation/",
    "/agent/formation/donnees/",
    "/agent/journal/",
    "/agent/webhooks/",
    "/agent/personnes/",
    "/agent/personnes/inviter/",
    "/agent/raccourcis/",
    "/agent/usages/",
    "/agent/usages/G-03/",
    "/elu/",
    "/elu/note/",
    "/mes-demandes/",
    "/vues/technicien/",
    "/vues/elu/",
    "/elu/communes/",
]


def test_pages_are_valid_html(
    small_town: str, client: Client, signed_in: Callable[..., Client], tmp_path: Path, settings: Any
) -> None:
    node = shutil.which("node")
    if node is None or not VALIDATOR.exists():
        pytest.skip("Node.js or html-validate is not installed: run `make install`")
    reader = signed_in(Role.AGENT, Role.ADMINISTRATOR)
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    place_network(CODE, settings.DATA_DIR)
    pages = {address: client.get(address) for address in [*PUBLIC, *TABS, *SHARED]}
    pages |= {address: reader.get(address) for address in RESERVED}
    for number, (address, answer) in enumerate(pages.items()):
        name = f"{number:02}{address.split('?')[0].replace('/', '_')}.html"
        (tmp_path / name).write_bytes(answer.content)
    command = [node, str(VALIDATOR), "--config", str(WEB / ".htmlvalidate.json"), "--formatter", "text", str(tmp_path)]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=dict(os.environ))
    assert checked.returncode == 0, checked.stdout
