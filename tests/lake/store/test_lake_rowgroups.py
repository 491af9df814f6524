"""Parquet files made one hold the same rows, in their order, and are read as well as if written at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from beffroi.lake import rowgroups, sql

GROUP = 2_048


@pytest.fixture
def con() -> Iterator[Any]:
    made = sql.connect(threads=1)
    yield made
    made.close()


def _parts(con: Any, folder: Path, counts: list[int]) -> list[Path]:
    """Write as many rows as asked in each file, numbered from the first to the last, of all the types of the lake."""
    files, first = [], 0
    for rank, count in enumerate(counts):
        files.append(folder / f"{rank}.parquet")
        con.execute(
            f"COPY (SELECT n, 'rue ' || (n // {GROUP}) AS street, CASE WHEN n % 3 = 0 THEN 'é' || n END AS text, "
            f"n / 7 AS number, DATE '2026-11-26' + CAST(n AS INTEGER) AS day, n % 2 = 0 AS even, "
            f"CAST('w' || n AS BLOB) AS shape, struct_pack(xmin := n, ymin := -n) AS box, NULL::VARCHAR AS nothing "
            f"FROM range({first}, {first + count}) AS t(n)) TO '{files[-1]}' "
            f"(FORMAT parquet, ROW_GROUP_SIZE {GROUP}, COMPRESSION zstd, KV_METADATA {{geo: 'said once'}})"
        )
        first += count
    return files


def test_rows_of_all_files_follow_each_other(con: Any, tmp_path: Path) -> None:
    files, target = _parts(con, tmp_path, [3 * GROUP, 100, 0, 16 * GROUP, 1]), tmp_path / "data.parquet"
    whole = con.execute(f"SELECT * FROM read_parquet({[str(file) for file in files]}) ORDER BY n").fetchall()
    assert rowgroups.join(iter(files), target) == len(whole) == 19 * GROUP + 101
    assert con.execute(f"SELECT * FROM read_parquet('{target}')").fetchall() == whole
    assert not any(file.exists() for file in files)
    said = con.execute(f"SELECT CAST(value AS VARCHAR) FROM parquet_kv_metadata('{target}')").fetchall()
    assert said == [("said once",)]


def test_groups_that_cannot_hold_a_value_are_left_unread(con: Any, tmp_path: Path) -> None:
    target = tmp_path / "data.parquet"
    rowgroups.join(_parts(con, tmp_path, [2 * GROUP, 2 * GROUP, GROUP]), target)
    metadata = f"parquet_metadata('{target}') WHERE path_in_schema = 'n'"
    bounds = con.execute(f"SELECT row_group_id, CAST(stats_min_value AS BIGINT) FROM {metadata} ORDER BY 1").fetchall()
    assert bounds == [(rank, rank * GROUP) for rank in range(5)]
    filters = con.execute(f"SELECT bloom_filter_excludes FROM parquet_bloom_probe('{target}', 'street', 'rue 3')")
    assert [excluded for (excluded,) in filters.fetchall()] == [True, True, True, False, True]
    assert con.execute(f"SELECT count(*) FROM '{target}' WHERE street = 'rue 3'").fetchall() == [(GROUP,)]


def test_a_foot_is_written_as_it_was_read(con: Any, tmp_path: Path) -> None:
    with _parts(con, tmp_path, [16 * GROUP])[0].open("rb") as handle:
        foot, begin = rowgroups._foot_of(handle)
        handle.seek(begin)
        octets = handle.read()[:-8]
    written = bytearray()
    rowgroups._put_struct(written, foot)
    assert bytes(written) == octets


def _fail(con: Any, asked: str) -> None:
    with sql.alone_and_in_order(con) as threads:
        assert threads == 2
        assert con.cursor().execute(asked).fetchall() == [(1, False)]
        raise ZeroDivisionError


def test_queries_asked_alone_leave_the_database_as_it_was() -> None:
    asked = "SELECT current_setting('threads'), current_setting('preserve_insertion_order')"
    con = sql.connect(threads=2)
    with pytest.raises(ZeroDivisionError):
        _fail(con, asked)
    assert con.execute(asked).fetchall() == [(2, True)]
    con.close()
