"""The serving index: one SQLite file per version and visibility class, baked once, read by every process.

`feature` holds ready GeoJSON in the order of the data (Hilbert curve); `box` is an R*Tree over the same numbers;
`block` sums up the box of every `BLOCK` consecutive features, for boxes that hold a large share of the dataset. Files
are opened read-only and immutable: a version never changes. Knows no Django.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from beffroi.base.kernel.geo import BBox
from beffroi.lake import rtree
from beffroi.lake.manifest import BOX, ID
from beffroi.lake.reading import GEOMETRY, Column, ColumnType
from beffroi.lake.sql import literal, name

BLOCK = 256
LATER_FROM_ROWS = 500_000
"""From this many rows on, a version enters service without its index: its data answer until it is baked."""

OPEN_FILES = 64
_BATCH = 20_000
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE feature (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL, west REAL, south REAL, east REAL, north REAL, body TEXT NOT NULL
);
CREATE TABLE block (n INTEGER PRIMARY KEY, west REAL, south REAL, east REAL, north REAL);
CREATE VIRTUAL TABLE box USING rtree(n, west, east, south, north);
"""


def rows_of_file(data: Path) -> str:
    """Return the SQL of the numbered rows of a version's Parquet file."""
    file = f"read_parquet({literal(str(data))}, file_row_number = true)"
    return f"(SELECT *, file_row_number AS _n FROM {file})"  # noqa: S608 - the path is ours


def rows_of_table(table: str, *, has_geometry: bool) -> str:
    """Return the SQL of the numbered rows of the table a version was written from: no file to read again."""
    shape = f" REPLACE (ST_GeomFromWKB({GEOMETRY}) AS {GEOMETRY})" if has_geometry else ""
    return f"(SELECT *{shape}, rowid AS _n FROM {name(table)})"  # noqa: S608 - quoted name


def bake(con: Any, rows: str, target: Path, *, columns: Sequence[Column], has_geometry: bool, mark: str) -> int:
    """Write the serving index of a version's `rows` (`rows_of_file`) to `target`; return the number of features.

    Only `columns` enter it. `mark` tells later which columns it holds (see `rights.signature`). `target` must be a
    name nobody serves yet.
    """
    target.write_bytes(_blank())
    index = sqlite3.connect(target, isolation_level=None)
    try:
        # Nobody reads this file before it is whole: no journal, no waiting for the disk until the end.
        index.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; BEGIN")
        cursor = con.execute(features_sql(rows, columns, has_geometry=has_geometry))
        kept = "n, id, body, west, south, east, north" if has_geometry else "n, id, body"
        insert = f"INSERT INTO feature ({kept}) VALUES (?,?,?{',?,?,?,?' if has_geometry else ''})"  # noqa: S608
        count = 0
        while batch := cursor.fetchmany(_BATCH):
            index.executemany(insert, batch)
            count += len(batch)
        index.execute("CREATE UNIQUE INDEX feature_id ON feature (id)")
        if has_geometry and count:
            _write_boxes(index, _boxes(con, rows))
        index.executemany("INSERT INTO meta VALUES (?,?)", [("count", str(count)), ("mark", mark)])
        index.execute("COMMIT")
    finally:
        index.close()
    return count


@cache
def _blank() -> bytes:
    """Return an index without a row: copying it costs a tenth of making its tables."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as index:
        index.executescript("PRAGMA page_size=8192;" + _SCHEMA)
        return index.serialize()


def _boxes(con: Any, rows: str) -> npt.NDArray[np.float64]:
    asked = ", ".join(f"{BOX}.{side} AS {side}" for side in _SIDES)
    sides = con.execute(f"SELECT {asked} FROM {rows}").fetchnumpy()  # noqa: S608 - the rows are ours
    found = np.empty((len(sides["xmin"]), len(_SIDES)))
    for position, side in enumerate(_SIDES):
        # One side at a time: ten million boxes are 320 MB.
        found[:, position] = np.ma.filled(np.ma.asarray(sides.pop(side), dtype=np.float64), np.nan)
    return found


def _write_boxes(index: sqlite3.Connection, boxes: npt.NDArray[np.float64]) -> None:
    numbers = np.arange(len(boxes), dtype=np.int64)
    starts = range(0, len(boxes), BLOCK)
    index.executemany("INSERT INTO block VALUES (?,?,?,?,?)", list(_blocks(boxes, starts)))
    placed = ~np.isnan(boxes[:, 0])
    rtree.fill(index, "box", numbers[placed], boxes[placed])


def _blocks(boxes: npt.NDArray[np.float64], starts: Iterable[int]) -> Iterator[tuple[float, ...]]:
    for start in starts:
        block = boxes[start : start + BLOCK]
        block = block[~np.isnan(block[:, 0])]
        if len(block):
            low, high = block.min(axis=0), block.max(axis=0)
            yield start, float(low[0]), float(low[1]), float(high[2]), float(high[3])


_PLACE = " || ',' || ".join(f"CAST(round({axis}({GEOMETRY}), 8) AS VARCHAR)" for axis in ("ST_X", "ST_Y"))
# Most shapes are points: rounding their two numbers costs half of looking for all the decimals of a text.
_SHAPE = (
    f"CASE WHEN ST_GeometryType({GEOMETRY}) = 'POINT' AND NOT ST_HasZ({GEOMETRY}) AND NOT ST_IsEmpty({GEOMETRY}) "
    f"""THEN '{{"type":"Point","coordinates":[' || {_PLACE} || ']}}' """
    rf"ELSE regexp_replace(CAST(ST_AsGeoJSON({GEOMETRY}) AS VARCHAR), '(\.\d{{8}})\d+', '\1', 'g') END"
)


def features_sql(rows: str, columns: Sequence[Column], *, has_geometry: bool) -> str:
    """Return the query that makes ready GeoJSON in DuckDB: twenty times what Python's json does.

    Coordinates have 8 decimals (those of points rounded, the others cut): 1.2 mm at most, where 7 would be 1.2 cm. The
    data keep theirs.
    """
    fields = ", ".join(f"{literal(column.key)}, {json_value(column)}" for column in columns)
    properties = f"json_object({fields})" if fields else "'{}'"
    shape = f"coalesce({_SHAPE}, 'null')" if has_geometry else "'null'"
    box = f", {BOX}.xmin, {BOX}.ymin, {BOX}.xmax, {BOX}.ymax" if has_geometry else ""
    return (
        f"SELECT _n, {ID}, "  # noqa: S608 - identifiers are quoted keys, the rows are ours
        f"""'{{"type":"Feature","id":' || CAST(to_json({ID}) AS VARCHAR) || ',"geometry":' || {shape} """
        f"""|| ',"properties":' || CAST({properties} AS VARCHAR) || '}}'{box} """
        f"FROM {rows}"
    )


def json_value(column: Column) -> str:
    """Return the SQL of a column as it stands in JSON: ISO dates, no NaN or infinity (JSON has none)."""
    quoted = name(column.key)
    if column.type is ColumnType.NUMBER:
        return f"CASE WHEN isfinite({quoted}) THEN {quoted} END"
    if column.type is ColumnType.DATETIME:
        return f"strftime({quoted}, '%Y-%m-%dT%H:%M:%S')"
    if column.type in (ColumnType.DATE, ColumnType.TIME):
        return f"CAST({quoted} AS VARCHAR)"
    return quoted


@dataclass(frozen=True, slots=True)
class Page:
    """Features in order, the number of the last one when more follow, and the total when it is known."""

    bodies: tuple[str, ...]
    last: int | None
    matched: int | None


class Index:
    """One open serving index; used by one thread."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True, isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA mmap_size=1073741824")
        meta = dict(self._db.execute("SELECT key, value FROM meta"))
        self.count = int(meta["count"])
        self.mark: str = meta["mark"]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def feature(self, feature_id: str) -> str | None:
        """Return one GeoJSON feature, None when there is none of that id."""
        row = self._db.execute("SELECT body FROM feature WHERE id = ?", (feature_id,)).fetchone()
        return None if row is None else row[0]

    def numbers(self, ids: Sequence[str]) -> list[int]:
        """Return the numbers of the features of these ids, in order; those it does not hold are left out."""
        query = "SELECT n FROM json_each(?) CROSS JOIN feature ON feature.id = json_each.value ORDER BY n"
        return [row[0] for row in self._db.execute(query, (json.dumps(list(ids)),))]

    def page(self, *, bbox: BBox | None, limit: int, after: int) -> Page:
        """Return up to `limit` features numbered beyond `after` (-1 to start) whose box meets `bbox`."""
        if bbox is None:
            rows = self._db.execute(
                "SELECT n, body FROM feature WHERE n > ? ORDER BY n LIMIT ?", (after, limit + 1)
            ).fetchall()
            return page_of(rows, limit, self.count)
        numbers = self._probe(bbox, most=max(2_000, 4 * limit))
        if numbers is None:
            return page_of(self._dense(bbox, limit, after), limit, None)
        return self._sparse(bbox, numbers, limit, after)

    def span(self, first: int, limit: int) -> bytes:
        """Return up to `limit` features from number `first` on, joined by commas: SQLite joins, nothing is decoded."""
        return self._joined("SELECT body FROM feature WHERE n >= ? ORDER BY n LIMIT ?", (first, limit))

    def picked(self, numbers: Sequence[int]) -> bytes:
        """Return the features of these numbers in their order, joined by commas."""
        asked = json.dumps(list(numbers))
        return self._joined("SELECT body FROM json_each(?) CROSS JOIN feature ON n = json_each.value", (asked,))

    def _joined(self, query: str, values: tuple[Any, ...]) -> bytes:
        # The query is ours, its values are bound. group_concat takes rows in the order the inner query gives them.
        row = self._db.execute(f"SELECT CAST(group_concat(body) AS BLOB) FROM ({query})", values).fetchone()  # noqa: S608
        return row[0] or b""

    def bodies(self, numbers: Sequence[int]) -> list[str]:
        """Return the features of these numbers, one by one, in their order."""
        query = "SELECT body FROM json_each(?) CROSS JOIN feature ON n = json_each.value"
        return [row[0] for row in self._db.execute(query, (json.dumps(list(numbers)),))]

    def _probe(self, bbox: BBox, *, most: int) -> list[int] | None:
        """Return the features the tree finds in a box, None when there are more than `most`."""
        found: list[int] = []
        for west, east in _halves(bbox):
            found += [
                row[0]
                for row in self._db.execute(
                    "SELECT n FROM box WHERE east >= ? AND west <= ? AND north >= ? AND south <= ? LIMIT ?",
                    (west, east, bbox.south, bbox.north, most + 1),
                )
            ]
        return None if len(found) > most else sorted(set(found))

    def _sparse(self, bbox: BBox, numbers: list[int], limit: int, after: int) -> Page:
        wanted = [number for number in numbers if number > after]
        met, parameters = _meets(bbox)
        # The tree keeps single floats (40 cm at our latitudes) rounded outwards: exact boxes decide.
        rows = self._db.execute(
            f"SELECT n, body FROM json_each(?) CROSS JOIN feature ON n = json_each.value WHERE {met} LIMIT ?",  # noqa: S608
            (json.dumps(wanted), *parameters, limit + 1),
        ).fetchall()
        complete = after < 0 and len(rows) <= limit
        return page_of(rows, limit, len(rows) if complete else None)

    def _dense(self, bbox: BBox, limit: int, after: int) -> list[tuple[int, str]]:
        """Walk the blocks that meet the box, in order: a page costs no more than the features it holds."""
        met, parameters = _meets(bbox)
        rows: list[tuple[int, str]] = []
        blocks = self._db.execute(
            f"SELECT n FROM block WHERE n > ? AND {met} ORDER BY n",  # noqa: S608
            (after - BLOCK, *parameters),
        )
        for (start,) in blocks:
            rows += self._db.execute(
                f"SELECT n, body FROM feature WHERE n BETWEEN ? AND ? AND {met} LIMIT ?",  # noqa: S608
                (max(start, after + 1), start + BLOCK - 1, *parameters, limit + 1 - len(rows)),
            ).fetchall()
            if len(rows) > limit:
                break
        return rows


def _halves(bbox: BBox) -> list[tuple[float, float]]:
    if bbox.west <= bbox.east:
        return [(bbox.west, bbox.east)]
    return [(bbox.west, 180.0), (-180.0, bbox.east)]


def _meets(bbox: BBox) -> tuple[str, tuple[float, ...]]:
    # A box whose west lies beyond its east crosses the antimeridian.
    across = "OR" if bbox.west > bbox.east else "AND"
    condition = f"(east >= ? {across} west <= ?) AND north >= ? AND south <= ?"
    return condition, (bbox.west, bbox.east, bbox.south, bbox.north)


def page_of(rows: Sequence[tuple[int, str]], limit: int, matched: int | None) -> Page:
    """Return a page of `limit` rows out of rows that may hold one more: the sign that others follow."""
    kept = rows[:limit]
    return Page(tuple(body for _, body in kept), kept[-1][0] if len(rows) > limit else None, matched)


class _Open(threading.local):
    def __init__(self) -> None:
        self.process = os.getpid()
        self.files: OrderedDict[str, tuple[int, Index]] = OrderedDict()


_open = _Open()


def opened(path: Path) -> Index:
    """Return the index at `path`, kept open by this thread among the last `OPEN_FILES` it used.

    Raises:
        FileNotFoundError: not baked.
    """
    key = str(path)
    inode = os.stat(key).st_ino  # noqa: PTH116 - fast path
    if _open.process != os.getpid():
        _open.process, _open.files = os.getpid(), OrderedDict()
    kept = _open.files.get(key)
    if kept is not None and kept[0] == inode:
        _open.files.move_to_end(key)
        return kept[1]
    if kept is not None:
        kept[1].close()
    index = Index(path)
    _open.files[key] = (inode, index)
    if len(_open.files) > OPEN_FILES:
        _, (_, oldest) = _open.files.popitem(last=False)
        oldest.close()
    return index


def baked(path: Path, mark: str) -> Index | None:
    """Return the index at `path` when it is there and holds the columns that `mark` says, else None."""
    with suppress(FileNotFoundError):
        index = opened(path)
        return index if index.mark == mark else None
    return None


def close_all() -> None:
    """Close every index this thread holds open."""
    while _open.files:
        _open.files.popitem()[1][1].close()
