"""Rows too many to be held: left in their file until they are written, and marked by a shorter sum. Knows no Django.

A row that is held is marked by the MD5 of its JSON and its shape (see `preparing`). One that is streamed is marked by
the MD5 of what was published of it, side by side: a quarter of the work; its shape, two of its own columns, adds
nothing to them.
"""

# ruff: noqa: S608 - identifiers are quoted keys

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from beffroi.base.kernel.geo import BBox
from beffroi.lake.connectors.profile import somewhere
from beffroi.lake.connectors.tabular import period_of
from beffroi.lake.curve import along, along_curve, keys_along
from beffroi.lake.definitions import Definition
from beffroi.lake.geoparquet import write_rows
from beffroi.lake.manifest import BOX, ID
from beffroi.lake.preparing import Plan, Prepared, tell_apart
from beffroi.lake.reading import GEOMETRY, Column, Reading, Streamed
from beffroi.lake.sql import literal, name

_LEVEL = 1
"""How much Zstandard works on so many rows: a fifth less of processor than at its usual level, a sixth more of disk."""


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
    with TemporaryDirectory(dir=target.parent) as aside:
        write_rows(con, f"({_query(con, source, plan, box, Path(aside))})", written, target, level=_LEVEL)
    file = f"read_parquet({literal(str(target))})"
    rows, ids, marks = con.execute(f"SELECT {_counted(plan)} FROM {file}").fetchone()
    if marks is None:
        halves = f"SELECT CAST({_mark(source, plan.columns)} >> 64 AS HUGEINT) AS half FROM ({source.rows})"
        marks = con.execute(f"SELECT sum(half) FROM ({halves})").fetchone()[0]
    reading.rows_read, reading.period = rows, period_of(con, file, plan.columns)
    if plan.id_column is None and ids < rows:
        _write_apart(con, written, target)
    return replace(written, rows=rows, marks=(marks, None))


def _counted(plan: Plan) -> str:
    """Return the SQL of how many rows and ids there are, and of the sum of marks where ids are their first halves."""
    if plan.id_column is not None or plan.widest != plan.columns:
        return f"count(*), count(DISTINCT {ID}), NULL"
    mark = f"CAST('0x' || {ID} AS UBIGINT)"
    return f"count(*), count(DISTINCT {mark}), sum({mark}::HUGEINT)"


def _write_apart(con: Any, written: Prepared, target: Path) -> None:
    """Write the file again, equal rows told apart."""
    table, aside = "told_apart", target.with_suffix(".again")
    file = f"read_parquet({literal(str(target))})"
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT *, 0::TINYINT AS _order FROM {file}")
    tell_apart(con, table)
    write_rows(con, table, written, aside)
    aside.replace(target)
    con.execute(f"DROP TABLE {table}")


def _query(con: Any, source: Streamed, plan: Plan, box: BBox | None, aside: Path) -> str:
    """Return the SQL of the rows ready to be written; without a box they stay as they were published.

    Their lines are put in order in files of `aside`, where they are known.
    """
    # What can be made of a row again after a sort is not carried through it.
    given, told = [*plan.values, f"{_mark(source, plan.columns)} AS _mark"], ["* EXCLUDE (_mark)"]
    rows, order = source.rows, ""
    if box is not None:
        x, y = name(source.x), name(source.y)
        given.append(f"CASE WHEN {somewhere(x, y)} THEN {x} END AS _x, CASE WHEN {somewhere(x, y)} THEN {y} END AS _y")
        told = [
            "* EXCLUDE (_mark, _x, _y)",
            f"CASE WHEN _x IS NOT NULL THEN ST_AsWKB(ST_Point(_x, _y)) END AS {GEOMETRY}",
            f"CASE WHEN _x IS NOT NULL THEN struct_pack(xmin := _x, ymin := _y, xmax := _x, ymax := _y) END AS {BOX}",
        ]
        if source.lines is not None:
            rows = source.lines.read(along_curve(source.lines, keys_along(con, source.lines.points, box), aside))
        else:
            order = f"ORDER BY CASE WHEN _x IS NOT NULL THEN {along('_x', '_y', box)} END NULLS LAST, _mark"
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
