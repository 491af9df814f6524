"""From what a connector read to a version on disk: correct, name, order, write, bake, put in service.

Knows no Django. The order is in `publish`; every step before the last two renames can be killed without a trace.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.lake import rights, serving
from beffroi.lake.corrections import apply_corrections
from beffroi.lake.definitions import ColumnDefinition, Definition
from beffroi.lake.manifest import BOX, ID, ImportReport, Manifest, SourceInfo, column_as_json
from beffroi.lake.reading import DUCKDB_TYPE, GEOMETRY, LINE, Column, ColumnType, Reading
from beffroi.lake.sql import literal, name
from beffroi.lake.store import DatasetRef, InForce, Lake, LakeNotWritable, step, write_note, write_papers

Progress = Callable[[Sentence, float | None], None]
Later = Callable[[Callable[[], None]], object]
ROW_GROUP = 61_440
# Tried in this order when the definition names none; used when unique and filled on every row.
_ID_KEYS = ("id", "identifiant", "gid", "fid", "ogc_fid", "objectid", "code_insee", "insee", "uai", "siret")


def at_once(act: Callable[[], None]) -> None:
    """Do it now."""
    act()


class ImportRefused(BeffroiError):
    """The source was read but cannot become a dataset as its definition stands."""


@dataclass(frozen=True, slots=True)
class Published:
    """How a publication ended: `is_new` is False when the lake already served this content."""

    version: str
    is_new: bool
    report: ImportReport


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A table of the reading's connection, ready to be written: `table` has the columns, ids, boxes and an order.

    `marks` are the sums of both halves of its rows' marks, whatever their order.
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


def publish(
    lake: Lake,
    ref: DatasetRef,
    reading: Reading,
    *,
    source: SourceInfo,
    definition: Definition,
    at: datetime,
    fingerprint: str = "",
    actor: int | None = None,
    progress: Progress | None = None,
    later: Later = at_once,
) -> Published:
    """Make a version of what was read and put it in service, or leave the one of the same content.

    Waiting for the disk and entering service are handed to `later`, which does them at once unless told otherwise:
    nothing is published before they are done.

    Raises:
        ImportRefused: the id is not unique, or a column does not fit the type its definition gives.
        CorrectionOutdated: a correction no longer has its object.
        LakeNotWritable: the disk refuses; the version in service stays.
    """
    started = time.monotonic()
    tell = progress or (lambda _sentence, _share: None)
    where = f"datasets/{definition.theme or '?'}/{definition.slug}.toml"
    tell(Sentence(gettext_noop("mise en ordre")), 0.1)
    corrected = apply_corrections(reading, definition.corrections, where=where)
    prepared = prepare(reading, definition, where=where)
    meaning = definition.as_json()
    content = _content_hash(reading, prepared, meaning)
    report = _report(reading, prepared, corrected)
    with ExitStack() as opened:
        opened.enter_context(_writable(ref))
        opened.enter_context(lake.writing(ref))
        making = opened.enter_context(ExitStack())
        known = next((version for version in lake.versions(ref) if version.endswith(content[:12])), None)
        version = known or f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{content[:12]}"
        if known is None:
            manifest = _manifest(ref, version, at, content, fingerprint, source, definition, reading, prepared, meaning)
            report = replace(report, seconds=round(time.monotonic() - started, 3))
            folder = making.enter_context(lake.new_version(ref, version))
            tell(Sentence(gettext_noop("écriture des données")), 0.3)
            _write_data(reading.con, prepared, folder / "data.parquet")
            step("after-data")
            tell(Sentence(gettext_noop("préparation de l'index de consultation")), 0.6)
            bake_serving(reading.con, folder, manifest, definition.access)
            write_papers(folder, manifest, report)
            step("after-papers")
        is_new = known is None or _served(lake, ref) != version
        # The dataset stays held until this is done, by whoever does it.
        held = opened.pop_all()

    def settle() -> None:
        with held:
            making.close()
            if is_new:
                accesses = tuple((column.key, column.access) for column in prepared.columns)
                lake.put_in_force(
                    ref,
                    version,
                    announce={"kind": "dataset.published", "actor": actor},
                    rights=InForce(version, definition.access, accesses),
                    definition=meaning,
                )
            note = {"at": at.astimezone(UTC).isoformat(), "fingerprint": fingerprint, "version": version}
            write_note(lake.folder(ref) / "checked.json", note)
        tell(Sentence(gettext_noop("terminé")), 1.0)

    later(settle)
    return Published(version, is_new, report)


def _served(lake: Lake, ref: DatasetRef) -> str | None:
    with suppress(BeffroiError):
        return lake.in_force(ref).version
    return None


class _writable:  # noqa: N801 - reads as a context, and translates what DuckDB and SQLite say of a full disk
    def __init__(self, ref: DatasetRef) -> None:
        self.ref = ref

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (duckdb.IOException, duckdb.OutOfMemoryException, sqlite3.OperationalError)):
            raise LakeNotWritable(
                "le lac ne peut pas être écrit ({reason})",
                where=str(self.ref),
                remedy="libérez de la place ou de la mémoire, puis relancez ; la version précédente reste servie",
                reason=str(error).splitlines()[0][:200],
            ) from error


def bake_serving(con: Any, folder: Path, manifest: Manifest, access: str) -> None:
    """Write the serving index of every visibility class of a version being made."""
    for class_name in rights.classes(access, manifest.columns):
        columns = rights.visible(manifest.columns, rights.clearance(class_name))
        serving.bake(
            con,
            folder / "data.parquet",
            folder / f"serving.{rights.file_part(class_name)}.sqlite",
            columns=columns,
            has_geometry=manifest.geometry_type is not None,
            mark=rights.signature(columns),
        )
        step(f"after-serving-{class_name}")


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
            kept.append(replace(column, **over))
    return tuple(kept)


def prepare(reading: Reading, definition: Definition, *, where: str) -> _Prepared:
    """Make the table that will be written: typed columns, ids, boxes, and the order of the rows.

    Raises:
        ImportRefused: the id is not unique, or a column does not fit the type its definition gives.
    """
    con: Any = reading.con
    table = f"{reading.table}_ready"
    columns = resolved_columns(reading.columns, definition.columns)
    _check_restricted(reading, definition, where)
    _check_casts(reading, columns, where)
    # An id is shown to all: it is made of nothing that some may not see, not even through a hash one could guess.
    widest = rights.visible(columns, rights.clearance(rights.classes(definition.access, columns)[0]))
    id_column = _id_column(reading, widest, definition, where)
    values = ", ".join(f"CAST({name(c.key)} AS {DUCKDB_TYPE[c.type]}) AS {name(c.key)}" for c in columns)
    line = name(LINE) if LINE in con.table(name(reading.table)).columns else "row_number() OVER ()"
    shape = (
        f", CASE WHEN ST_IsEmpty(ST_GeomFromWKB({GEOMETRY})) THEN NULL ELSE {GEOMETRY} END AS {GEOMETRY}"
        if reading.has_geometry
        else ""
    )
    shown = "NULL" if id_column else "_hash" if widest == columns else _row_hash(reading, widest)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {name(table)} AS WITH kept AS "  # noqa: S608 - identifiers are quoted keys
        f"(SELECT {line} AS _order, {values + ', ' if values else ''}{_row_hash(reading, columns)} AS _hash, "
        f"{shown} AS _shown{shape} "
        f"FROM {name(reading.table)}) "
        f"SELECT *, {_id_sql(id_column)} AS {ID}{_box_sql(reading.has_geometry)} FROM kept"
    )
    halves = ", ".join(f"sum(CAST('0x' || _hash[{part}] AS UBIGINT)::HUGEINT)" for part in ("1:16", "17:32"))
    counted = f"SELECT count(*), count(DISTINCT {ID}), {halves} FROM {name(table)}"  # noqa: S608
    rows, ids, *marks = con.execute(counted).fetchone()
    if id_column is None and ids < rows:
        _tell_apart(con, table)
    types, bbox, has_z = _extent(con, table) if reading.has_geometry else ((), None, False)
    return _Prepared(table, columns, rows, (marks[0], marks[1]), id_column, bool(types), types, bbox, has_z)


def _tell_apart(con: Any, table: str) -> None:
    """Give equal rows ids of their own, by their rank; any other row keeps its id from one version to the next."""
    rank = f"row_number() OVER (PARTITION BY {ID} ORDER BY _order)"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {name(table)} AS SELECT * REPLACE ("  # noqa: S608 - identifiers are quoted keys
        f"{ID} || CASE WHEN {rank} > 1 THEN '-' || {rank} ELSE '' END AS {ID}) FROM {name(table)}"
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


def _row_hash(reading: Reading, columns: tuple[Column, ...]) -> str:
    """Return the SQL of a row's mark: 32 hexadecimal digits of its values and its shape."""
    fields = ", ".join(f"{literal(c.key)}, CAST({name(c.key)} AS VARCHAR)" for c in columns)
    shape = f" || coalesce(md5({GEOMETRY}), '')" if reading.has_geometry else ""
    return f"md5(CAST({f'json_object({fields})' if fields else literal('')} AS VARCHAR){shape})"


def _id_sql(id_column: str | None) -> str:
    if id_column is not None:
        return f"CAST({name(id_column)} AS VARCHAR)"
    return "_shown[1:16]"


def _box_sql(has_geometry: bool) -> str:
    if not has_geometry:
        return ""
    shape = f"ST_GeomFromWKB({GEOMETRY})"
    sides = ", ".join(
        f"{side} := {function}({shape})"
        for side, function in (("xmin", "ST_XMin"), ("ymin", "ST_YMin"), ("xmax", "ST_XMax"), ("ymax", "ST_YMax"))
    )
    return f", CASE WHEN {GEOMETRY} IS NULL THEN NULL ELSE struct_pack({sides}) END AS {BOX}"


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
    shape = f"ST_GeomFromWKB({GEOMETRY})"
    found = con.execute(
        f"SELECT CAST(ST_GeometryType({shape}) AS VARCHAR), bool_or(ST_HasZ({shape})), min({BOX}.xmin), "  # noqa: S608
        f"min({BOX}.ymin), max({BOX}.xmax), max({BOX}.ymax) FROM {name(table)} WHERE {GEOMETRY} IS NOT NULL GROUP BY 1"
    ).fetchall()
    if not found:
        return (), None, False
    lows = [min(row[side] for row in found) for side in (2, 3)]
    highs = [max(row[side] for row in found) for side in (4, 5)]
    return tuple(sorted(_TYPE_NAMES[row[0]] for row in found)), BBox(*lows, *highs), any(row[1] for row in found)


def _content_hash(reading: Reading, prepared: _Prepared, definition: dict[str, Any]) -> str:
    """Return the hash a version is named after: its rows in any order, its columns, and its definition."""
    low, high = prepared.marks
    meaning = {
        "rows": [prepared.rows, str(low), str(high)],
        "columns": [column_as_json(column) for column in prepared.columns],
        "definition": definition,
        "said": [reading.title, reading.licence, reading.description, reading.period],
    }
    return hashlib.sha256(json.dumps(meaning, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _write_data(con: Any, prepared: _Prepared, target: Path) -> None:
    """Write GeoParquet 1.1: rows along the Hilbert curve, a box per row, Zstandard."""
    columns = [ID, *(column.key for column in prepared.columns)]
    metadata = ""
    order = "_order"
    if prepared.has_geometry and prepared.bbox is not None:
        columns += [GEOMETRY, BOX]
        west, south, east, north = prepared.bbox
        bounds = f"{{'min_x': {west!r}, 'min_y': {south!r}, 'max_x': {east!r}, 'max_y': {north!r}}}::BOX_2D"
        centre = f"({BOX}.xmin + {BOX}.xmax) / 2, ({BOX}.ymin + {BOX}.ymax) / 2"
        order = f"CASE WHEN {GEOMETRY} IS NULL THEN NULL ELSE ST_Hilbert({centre}, {bounds}) END NULLS LAST, {ID}"
        metadata = f", KV_METADATA {{geo: {literal(json.dumps(_geo(prepared)))}}}"
    con.execute(
        # Identifiers are quoted keys, the path is ours.
        f"COPY (SELECT {', '.join(name(key) for key in columns)} FROM {name(prepared.table)} ORDER BY {order}) "  # noqa: S608
        f"TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}, "
        f"GEOPARQUET_VERSION 'NONE'{metadata})"
    )


def _geo(prepared: _Prepared) -> dict[str, Any]:
    """Return GeoParquet's metadata. Without `crs`, the specification says OGC:CRS84."""
    suffix = " Z" if prepared.has_z else ""
    covering = {side: [BOX, side] for side in ("xmin", "ymin", "xmax", "ymax")}
    column = {
        "encoding": "WKB",
        "geometry_types": [kind + suffix for kind in prepared.geometry_types],
        "covering": {"bbox": covering},
        "bbox": list(prepared.bbox or ()),
    }
    return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}


def _report(reading: Reading, prepared: _Prepared, corrected: tuple[Sentence, ...]) -> ImportReport:
    return ImportReport(
        rows_read=reading.rows_read,
        rows_kept=prepared.rows,
        rows_rejected=reading.rejects.total,
        rejected_by_reason=dict(reading.rejects.by_reason),
        rejects=tuple(reading.rejects.rows),
        evidences=tuple(reading.evidences),
        corrections=corrected,
        crs=reading.crs,
        geometry_types=prepared.geometry_types,
        licence=reading.licence,
        period=reading.period,
    )


def _manifest(
    ref: DatasetRef,
    version: str,
    at: datetime,
    content: str,
    fingerprint: str,
    source: SourceInfo,
    definition: Definition,
    reading: Reading,
    prepared: _Prepared,
    meaning: dict[str, Any],
) -> Manifest:
    return Manifest(
        territory=ref.territory,
        slug=ref.slug,
        version=version,
        created_at=at.astimezone(UTC),
        content=content,
        fingerprint=fingerprint,
        title=definition.title or reading.title or ref.slug.replace("-", " ").capitalize(),
        columns=prepared.columns,
        rows=prepared.rows,
        source=source,
        definition=meaning,
        theme=definition.theme,
        description=definition.description or reading.description,
        producer=definition.producer,
        licence=definition.licence or reading.licence,
        rhythm=definition.rhythm,
        # No commune's INSEE code starts with 00: such a territory is invented, and says so whatever its files say.
        fictional=definition.fictional or ref.territory.startswith("00"),
        rows_read=reading.rows_read,
        rows_rejected=reading.rejects.total,
        geometry_types=prepared.geometry_types,
        bbox=prepared.bbox,
        crs=reading.crs,
        period=reading.period,
        id_column=prepared.id_column,
        evidences=tuple(reading.evidences),
    )
