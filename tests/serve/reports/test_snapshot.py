"""The public reports as a dataset of the lake: every night, and never what is not everyone's to read."""

from __future__ import annotations

import gzip
import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.journal import queries as journal
from beffroi.base.journal.operations import deliver_pending
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.operations import ImportStatus
from beffroi.lake.store import DatasetNotFound, DatasetRef
from beffroi.lake.tasks import bake_tiles
from beffroi.sense.places.operations import index_territory
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Outcome, Requester
from beffroi.serve.reports import operations
from beffroi.serve.reports.snapshot import DATASET, take_snapshot, take_snapshots
from serve_makers import LAT, LON, agent_of, photo, send
from territory_makers import AT, TOWN, administrator

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


def heard() -> None:
    """What a worker does of what happened."""
    while deliver_pending(1000):
        pass


def withdrawn(number: str, folder: Path) -> bool:
    """Whether no file of the lake, index and tiles included, holds a number any more."""
    return not any(number.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_report_that_becomes_restricted_leaves_every_version_and_all_that_was_made_of_it(
    lake_of_its_own: None, client: Client, settings: Any
) -> None:
    early = send("depot-sauvage").number
    cases.accept_case(number=early, by=AGENT, at=LATER)
    before = take_snapshot(TOWN, at=LATER)
    number = send("depot-sauvage", address="12 rue du Secret").number
    cases.accept_case(number=number, by=AGENT, at=LATER)
    holding = take_snapshot(TOWN, at=LATER + timedelta(days=1))
    assert before is not None
    assert holding is not None
    heard()
    bake_tiles.func(TOWN, DATASET, holding.version)
    index_territory(TOWN)
    # Everything that is made of a dataset, made of it: two pages, the API, OGC, tiles, each download.
    dataset, version = f"/donnees/{TOWN}/{DATASET}", holding.version
    api = f"/api/datasets/{TOWN}/{DATASET}"
    addresses = [
        f"{dataset}/", f"{dataset}/tableau/", f"{dataset}/historique/", f"{api}", f"{api}/features",
        f"/ogc/collections/{TOWN}.{DATASET}/items", f"/ogc/collections/{TOWN}.{DATASET}/items/{number}",
        f"{dataset}/telecharger/csv", f"{dataset}/telecharger/geojson",
        f"/api/search?q={number}", f"/recherche/?q={number}", f"/signalements/?q={number}", "/feeds/signalements.atom",
        f"/signalements/{number}/", "/signalements/carte.geojson", "/open311/v2/requests.json",
        f"/open311/v2/requests/{number}.json",
    ]  # fmt: skip
    old = [f"{dataset}/tableau/?version={version}", f"{api}/features?version={version}",
           f"{dataset}/telecharger/csv?version={version}"]  # fmt: skip
    answers = {address: client.get(address) for address in addresses + old}
    told = [address for address, answer in answers.items() if number in text_of(answer, typed=number)]
    assert {f"{dataset}/tableau/", f"{api}/features", f"{dataset}/telecharger/csv", *old} <= set(told)
    assert client.get(f"{dataset}/tableau/?version={version}").status_code == 200
    assert not withdrawn(number, Path(settings.LAKE_DIR))
    assert number.encode() in tile(version)
    assert number.encode() in tile(None)

    operations.reclassify_report(number=number, category="squat", by=AGENT, at=LATER + timedelta(days=2))
    heard()
    index_territory(TOWN)
    assert [row["numero"] for row in shown()] == [early]
    for address in addresses + old:
        assert number not in text_of(client.get(address), typed=number), address
    assert number.encode() not in tile(None)
    with pytest.raises(DatasetNotFound):
        tile(version)
    for address in old:
        assert client.get(address).status_code == 404, address
    assert withdrawn(number, Path(settings.LAKE_DIR))
    # The history that told nothing of it stays; the journal says what left.
    assert before.version in [one.version for one in lake.versions(ANONYMOUS, REF)]
    (gone,) = [one for one in journal.all_events(administrator()) if one.kind == "dataset.versions_withdrawn"]
    assert gone.payload["versions"] == [holding.version]


def test_the_last_public_report_takes_the_dataset_with_it(lake_of_its_own: None, settings: Any) -> None:
    number = send("depot-sauvage").number
    cases.accept_case(number=number, by=AGENT, at=LATER)
    take_snapshots(LATER)
    operations.close_report(number=number, outcome=Outcome.ABUSE, reason="x", by=AGENT, at=LATER)
    # Even if nobody heard of it, the night does it.
    take_snapshots(LATER + timedelta(days=1))
    with pytest.raises(DatasetNotFound):
        shown()
    assert withdrawn(number, Path(settings.LAKE_DIR))
    other = send("depot-sauvage").number
    cases.accept_case(number=other, by=AGENT, at=LATER)
    take_snapshots(LATER + timedelta(days=2))
    assert [row["numero"] for row in shown()] == [other]


def tile(version: str | None) -> bytes:
    """The tile of zoom 14 where reports are sent, unpacked; empty where there is none."""
    across, turn = 2**14, math.asinh(math.tan(math.radians(LAT)))
    x, y = int((LON + 180) / 360 * across), int((1 - turn / math.pi) / 2 * across)
    found = lake.tile(ANONYMOUS, REF, 14, x, y, version=version)
    return gzip.decompress(found) if found and found[:2] == b"\x1f\x8b" else found or b""


def text_of(answer: Any, *, typed: str) -> str:
    """What an answer says, whatever it is made of; what the reader typed herself left aside."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = content.decode(errors="replace").replace(f'"q": "{typed}"', "")
    return text if answer.status_code < 400 and "<main" not in text else body_of(text, typed)


def body_of(text: str, typed: str) -> str:
    main = text.split("<main")[1].split("</main>")[0] if "<main" in text else ""
    return main.replace(f'value="{typed}"', "").replace(f"« {typed} »", "").replace(f"?rue={typed}", "").replace(
        f"?q={typed}", "")  # fmt: skip
