"""11-12, the software of landlords.

« documented API and file formats for buildings, lots, tickets and readings, import/export round trip tested, a landlord
sees only its stock ».
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from beffroi.base.journal.queries import EventFilter, all_events
from beffroi.base.territory.operations import BadApiKey
from beffroi.base.territory.viewer import Role
from faces.portal.small_town import CODE
from territory_makers import administrator, make_key

pytestmark = pytest.mark.django_db

MINE, OTHER = "552046484", "732829320"
TABLES = {
    "batiments": "batiment_ref,rnb_id,nom,adresse,longitude,latitude,annee_construction,niveaux,etiquette_dpe\n"
    "B1,AAAABBBBCCCC,Les Tilleuls,12 bis avenue de l’Église,3.8712345,43.6012345,1974,6,D\n"
    "B2,,,3 rue Basse,,,,,\n",
    "lots": "lot_ref;batiment_ref;usage;etage;pieces;surface_m2;occupation;depuis\n"
    "L1;B1;logement;2;3;63,5;occupe;2019-07-01\nL2;B1;logement;;;;vacant;\nL3;B2;commerce;0;;120;;\n",
    "demandes": "ticket_ref,batiment_ref,lot_ref,categorie,objet,etat,ouvert_le,clos_le\n"
    'T1,B1,L1,plomberie,"Fuite, cuisine",ouvert,2026-11-02,\nT2,B1,,ascenseur,En panne,clos,2026-10-01,2026-10-03\n',
    "releves": "releve_ref,batiment_ref,lot_ref,compteur_ref,energie,releve_le,valeur,unite\n"
    "R1,B1,L1,C-88,eau_froide,2026-10-31,1 204,m3\nR2,B2,,C-90,electricite,2026-10-31,8812.25,kwh\n",
}
Call = Callable[..., Any]


@pytest.fixture
def landlord(small_town: str, client: Client) -> Callable[[str], Call]:
    """Return what calls the API as the software of a landlord."""

    def as_owner(siren: str) -> Call:
        key = make_key("stock", f"stock:{siren}", territory=CODE)

        def call(method: str, path: str, body: str | bytes = b"", kind: str = "text/csv") -> Any:
            return client.generic(
                method, f"/api/stock{path}", body, content_type=kind, headers={"Authorization": f"Bearer {key}"}
            )

        return call

    return as_owner


@pytest.fixture
def mine(landlord: Callable[[str], Call]) -> Call:
    call = landlord(MINE)
    for name, content in TABLES.items():
        assert call("PUT", f"/{name}", content).status_code == 200
    return call


def test_a_stock_comes_in_by_tables_and_is_read_back_as_it_was_sent(mine: Call) -> None:
    assert mine("GET", "").json()["lines"] == {"batiments": 2, "lots": 3, "demandes": 2, "releves": 2}
    (building, second) = mine("GET", "/batiments").json()["lines"]
    assert (building["longitude"], building["annee_construction"], second["annee_construction"]) == (
        3.8712345,
        1974,
        None,
    )
    readings = list(csv.DictReader(io.StringIO(b"".join(mine("GET", "/releves.csv").streaming_content).decode())))
    assert [one["valeur"] for one in readings] == ["1204.0", "8812.25"]
    # Sent again, by file or as JSON, nothing changes.
    again = mine("PUT", "/lots", TABLES["lots"]).json()
    assert (again["added"], again["changed"], again["same"]) == (0, 0, 3)
    lines = mine("GET", "/demandes").json()["lines"]
    assert mine("PUT", "/demandes", json.dumps(lines), "application/json").json()["same"] == 2
    page = mine("GET", "/lots?limit=2").json()
    assert (len(page["lines"]), page["next"]) == (2, "L2")
    assert [one["lot_ref"] for one in mine("GET", "/lots?limit=2&after=L2").json()["lines"]] == ["L3"]


def test_the_whole_stock_goes_round_unchanged(mine: Call, landlord: Callable[[str], Call]) -> None:
    archive = mine("GET", "/archive.zip").content
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        package = json.loads(opened.read("datapackage.json"))
        assert {one["path"] for one in package["resources"]} | {"datapackage.json"} == set(opened.namelist())
    kept = mine("PUT", "/archive.zip", archive, "application/zip").json()
    assert {(one["added"], one["changed"], one["removed"]) for one in kept.values()} == {(0, 0, 0)}
    # Another installation of the same software takes it, and gives the same bytes.
    other = landlord(OTHER)
    assert other("PUT", "/archive.zip", archive, "application/zip").json()["lots"]["added"] == 3
    assert other("GET", "/archive.zip").content == archive == mine("GET", "/archive.zip").content


def test_what_replaces_removes_and_what_is_still_named_stays(mine: Call) -> None:
    only = "lot_ref,batiment_ref,usage\nL1,B1,bureau\n"
    assert mine("PUT", "/lots?mode=replace", only).json() == {"added": 0, "changed": 1, "removed": 2, "same": 0}
    refused = mine("PUT", "/batiments?mode=replace", "batiment_ref,adresse\nB2,3 rue Basse\n")
    assert refused.status_code == 422
    assert "le bâtiment « B1 » n’est pas dans la table batiments" in [one["what"] for one in refused.json()["errors"]]
    assert mine("GET", "").json()["lines"]["batiments"] == 2


@pytest.mark.parametrize(
    ("table", "content", "where", "what"),
    [
        (
            "lots",
            "lot_ref,batiment_ref,usage\nL9,B1,logement\nL8,B1,villa\n",
            "lots, ligne 2, usage",
            "« villa » n’est pas",
        ),
        (
            "lots",
            "lot_ref,batiment_ref,usage\nL9,B1,logement\nL9,B1,cave\n",
            "lots, ligne 2, lot_ref",
            "déjà plus haut",
        ),
        ("lots", "lot_ref,batiment_ref,usage\nL9,,logement\n", "lots, ligne 1, batiment_ref", "valeur absente"),
        ("lots", "lot_ref,batiment_ref,usage\nL9,B9,logement\n", "lots, L9, batiment_ref", "n’est pas dans la table"),
        ("releves", TABLES["releves"].replace("1 204", "-4"), "releves, ligne 1, valeur", "trop petit"),
        ("releves", TABLES["releves"].replace("2026-10-31", "31/10/26"), "releves, ligne 1, releve_le", "date"),
        ("demandes", TABLES["demandes"].replace(",L1,", ",L7,"), "demandes, T1, lot_ref", "« L7 » n’est pas"),
    ],
)
def test_a_line_refused_is_told_and_nothing_is_taken_by_halves(
    mine: Call, table: str, content: str, where: str, what: str
) -> None:
    before = mine("GET", f"/{table}").json()
    refused = mine("PUT", f"/{table}", content)
    assert refused.status_code == 422
    (fault, *_others) = refused.json()["errors"]
    assert fault["where"] == where
    assert what in fault["what"]
    assert mine("GET", f"/{table}").json() == before


@pytest.mark.parametrize(
    ("path", "content", "kind", "status"),
    [
        ("/lots", b"\xff\xfe\x00", "text/csv", 422),
        ("/lots", "lot_ref,couleur\nL1,rouge\n", "text/csv", 422),
        ("/lots", "", "text/csv", 422),
        ("/lots", "{", "application/json", 422),
        ("/lots", "[1, null]", "application/json", 422),
        ("/lots", '[{"lot_ref": "L1\\u0000", "batiment_ref": "B1", "usage": "cave"}]', "application/json", 422),
        ("/batiments", '[{"batiment_ref": "B9", "adresse": "3 rue\\u0000"}]', "application/json", 422),
        ("/lots", '{"lot_ref": "L1"}', "application/json", 422),
        ("/lots", "<a/>", "text/xml", 422),
        ("/villas", "lot_ref\n", "text/csv", 404),
        ("/archive.zip", b"PK", "application/zip", 422),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(
    mine: Call, path: str, content: Any, kind: str, status: int
) -> None:
    refused = mine("PUT", path, content, kind)
    assert refused.status_code == status
    assert refused.json()["title"]


def test_a_landlord_sees_only_its_stock_and_nobody_else_sees_it(
    mine: Call, landlord: Callable[[str], Call], client: Client, signed_in: Callable[..., Client]
) -> None:
    other = landlord(OTHER)
    assert set(other("GET", "").json()["lines"].values()) == {0}
    assert other("PUT", "/lots", "lot_ref,batiment_ref,usage\nL1,B1,cave\n").status_code == 422
    assert other("PUT", "/batiments?mode=replace", "batiment_ref,adresse\nB1,Ailleurs\n").json()["removed"] == 0
    assert mine("GET", "/batiments").json()["lines"][0]["adresse"] == "12 bis avenue de l’Église"
    assert client.get("/api/stock/lots").status_code == 401
    assert signed_in(Role.AGENT).get("/api/stock/lots").status_code == 403
    for scopes in (("stock",), (f"stock:{MINE}",), ("stock", f"stock:{MINE}", f"stock:{OTHER}")):
        with pytest.raises(BadApiKey):
            make_key(*scopes, territory=CODE)


def test_agents_read_buildings_and_numbers_never_a_reading(mine: Call, signed_in: Callable[..., Client]) -> None:
    agent = signed_in(Role.AGENT)
    listed = agent.get("/agent/bailleurs/").content.decode()
    assert MINE in listed
    sheet = agent.get(f"/agent/bailleurs/{MINE}/").content.decode()
    assert "Les Tilleuls" in sheet
    assert "C-88" not in sheet + listed
    assert "1204" not in sheet + listed
    assert agent.get(f"/agent/bailleurs/{OTHER}/").status_code == 404
    assert agent.post(f"/agent/bailleurs/{MINE}/effacer/").status_code == 302
    assert mine("GET", "").json()["lines"]["releves"] == 0
    told = all_events(administrator(CODE), EventFilter(subject=f"stock:{MINE}"))
    assert sorted(one.kind for one in told) == ["stock.forgotten"] + ["stock.sent"] * 4


def test_the_forms_are_published_for_those_who_write_the_software(client: Client, small_town: str) -> None:
    package = client.get("/api/stock/datapackage.json").json()
    lots = client.get("/api/stock/lots/schema").json()
    assert lots in [one["schema"] for one in package["resources"]]
    fields = {one["name"]: one for one in lots["fields"]}
    assert fields["surface_m2"] == {
        "name": "surface_m2",
        "type": "number",
        "constraints": {"minimum": 0, "maximum": 100000},
    }
    assert fields["depuis"]["type"] == "date"
    assert lots["foreignKeys"] == [
        {"fields": "batiment_ref", "reference": {"resource": "batiments", "fields": "batiment_ref"}}
    ]


def test_a_key_is_given_with_the_number_of_the_landlord(signed_in: Callable[..., Client], small_town: str) -> None:
    keeper = signed_in(Role.ADMINISTRATOR)
    asked = {"name": "Gestion", "scopes": ["stock"], "last_day": "2027-06-30"}
    assert "neuf chiffres" in keeper.post("/agent/personnes/cles/", asked | {"siren": "552046485"}).content.decode()
    assert "bef_" in keeper.post("/agent/personnes/cles/", asked | {"siren": "552 046 484"}).content.decode()
