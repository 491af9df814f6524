"""7-02, the sheet of a building: « from permit to maintenance; readings over time give its ageing »."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.territory.viewer import Role
from beffroi.lake.definitions import Definition
from city_models import published, square
from faces.portal.small_town import AT, CODE, SOUTH, WEST

pytestmark = pytest.mark.django_db

RNB = "JP8BP25CV22P"
PAGE = f"/batiments/{CODE}/batiments/B1/"
PERMITS = (
    "num_permis;date_decision;nature;id_rnb\nPC00112023;2011-05-03;Extension de l’école;JP8BP25CV22P\n"
    "PC00999;2020-01-01;Autre maison;XXXXXXXXXXXX\n"
)
ENERGY = (
    "numero_dpe;date_etablissement_dpe;etiquette_dpe;etiquette_ges;conso_5_usages_par_m2_ep;id_rnb\n"
    f"D1;2021-01-27;D;C;210;{RNB}\n"
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school, its permit and its energy label."""
    folder = tmp_path_factory.mktemp("vie")
    values = {"id": "B1", "nom": "École du Bas", "usage1": "Enseignement", "date_app": "1932-01-01", "id_rnb": RNB}
    shape = square(WEST + 0.01, SOUTH + 0.01, 20).__geo_interface__
    feature = {"type": "Feature", "properties": values | {"hauteur": 9.2}, "geometry": shape}
    content = json.dumps({"type": "FeatureCollection", "features": [feature]})
    published(CODE, "batiments", "batiments.geojson", content, folder, AT)
    published(
        CODE,
        "permis-de-construire",
        "permis.csv",
        PERMITS,
        folder,
        AT,
        Definition("permis-de-construire", title="Permis de construire", access="agents"),
    )
    published(CODE, "dpe", "dpe.csv", ENERGY, folder, AT, Definition("dpe", title="Diagnostics énergie"))
    return folder / "lake"


@pytest.fixture
def school(lake: Path, settings: Any, small_town: str) -> str:
    """The address of the life of the school."""
    settings.LAKE_DIR = lake
    return PAGE


def shown(client: Client, address: str = PAGE) -> str:
    return re.sub(
        r"\s+",
        " ",
        re.sub(r"<[^>]+>", " ", client.get(address).content.decode().replace("\u00a0", " ").replace("\u202f", " ")),
    )


def test_from_its_permit_to_its_maintenance(school: str, signed_in: Callable[..., Client]) -> None:
    agent = signed_in(Role.AGENT)
    work = {"act": "work", "kind": "renovation", "component": "toiture", "day": "2018-06-30", "title": "Toiture neuve"}
    more = {"by_whom": "Couvreurs", "cost_eur": "12500,50", "note": "Ardoises du pays."}
    assert agent.post(school, work | more).status_code == 302
    for year, grade in ((2019, 5), (2021, 4), (2023, 4), (2025, 3)):
        told = {"act": "reading", "component": "toiture", "grade": grade, "day": f"{year}-09-01"}
        assert agent.post(school, told).status_code == 302
    text = shown(agent)
    lines = [
        "État relevé : Toiture, 3 sur 5",
        "Classe énergie D",
        "Toiture neuve",
        "Extension de l’école",
        "Apparition du bâtiment",
    ]
    places = [text.index(line) for line in lines]
    assert places == sorted(places), "newest first"
    assert "12 500,50 € dépensés" in text
    assert "Ardoises du pays." in text
    assert (
        "Estimation sur 4 relevés (2019–2025) : 0,30 point perdu par an, note 2 (travaux à prévoir) vers 2029" in text
    )
    listed = shown(agent, "/batiments/")
    assert re.search(r"École du Bas Toiture 3 2029 4 1", listed)
    rows = agent.get(f"{school}vie.csv").content.decode("utf-8-sig").splitlines()
    assert rows[0] == "date;fait;détail;source"
    assert any(
        row.startswith("30 juin 2018;Rénovation ou remplacement : Toiture neuve;Toiture · Couvreurs · 12")
        for row in rows
    )
    assert len(rows) == 1 + 5 + 3


def test_no_form_names_two_fields_alike(school: str, signed_in: Callable[..., Client]) -> None:
    """What an agent writes must not stand in for what the form does."""
    agent = signed_in(Role.AGENT)
    agent.post(school, {"act": "reading", "component": "facade", "grade": 2, "day": "2024-01-01", "note": "Fissure."})
    page = agent.get(school).content.decode()
    assert "Fissure." in page
    for form in re.findall(r"<form.*?</form>", page, flags=re.DOTALL):
        names = re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', form)
        assert len(names) == len(set(names)), names


def test_a_note_is_withdrawn_and_a_wrong_one_says_why(school: str, signed_in: Callable[..., Client]) -> None:
    agent = signed_in(Role.AGENT)
    answer = agent.post(school, {"act": "reading", "component": "toiture", "grade": 3, "day": "2999-01-01"})
    assert answer.status_code == 400
    assert "ne peut être daté de demain" in answer.content.decode()
    assert agent.post(school, {"act": "work", "kind": "entretien", "title": "", "day": "2020-01-01"}).status_code == 400
    agent.post(school, {"act": "reading", "component": "facade", "grade": 2, "day": "2024-01-01"})
    number = re.search(r'name="number" value="(\d+)"', agent.get(school).content.decode())
    assert number
    assert agent.post(school, {"act": "withdraw", "what": "reading", "number": number[1]}).status_code == 302
    assert "État relevé" not in shown(agent)
    assert agent.post(school, {"act": "withdraw", "what": "reading", "number": number[1]}).status_code == 404


def test_residents_see_neither_the_page_nor_the_way_to_it(
    school: str, signed_in: Callable[..., Client], client: Client
) -> None:
    sheet = f"/donnees/{CODE}/batiments/fiche/B1/"
    for reader in (client, signed_in(Role.RESIDENT), signed_in(Role.ELECTED)):
        page = reader.get(sheet).content.decode()
        assert "Sa vie" not in page
        assert "Extension" not in page
        for address in (school, f"{school}vie.csv", "/batiments/"):
            assert reader.get(address).status_code in (302, 403)
    assert f'href="{school}"' in signed_in(Role.AGENT).get(sheet).content.decode()


def test_the_way_in_from_the_service_and_the_back_office(school: str, signed_in: Callable[..., Client]) -> None:
    agent = signed_in(Role.AGENT)
    assert 'href="/batiments/"' in agent.get("/agent/").content.decode()
    assert "/maquette/7-02/" in agent.get("/services/7-02/").content.decode()
    assert agent.get("/maquette/7-02/").headers["Location"] == "/batiments/"
    assert agent.get("/maquette/7-01/").headers["Location"] == "/maquette/"
    assert "Aucun bâtiment suivi" in shown(agent, "/batiments/")


def test_what_is_not_a_building_has_no_life(school: str, signed_in: Callable[..., Client]) -> None:
    agent = signed_in(Role.AGENT)
    assert agent.get(f"/batiments/{CODE}/dpe/x/").status_code == 404
    assert agent.get(f"/batiments/{CODE}/batiments/inconnu/").status_code == 404
