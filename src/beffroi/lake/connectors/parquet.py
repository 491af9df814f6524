"""Read Parquet and GeoParquet: the publisher's types are kept."""

# ruff: noqa: S608 — names in SQL are made here and quoted; no value is pasted unquoted

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import shapely

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake import duck
from beffroi.lake.connectors.points import add_geometry, attach_shapes
from beffroi.lake.connectors.tabular import check_width, identifier, period_of, table_name
from beffroi.lake.detect.headers import keys_of
from beffroi.lake.detect.values import quoted
from beffroi.lake.reading import DUCKDB_TYPE, LINE, Column, ColumnType, Evidence, Reading, ReadOptions, Unreadable

_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_NUMBERS = {"FLOAT", "DOUBLE", "HUGEINT", "UBIGINT", "UHUGEINT"}
_OTHERS = {"BOOLEAN": ColumnType.BOOLEAN, "DATE": ColumnType.DATE, "TIME": ColumnType.TIME}


def read(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read one Parquet file; its geometry, when it has one, is brought to CRS84.

    Raises:
        Unreadable: the file is truncated or damaged.
    """
    try:
        return [_reading(path, options, con)]
    except duck.Error as error:
        raise Unreadable(
            "fichier Parquet abîmé ou incomplet ({why})",
            where=path.name,
            remedy="publiez-le à nouveau",
            why=" ".join(str(error).split())[:160],
        ) from error


def _reading(path: Path, options: ReadOptions, con: duck.Connection) -> Reading:
    source = f"read_parquet({quoted(str(path))})"
    described = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    check_width(len(described), path.name)
    geo = _geo_metadata(con, path)
    shape = geo.get("primary_column") if geo else None
    kinds = {name: kind for name, kind, *_ in described}
    shape = shape or next((name for name, kind in kinds.items() if kind.startswith("GEOMETRY")), None)
    evidences: list[Evidence] = []
    kept = [name for name in kinds if name != shape and not _binary(name, kinds[name], evidences)]
    keys = keys_of(kept, options.rename)
    columns = tuple(
        Column(key, name, options.types.get(name) or options.types.get(key) or _type(kinds[name]))
        for key, name in zip(keys, kept, strict=True)
    )
    if not columns:
        raise Unreadable("ce fichier Parquet n’a pas de colonne lisible", where=path.name, remedy="publiez-le en CSV")
    table = table_name()
    selected = ", ".join(f"{_value(column, kinds[column.title])} AS {identifier(column.key)}" for column in columns)
    con.execute(f"CREATE TEMP TABLE {table} AS SELECT row_number() OVER () AS {LINE}, {selected} FROM {source}")
    counted = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    reading = Reading(con, table, columns, rows_read=counted[0] if counted else 0, evidences=evidences)
    if shape is not None and shape in kinds:
        _add_shapes(reading, source, shape, kinds[shape], geo, options)
    else:
        add_geometry(reading, options)
    reading.period = period_of(reading.con, reading.table, reading.columns)
    return reading


def _geo_metadata(con: duck.Connection, path: Path) -> dict[str, Any]:
    rows = con.execute(f"SELECT key, value FROM parquet_kv_metadata({quoted(str(path))})").fetchall()
    for key, value in rows:
        if bytes(key) == b"geo":
            try:
                found = json.loads(bytes(value))
            except ValueError:
                return {}
            return found if isinstance(found, dict) else {}
    return {}


def _type(kind: str) -> ColumnType:
    if kind in _INTEGERS:
        return ColumnType.INTEGER
    if kind in _NUMBERS or kind.startswith("DECIMAL"):
        return ColumnType.NUMBER
    if kind.startswith("TIMESTAMP"):
        return ColumnType.DATETIME
    return _OTHERS.get(kind, ColumnType.TEXT)


def _binary(name: str, kind: str, evidences: list[Evidence]) -> bool:
    if kind != "BLOB":
        return False
    why = Sentence("la colonne « {name} » est binaire : elle n’est pas gardée", {"name": name})
    evidences.append(Evidence("values", "binary", why))
    return True


def _value(column: Column, kind: str) -> str:
    name = identifier(column.title)
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        return f"to_json({name})::VARCHAR"
    if kind.startswith("TIMESTAMP WITH"):
        return f"({name} AT TIME ZONE 'UTC')"
    return f"TRY_CAST({name} AS {DUCKDB_TYPE[column.type]})"


def _add_shapes(reading: Reading, source: str, name: str, kind: str, geo: dict[str, Any], options: ReadOptions) -> None:
    column = identifier(name)
    value = column if kind == "BLOB" else f"ST_AsWKB({column})::BLOB"
    try:
        cells = [cell for (cell,) in reading.con.execute(f"SELECT {value} FROM {source}").fetchall()]
    except duck.Error:
        cells = [cell for (cell,) in reading.con.execute(f"SELECT {column}::BLOB FROM {source}").fetchall()]
    shapes = shapely.from_wkb([bytes(cell) if cell is not None else None for cell in cells], on_invalid="ignore")
    about = geo.get("columns", {}).get(name, {}) if isinstance(geo.get("columns"), dict) else {}
    declared = options.crs or (json.dumps(about["crs"]) if about.get("crs") else "OGC:CRS84")
    attach_shapes(reading, shapes, name, declared=declared, declared_by="GeoParquet", options=options)
