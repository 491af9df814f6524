"""Deny by default: no byte of what a reader may not see is in what she can get."""

from __future__ import annotations

import gzip
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
from pmtiles.reader import MmapSource, all_tiles

from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake import queries, rights
from beffroi.lake.downloads import FORMATS
from beffroi.lake.queries import BadQuery, DatasetNotFound, Filter, Measure
from beffroi.lake.reading import Column
from beffroi.lake.store import DatasetRef, Lake
from beffroi.lake.tasks import bake_missing_tiles
from lake.store import lakes

ROWS = [lakes.tree(number) for number in range(120)]


def _bytes_of(download: queries.Download) -> bytes:
    content = b"".join(download.chunks or ()) or Path(str(download.path)).read_bytes()
    if download.filename.endswith(".xlsx"):
        with zipfile.ZipFile(str(download.path)) as book:
            return b"".join(book.read(name) for name in book.namelist())
    return content


def test_no_public_artefact_holds_a_restricted_value(lake: Path) -> None:
    version = lakes.published(lake, ROWS, accesses={"note": "agents"}).version
    assert version is not None
    bake_missing_tiles(Lake(lake), lakes.ref(), version)
    folder = Lake(lake).version_folder(lakes.ref(), version)
    assert b"secret" in (folder / "serving.agents.sqlite").read_bytes()
    assert b"secret" not in (folder / "serving.public.sqlite").read_bytes()
    assert b"note" not in (folder / "serving.public.sqlite").read_bytes()
    with (folder / "tiles.public.pmtiles").open("rb") as handle:
        public = b"".join(gzip.decompress(data) for _, data in all_tiles(MmapSource(handle)))
    with (folder / "tiles.agents.pmtiles").open("rb") as handle:
        agents = b"".join(gzip.decompress(data) for _, data in all_tiles(MmapSource(handle)))
    assert b"Platane" in public
    assert b"secret" not in public
    assert b"secret" in agents


def test_a_drawing_carries_no_column(lake: Path) -> None:
    """DXF holds shapes and layers alone: what is cut from a reader is cut from everyone."""
    lakes.published(lake, ROWS, accesses={"note": "agents"})
    assert b"secret" not in _bytes_of(queries.download(lakes.AGENT, lakes.ref(), "dxf"))


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "dxf"])
def test_downloads_are_cut_to_the_reader(lake: Path, format: str) -> None:
    lakes.published(lake, ROWS, accesses={"note": "agents"})
    public = _bytes_of(queries.download(ANONYMOUS, lakes.ref(), format))
    agents = _bytes_of(queries.download(lakes.AGENT, lakes.ref(), format))
    assert b"secret" not in public
    # Parquet's pages are compressed; its schema is not.
    assert b"note" not in public
    assert b"note" in agents or b"Note" in agents
    assert public != agents


def test_features_tables_and_figures_are_cut_to_the_reader(lake: Path) -> None:
    lakes.published(lake, ROWS, accesses={"note": "agents", "espece": "service:espaces-verts"})
    assert b"secret" not in queries.features(ANONYMOUS, lakes.ref()).feature_collection()
    assert b"Platane" not in queries.feature(lakes.AGENT, lakes.ref(), "3")
    assert b"secret-3" in queries.feature(lakes.AGENT, lakes.ref(), "3")
    assert b"Platane" in queries.feature(lakes.GARDENER, lakes.ref(), "3")
    assert "note" not in {column.key for column in queries.dataset(ANONYMOUS, lakes.ref()).columns}
    assert queries.import_report(ANONYMOUS, lakes.ref()).rejects == ()


@pytest.mark.parametrize("viewer", [ANONYMOUS, lakes.OTHER_TOWN, Viewer(3, (Grant(lakes.TOWN, Role.ELECTED),))])
def test_a_hidden_column_cannot_be_named(lake: Path, viewer: Viewer) -> None:
    lakes.published(lake, ROWS, accesses={"note": "agents"})
    asked = (
        lambda: queries.table(viewer, lakes.ref(), columns=["note"]),
        lambda: queries.table(viewer, lakes.ref(), order_by="note"),
        lambda: queries.table(viewer, lakes.ref(), where=[Filter("note", "eq", "secret-1")]),
        lambda: queries.rows(viewer, lakes.ref(), columns=["id", "note"]),
        lambda: queries.aggregate(viewer, lakes.ref(), group_by=["note"]),
        lambda: queries.aggregate(viewer, lakes.ref(), measures=[Measure("x", "max", "note")]),
        lambda: queries.table(viewer, lakes.ref(), columns=['id" , note, "id']),
    )
    for ask in asked:
        with pytest.raises(BadQuery, match="inconnue"):
            ask()


def test_what_is_hidden_and_what_is_absent_answer_the_same(lake: Path) -> None:
    lakes.published(lake, ROWS, slug="cachees", access="service:espaces-verts")
    errors = []
    for slug in ("cachees", "absentes"):
        with pytest.raises(DatasetNotFound) as error:
            queries.dataset(lakes.AGENT, lakes.ref(slug))
        errors.append(str(error.value).replace(slug, "…"))
    assert errors[0] == errors[1]
    assert queries.datasets(lakes.AGENT) == []
    assert [summary.ref.slug for summary in queries.datasets(lakes.GARDENER)] == ["cachees"]


def test_rights_tightened_today_hold_for_yesterdays_version(lake: Path) -> None:
    old = lakes.published(lake, ROWS).version
    assert old is not None
    bake_missing_tiles(Lake(lake), lakes.ref(), old)
    assert b"secret" in queries.features(ANONYMOUS, lakes.ref()).feature_collection()
    lakes.published(lake, ROWS, accesses={"note": "agents"}, at=lakes.AT.replace(hour=13))
    assert b"secret" not in queries.features(ANONYMOUS, lakes.ref(), version=old).feature_collection()
    assert b"secret" not in _bytes_of(queries.download(ANONYMOUS, lakes.ref(), "parquet", version=old))
    assert queries.tiles_state(ANONYMOUS, lakes.ref(), version=old) == "pending"
    assert b"secret" in queries.features(lakes.AGENT, lakes.ref(), version=old).feature_collection()
    bake_missing_tiles(Lake(lake), lakes.ref(), old)
    assert queries.tiles_state(ANONYMOUS, lakes.ref(), version=old) == "ready"


def test_rights_tightened_on_the_naming_column_close_yesterdays_version(lake: Path) -> None:
    old = lakes.published(lake, ROWS).version
    lakes.published(lake, ROWS, accesses={"id": "agents"}, at=lakes.AT.replace(hour=13))
    with pytest.raises(DatasetNotFound):
        queries.features(ANONYMOUS, lakes.ref(), version=old)
    page = queries.features(ANONYMOUS, lakes.ref(), limit=3)
    assert b'"id":"0"' not in page.feature_collection()


def test_computed_ids_tell_nothing_of_hidden_values(lake: Path) -> None:
    columns = lakes.TREES[1:]
    one = lakes.published(lake, ROWS, columns, slug="un", accesses={"note": "agents"})
    changed = [row | {"note": "tout autre"} for row in ROWS]
    other = lakes.published(lake, changed, columns, slug="deux", accesses={"note": "agents"})
    assert one.version != other.version
    ids = [queries.table(ANONYMOUS, lakes.ref(slug), limit=200).ids for slug in ("un", "deux")]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == len(ROWS)


@pytest.mark.parametrize("slug", ["../34172/arbres", "..", ".cache", "a/b", "ARBRES", "arbres\x00", "", "a" * 500])
@pytest.mark.parametrize("territory", [lakes.TOWN, "..", "34172/..", "", ".cache"])
def test_no_name_wanders_in_the_file_system(lake: Path, territory: str, slug: str) -> None:
    lakes.published(lake, ROWS[:2])
    with pytest.raises(DatasetNotFound):
        queries.dataset(lakes.AGENT, DatasetRef(territory, slug))


@pytest.mark.parametrize("version", ["../../arbres", "", "current", "20261123T120000Z-000000000000", "x" * 300])
def test_no_version_wanders_in_the_file_system(lake: Path, version: str) -> None:
    lakes.published(lake, ROWS[:2])
    with pytest.raises(DatasetNotFound):
        Lake(lake).version_folder(lakes.ref(), version)


def test_classes_go_from_the_widest_to_the_narrowest_without_twins() -> None:
    columns = [Column("a", "A"), Column("b", "B", access="agents"), Column("c", "C", access="service:eau")]
    assert rights.classes("public", columns) == ("public", "agents", "service:eau")
    assert rights.classes("public", columns[:1]) == ("public",)
    assert rights.classes("agents", columns[:2]) == ("agents",)
    assert rights.classes("service:eau", columns) == ("service:eau",)
    seen = [len(rights.visible(columns, rights.clearance(name))) for name in rights.classes("public", columns)]
    assert all(fewer < more for fewer, more in pairwise(seen))
