"""Rows too many to be held: left in their file until they are written, and marked by a shorter sum. Knows no Django.

A row that is held is marked by the MD5 of its JSON and its shape (see `preparing`). One that is streamed is marked by
the MD5 of what was published of it, side by side: a quarter of the work; its shape, two of its own columns, adds
nothing to them.
"""

# ruff: noqa: S608 - identifiers are quoted keys

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from beffroi.base.kernel.geo import BBox
from beffroi.lake.connectors.profile import somewhere
from beffroi.lake.connectors.tabular import period_of
from beffroi.lake.curve import Keys, Stretch, along, keys_along, stretches_of
from beffroi.lake.definitions import Definition
from beffroi.lake.geoparquet import write_rows
from beffroi.lake.manifest import BOX, ID
from beffroi.lake.preparing import Plan, Prepared, tell_apart
from beffroi.lake.reading import GEOMETRY, Column, Reading, Streamed
from beffroi.lake.rowgroups import join
from beffroi.lake.sql import alone_and_in_order, literal, name

_STRETCHES = 4
"""How many stretches of the curve are written together: few, for all threads to end at the same time."""

Marks: TypeAlias = "npt.NDArray[np.uint64]"
_MIDDLE, _HALF, _LOW = np.uint64(1 << 63), np.uint64(32), np.uint64(0xFFFFFFFF)


def held_if_changed(reading: Reading, definition: Definition) -> None:
    """Bring the rows to a table, with their lines, where the dataset file changes them or must name them."""
    if reading.streamed is None or not _changes(definition):
        return
    table = f"{reading.table}_held"
    reading.con.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM {reading.streamed.numbered}")
    counted = reading.con.execute(f"SELECT count(*) FROM {table}").fetchone()
    reading.table, reading.streamed = table, None
    reading.rows_read = (counted[0] if counted else 0) + reading.rejects.total


def _changes(definition: Definition) -> bool:
    rows = definition.rows
    said = (*definition.corrections, *definition.derived, *rows.by, *rows.distinct, *filter(None, [rows.commune]))
    return bool(said) or any(
        one.required or one.unique or one.enum or one.pattern or one.missing or (one.min, one.max) != (None, None)
        for one in definition.columns.values()
    )


def prepare_streamed(reading: Reading, plan: Plan, target: Path) -> Prepared:
    """Write the rows to `target` as they are read, in the order of the lake: they are never held.

    The reading's rows are `streamed`.
    """
    con: Any = reading.con
    source = reading.streamed
    if source is None:
        raise ValueError("rows that are held are prepared otherwise")
    box = BBox(*source.box) if source.box else None
    types = ("Point",) if box else ()
    written = Prepared("", plan.columns, 0, (None, None), plan.id_column, bool(types), types, box, False, target)
    file = f"read_parquet({literal(str(target))})"
    found = None
    if box is not None and source.lines is not None:
        keys = keys_along(con, source.lines.points, box)
        # Where the rows are is held no longer than what is made of it.
        reading.streamed = replace(source, lines=None)
        found = _write_along(con, source, keys, plan, written)
    else:
        write_rows(con, f"({_ordered(source, plan, box)})", written, target, quickly=True)
    rows, ids, marks = found or con.execute(f"SELECT {_counted(plan)} FROM {file}").fetchone()
    if marks is None:
        halves = f"SELECT CAST({_mark(source, plan.columns)} >> 64 AS HUGEINT) AS half FROM ({source.rows})"
        marks = con.execute(f"SELECT sum(half) FROM ({halves})").fetchone()[0]
    reading.rows_read, reading.period = rows, period_of(con, file, plan.columns)
    if plan.id_column is None and ids < rows:
        _write_apart(con, written, target)
    return replace(written, rows=rows, marks=(marks, None))


def _counted(plan: Plan) -> str:
    """Return the SQL of how many rows and ids there are, and of the sum of marks where ids are their first halves."""
    if not _ids_are_marks(plan):
        return f"count(*), count(DISTINCT {ID}), NULL"
    return f"count(*), count(DISTINCT {_MARK_OF_ID}), sum({_MARK_OF_ID}::HUGEINT)"


_MARK_OF_ID = f"CAST('0x' || {ID} AS UBIGINT)"


def _ids_are_marks(plan: Plan) -> bool:
    return plan.id_column is None and plan.widest == plan.columns


def _write_along(con: Any, source: Streamed, keys: Keys, plan: Plan, written: Prepared) -> tuple[int, int, int] | None:
    """Write the rows along the curve by parts, each by one thread; return how many there are, how many ids, the marks.

    None where ids are not the first halves of marks.
    """
    lines, target = source.lines, written.file
    if lines is None or target is None:
        raise ValueError("rows whose lines are not known are written otherwise")
    with TemporaryDirectory(dir=target.parent) as aside, alone_and_in_order(con) as threads:
        stretches = stretches_of(lines, keys, Path(aside))
        parts = [stretches[first : first + _STRETCHES] for first in range(0, len(stretches), _STRETCHES)]

        def write(rank: int, part: Sequence[Stretch]) -> tuple[Path, Marks | None]:
            for stretch in part:
                stretch.put_in_order()
            file = Path(aside, f"{rank:03}.parquet")
            rows = lines.read([stretch.file for stretch in part])
            with closing(con.cursor()) as own:
                write_rows(own, f"({_ready(source, plan, rows)})", written, file, quickly=True)
                for stretch in part:
                    stretch.file.unlink()
                return file, _marks_of(own, written, file) if _ids_are_marks(plan) else None

        marks: list[Marks | None] = []
        with ThreadPoolExecutor(threads) as pool:
            try:
                rows = join(_noted(pool.map(write, range(len(parts)), parts), marks), target)
            finally:
                pool.shutdown(cancel_futures=True)
    return (rows, *_summed([some for some in marks if some is not None])) if _ids_are_marks(plan) else None


def _noted(written: Iterable[tuple[Path, Marks | None]], marks: list[Marks | None]) -> Iterator[Path]:
    for file, some in written:
        marks.append(some)
        yield file


def _marks_of(con: Any, written: Prepared, file: Path) -> Marks:
    """Return the marks of the rows of a part, sorted; its equal rows are told apart: a place is in one part alone."""
    asked = f"SELECT {_MARK_OF_ID} AS mark FROM read_parquet({literal(str(file))})"
    marks: Marks = np.sort(con.execute(asked).fetchnumpy()["mark"])
    if (marks[1:] == marks[:-1]).any():
        _write_apart(con, written, file)
    return marks


def _summed(marks: list[Marks]) -> tuple[int, int]:
    """Return how many ids there are, those of a part being told apart already, and the sum of all marks."""
    # Both halves of what marks may be are looked at together, and what is alike is in the same.
    cuts = [int(np.searchsorted(some, _MIDDLE)) for some in marks]
    lower = [some[:cut] for some, cut in zip(marks, cuts, strict=True)]
    upper = [some[cut:] for some, cut in zip(marks, cuts, strict=True)]
    with ThreadPoolExecutor(2) as threads:
        shared = sum(threads.map(_shared, (lower, upper)))
    total = sum((int((some >> _HALF).sum()) << 32) + int((some & _LOW).sum()) for some in marks)
    return sum(map(len, marks)) - shared, total


def _shared(marks: list[Marks]) -> int:
    """Return how many marks are in several of these parts."""
    every = np.concatenate([some[np.diff(some, prepend=~some[:1]) != 0] for some in marks])
    every.sort()
    return int(np.count_nonzero(every[1:] == every[:-1]))


def _write_apart(con: Any, written: Prepared, target: Path) -> None:
    """Write the file again, equal rows told apart."""
    table, aside = "told_apart", target.with_suffix(".again")
    file = f"read_parquet({literal(str(target))})"
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT *, 0::TINYINT AS _order FROM {file}")
    alike = 1
    while alike:
        # Once, but for what no one has seen: what tells a row apart may be the name of another.
        tell_apart(con, table)
        alike = con.execute(f"SELECT count(*) - count(DISTINCT {ID}) FROM {table}").fetchone()[0]
    write_rows(con, table, written, aside, quickly=True)
    aside.replace(target)
    con.execute(f"DROP TABLE {table}")


def _ordered(source: Streamed, plan: Plan, box: BBox | None) -> str:
    """Return the SQL of the rows ready to be written, sorted along the curve; without a box they stay as published."""
    if box is None:
        return _ready(source, plan, source.rows)
    order = f"ORDER BY CASE WHEN _x IS NOT NULL THEN {along('_x', '_y', box)} END NULLS LAST, _mark"
    return _ready(source, plan, source.rows, order)


def _ready(source: Streamed, plan: Plan, rows: str, order: str = "") -> str:
    """Return the SQL of `rows` ready to be written, in an order."""
    # What can be made of a row again after a sort is not carried through it.
    given, told = [*plan.values, f"{_mark(source, plan.columns)} AS _mark"], ["* EXCLUDE (_mark)"]
    if source.box is not None:
        x, y = name(source.x), name(source.y)
        given.append(f"CASE WHEN {somewhere(x, y)} THEN {x} END AS _x, CASE WHEN {somewhere(x, y)} THEN {y} END AS _y")
        told = [
            "* EXCLUDE (_mark, _x, _y)",
            f"CASE WHEN _x IS NOT NULL THEN ST_AsWKB(ST_Point(_x, _y)) END AS {GEOMETRY}",
            f"CASE WHEN _x IS NOT NULL THEN struct_pack(xmin := _x, ymin := _y, xmax := _x, ymax := _y) END AS {BOX}",
        ]
    if plan.id_column:
        told.append(f"CAST({name(plan.id_column)} AS VARCHAR) AS {ID}")
    else:
        # Made of nothing that some may not see.
        given.append(f"{_mark(source, plan.widest)} AS _shown")
        told[0] = told[0].replace("_mark", "_mark, _shown")
        told.append(f"format('{{:016x}}', CAST(_shown >> 64 AS UBIGINT)) AS {ID}")
    kept = f"SELECT {', '.join(given)} FROM ({rows})"
    return f"SELECT {', '.join(told)} FROM (SELECT * FROM ({kept}) {order})"


def _mark(source: Streamed, columns: Sequence[Column]) -> str:
    """Return the SQL of a row's mark, 128 bits. Texts hold no unit separator but where somebody means to confuse."""
    values = ", chr(31), ".join(source.texts[column.key] for column in columns) or "''"
    return f"md5_number(concat({values}))"
