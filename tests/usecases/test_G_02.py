"""G-02, three versions of the town: more or less by role, through every interface, and three ready views."""

from __future__ import annotations

import re
import sqlite3
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections
from django.test import Client
from shapely.geometry import box

from beffroi.base.kernel.time import now
from beffroi.base.territory import operations
from beffroi.base.territory.viewer import Role
from beffroi.lake import serving
from faces.portal.small_town import CODE, SOUTH, WEST
from territory_makers import make_key

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("connection_kept")]

# In « arbres », the column of who measured is for agents; « astreintes » is theirs altogether.
FIELD, TITLE, VALUE, SECRET = "releve_par", "Relevé par", "L. Martin", "A. Bernard"
ARBRES = f"/donnees/{CODE}/arbres/"
OGC = f"/ogc/collections/{CODE}.arbres"
# Where an agent receives the reserved column, so that its absence for others means something.
CARRIERS = [
    f"{ARBRES}schema/", f"/api/datasets/{CODE}/arbres", f"/api/datasets/{CODE}/arbres/rows",
    f"/api/datasets/{CODE}/arbres/features", f"{OGC}/items",
    *(f"{ARBRES}telecharger/{form}" for form in ("csv", "geojson", "parquet", "gpkg")),
]  # fmt: skip
DOORS = [
    "/", "/recherche/?q=Martin", "/recherche/?q=arbres", "/donnees/", "/carte/", "/carte/liste/?couche=arbres",
    "/urgences/", "/vues/", "/vues/habitant/",
    *(f"{ARBRES}{tab}" for tab in ("", "tableau/", "schema/", "historique/", "rapport/", "telecharger/")),
    f"{ARBRES}tableau/?colonne={FIELD}&comparaison=contains&valeur=L.+Martin", f"{ARBRES}tableau/?tri={FIELD}",
    *(f"{ARBRES}telecharger/{form}" for form in ("csv", "geojson", "xlsx", "parquet", "gpkg")),
    "/api/datasets", f"/api/datasets/{CODE}/arbres", f"/api/datasets/{CODE}/arbres/rows",
    f"/api/datasets/{CODE}/arbres/features", "/ogc/collections", OGC, f"{OGC}/items?limit=500",

    "/api/search?q=Martin", "/api/search?q=arbres",
]  # fmt: skip


@pytest.fixture(autouse=True)
def closed() -> Any:
    yield
    serving.close_all()


def received(client: Client, address: str, *, must_open: bool = False) -> bytes:
    answer = client.get(address)
    assert answer.status_code < 500, address
    assert answer.status_code == 200 or not must_open, f"{address}: a door that does not open proves nothing"
    body = b"".join(answer) if answer.streaming else answer.content
    # The client has put the signal back after its call; the connection of the test must outlive the file.
    request_finished.disconnect(close_old_connections)
    answer.close()
    if body.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(body)) as archive:
            return b"".join(archive.read(name) for name in archive.namelist())
    return body


def readers(signed_in: Callable[..., Client]) -> dict[str, Client]:
    key = make_key(territory=CODE)
    return {
        "anonymous": Client(),
        "resident": signed_in(Role.RESIDENT),
        "elected": signed_in(Role.ELECTED),
        "key": Client(headers={"Authorization": f"Bearer {key}"}),
    }


def test_a_reserved_field_leaves_by_no_interface(small_town: str, signed_in: Callable[..., Client]) -> None:
    leaks = [
        f"{name}: {address}"
        for name, client in readers(signed_in).items()
        for address in DOORS
        if any(word.encode() in body for word in (FIELD, TITLE, VALUE, SECRET) for body in [told(client, address)])
    ]
    assert leaks == []


def told(client: Client, address: str) -> bytes:
    """Return what came, but for the reader's own question, which the page repeats to her."""
    body = received(client, address)
    return b"" if FIELD in address and b"<html" in body else re.sub(rb'value="[^"]*"|valeur=[^"&]*', b"", body)


def test_the_agent_receives_it_by_the_same_interfaces(small_town: str, signed_in: Callable[..., Client]) -> None:
    agent = signed_in(Role.AGENT)
    for address in DOORS:
        received(agent, address, must_open=True)
    assert [address for address in CARRIERS if FIELD.encode() not in received(agent, address)] == []
    for address in (f"{ARBRES}tableau/", f"{ARBRES}telecharger/csv", f"{ARBRES}telecharger/xlsx", f"{OGC}/items"):
        assert VALUE.encode() in received(agent, address), address


def test_the_files_cut_for_everyone_hold_no_reserved_field(small_town: str, small_lake: Path) -> None:
    """Tiles and indexes are baked per class of reader: the public ones were never given the column."""
    folder = max((small_lake / CODE / "arbres" / "versions").iterdir())
    public = [path for path in folder.rglob("*") if path.is_file() and "public" in path.name]
    assert public
    for path in public:
        assert VALUE.encode() not in _opened(path), path.name
    agents = [path for path in folder.rglob("*") if path.is_file() and "agents" in path.name]
    assert any(VALUE.encode() in _opened(path) for path in agents), "the test would see it if it were there"


def _opened(path: Path) -> bytes:
    if path.suffix in (".sqlite", ".sqlite3", ".db", ".index"):
        with sqlite3.connect(path) as base:
            return "\n".join(base.iterdump()).encode(errors="replace")
    return BytesIO(path.read_bytes()).read()


@pytest.fixture
def districts(small_town: str) -> str:
    """Two districts: the lower and the upper half of the town."""
    for name, west in (("Le Bas", WEST), ("Le Haut", WEST + 0.01)):
        shape = box(west, SOUTH, west + 0.01, SOUTH + 0.02)
        operations.add_zone(territory=small_town, kind="quartier", name=name, shape=shape, at=now())
    return small_town


def test_the_official_reads_by_district_then_each_place(districts: str, signed_in: Callable[..., Client]) -> None:
    page = signed_in(Role.ELECTED).get("/vues/elu/")
    summary = page.context["summary"]
    column = [one.ref.slug for one in summary.layers].index("arbres")
    # 120 trees stand every 0.00013° from 3.002: those before 3.010 are in the lower half.
    assert [line.counts[column] for line in summary.districts] == [62, 58]
    assert summary.totals[column] == 120
    assert summary.elsewhere[column] == 0
    assert "/carte/liste/?couche=arbres" in page.content.decode()
    assert VALUE not in page.content.decode()


def test_the_technician_sees_what_is_reserved_and_how_old(small_town: str, signed_in: Callable[..., Client]) -> None:
    page = signed_in(Role.AGENT).get("/vues/technicien/").content.decode()
    assert "Relevé par" in page
    assert "Âge (jours)" in page


def test_the_resident_reads_public_layers_on_map_and_list(small_town: str, client: Client) -> None:
    page = client.get("/vues/habitant/").content.decode()
    assert "/carte/#couches=arbres" in page
    assert "/carte/liste/?couche=arbres" in page
    assert "Relevé par" not in page


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("/vues/habitant/", {Role.RESIDENT, Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR}),
        ("/vues/technicien/", {Role.AGENT, Role.ADMINISTRATOR}),
        ("/vues/elu/", {Role.ELECTED, Role.ADMINISTRATOR}),
    ],
)
def test_each_view_opens_to_its_readers(
    address: str, allowed: set[Role], small_town: str, signed_in: Callable[..., Client]
) -> None:
    answers = {role: signed_in(role).get(address).status_code for role in Role}
    assert {role for role, status in answers.items() if status == 200} == allowed
