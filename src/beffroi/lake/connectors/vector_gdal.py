"""One layer of a file GDAL reads, streamed through Arrow into a DuckDB table of the lake's types."""

from __future__ import annotations

import itertools
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# GDAL would otherwise fetch the schemas that a GML names.
os.environ.setdefault("GML_DOWNLOAD_SCHEMA", "NO")
os.environ.setdefault("GDAL_DISABLE_READDIR_ON_OPEN", "FALSE")
# A .prj is read here, and believed only if the coordinates agree: GDAL would spend 50 ms on looking for its EPSG code.
os.environ.setdefault("USE_OSR_FIND_MATCHES", "NO")

import numpy as np
import pyogrio
from arro3.core import Array, DataType, RecordBatch, RecordBatchReader, Table
from pyogrio.errors import DataLayerError, DataSourceError

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake import duck
from beffroi.lake.connectors.vector_place import Placer
from beffroi.lake.detect.headers import keys_of
from beffroi.lake.reading import (
    DUCKDB_TYPE,
    GEOMETRY,
    LINE,
    Column,
    ColumnType,
    Evidence,
    Reading,
    ReadOptions,
    Unreadable,
)
from beffroi.lake.sql import plan_for

BATCH = 65_536
_numbers = itertools.count(1)
GDAL_ERRORS = (DataSourceError, DataLayerError, RuntimeError, ValueError, OSError, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class Layer:
    """What to read: the file, one of its layers, and what its driver needs."""

    path: Path
    name: str | None = None
    title: str = ""
    encoding: str | None = None
    declared_by: str = ""
    declared: str | None = None
    believe_crs: bool = True
    rebuild_index: bool = False
    drop: frozenset[str] = frozenset()
    open_options: dict[str, Any] = field(default_factory=dict)
    evidences: tuple[Evidence, ...] = ()


@contextmanager
def quiet() -> Iterator[list[warnings.WarningMessage]]:
    """Keep GDAL's warnings out of the terminal, and yield the list they are gathered in."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def layers_of(path: Path) -> list[str]:
    """Return the names of the layers of a file.

    Raises:
        Unreadable: GDAL does not read it.
    """
    try:
        with quiet():
            return [str(name) for name, _ in pyogrio.list_layers(path)]
    except GDAL_ERRORS as error:
        raise unreadable(path, error) from error


def read_layer(layer: Layer, options: ReadOptions, con: duck.Connection) -> Reading:
    """Read one layer into a table of `con`.

    Raises:
        Unreadable: GDAL cannot open the layer, or reads none of it.
    """
    table = f"vector_{next(_numbers)}_{id(con) % 100_000}"
    reading = Reading(con, table, (), 0, title=layer.title)
    reading.evidences += layer.evidences
    try:
        with (
            quiet(),
            _rebuilding(layer.rebuild_index),
            pyogrio.open_arrow(
                layer.path,
                layer=layer.name,
                encoding=layer.encoding,
                batch_size=BATCH,
                use_pyarrow=False,
                datetime_as_string=True,
                **layer.open_options,
            ) as (meta, stream),
        ):
            _load(reading, layer, options, meta, RecordBatchReader.from_arrow(stream))
    except (MemoryError, duck.Error):
        raise
    except Exception as error:
        # What GDAL hands over through Arrow, arro3 refuses with a bare Exception.
        if reading.rows_read == 0:
            raise unreadable(layer.path, error) from error
        _interrupted(reading, layer, error)
    if not reading.columns and not reading.has_geometry:
        raise unreadable(layer.path, "aucun attribut ni géométrie")
    return reading


@contextmanager
def _rebuilding(wanted: bool) -> Iterator[None]:
    """Let GDAL rebuild a missing .shx while the block lasts."""
    if not wanted:
        yield
        return
    pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": True})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": None})


def merged(readings: list[Reading], *, title: str, column: str) -> list[Reading]:
    """Put several readings of one source into one; `column` takes the title each one had.

    Readings of which one has no geometry are left as they are.
    """
    if len({reading.has_geometry for reading in readings}) > 1:
        return readings
    first = readings[0]
    table = f"vector_{next(_numbers)}_{id(first.con) % 100_000}"
    key = keys_of([*(c.title for c in first.columns), column])[-1]
    columns = {c.key: c for reading in readings for c in reading.columns}
    wanted = ", ".join([*(f'"{name}"' for name in columns), key, *([GEOMETRY] if first.has_geometry else [])])
    start, parts = 0, []
    for reading in readings:
        parts.append(f"SELECT * REPLACE ({LINE} + {start} AS {LINE}), ? AS {key} FROM {reading.table}")  # noqa: S608
        start += reading.rows_read
    union = " UNION ALL BY NAME ".join(parts)
    titles = [reading.title for reading in readings]
    first.con.execute(f"CREATE TEMP TABLE {table} AS SELECT {wanted}, {LINE} FROM ({union})", titles)  # noqa: S608
    for reading in readings:
        first.con.execute(f"DROP TABLE {reading.table}")
    whole = Reading(first.con, table, (*columns.values(), Column(key, column)), start, first.has_geometry, title=title)
    told = {(e.subject, e.value, str(e.why)): e for reading in readings for e in reading.evidences}
    whole.evidences = list(told.values())
    whole.crs = first.crs
    for reading in readings:
        whole.rejects.total += reading.rejects.total
        whole.rejects.rows += reading.rejects.rows
        for reason, count in reading.rejects.by_reason.items():
            whole.rejects.by_reason[reason] = whole.rejects.by_reason.get(reason, 0) + count
    return [whole]


def unreadable(path: Path, error: object) -> Unreadable:
    """Return the sentence for a file GDAL refuses."""
    return Unreadable(
        "fichier géographique illisible ({error})",
        where=path.name,
        remedy="ouvrez-le dans un logiciel de cartographie et exportez-le en GeoPackage ou en GeoJSON",
        error=str(error).replace(str(path), path.name).replace(str(path.parent) + "/", "")[:200],
    )


def _load(
    reading: Reading, layer: Layer, options: ReadOptions, meta: dict[str, Any], reader: RecordBatchReader
) -> None:
    names = list(reader.schema.names)
    geometry = _geometry_index(names, meta)
    placer = Placer(options, *_declared(layer, meta))
    writer = _Writer(reading, layer, options, geometry)
    moments = zip(meta["fields"], meta["ogr_types"], strict=True)
    writer.moments = {str(name): _moment for name, kind in moments if kind == "OFTDateTime"}
    for batch in reader:
        batch = RecordBatch.from_arrow(batch)
        if geometry is not None:
            wkb = np.empty(batch.num_rows, dtype=object)
            wkb[:] = batch.column(geometry).to_pylist()
            batch = batch.set_column(geometry, GEOMETRY, Array(placer.placed(wkb), type=DataType.binary()))
        writer.write(batch)
    writer.close(reader.schema)
    if writer.bad_texts:
        why = Sentence("textes qui ne sont pas de l’UTF-8 : lettre finale coupée retirée, ou lus en cp1252")
        reading.evidences.append(Evidence("encoding", str(writer.bad_texts), why))
    if geometry is not None:
        reading.evidences += placer.evidences()
        reading.crs = placer.found.code if placer.found else None


def _declared(layer: Layer, meta: dict[str, Any]) -> tuple[str | None, str]:
    if layer.declared is not None:
        return layer.declared, layer.declared_by
    return (meta.get("crs") if layer.believe_crs else None), layer.declared_by


def _geometry_index(names: Sequence[str], meta: dict[str, Any]) -> int | None:
    """Return where the geometry stands: GDAL names it as the source does, or ``wkb_geometry``, and puts it last."""
    if meta.get("geometry_type") is None:
        return None
    wanted = meta.get("geometry_name") or "wkb_geometry"
    positions = [index for index, name in enumerate(names) if name == wanted]
    return positions[-1] if positions else None


class _Writer:
    """Write Arrow batches into the table of a reading, in the lake's types."""

    def __init__(self, reading: Reading, layer: Layer, options: ReadOptions, geometry: int | None) -> None:
        self.reading, self.layer, self.options, self.geometry = reading, layer, options, geometry
        self.select = ""
        self.created = False
        self.bad_texts = 0
        self.moments: dict[str, Callable[[str], tuple[str, ColumnType]]] = {}

    def write(self, batch: RecordBatch) -> None:
        first = self.reading.rows_read + 1
        lines = Array(np.arange(first, first + batch.num_rows, dtype=np.int64))
        # Positions stand for names: sources repeat them, or differ only by case, which SQL does not tell apart.
        names = [f"c{index}" for index in range(len(batch.schema.names))]
        # Texts come as bytes: nothing says that they are UTF-8, and DuckDB can loop for ever on those that are not.
        texts = [index for index in range(len(names)) if _is_text(batch.column(index))]
        columns = [batch.column(index) for index in range(len(names))]
        for index in texts:
            columns[index] = columns[index].cast(DataType.binary())
        titles = list(batch.schema.names)
        try:
            self._insert(Table.from_arrays([*columns, lines], names=[*names, LINE]), titles, set(texts))
        except duck.ConversionException:
            for index in texts:
                columns[index] = self._mended(columns[index])
            self._insert(Table.from_arrays([*columns, lines], names=[*names, LINE]), titles, set(texts))
        self.reading.rows_read += batch.num_rows

    def _insert(self, raw: Table, titles: Sequence[str], texts: set[int]) -> None:
        con, table = self.reading.con, self.reading.table
        con.register("vector_batch", raw)
        try:
            if not self.select:
                self._describe(titles, texts)
            into = f"INSERT INTO {table}" if self.created else f"CREATE TEMP TABLE {table} AS"
            plan_for(con, raw.num_rows)
            con.execute(f"{into} SELECT {self.select} FROM vector_batch")  # noqa: S608
            self.created = True
        finally:
            con.unregister("vector_batch")

    def _mended(self, column: Any) -> Array:
        """Return a column of bytes whose texts are UTF-8: a letter cut at the end is dropped, the rest is cp1252."""
        values = column.to_pylist()
        mended = [None if value is None else _as_utf8(value) for value in values]
        self.bad_texts += sum(1 for old, new in zip(values, mended, strict=True) if old != new)
        return Array(mended, type=DataType.binary())

    def close(self, schema: Any) -> None:
        """Create the table of an empty layer."""
        if not self.select:
            empty = RecordBatch.from_arrays([Array([], type=field.type) for field in schema], schema=schema)
            self.write(empty)

    def _describe(self, titles: Sequence[str], texts: set[int]) -> None:
        """Choose what is read of a first batch, registered, of which the columns `texts` hold texts as bytes."""
        read = map(str, self.reading.con.table("vector_batch").types)
        types = ["VARCHAR" if index in texts else kind for index, kind in enumerate(read)]
        wanted = [
            (index, name)
            for index, name in enumerate(titles)
            if index != self.geometry and name not in self.layer.drop and "BLOB" not in types[index]
        ]
        keys = keys_of([name for _, name in wanted], self.options.rename)
        parts, columns = [], []
        for (index, title), key in zip(wanted, keys, strict=True):
            kind = self.options.types.get(title) or self.options.types.get(key)
            moment = self.moments.get(title)
            value = f"decode(c{index})" if index in texts else f"c{index}"
            expression, found = moment(value) if moment else _expression(value, types[index])
            if kind and kind != found:
                expression, found = f"TRY_CAST({expression} AS {DUCKDB_TYPE[kind]})", kind
            parts.append(f'{expression} AS "{key}"')
            columns.append(Column(key, title, found))
        if self.geometry is not None:
            parts.append(f"c{self.geometry}::BLOB AS {GEOMETRY}")
        self.select = ", ".join([*parts, LINE])
        self.reading.columns = tuple(columns)
        self.reading.has_geometry = self.geometry is not None


def _is_text(column: Any) -> bool:
    return bool(re.search(r"<(Large)?Utf8(View)?>", str(column.type)))


def _as_utf8(data: bytes) -> bytes:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        cut = error.start >= len(data) - 3 and error.reason == "unexpected end of data"
        return data[: error.start] if cut else data.decode("cp1252", "replace").encode()
    return data


def _moment(column: str) -> tuple[str, ColumnType]:
    """Return the SQL that reads a moment GDAL wrote as text; one with an offset is brought to UTC."""
    return f"TRY_CAST({column} AS TIMESTAMP)", ColumnType.DATETIME


def _expression(column: str, kind: str) -> tuple[str, ColumnType]:
    """Return the SQL that brings an Arrow column to a type of the lake."""
    if kind == "VARCHAR":
        return f"NULLIF(TRIM({column}, chr(32) || chr(9) || chr(10) || chr(13) || chr(0)), '')", ColumnType.TEXT
    if kind.endswith("[]"):
        return f"NULLIF(array_to_string({column}::VARCHAR[], ' ; '), '')", ColumnType.TEXT
    for prefix, found in _TYPES.items():
        if kind.startswith(prefix):
            return f"{column}::{DUCKDB_TYPE[found]}", found
    return f"{column}::VARCHAR", ColumnType.TEXT


# DuckDB's name of what Arrow carries, by its beginning, in the order it must be tried.
_TYPES: dict[str, ColumnType] = {
    "BOOL": ColumnType.BOOLEAN,
    "TIMESTAMP": ColumnType.DATETIME,
    "TIME": ColumnType.TIME,
    "DATE": ColumnType.DATE,
    "FLOAT": ColumnType.NUMBER,
    "DOUBLE": ColumnType.NUMBER,
    "DECIMAL": ColumnType.NUMBER,
    "HUGEINT": ColumnType.NUMBER,
    "TINYINT": ColumnType.INTEGER,
    "SMALLINT": ColumnType.INTEGER,
    "INTEGER": ColumnType.INTEGER,
    "BIGINT": ColumnType.INTEGER,
    "UTINYINT": ColumnType.INTEGER,
    "USMALLINT": ColumnType.INTEGER,
    "UINTEGER": ColumnType.INTEGER,
}


def _interrupted(reading: Reading, layer: Layer, error: Exception) -> None:
    """Say that the rest of the layer could not be read."""
    try:
        with quiet():
            expected = int(pyogrio.read_info(layer.path, layer=layer.name, force_feature_count=False)["features"])
    except GDAL_ERRORS:
        expected = -1
    missing = max(1, expected - reading.rows_read)
    reason = Sentence("fichier endommagé : la lecture s’arrête à cet objet")
    reading.rejects.add(reading.rows_read + 1, reason, str(error)[:200], count=missing)
    reading.rows_read += missing
