"""The files of the indexes: rights are cut in them, they follow the lake, and survive whoever kills their making."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from beffroi.base.journal.outbox import deliver_pending
from beffroi.base.territory.viewer import ANONYMOUS, PUBLIC, Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.operations import announce_published
from beffroi.lake.reading import GEOMETRY, Column
from beffroi.lake.searching import SearchOptions
from beffroi.lake.store import DatasetRef
from beffroi.sense.places import index, operations, queries, store, tasks
from beffroi.sense.places.plan import plan_of
from lake.store.lakes import AGENT, AT, GARDENER, TOWN, published

pytestmark = pytest.mark.django_db

COLUMNS = (Column("nom", "Nom"), Column("note", "Note"))
DIRECTOR = Viewer(9, (Grant(TOWN, Role.AGENT, frozenset({"habitat"})),))


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """A lake of its own, and beside it its indexes."""
    settings.LAKE_DIR = tmp_path / "lake"
    return tmp_path / "lake"


def places(*names: str) -> list[dict[str, Any]]:
    return [
        {"nom": name, "note": f"confidence-{name}", GEOMETRY: f"POINT(3.8{n} 43.6)"}
        for n, name in enumerate(names, start=1)
    ]


def found(viewer: Viewer, text: str) -> list[str]:
    return [hit.title for hit in queries.search(viewer, TOWN, text, kinds=[queries.Kind.PLACE]).hits]


def test_a_restricted_dataset_is_in_no_file_but_its_own(folder: Path) -> None:
    published(folder, places("Piscine"), COLUMNS, slug="sports")
    published(folder, places("Abri"), COLUMNS, slug="abris", access="service:habitat")
    operations.index_territory(TOWN)
    assert found(DIRECTOR, "abri") == ["Abri"]
    assert (found(ANONYMOUS, "abri"), found(AGENT, "abri"), found(GARDENER, "abri")) == ([], [], [])
    public = store.index_path(TOWN, PUBLIC).read_bytes()
    assert b"Piscine" in public
    assert b"Abri" not in public
    assert b"abri" not in public
    assert store.classes(TOWN) == ["public", "service:habitat"]


def test_a_restricted_column_is_in_no_file_but_that_of_its_readers(folder: Path) -> None:
    notes = SearchOptions(title=("nom",), words=("note",))
    published(folder, places("Piscine"), COLUMNS, slug="sports", accesses={"note": "agents"}, search=notes)
    operations.index_territory(TOWN)
    assert b"confidence" not in store.index_path(TOWN, PUBLIC).read_bytes()
    assert (found(ANONYMOUS, "confidence"), found(AGENT, "confidence")) == ([], ["Piscine"])
    # She reads it in the agents' file; it is not told twice.
    assert found(AGENT, "piscine") == ["Piscine"]


def test_a_right_withdrawn_is_withdrawn_before_the_index_is_made_again(folder: Path) -> None:
    published(folder, places("Piscine"), COLUMNS, slug="sports")
    operations.index_territory(TOWN)
    assert found(ANONYMOUS, "piscine") == ["Piscine"]
    published(folder, places("Piscine"), COLUMNS, slug="sports", access="agents", at=AT + timedelta(days=1))
    assert found(ANONYMOUS, "piscine") == []
    operations.index_territory(TOWN)
    assert not store.index_path(TOWN, PUBLIC).exists()
    assert found(AGENT, "piscine") == ["Piscine"]


def test_only_what_was_published_is_read_again(folder: Path) -> None:
    published(folder, places("Piscine"), COLUMNS, slug="sports")
    published(folder, places("Musée"), COLUMNS, slug="culture")
    assert operations.index_territory(TOWN) == ["culture", "sports"]
    assert operations.index_territory(TOWN) == []
    published(folder, places("Piscine", "Stade"), COLUMNS, slug="sports", at=AT + timedelta(days=1))
    assert operations.index_territory(TOWN) == ["sports"]
    assert (found(ANONYMOUS, "stade"), found(ANONYMOUS, "musee")) == (["Stade"], ["Musée"])


def test_an_index_made_in_pieces_is_the_one_made_at_once(folder: Path) -> None:
    for number, name in enumerate(("Piscine", "Musée", "Théâtre")):
        published(folder, places(name, f"{name} bis"), COLUMNS, slug=f"jeu-{number}")
        operations.index_territory(TOWN)
    piecewise = store.index_path(TOWN, PUBLIC).read_bytes()
    store.index_path(TOWN, PUBLIC).unlink()
    operations.index_territory(TOWN)
    assert store.index_path(TOWN, PUBLIC).read_bytes() == piecewise


def test_a_making_that_is_killed_leaves_the_index_in_service(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published(folder, places("Piscine"), COLUMNS, slug="sports")
    operations.index_territory(TOWN)
    published(folder, places("Stade"), COLUMNS, slug="sports", at=AT + timedelta(days=1))

    def killed(path: Path, gathered: Any) -> None:
        path.write_bytes(b"half of an index")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_index", killed)
        with pytest.raises(KeyboardInterrupt):
            operations.index_territory(TOWN)
    assert found(ANONYMOUS, "piscine") == ["Piscine"]
    operations.index_territory(TOWN)
    assert found(ANONYMOUS, "stade") == ["Stade"]
    assert [path.name for path in (store.root() / TOWN).iterdir() if path.name.endswith(".part")] == []


@pytest.mark.parametrize("damage", [b"", b"not an index at all", None])
def test_a_file_damaged_or_of_another_format_is_made_again(
    damage: bytes | None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(folder, places("Piscine"), COLUMNS, slug="sports")
    operations.index_territory(TOWN)
    path = store.index_path(TOWN, PUBLIC)
    if damage is None:
        monkeypatch.setattr(index, "FORMAT", "next")
        index._open.clear()
    else:
        path.unlink()
        path.write_bytes(damage)
    assert found(ANONYMOUS, "piscine") == []
    tasks.daily(AT)
    assert found(ANONYMOUS, "piscine") == ["Piscine"]


def test_a_dataset_removed_is_found_no_more(folder: Path) -> None:
    published(folder, places("Piscine"), COLUMNS, slug="sports")
    published(folder, places("Musée"), COLUMNS, slug="culture")
    operations.index_territory(TOWN)
    shutil.rmtree(folder / TOWN / "sports")
    assert found(ANONYMOUS, "piscine") == []
    operations.index_territory(TOWN)
    assert b"Piscine" not in store.index_path(TOWN, PUBLIC).read_bytes()


def test_a_publication_is_indexed_in_the_background(folder: Path) -> None:
    from django_tasks_db.models import DBTaskResult

    published(folder, places("Piscine"), COLUMNS, slug="sports")
    announce_published(at=AT)
    deliver_pending(clock=lambda: AT + timedelta(days=1))
    queued = DBTaskResult.objects.filter(task_path__endswith="tasks.index_territory").order_by("enqueued_at")
    assert [task.args_kwargs["args"] for task in queued] == [[TOWN]]
    tasks.index_territory.func(TOWN)
    assert found(ANONYMOUS, "piscine") == ["Piscine"]


def planned(folder: Path, columns: tuple[Column, ...], rows: list[dict[str, Any]]) -> Any:
    published(folder, rows, columns, slug="essai")
    return plan_of(lake.dataset(ANONYMOUS, DatasetRef(TOWN, "essai")), SearchOptions())


def test_names_of_columns_tell_how_rows_are_found(folder: Path) -> None:
    point = {GEOMETRY: "POINT(3.8 43.6)"}
    place = planned(folder, (Column("nom", "Nom"), Column("categorie", "C"), Column("horaires", "H")), [point])
    assert (place.kind, place.title, place.category, place.hours) == ("place", ("nom",), "categorie", "horaires")
    assert planned(folder, (Column("titre", "T"), Column("x", "X")), [{"titre": "a"}]).kind == "document"
    assert planned(folder, (Column("espece", "E"),), [point]) is None
    street = (Column("numero", "N"), Column("nom_voie", "V"))
    assert planned(folder, street, [point]).kind == "address"
    # A thing that has an address is not an address.
    assert planned(folder, (*street, Column("nom", "Nom")), [point]).kind == "place"


def test_a_name_that_too_many_rows_bear_names_a_sort_of_thing(folder: Path) -> None:
    published(folder, places(*(["Banc"] * 80)), COLUMNS, slug="bancs")
    published(folder, places(*(f"Salle {n}" for n in range(80))), COLUMNS, slug="salles")
    operations.index_territory(TOWN)
    assert found(ANONYMOUS, "banc") == []
    assert len(found(ANONYMOUS, "salle")) == 10
