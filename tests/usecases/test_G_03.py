"""G-03, the life cycle of use cases, clause by clause of what it must do."""

from __future__ import annotations

import csv
import io
import tomllib
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.catalogue import counting, operations, queries
from beffroi.base.catalogue.definition import State
from beffroi.base.kernel.resources import shipped_folder
from beffroi.base.territory.viewer import Role

pytestmark = pytest.mark.django_db

ADDED = """
title    = "Prêter un vélo cargo"
workshop = 1
audience = ["citoyen"]
engine   = "layers"
state    = "draft"
need     = "Essayer un vélo cargo avant d’en acheter un."
promise  = "Les stations de prêt sont sur la carte."
themes   = ["mobilites"]

[layers]
datasets = ["arbres"]

[[example]]
when = { dataset = "arbres", source = "nom,lon,lat\\nTilleul,3.88,43.61\\n" }
then = { status = "published", rows = 1 }
"""
PAGE = "/services/1-99/"
LIFE = "/agent/usages/1-99/"


@pytest.fixture
def added(small_town: str, settings: Any, tmp_path: Path) -> Any:
    """A use case the town adds with one data file."""
    settings.DATA_DIR = tmp_path
    folder = tmp_path / "usecases" / "1"
    folder.mkdir(parents=True)
    (folder / "1-99-velo-cargo.toml").write_text(ADDED, encoding="utf-8")
    counting.BUFFER._counts.clear()
    queries.forget_catalogue()
    yield small_town
    queries.forget_catalogue()


@pytest.fixture
def administrator(added: str, signed_in: Callable[..., Client]) -> Client:
    return signed_in(Role.ADMINISTRATOR)


def switch(client: Client, *states: str, reason: str = "Peu de vélos, peu de monde") -> None:
    for state in states:
        answer = client.post(f"{LIFE}etat/", {"state": state, "reason": reason})
        assert answer.status_code == 302, answer.content.decode()


def test_a_use_case_is_one_data_file(added: str) -> None:
    assert queries.problems() == ()
    assert queries.use_case("1-99", territory=added).use_case.title == "Prêter un vélo cargo"
    shipped = list(shipped_folder("usecases").glob("[0-9]*/*.toml"))
    ids = {"-".join(path.name.split("-")[:2]) for path in shipped}
    assert len(shipped) == len(ids) == 227
    assert all("engine" in tomllib.loads(path.read_text(encoding="utf-8")) for path in shipped)


def test_it_is_switched_through_its_four_states_and_a_draft_stays_hidden(administrator: Client, client: Client) -> None:
    assert client.get(PAGE).status_code == 404
    assert PAGE not in client.get("/services/").content.decode()
    switch(administrator, "pilot")
    assert "Service à l’essai" in client.get(PAGE).content.decode()
    assert PAGE in client.get("/services/").content.decode()
    switch(administrator, "live")
    page = client.get(PAGE).content.decode()
    assert "En service" in page
    assert "Service à l’essai" not in page
    switch(administrator, "retired")
    assert PAGE not in client.get("/services/").content.decode()
    assert [item.state for item in queries.decisions("1-99", "00001")] == [State.RETIRED, State.LIVE, State.PILOT]


def test_its_usage_is_measured(administrator: Client, client: Client) -> None:
    switch(administrator, "pilot")
    client.get(PAGE)
    client.get(PAGE)
    administrator.get(PAGE)
    operations.flush_usage()
    page = administrator.get(LIFE).content.decode()
    assert "3 utilisations" in page
    assert queries.usage_totals("00001", since=datetime.now(UTC).date().replace(month=1, day=1))["1-99"] == 3


def test_retiring_keeps_its_data_and_exports_it(administrator: Client, client: Client) -> None:
    switch(administrator, "pilot")
    client.post(PAGE, {"text": "La batterie tient mal."})
    client.get(PAGE)
    switch(administrator, "retired")
    archive = zipfile.ZipFile(io.BytesIO(administrator.get(f"{LIFE}export.zip").content))
    told = {
        name: list(csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig")), delimiter=";"))
        for name in archive.namelist()
        if name.endswith(".csv")
    }
    assert told["remarques.csv"][1][1] == "La batterie tient mal."
    assert [row[1] for row in told["decisions.csv"][1:]] == ["retired", "pilot"]
    assert sum(int(row[2]) for row in told["frequentation.csv"][1:]) == 1
    # Brought back, it finds everything where it was.
    switch(administrator, "pilot")
    assert "La batterie tient mal." in administrator.get(LIFE).content.decode()


def test_once_retired_its_page_says_why(administrator: Client, client: Client) -> None:
    switch(administrator, "pilot", "retired")
    answer = client.get(PAGE)
    assert answer.status_code == 200
    assert "Service retiré" in answer.content.decode()
    assert "Peu de vélos, peu de monde" in answer.content.decode()
    assert "<textarea" not in answer.content.decode()


@pytest.mark.parametrize("state", ["pilot", "live"])
def test_each_use_case_that_works_has_a_public_page_naming_its_need_whatever_its_public(
    state: str, small_town: str, client: Client
) -> None:
    operations.set_state("G-03", State(state), territory=small_town, by=None, at=datetime.now(UTC), reason="Essai")
    working = queries.use_cases(territory=small_town, states=[State.PILOT, State.LIVE])
    assert "G-03" in {view.use_case.id for view in working}
    for view in working:
        answer = client.get(f"/services/{view.use_case.id}/")
        assert answer.status_code == 200
        assert answer.context["service"].need in answer.content.decode().replace("&#x27;", "'")
    listed = client.get("/services/").content.decode()
    shown = queries.with_data(working, small_town)
    assert all(f"/services/{view.use_case.id}/" in listed for view in shown)


def test_tools_of_the_staff_are_told_and_their_door_only_shown_to_them(
    small_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    assert "Les agents et les élus s’en servent depuis leur espace" in client.get("/services/G-03/").content.decode()
    assert client.get("/services/G-03/").context["start_url"] == ""
    assert signed_in(Role.ELECTED).get("/services/G-03/").context["start_url"] == "/agent/usages/"


def test_every_draft_stays_hidden(small_town: str, client: Client) -> None:
    drafts = queries.use_cases(territory=small_town, states=[State.DRAFT])
    assert drafts
    assert {client.get(f"/services/{view.use_case.id}/").status_code for view in drafts} == {404}


def test_remarks_are_collected_in_pilot_only(administrator: Client, client: Client) -> None:
    switch(administrator, "pilot")
    answer = client.post(PAGE, {"text": "Deux stations manquent au nord."}, follow=True)
    assert "votre remarque est enregistrée" in answer.content.decode()
    assert client.post(PAGE, {"text": ""}).status_code == 400
    switch(administrator, "live")
    assert "<textarea" not in client.get(PAGE).content.decode()
    late = client.post(PAGE, {"text": "Trop tard."})
    assert late.status_code == 400
    assert "n’est pas en pilote" in late.content.decode()
    assert "Deux stations manquent au nord." in administrator.get(LIFE).content.decode()
    assert queries.remark_counts("00001") == {"1-99": 1}
