"""What is known is not read again: sources of one table and of several, and the database kept between imports."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from beffroi.lake import sql
from beffroi.lake.operations import ImportOutcome, ImportStatus, import_source
from beffroi.lake.reading import Reading, ReadOptions
from beffroi.lake.store import Lake
from lake.store import lakes


def _two_tables(_path: Path, _options: ReadOptions, con: Any) -> list[Reading]:
    first = lakes.reading_of([lakes.tree(1)], con=con, title="nord")
    con.execute("CREATE TEMP TABLE south AS SELECT * FROM source")
    return [first, Reading(con, "south", first.columns, 1, has_geometry=True, title="sud")]


def _never(_path: Path, _options: ReadOptions, _con: Any) -> list[Reading]:
    pytest.fail("read again")


def _imported(lake: Path, source: Path, read: Any) -> ImportOutcome:
    return import_source(source, territory=lakes.TOWN, slug="arbres", at=lakes.AT, lake=lake, read=read, announce=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "arbres.xml"
    path.write_text("une source de deux tables", encoding="utf-8")
    return path


def test_a_source_of_several_tables_is_not_read_again(lake: Path, source: Path) -> None:
    assert _imported(lake, source, _two_tables).status is ImportStatus.PUBLISHED
    again = _imported(lake, source, _never)
    assert again.status is ImportStatus.UNCHANGED
    assert [part.ref.slug for part in again.parts] == ["arbres-nord", "arbres-sud"]
    assert [ref.slug for ref in Lake(lake).refs()] == ["arbres-nord", "arbres-sud"]


@pytest.mark.parametrize("note", ["parts.json", "gone"])
def test_a_note_lost_or_a_table_gone_is_read_again(lake: Path, source: Path, note: str) -> None:
    _imported(lake, source, _two_tables)
    home = lake / lakes.TOWN
    lost = {"parts.json": home / "arbres" / "parts.json", "gone": home / "arbres-sud" / "current"}[note]
    lost.write_text("", encoding="utf-8")
    again = _imported(lake, source, _two_tables)
    assert all(part.version for part in again.parts)


def test_a_changed_source_is_read_again(lake: Path, source: Path) -> None:
    _imported(lake, source, _two_tables)
    source.write_text("une autre", encoding="utf-8")
    with pytest.raises(pytest.fail.Exception):
        _imported(lake, source, _never)


def test_the_database_kept_between_imports_is_empty_each_time() -> None:
    for _ in range(2):
        with sql.workbench(memory_mb=500, threads=1) as con:
            assert con.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (0,)
            con.execute("CREATE TEMP TABLE aside AS SELECT 1 AS one")


def test_every_table_the_lake_makes_in_duckdb_is_temporary() -> None:
    """One that is not would meet the next import of the same process: it is not worth a query to each of them."""
    home = Path(sql.__file__).parent
    lasting = re.compile(r"CREATE (OR REPLACE )?(TABLE|VIEW)\b")
    told = {path.relative_to(home).as_posix() for path in home.rglob("*.py") if lasting.search(path.read_text("utf-8"))}
    assert told == {"serving.py"}, "CREATE TEMP TABLE (serving.py alone writes SQLite)"


def _fails() -> None:
    with sql.workbench(memory_mb=500, threads=1) as con:
        con.execute("CREATE TEMP TABLE mine AS SELECT 2 AS one")
        raise ZeroDivisionError


def test_a_fault_or_an_import_within_an_import_gets_a_database_of_its_own() -> None:
    with sql.workbench(memory_mb=500, threads=1) as outer:
        outer.execute("CREATE TEMP TABLE mine AS SELECT 1 AS one")
        with pytest.raises(ZeroDivisionError):
            _fails()
        assert outer.execute("SELECT one FROM mine").fetchone() == (1,)
