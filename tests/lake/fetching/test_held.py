"""A refresh that loses too many rows waits for an agent: never in service by itself, never lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.test import Client

from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake import operations, queries
from beffroi.lake.declared import FetchOptions
from beffroi.lake.definitions import Definition
from beffroi.lake.operations import ImportStatus
from beffroi.lake.queries import DatasetRef
from faces.portal.small_town import CODE

AT, LATER = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
AIRES = Definition("aires", title="Aires", fetch=FetchOptions("https://a.example/x", "aires.csv", 0.2))
REF = DatasetRef(CODE, "aires")
AGENT = Viewer(1, (Grant(CODE, Role.AGENT),))


def brought(folder: Path, count: int, at: datetime) -> operations.ImportOutcome:
    source = folder / "aires.csv"
    source.write_text("nom,places\n" + "".join(f"Aire {rank},{rank}\n" for rank in range(count)), encoding="utf-8")
    return operations.import_source(
        source, territory=CODE, at=at, definition=AIRES, lake=folder / "lake", announce=False, guarded=True
    )


@pytest.fixture
def town(small_town: str, tmp_path: Path, settings: Any) -> Path:
    settings.LAKE_DIR = tmp_path / "lake"
    assert brought(tmp_path, 10, AT).status is ImportStatus.PUBLISHED
    return tmp_path


@pytest.mark.django_db
def test_a_small_loss_enters_service_and_a_great_one_waits(town: Path) -> None:
    assert brought(town, 8, LATER).status is ImportStatus.PUBLISHED
    outcome = brought(town, 4, LATER)
    assert outcome.status is ImportStatus.HELD
    assert "la source passe de 8 à 4 lignes" in str(outcome.reason)
    assert queries.dataset(ANONYMOUS, REF).summary.rows == 8
    (waiting,) = queries.held(AGENT, territory=CODE)
    assert (waiting.rows, waiting.before, waiting.lost_percent) == (4, 8, 50)


@pytest.mark.django_db
def test_a_source_that_comes_back_whole_ends_the_wait(town: Path) -> None:
    brought(town, 2, LATER)
    assert brought(town, 11, LATER).status is ImportStatus.PUBLISHED
    assert queries.held(AGENT, territory=CODE) == []


@pytest.mark.django_db
@pytest.mark.parametrize(("act", "rows"), [("approuver", 3), ("refuser", 10)])
def test_an_agent_says_yes_or_no_and_a_resident_cannot(
    town: Path, act: str, rows: int, signed_in: Callable[..., Client]
) -> None:
    brought(town, 3, LATER)
    agent = signed_in(Role.AGENT)
    page = agent.get("/agent/retenues/").content.decode()
    assert "De 10 à 3 lignes (−70 %)" in page
    assert signed_in().post(f"/agent/retenues/{CODE}/aires/{act}/").status_code in (302, 403, 404)
    assert queries.dataset(ANONYMOUS, REF).summary.rows == 10
    assert agent.post(f"/agent/retenues/{CODE}/aires/{act}/").status_code == 302
    assert queries.dataset(ANONYMOUS, REF).summary.rows == rows
    assert queries.held(AGENT, territory=CODE) == []
    assert "Aucune mise à jour n’attend" in agent.get("/agent/retenues/").content.decode()


@pytest.mark.django_db
def test_what_no_one_guards_enters_service_as_before(town: Path) -> None:
    source = town / "aires.csv"
    source.write_text("nom,places\nSeule,1\n", encoding="utf-8")
    outcome = operations.import_source(
        source, territory=CODE, at=LATER, definition=AIRES, lake=town / "lake", announce=False
    )
    assert outcome.status is ImportStatus.PUBLISHED


@pytest.mark.django_db(transaction=True)
def test_adding_a_commune_brings_what_the_mirror_holds(tmp_path: Path, settings: Any) -> None:
    from beffroi.config.commands.territory import add_territory

    settings.LAKE_DIR, settings.DATA_DIR, settings.MIRROR_DIR = tmp_path / "lake", tmp_path, tmp_path / "miroir"
    settings.MIRROR_DIR.mkdir()
    head = "id_lieu,nom_lieu,ad_lieu,insee,type,date_maj,ouvert,Xlong,Ylat,nbre_pl\n"
    (settings.MIRROR_DIR / "bnlc.csv").write_text(
        head
        + "34172-C-001,Sabines,Av. de Vanières,34172,Parking relais,2025-01-01,true,3.86,43.58,40\n"
        + "01004-C-001,Gare,Rue Branly,01004,Parking,2025-01-01,true,5.34,45.95,10\n",
        encoding="utf-8",
    )
    ran = CliRunner().invoke(add_territory, ["34172", "--name", "Montpellier"])
    assert ran.exit_code == 0, ran.output
    assert "aires-covoiturage : reçu" in ran.output
    assert "defibrillateurs : rien de publié pour cette commune" in ran.output
    assert queries.dataset(ANONYMOUS, DatasetRef("34172", "aires-covoiturage")).summary.rows == 1
    again = CliRunner().invoke(add_territory, ["34172"])
    assert "aires-covoiturage : inchangé" in again.output
