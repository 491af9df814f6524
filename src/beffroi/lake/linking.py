"""A source of several tables made the one its dataset file wants: rows put end to end, others linked by a key.

The plan of a town, an easement and its act, an accident and its victims are published so. Knows no Django.
"""

# ruff: noqa: S608 - identifiers are quoted keys; expressions are those of a dataset file

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.lake import duck
from beffroi.lake.beside import files_beside, named
from beffroi.lake.declared import Derived, LinkedTable
from beffroi.lake.definitions import Definition
from beffroi.lake.preparing import ImportRefused
from beffroi.lake.reading import DUCKDB_TYPE, GEOMETRY, LINE, Column, ColumnType, Evidence, Reading, ReadOptions
from beffroi.lake.shaping import check_expression, column_of, lacking, typed
from beffroi.lake.sql import name

Reader = Callable[[Path, ReadOptions, duck.Connection], list[Reading]]
_numbers = itertools.count(1)


def linked(
    readings: Sequence[Reading], definition: Definition, *, path: Path, options: ReadOptions, read: Reader
) -> list[Reading]:
    """Return the readings of a source as its dataset file wants them: one alone when it names its tables.

    Raises:
        ImportRefused: no table bears the name of those wanted, or an expression cannot be computed.
        Unreadable: a file beside the source cannot be read.
    """
    tables = definition.tables
    if not tables.rows and not tables.linked:
        kept = list(readings)
        return [_near(kept[0], options)] if definition.rows.near and len(kept) == 1 else kept
    main = [one for one in readings if named(one.title, tables.rows)] if len(readings) > 1 else list(readings)
    if not main:
        raise ImportRefused(
            "aucune table de la source ne se nomme {wanted}",
            where=path.name,
            remedy="tables présentes : {known}",
            wanted=", ".join(tables.rows),
            known=", ".join(one.title for one in readings)[:300],
        )
    whole = _end_to_end(main) if len(main) > 1 else main[0]
    if definition.rows.near:
        whole = _near(whole, options)
    others = [one for one in readings if one not in main]
    if tables.linked:
        plain = replace(options, layer=None, format=None, x=None, y=None, crs=None)
        for file in files_beside(path, tables):
            others += [_titled(one, file.stem) for one in read(file, plain, whole.con)]
    for link in tables.linked:
        _link(whole, [one for one in others if named(one.title, link.name)], link, definition, path.name)
    return [whole]


def _titled(reading: Reading, title: str) -> Reading:
    reading.title = title
    return reading


def _end_to_end(readings: Sequence[Reading]) -> Reading:
    """Put tables one after another; a column whose type differs between them is text."""
    first = readings[0]
    columns: dict[str, Column] = {}
    for column in (column for reading in readings for column in reading.columns):
        known = columns.setdefault(column.key, column)
        if known.type is not column.type:
            columns[column.key] = replace(known, type=ColumnType.TEXT)
    located = any(reading.has_geometry for reading in readings)
    table, parts, start = f"linked_{next(_numbers)}", [], 0
    for reading in readings:
        own = {column.key for column in reading.columns}
        chosen = [
            f"{f'CAST({name(key)} AS {DUCKDB_TYPE[column.type]})' if key in own else 'NULL'} AS {name(key)}"
            for key, column in columns.items()
        ]
        shape = [f"{GEOMETRY if reading.has_geometry else 'NULL::BLOB'} AS {GEOMETRY}"] if located else []
        line = f"{LINE} + {start}" if LINE in reading.con.table(name(reading.table)).columns else "NULL"
        parts.append(
            f"SELECT {', '.join([*chosen, *shape])}, CAST({line} AS BIGINT) AS {LINE} FROM {name(reading.table)}"
        )
        start += reading.rows_read
    first.con.execute(f"CREATE TEMP TABLE {table} AS {' UNION ALL '.join(parts)}")
    whole = Reading(first.con, table, tuple(columns.values()), start, located, crs=first.crs, title="")
    told = {(one.subject, one.value, str(one.why)): one for reading in readings for one in reading.evidences}
    whole.evidences = list(told.values())
    for reading in readings:
        whole.rejects.total += reading.rejects.total
        whole.rejects.rows += reading.rejects.rows
        for reason, count in reading.rejects.by_reason.items():
            whole.rejects.by_reason[reason] = whole.rejects.by_reason.get(reason, 0) + count
    why = Sentence(
        gettext_noop("tables mises bout à bout : {names}"), {"names": ", ".join(one.title for one in readings)}
    )
    whole.evidences.append(Evidence("member", "tables", why))
    return whole


def _near(reading: Reading, options: ReadOptions) -> Reading:
    """Keep the rows whose shape meets the box of the town; all of them when that box is not known."""
    if options.extent is None or not reading.has_geometry:
        return reading
    west, south, east, north = options.extent
    box = f"ST_MakeEnvelope({west!r}, {south!r}, {east!r}, {north!r})"
    before, table = _count(reading), f"linked_{next(_numbers)}"
    reading.con.execute(
        f"CREATE TEMP TABLE {table} AS SELECT * FROM {name(reading.table)} "
        f"WHERE {GEOMETRY} IS NULL OR ST_Intersects(ST_GeomFromWKB({GEOMETRY}), {box})"
    )
    reading.table = table
    left = before - _count(reading)
    reading.rows_read -= left
    if left:
        why = Sentence(gettext_noop("{left} objets loin de la commune n’ont pas été pris"), {"left": left})
        reading.evidences.append(Evidence("values", str(left), why))
    return reading


def _link(reading: Reading, found: Sequence[Reading], link: LinkedTable, definition: Definition, where: str) -> None:
    key, to = link.on, Derived("_key", link.to or name(link.on))
    if key not in {column.key for column in reading.columns}:
        found = []
    other = _end_to_end(found) if len(found) > 1 else next(iter(found), None)
    if other is not None:
        check_expression(other, definition, to, where)
    if other is None or lacking(other, to):
        why = Sentence(
            gettext_noop("table {names} absente : {columns} n’ont pas été calculées"),
            {"names": " ou ".join(link.name), "columns": ", ".join(one.title or one.column for one in link.figures)},
        )
        reading.evidences.append(Evidence("member", link.name[0], why))
        return
    figures = _computable(other, link.figures, definition, where)
    table, group = f"linked_{next(_numbers)}", f"trim(CAST(({to.sql}) AS VARCHAR))"
    own = {column.key for column in reading.columns}
    replaced = [one.column for one in figures if one.column in own]
    kept = f"here.* EXCLUDE ({', '.join(map(name, replaced))})" if replaced else "here.*"
    told = "".join(f", there.{name(one.column)}" for one in figures)
    computed = "".join(f", {typed(one)}" for one in figures)
    try:
        reading.con.execute(
            f"CREATE TEMP TABLE {table} AS SELECT {kept}{told} FROM {name(reading.table)} AS here LEFT JOIN "
            f"(SELECT {group} AS _key{computed} FROM {name(other.table)} GROUP BY 1) "
            f"AS there ON trim(CAST(here.{name(key)} AS VARCHAR)) = there._key"
        )
    except duck.Error as error:
        raise ImportRefused(
            "la table {names} ne peut pas être liée ({reason})",
            where=where,
            remedy="corrigez les expressions de tables.linked",
            names=other.title or link.name[0],
            reason=str(error).splitlines()[0][:200],
        ) from error
    reading.table = table
    reading.columns = (
        *(column for column in reading.columns if column.key not in replaced),
        *(column_of(one) for one in figures),
    )
    reading.evidences.append(Evidence("member", other.title, _told(reading, other, key, group)))


def _computable(other: Reading, figures: Sequence[Derived], definition: Definition, where: str) -> list[Derived]:
    kept = []
    for one in figures:
        check_expression(other, definition, one, where)
        absent = lacking(other, one)
        if not absent:
            kept.append(one)
            continue
        why = Sentence(
            gettext_noop("« {column} » n’a pas été calculée : la source n’a pas la colonne « {lacking} »"),
            {"column": one.title or one.column, "lacking": absent},
        )
        other.evidences.append(Evidence("values", one.column, why))
    return kept


def _told(reading: Reading, other: Reading, key: str, group: str) -> Sentence:
    there = f"(SELECT {group} FROM {name(other.table)} WHERE {group} IS NOT NULL)"
    met: Any = reading.con.execute(
        f"SELECT count(*) FROM {name(reading.table)} WHERE trim(CAST({name(key)} AS VARCHAR)) IN {there}"
    ).fetchone()
    return Sentence(
        gettext_noop("table « {name} » liée par {key} : {met} lignes sur {rows} y ont trouvé les leurs"),
        {"name": other.title, "key": key, "met": met[0], "rows": _count(reading)},
    )


def _count(reading: Reading) -> int:
    found = reading.con.execute(f"SELECT count(*) FROM {name(reading.table)}").fetchone()
    return int(found[0]) if found else 0
