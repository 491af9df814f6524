"""Rows too many to be held: left in their file until they are written, and marked by a shorter sum. Knows no Django.

A row that is held is marked by the MD5 of its JSON and its shape (see `preparing`). One that is streamed is marked by
what was published of it: its line, where lines are put along the curve (`line_names`) and all of it is published, the
MD5 of its texts side by side elsewhere; its shape, two of its own columns, adds nothing to them.
"""

# ruff: noqa: S608 - identifiers are quoted keys

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from beffroi.base.kernel.geo import BBox
from beffroi.lake.connectors.profile import somewhere
from beffroi.lake.connectors.tabular import period_of
from beffroi.lake.curve import Keys, Named, Stretch, along, keys_along, stretches_of
from beffroi.lake.definitions import Definition
from beffroi.lake.geoparquet import write_rows
from beffroi.lake.line_names import Marks
from beffroi.lake.manifest import BOX, ID
from beffroi.lake.preparing import Plan, Prepared, tell_apart
from beffroi.lake.reading import GEOMETRY, Column, Lines, Reading, Streamed
from beffroi.lake.rowgroups import join
from beffroi.lake.sql import alone_and_in_order, literal, name

_STRETCHES = 4
"""How many stretches of the curve are written together: few, for all threads to end at the same time."""

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
    cut = filter(None, [rows.commune, rows.department])
    said = (*definition.corrections, *definition.derived, *rows.by, *rows.distinct, *cut)
    return bool(said) or any(
        one.required or one.unique or one.enum or one.pattern or one.missing or (one.min, one.max) != (None, None)
        for one in definition.columns.values()
    )


def prepare_streamed(reading: Reading, plan: Plan, target: Path) -> Prepared:
    """Write the rows to `target` as they are read, in the order of the lake: they are never held.

    The reading's rows are `streamed`.
    """
    con: Any = reading.con
    if reading.streamed is None:
        raise ValueError("rows that are held are prepared otherwise")
    lines, source = reading.streamed.lines, replace(reading.streamed, lines=None)
    reading.streamed = source
    box = BBox(*source.box) if source.box else None
    types = ("Point",) if box else ()
    written = Prepared("", plan.columns, 0, (None, None), plan.id_column, bool(types), types, box, False, target)
    file, known = f"read_parquet({literal(str(target))})", None
    if box is not None and lines is not None:
        keys, everywhere = keys_along(con, lines.points, box), not np.isnan(lines.points).any()
        # Where the rows are is held no longer than what is made of it.
        lines = replace(lines, points=lines.points[:0].copy())
        whole = len(plan.columns) == len(source.texts)
        ready = partial(_ready, source, plan, everywhere=everywhere, named=whole and _ids_are_marks(plan))
        stretches = _write_along(con, lines, keys, ready, written)
        known = stretches if whole else None
    else:
        write_rows(con, f"({_ordered(source, plan, box)})", written, target, quickly=True)
    rows, ids, total = _counted(con, source, plan, file, known)
    reading.rows_read, reading.period = rows, period_of(con, file, plan.columns)
    if plan.id_column is None and ids < rows:
        _write_apart(con, written, target)
    return replace(written, rows=rows, marks=(total, None))


def _counted(
    con: Any, source: Streamed, plan: Plan, file: str, known: Sequence[Named] | None
) -> tuple[int, int, int | None]:
    """Return how many rows and ids there are in a file, and the sum of its marks: those that are `known`, if they are.

    Else they are asked for, the first halves of marks being ids where all may see all columns.
    """
    if known is not None:
        rows, (ids, total) = sum(len(one.marks) for one in known), _summed([one.marks for one in known])
        # Equal lines of a stretch are told apart already.
        ids += sum(one.equals for one in known)
        if plan.id_column is None and not _ids_are_marks(plan):
            ids = con.execute(f"SELECT count(DISTINCT {ID}) FROM {file}").fetchone()[0]
        return rows, ids, total
    if _ids_are_marks(plan):
        mark = f"CAST('0x' || {ID} AS UBIGINT)"
        asked = f"SELECT count(*), count(DISTINCT {mark}), sum({mark}::HUGEINT) FROM {file}"
        return con.execute(asked).fetchone()
    rows, ids = con.execute(f"SELECT count(*), count(DISTINCT {ID}) FROM {file}").fetchone()
    halves = f"SELECT CAST({_mark(source, plan.columns)} >> 64 AS HUGEINT) AS half FROM ({source.rows})"
    return rows, ids, con.execute(f"SELECT sum(half) FROM ({halves})").fetchone()[0]


def _ids_are_marks(plan: Plan) -> bool:
    return plan.id_column is None and plan.widest == plan.columns


def _write_along(con: Any, lines: Lines, keys: Keys, ready: Callable[[str], str], written: Prepared) -> list[Named]:
    """Write the rows along the curve by parts, each by one thread; return what is known of each stretch."""
    if written.file is None:
        raise ValueError("what is written along the curve is written to a file")
    with TemporaryDirectory(dir=written.file.parent) as aside, alone_and_in_order(con) as threads:
        stretches = stretches_of(lines, keys, Path(aside))
        parts = [stretches[first : first + _STRETCHES] for first in range(0, len(stretches), _STRETCHES)]

        def write(rank: int, part: Sequence[Stretch]) -> tuple[Path, list[Named]]:
            named = [stretch.put_in_order(lines.separator) for stretch in part]
            file = Path(aside, f"{rank:03}.parquet")
            rows = lines.read([one.file for one in named])
            with closing(con.cursor()) as own:
                write_rows(own, f"({ready(rows)})", written, file, quickly=True)
            for one in named:
                one.file.unlink()
            return file, named

        known: list[Named] = []
        with ThreadPoolExecutor(threads) as pool:
            try:
                join(_noted(pool.map(write, range(len(parts)), parts), known), written.file)
            finally:
                pool.shutdown(cancel_futures=True)
    return known


def _noted(written: Iterable[tuple[Path, list[Named]]], known: list[Named]) -> Iterator[Path]:
    for file, named in written:
        known += named
        yield file


def _summed(marks: Sequence[Marks]) -> tuple[int, int]:
    """Return how many marks are not those of others, and the sum of all."""
    # Both halves of what marks may be are looked at together, and what is alike is in the same.
    every = np.concatenate(marks)
    upper = every >= _MIDDLE
    with ThreadPoolExecutor(2) as threads:
        distinct = sum(threads.map(_distinct, (every[~upper], every[upper])))
    return distinct, (int((every >> _HALF).sum()) << 32) + int((every & _LOW).sum())


def _distinct(marks: Marks) -> int:
    marks.sort()
    return len(marks) - int(np.count_nonzero(marks[1:] == marks[:-1]))


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


def _ready(
    source: Streamed, plan: Plan, rows: str, order: str = "", *, everywhere: bool = False, named: bool = False
) -> str:
    """Return the SQL of `rows` ready to be written, in an order.

    `everywhere`: all have a place. `named`: each comes with its id, made of its line, where no column makes it.
    """
    # What can be made of a row again after a sort is not carried through it.
    given, hidden, told = [*plan.values], ["_mark"] if order else [], []
    if order:
        given.append(f"{_mark(source, plan.columns)} AS _mark")
    if source.box is not None:
        x, y = name(source.x), name(source.y)
        placed = "true" if everywhere else somewhere(x, y)
        given.append(f"CASE WHEN {placed} THEN {x} END AS _x, CASE WHEN {placed} THEN {y} END AS _y")
        hidden += ["_x", "_y"]
        placed = "true" if everywhere else "_x IS NOT NULL"
        told += [
            f"CASE WHEN {placed} THEN ST_AsWKB(ST_Point(_x, _y)) END AS {GEOMETRY}",
            f"CASE WHEN {placed} THEN struct_pack(xmin := _x, ymin := _y, xmax := _x, ymax := _y) END AS {BOX}",
        ]
    if plan.id_column:
        told.append(f"CAST({name(plan.id_column)} AS VARCHAR) AS {ID}")
    elif named:
        given.append(ID)
    else:
        # Made of nothing that some may not see.
        given.append(f"{_mark(source, plan.widest)} AS _shown")
        hidden.append("_shown")
        told.append(f"format('{{:016x}}', CAST(_shown >> 64 AS UBIGINT)) AS {ID}")
    shown = f"* EXCLUDE ({', '.join(hidden)})" if hidden else "*"
    kept = f"SELECT {', '.join(given)} FROM ({rows})"
    return f"SELECT {', '.join([shown, *told])} FROM (SELECT * FROM ({kept}) {order})"


def _mark(source: Streamed, columns: Sequence[Column]) -> str:
    """Return the SQL of a row's mark, 128 bits. Texts hold no unit separator but where somebody means to confuse."""
    values = ", chr(31), ".join(source.texts[column.key] for column in columns) or "''"
    return f"md5_number(concat({values}))"
