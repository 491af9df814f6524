"""Each page of the portal: what it shows, to whom, and how many questions it asks of the registry."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.territory.viewer import Role
from faces.portal.small_town import CODE, NAME, TREES

pytestmark = pytest.mark.django_db

ARBRES = f"/donnees/{CODE}/arbres/"

# Anonymous readers: one query gives the town of the domain; services cost one more. Nothing depends on the lake's size.
QUERIES = {
    # The alerts in force are one.
    "/": 3,
    # What people give stands in no index: it is one.
    "/recherche/?q=arbre": 3,
    "/autour/?ou=12+grande+rue": 1,
    "/services/": 2,
    "/donnees/": 1,
    "/donnees/?theme=espaces_verts": 1,
    # Who answers for it: one row, where someone was chosen.
    ARBRES: 2,
    f"{ARBRES}tableau/?tri=-hauteur": 1,
    f"{ARBRES}schema/": 1,
    f"{ARBRES}historique/": 1,
    f"{ARBRES}rapport/": 1,
    f"{ARBRES}telecharger/": 1,
    # Its sensors: whether there is a layer of them.
    "/carte/": 2,
    "/carte/liste/?couche=arbres": 1,
}


@pytest.mark.parametrize("address", QUERIES)
def test_each_page_asks_the_registry_as_little_as_written_here(
    address: str, small_town: str, client: Client, django_assert_num_queries: Callable[..., Any]
) -> None:
    with django_assert_num_queries(QUERIES[address]):
        answer = client.get(address)
    assert answer.status_code == 200
    assert NAME.replace("’", "’") in answer.content.decode()


@pytest.mark.parametrize("address", QUERIES)
def test_every_page_says_the_town_is_fictional(address: str, small_town: str, client: Client) -> None:
    assert "Ville fictive" in client.get(address).content.decode()


@pytest.mark.parametrize("address", ["/", "/services/", "/donnees/", "/carte/", "/carte/liste/", "/recherche/?q=arbre"])
def test_pages_stand_on_an_empty_installation(address: str, client: Client) -> None:
    assert client.get(address).status_code == 200


def test_the_list_leaves_out_what_the_reader_may_not_know_of(
    small_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    assert "Astreintes" not in client.get("/donnees/").content.decode()
    assert "Astreintes" in signed_in(Role.AGENT).get("/donnees/").content.decode()
    assert client.get(f"/donnees/{CODE}/astreintes/").status_code == 404


@pytest.mark.parametrize("tab", ["", "tableau/", "schema/", "telecharger/csv", "telecharger/geojson"])
def test_a_reserved_column_reaches_agents_only(
    tab: str, small_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    public, agent = client.get(ARBRES + tab), signed_in(Role.AGENT).get(ARBRES + tab)
    bodies = [b"".join(one.streaming_content) if one.streaming else one.content for one in (public, agent)]
    assert b"releve_par" not in bodies[0]
    assert b"Relev\xc3\xa9 par" not in bodies[0]
    assert b"releve_par" in bodies[1] or "Relevé par".encode() in bodies[1]


def test_the_table_sorts_filters_and_pages(small_town: str, client: Client) -> None:
    page = client.get(f"{ARBRES}tableau/", {"tri": "-hauteur", "colonne": "essence", "valeur": "érable"})
    asked = page.context["asked"]
    assert asked.total == TREES // 3
    heights = [int(cells[2].text) for _id, cells in asked.rows]
    assert heights == sorted(heights, reverse=True)
    following = client.get(f"{ARBRES}tableau/", {"debut": "50", "tri": "hauteur"})
    asked, html = following.context["asked"], following.content.decode()
    assert (asked.first, asked.last) == (51, 100)
    # The first page has no start in its address; the others keep how the table is sorted.
    assert 'rel="prev" href="?tri=hauteur"' in html
    assert 'rel="next" href="?debut=100&amp;tri=hauteur"' in html
    few = client.get(f"{ARBRES}tableau/", {"debut": "50", "tri": "hauteur", "lignes": "20"})
    asked, html = few.context["asked"], few.content.decode()
    assert (asked.first, asked.last) == (51, 70)
    # How many rows a page has goes with what turns, sorts and filters it; another number begins again.
    assert 'rel="next" href="?debut=70&amp;tri=hauteur&amp;lignes=20"' in html
    assert 'href="?tri=hauteur&amp;lignes=100">100</a>' in html
    assert 'aria-current="true" href="?tri=hauteur&amp;lignes=20">20</a>' in html
    assert '<input type="hidden" name="lignes" value="20">' in html
    assert client.get(f"{ARBRES}tableau/", {"lignes": "999999"}).context["asked"].size == 50
    last = client.get(f"{ARBRES}tableau/", {"debut": str((TREES - 1) // 50 * 50)}).content.decode()
    assert f"à {TREES} sur {TREES}" in last
    assert 'rel="next"' not in last


def test_in_english_services_and_themes_are_said_in_english(small_town: str, client: Client) -> None:
    known = catalogue.catalogue().use_cases.values()
    french = {escape(text) for one in known for text in (one.title, one.need, one.promise) if text}
    french |= {escape(text) for one in catalogue.themes() for text in (one.title, one.description)}
    for address in ("/", "/services/", "/services/?theme=proprete-sante", "/services/1-23/", "/recherche/?q=fourriere"):
        html = client.get(address, headers={"accept-language": "en"}).content.decode()
        assert 'lang="en"' in html
        assert {text for text in french if f">{text}<" in html} == set(), address


@pytest.mark.parametrize(
    "query", [{"tri": "inconnue"}, {"debut": "x"}, {"colonne": "essence", "comparaison": "zzz", "valeur": "1"}]
)
def test_a_table_asked_wrongly_answers_a_sentence(query: dict[str, str], small_town: str, client: Client) -> None:
    answer = client.get(f"{ARBRES}tableau/", query)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()


def test_the_import_report_speaks_french(small_town: str, client: Client) -> None:
    page = client.get(f"{ARBRES}rapport/").content.decode()
    assert f"{TREES} lignes lues, {TREES} gardées (100 %)" in page


def test_downloads_say_what_each_format_is_for(small_town: str, client: Client) -> None:
    offers = client.get(f"{ARBRES}telecharger/").context["offers"]
    assert all(offer["size"] for offer in offers)
    assert [offer["url"].rpartition("/")[2] for offer in offers] == [
        "csv",
        "xlsx",
        "geojson",
        "gpkg",
        "parquet",
        "gpx",
        "dxf",
    ]
    geojson = client.get(f"{ARBRES}telecharger/geojson")
    assert len(json.loads(geojson.getvalue())["features"]) == TREES
    assert "attachment" in geojson.headers["Content-Disposition"]
    assert client.get(f"{ARBRES}telecharger/dwg").status_code == 400


def test_a_sheet_tells_facts_with_unit_source_and_date(small_town: str, client: Client) -> None:
    first = client.get(f"{ARBRES}tableau/").context["asked"].rows[0][0]
    page = client.get(f"{ARBRES}fiche/{first}/").content.decode()
    assert "Arbre 0" in page
    assert "D’après « Arbres » (Service des espaces verts), version du 2 mars 2026." in page
    fragment = client.get(f"{ARBRES}fiche/{first}/", {"fragment": ""}).content.decode()
    assert "<html" not in fragment
    assert client.get(f"{ARBRES}fiche/inconnue/").status_code == 404


def test_from_its_sheet_one_reports_a_thing_and_an_agent_sends_somebody_to_it(
    small_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    tree = client.get(f"{ARBRES}tableau/").context["asked"].rows[0][0]
    address = f"{ARBRES}fiche/{tree}/?fragment"
    report, order = f"/objet/arbres/{tree}/", "/agent/interventions/nouvelle/?lat="
    page = client.get(address).content.decode()
    assert report in page
    assert order not in page
    assert client.get(report).status_code == 200
    page = signed_in(Role.AGENT).get(address).content.decode()
    assert report in page
    assert order in page
    assert f"objet=arbres%2F{tree}" in page


def test_the_map_carries_its_base_its_layers_and_no_reserved_one(small_town: str, client: Client) -> None:
    page = client.get("/carte/")
    config = json.loads(page.context["config"])
    assert [one["role"] for one in config["base"]] == ["green", "streets", "buildings", "districts"]
    assert {name for name, _lon, _lat in config["names"]} == {"Le Bas", "Le Haut"}
    assert "astreintes" not in page.content.decode()
    assert all(one["tiles"].startswith("/tuiles/") for one in config["base"] + config["layers"])


def test_the_list_holds_what_the_map_shows(small_town: str, client: Client) -> None:
    layers = {one["id"] for one in json.loads(client.get("/carte/").context["config"])["layers"]}
    listed = client.get("/carte/liste/").content.decode()
    assert all(f"?couche={slug}" in listed for slug in layers)
    items = client.get("/carte/liste/", {"couche": "arbres"}).context["items"]
    assert items[0]["name"].startswith("Arbre ")
