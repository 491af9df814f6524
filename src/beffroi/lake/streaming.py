"""Rows too many to be held: left in their file until they are written, and marked by a shorter sum. Knows no Django.

A row that is held is marked by the MD5 of its JSON and its shape (see `preparing`). One that is streamed is marked by
the MD5 of its values side by side, a third of the work; its shape, two of its own columns, adds nothing to them.
"""

# ruff: noqa: S608 - identifiers are quoted keys

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from beffroi.base.kernel.geo import BBox
from beffroi.lake.connectors.profile import somewhere
from beffroi.lake.connectors.tabular import period_of
from beffroi.lake.definitions import Definition
from beffroi.lake.geoparquet import write_rows
from beffroi.lake.manifest import BOX, ID
from beffroi.lake.preparing import Plan, Prepared, tell_apart
from beffroi.lake.reading import GEOMETRY, Column, Reading
from beffroi.lake.sql import literal, name


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
    query, box = _query(reading, plan)
    types = ("Point",) if box else ()
    written = Prepared("", plan.columns, 0, (None, None), plan.id_column, bool(types), types, box, False, target)
    write_rows(con, f"({query})", written, target)
    file = f"read_parquet({literal(str(target))})"
    rows, ids = con.execute(f"SELECT count(*), count(DISTINCT {ID}) FROM {file}").fetchone()
    marks = _marks(reading, plan, file)
    reading.rows_read, reading.period = rows, period_of(con, file, plan.columns)
    if plan.id_column is None and ids < rows:
        _write_apart(con, written, target)
    return replace(written, rows=rows, marks=marks)


def _marks(reading: Reading, plan: Plan, file: str) -> tuple[int | None, int | None]:
    """Return the sums of the marks of the rows; the ids are their first halves when they are made of whole rows."""
    con: Any = reading.con
    if plan.id_column is None and plan.widest == plan.columns:
        found = con.execute(f"SELECT sum(CAST('0x' || {ID} AS UBIGINT)::HUGEINT) FROM {file}").fetchone()
        return found[0], None
    marks = f"SELECT {_mark(plan.columns)} AS mark FROM {name(reading.table)}"
    found = con.execute(f"SELECT sum(CAST(mark >> 64 AS HUGEINT)) FROM ({marks})").fetchone()
    return found[0], None


def _write_apart(con: Any, written: Prepared, target: Path) -> None:
    """Write the file again, equal rows told apart."""
    table, aside = "told_apart", target.with_suffix(".again")
    file = f"read_parquet({literal(str(target))})"
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT *, 0::TINYINT AS _order FROM {file}")
    tell_apart(con, table)
    write_rows(con, table, written, aside)
    aside.replace(target)
    con.execute(f"DROP TABLE {table}")


def _query(reading: Reading, plan: Plan) -> tuple[str, BBox | None]:
    """Return the SQL of the rows ready to be written, and their box; without one they stay as they were published."""
    place = reading.streamed
    if place is None:
        raise ValueError("rows that are held are prepared otherwise")
    # What can be made of a row again after the sort is not carried through it.
    given, order, box = [*plan.values, f"{_mark(plan.columns)} AS _mark"], "", None
    told = ["* EXCLUDE (_mark)"]
    if place.box is not None:
        box = BBox(*place.box)
        x, y = name(place.x), name(place.y)
        given.append(f"CASE WHEN {somewhere(x, y)} THEN {x} END AS _x, CASE WHEN {somewhere(x, y)} THEN {y} END AS _y")
        told = [
            "* EXCLUDE (_mark, _x, _y)",
            f"CASE WHEN _x IS NOT NULL THEN ST_AsWKB(ST_Point(_x, _y)) END AS {GEOMETRY}",
            f"CASE WHEN _x IS NOT NULL THEN struct_pack(xmin := _x, ymin := _y, xmax := _x, ymax := _y) END AS {BOX}",
        ]
        bounds = f"{{'min_x': {box.west!r}, 'min_y': {box.south!r}, 'max_x': {box.east!r}, 'max_y': {box.north!r}}}"
        order = f"ORDER BY CASE WHEN _x IS NOT NULL THEN ST_Hilbert(_x, _y, {bounds}::BOX_2D) END NULLS LAST, _mark"
    if plan.id_column:
        told.append(f"CAST({name(plan.id_column)} AS VARCHAR) AS {ID}")
    else:
        # Made of nothing that some may not see.
        shown = "_mark" if plan.widest == plan.columns else _mark(plan.widest)
        told.append(f"format('{{:016x}}', CAST({shown} >> 64 AS UBIGINT)) AS {ID}")
    kept = f"SELECT {', '.join(given)} FROM {name(reading.table)}"
    return f"SELECT {', '.join(told)} FROM (SELECT * FROM ({kept}) {order})", box


def _mark(columns: Sequence[Column]) -> str:
    """Return the SQL of a row's mark, 128 bits. Texts hold no unit separator but where somebody means to confuse."""
    values = ", chr(31), ".join(name(column.key) for column in columns) or "''"
    return f"md5_number(concat({values}))"
