"""The public reports as a dataset of the lake: every night, and never what is not everyone's to read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.operations import ImportStatus
from beffroi.lake.store import DatasetRef
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Outcome, Requester
from beffroi.serve.reports import operations
from beffroi.serve.reports.snapshot import DATASET, take_snapshot, take_snapshots
from serve_makers import agent_of, photo, send
from territory_makers import AT, TOWN

pytestmark = pytest.mark.django_db
REF = DatasetRef(TOWN, DATASET)
AGENT = agent_of("proprete", "voirie", "habitat")
LATER = AT + timedelta(hours=6)


@pytest.fixture
def lake_of_its_own(town: str, settings: Any, tmp_path: Path) -> None:
    settings.LAKE_DIR = tmp_path / "lake"
    settings.DEFAULT_COMMUNE = TOWN


def shown(viewer: Any = ANONYMOUS) -> list[dict[str, Any]]:
    """The rows of the dataset as a reader sees them."""
    page = lake.table(viewer, REF, order_by="numero")
    return [dict(zip((column.key for column in page.columns), row, strict=True)) for row in page.rows]


def test_a_town_without_reports_has_no_dataset(lake_of_its_own: None) -> None:
    send("depot-sauvage")
    assert take_snapshot(TOWN, at=LATER) is None


def test_what_is_public_is_told_once_and_nothing_else_ever(
    lake_of_its_own: None, client: Client, settings: Any
) -> None:
    secret = "Camille Secrète"
    dump = send(
        "depot-sauvage", description=f"Chez {secret}", requester=Requester(name=secret), photos=(photo(),),
        address="12 rue du Four",
    ).number  # fmt: skip
    squat, untouched = send("squat").number, send("nid-de-poule").number
    hole, abuse = send("nid-de-poule").number, send("nid-de-poule").number
    for number in (dump, squat, hole, abuse):
        cases.accept_case(number=number, by=AGENT, at=LATER)
    close = operations.close_report
    close(number=dump, outcome=Outcome.DONE, reason="Ramassé", by=AGENT, at=AT + timedelta(days=2))
    close(number=abuse, outcome=Outcome.ABUSE, reason="x", by=AGENT, at=LATER)

    first = take_snapshot(TOWN, at=LATER)
    assert first is not None
    assert first.status is ImportStatus.PUBLISHED
    rows = {row["numero"]: row for row in shown()}
    assert set(rows) == {dump, hole}
    assert (rows[dump]["issue"], rows[dump]["delai_jours"], rows[dump]["rue"]) == ("Réglé", 2, "rue du Four")
    assert "echeance" not in rows[dump]
    assert {"echeance", "origine", "rouvert"} <= set(shown(AGENT)[0])

    # The same night again, or another without a change: the same version.
    again = take_snapshot(TOWN, at=LATER + timedelta(days=1))
    assert again is not None
    assert (again.status, again.version) == (ImportStatus.UNCHANGED, first.version)

    files = [path.read_bytes() for path in Path(settings.LAKE_DIR).rglob("*") if path.is_file()]
    assert any(dump.encode() in content for content in files)
    for hidden in (squat, untouched, abuse, secret, "12 rue"):
        assert not any(hidden.encode() in content for content in files), hidden
    page = client.get(f"/donnees/{TOWN}/{DATASET}/").content.decode()
    assert "Signalements" in page
    assert dump in client.get(f"/donnees/{TOWN}/{DATASET}/tableau/").content.decode()


def test_a_report_that_becomes_restricted_leaves_the_next_version(lake_of_its_own: None) -> None:
    number, other = send("depot-sauvage").number, send("depot-sauvage").number
    for one in (number, other):
        cases.accept_case(number=one, by=AGENT, at=LATER)
    take_snapshots(LATER)
    assert len(shown()) == 2
    operations.reclassify_report(number=number, category="squat", by=AGENT, at=LATER)
    take_snapshots(LATER + timedelta(days=1))
    assert [row["numero"] for row in shown()] == [other]
