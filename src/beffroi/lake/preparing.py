"""From what a connector read to a table ready to be written: typed columns, ids, boxes, marks. Knows no Django."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.lake import rights
from beffroi.lake.definitions import ColumnDefinition, Definition
from beffroi.lake.manifest import BOX, ID
from beffroi.lake.reading import DUCKDB_TYPE, GEOMETRY, LINE, Column, ColumnType, Reading
from beffroi.lake.sql import literal, name

# Tried in this order when the definition names none; used when unique and filled on every row.
_ID_KEYS = ("id", "identifiant", "gid", "fid", "ogc_fid", "objectid", "code_insee", "insee", "uai", "siret")

_SHAPE = f"ST_GeomFromWKB({GEOMETRY})"
_SIDES = (("xmin", "ST_XMin"), ("ymin", "ST_YMin"), ("xmax", "ST_XMax"), ("ymax", "ST_YMax"))


class ImportRefused(BeffroiError):
    """The source was read but cannot become a dataset as its definition stands."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the rows become: `columns`, `values` their SQL, `widest` those that all may see, the column that names them.

    `read` holds the types of the table read.
    """

    columns: tuple[Column, ...]
    values: tuple[str, ...]
    widest: tuple[Column, ...]
    id_column: str | None
    read: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A table of the reading's connection, ready to be written as it stands: the columns, ids and boxes, in order.

    `marks` are the sums of both halves of its rows' marks, whatever their order. The table is already a file when
    `file` says so.
    """

    table: str
    columns: tuple[Column, ...]
    rows: int
    marks: tuple[int | None, int | None]
    id_column: str | None
    has_geometry: bool
    geometry_types: tuple[str, ...]
    bbox: BBox | None
    has_z: bool
    file: Path | None = None


def resolved_columns(columns: tuple[Column, ...], definitions: Mapping[str, ColumnDefinition]) -> tuple[Column, ...]:
    """Return the columns a dataset keeps, with what its definition says of each over what was found."""
    kept = []
    for column in columns:
        said = definitions.get(column.key, ColumnDefinition())
        if not said.drop:
            over = {
                key: value
                for key in ("title", "type", "unit", "description", "access")
                if (value := getattr(said, key)) is not None
            }
            if said.labels:
                over["labels"] = tuple(said.labels.items())
            kept.append(replace(column, **over))
    return tuple(kept)


def plan_of(reading: Reading, definition: Definition, *, where: str) -> Plan:
    """Return what the rows of a reading become.

    Raises:
        ImportRefused: the id is not unique, or a column does not fit the type its definition gives.
    """
    columns = resolved_columns(reading.columns, definition.columns)
    _check_restricted(reading, definition, where)
    _check_casts(reading, columns, where)
    # An id is shown to all: it is made of nothing that some may not see, not even through a hash one could guess.
    widest = rights.visible(columns, rights.clearance(rights.classes(definition.access, columns)[0]))
    id_column = _id_column(reading, widest, definition, where)
    read = _types(reading)
    values = tuple(_cast(c.key, read, DUCKDB_TYPE[c.type]) for c in columns)
    return Plan(columns, values, widest, id_column, read)


def prepare(reading: Reading, plan: Plan) -> Prepared:
    """Make the table that will be written: typed columns, ids, boxes, and its rows in the order they are written."""
    con: Any = reading.con
    table = f"{reading.table}_ready"
    columns, widest, id_column, read = plan.columns, plan.widest, plan.id_column, plan.read
    line = name(LINE) if LINE in read else "row_number() OVER ()"
    types, bbox, has_z = _extent(con, reading.table) if reading.has_geometry else ((), None, False)
    given = f", CASE WHEN ST_IsEmpty({_SHAPE}) THEN NULL ELSE {GEOMETRY} END AS {GEOMETRY}"
    shape = given if reading.has_geometry else ""
    shown = "NULL" if id_column else "_hash" if widest == columns else _row_hash(reading, widest, read)
    halves = ", ".join(
        f"CAST('0x' || _hash[{part}] AS UBIGINT) AS {half}" for half, part in (("_high", "1:16"), ("_low", "17:32"))
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {name(table)} AS WITH kept AS "  # noqa: S608 - identifiers are quoted keys
        f"(SELECT {', '.join([f'{line} AS _order', *plan.values])}, {_row_hash(reading, columns, read)} AS _hash, "
        f"{shown} AS _shown{shape} "
        f"FROM {name(reading.table)}), "
        f"told AS (SELECT * EXCLUDE (_hash, _shown), {halves}, {_id_sql(id_column)} AS {ID}"
        f"{_box_sql(reading.has_geometry)} FROM kept) "
        f"SELECT * FROM told {_order_sql(bbox)}"
    )
    ids = f"count(DISTINCT {ID})" if id_column is None else "count(*)"
    counted = f"SELECT count(*), {ids}, sum(_high::HUGEINT), sum(_low::HUGEINT) FROM {name(table)}"  # noqa: S608
    rows, told_apart, *marks = con.execute(counted).fetchone()
    if told_apart < rows:
        tell_apart(con, table)
    return Prepared(table, columns, rows, (marks[0], marks[1]), id_column, bool(types), types, bbox, has_z)


def _types(reading: Reading) -> dict[str, str]:
    con: Any = reading.con
    if reading.streamed is not None:
        told = con.execute(f"SELECT * FROM {name(reading.table)} LIMIT 0").description  # noqa: S608 - quoted name
        return {key: str(kind) for key, kind, *_ in told}
    found = con.table(name(reading.table))
    return dict(zip(found.columns, map(str, found.types), strict=True))


def _cast(key: str, read: Mapping[str, str], wanted: str) -> str:
    """Return the SQL of a column in the type wanted: nothing to prepare where it has it already."""
    return name(key) if read.get(key) == wanted else f"CAST({name(key)} AS {wanted}) AS {name(key)}"


def tell_apart(con: Any, table: str) -> None:
    """Give equal rows ids of their own, by their rank; any other row keeps its id from one version to the next."""
    twice = f"SELECT {ID} FROM {name(table)} GROUP BY {ID} HAVING count(*) > 1"  # noqa: S608 - quoted key
    con.execute(
        f"UPDATE {name(table)} AS told SET {ID} = told.{ID} || '-' || ranked.rank FROM (SELECT rowid AS at, "  # noqa: S608
        f"row_number() OVER (PARTITION BY {ID} ORDER BY _order) AS rank FROM {name(table)} WHERE {ID} IN ({twice})) "
        f"AS ranked WHERE told.rowid = ranked.at AND ranked.rank > 1"
    )


def _check_restricted(reading: Reading, definition: Definition, where: str) -> None:
    """Refuse a source that lost a column its dataset file restricts: renamed, it would come back open to all."""
    if not definition.sources:
        return
    found = {column.key for column in reading.columns}
    for key, said in definition.columns.items():
        if said.access not in (None, definition.access) and key not in found:
            raise ImportRefused(
                "la colonne réservée « {column} » n'existe pas dans la source",
                where=where,
                remedy="donnez son nouveau nom dans columns, ou retirez-la si elle n'est plus publiée",
                column=key,
            )


def _check_casts(reading: Reading, columns: tuple[Column, ...], where: str) -> None:
    found = {column.key: column.type for column in reading.columns}
    for column in columns:
        if column.type is found[column.key]:
            continue
        quoted = name(column.key)
        bad = reading.con.execute(
            f"SELECT CAST({quoted} AS VARCHAR) FROM {name(reading.table)} "  # noqa: S608
            f"WHERE {quoted} IS NOT NULL AND TRY_CAST({quoted} AS {DUCKDB_TYPE[column.type]}) IS NULL LIMIT 1"
        ).fetchone()
        if bad is not None:
            raise ImportRefused(
                "la colonne « {column} » contient « {value} », qui n'est pas du type {type}",
                where=where,
                remedy="corrigez columns.{column}.type ou ajoutez une correction",
                column=column.key,
                value=bad[0][:80],
                type=column.type.value,
            )


def _id_column(reading: Reading, columns: tuple[Column, ...], definition: Definition, where: str) -> str | None:
    keys = {column.key: column for column in columns}
    if definition.id is not None:
        if definition.id not in keys:
            raise ImportRefused(
                "la colonne d'identifiant « {column} » n'existe pas, ou n'est pas ouverte à tous les lecteurs",
                where=where,
                remedy="donnez pour id l'une de : {known}",
                column=definition.id,
                known=", ".join(list(keys)[:30]),
            )
        if not _is_unique(reading, definition.id):
            raise ImportRefused(
                "la colonne d'identifiant « {column} » a des doublons ou des vides",
                where=where,
                remedy="donnez une autre colonne, ou retirez id : un identifiant sera calculé",
                column=definition.id,
            )
        return definition.id
    usable = (key for key in _ID_KEYS if key in keys and keys[key].type in (ColumnType.TEXT, ColumnType.INTEGER))
    return next((key for key in usable if _is_unique(reading, key)), None)


def _is_unique(reading: Reading, key: str) -> bool:
    text = f"CAST({name(key)} AS VARCHAR)"
    con: Any = reading.con
    rows, distinct, longest = con.execute(
        f"SELECT count(*), count(DISTINCT {text}), max(length({text})) FROM {name(reading.table)} "  # noqa: S608
    ).fetchone()
    return bool(rows == distinct and 0 < (longest or 0) <= 200)


def _row_hash(reading: Reading, columns: tuple[Column, ...], read: Mapping[str, str]) -> str:
    """Return the SQL of a row's mark: 32 hexadecimal digits of its values and its shape."""
    texts = {key: name(key) if kind == "VARCHAR" else f"CAST({name(key)} AS VARCHAR)" for key, kind in read.items()}
    fields = ", ".join(f"{literal(c.key)}, {texts[c.key]}" for c in columns)
    shape = f" || coalesce(md5({GEOMETRY}), '')" if reading.has_geometry else ""
    return f"md5(CAST({f'json_object({fields})' if fields else literal('')} AS VARCHAR){shape})"


def _id_sql(id_column: str | None) -> str:
    if id_column is not None:
        return f"CAST({name(id_column)} AS VARCHAR)"
    return "_shown[1:16]"


def _box_sql(has_geometry: bool) -> str:
    if not has_geometry:
        return ""
    sides = ", ".join(f"{side} := {function}({_SHAPE})" for side, function in _SIDES)
    return f", CASE WHEN {GEOMETRY} IS NULL THEN NULL ELSE struct_pack({sides}) END AS {BOX}"


def _order_sql(bbox: BBox | None) -> str:
    """Return how rows are put in order: along the Hilbert curve of `bbox`, those without a place last.

    Without a box they stay as they were read, which is as published: DuckDB keeps the order of what it copies.
    """
    if bbox is None:
        return ""
    bounds = f"{{'min_x': {bbox.west!r}, 'min_y': {bbox.south!r}, 'max_x': {bbox.east!r}, 'max_y': {bbox.north!r}}}"
    centre = f"({BOX}.xmin + {BOX}.xmax) / 2, ({BOX}.ymin + {BOX}.ymax) / 2"
    curve = f"CASE WHEN {GEOMETRY} IS NOT NULL THEN ST_Hilbert({centre}, {bounds}::BOX_2D) END"
    return f"ORDER BY {curve} NULLS LAST, {ID}, _order"


_TYPE_NAMES = {
    "POINT": "Point",
    "LINESTRING": "LineString",
    "POLYGON": "Polygon",
    "MULTIPOINT": "MultiPoint",
    "MULTILINESTRING": "MultiLineString",
    "MULTIPOLYGON": "MultiPolygon",
    "GEOMETRYCOLLECTION": "GeometryCollection",
}


def _extent(con: Any, table: str) -> tuple[tuple[str, ...], BBox | None, bool]:
    """Return the types of shapes of a table as read, the box of them all, and whether one has heights."""
    west, south, east, north = (f"{function}({_SHAPE})" for _, function in _SIDES)
    found = con.execute(
        f"SELECT CAST(ST_GeometryType({_SHAPE}) AS VARCHAR), bool_or(ST_HasZ({_SHAPE})), min({west}), min({south}), "  # noqa: S608
        f"max({east}), max({north}) FROM {name(table)} WHERE NOT ST_IsEmpty({_SHAPE}) GROUP BY 1"
    ).fetchall()
    if not found:
        return (), None, False
    lows = [min(row[side] for row in found) for side in (2, 3)]
    highs = [max(row[side] for row in found) for side in (4, 5)]
    return tuple(sorted(_TYPE_NAMES[row[0]] for row in found)), BBox(*lows, *highs), any(row[1] for row in found)
