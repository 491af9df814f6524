"""Give a tabular Reading its geometry, when some of its columns say where its rows are."""

# ruff: noqa: S608 — names in SQL are made here and quoted; no value is pasted unquoted

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import numpy as np
import shapely
from arro3.core import Array, DataType, Table
from numpy.typing import NDArray

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.connectors.profile import Places, somewhere
from beffroi.lake.connectors.vector_place import OUTSIDE
from beffroi.lake.detect.crs import CRS84, CrsFound, detect_crs, geometries_to_crs84, to_crs84, widened
from beffroi.lake.detect.headers import keys_of
from beffroi.lake.detect.points import PAIR, PlaceFound, PlaceKind, find_place
from beffroi.lake.detect.values import quoted
from beffroi.lake.reading import (
    GEOMETRY,
    Column,
    ColumnType,
    Evidence,
    Lines,
    Reading,
    ReadOptions,
    Unreadable,
)
from beffroi.lake.sql import name

_Floats: TypeAlias = "NDArray[np.float64]"
_CHUNK = 50_000
_LEAST_PLACED = 0.5
_NEAR = (0.1, 0.005)
"""How far beyond the place where data are expected they are still there: a share of its size, and degrees at least."""

SAMPLE = 5
SAMPLED_ROWS = 1_000
"""The first rows may lack a place; a thousand of them seldom do."""


@dataclass(frozen=True, slots=True)
class Spans:
    """What was measured of the columns `x` and `y` while their types were counted, and some of their cells."""

    x: str
    y: str
    places: Places
    cells: tuple[tuple[str, str], ...]


def degrees_of(titles: Sequence[str], options: ReadOptions) -> Places | None:
    """Return the columns whose titles say longitude and latitude, to be measured; None where a dataset file decides."""
    if options.crs or options.x:
        return None
    keys = keys_of(titles, options.rename)
    place = find_place(keys, {})
    if place is None or place.kind is not PlaceKind.XY or not place.degrees:
        return None
    area = widened(options.extent, *_NEAR) if options.extent else None
    return Places((keys.index(place.x), keys.index(place.y)), area)


def add_geometry(
    reading: Reading, options: ReadOptions, samples: dict[str, list[str]] | None = None, spans: Spans | None = None
) -> None:
    """Add the `GEOMETRY` column (WKB, CRS84) to the table of `reading` when columns of its own place its rows.

    `samples` are the first values of its columns of text, when they are known, `spans` what is of its degrees. Rows
    without a place keep a null geometry; the evidence counts them.
    """
    place = _imposed(reading, options) or find_place(
        [column.key for column in reading.columns], _samples(reading) if samples is None else samples
    )
    if place is None:
        return
    if place.kind not in (PlaceKind.XY, PlaceKind.PAIR):
        _written_shapes(reading, place, options)
        return
    found = _measured_xy(reading, place, options, spans) or _written_xy(reading, place, options)
    if found is not None:
        reading.has_geometry = True
        reading.crs = found.code
        reading.evidences.append(found.evidence)


def _imposed(reading: Reading, options: ReadOptions) -> PlaceFound | None:
    if not options.x or not options.y:
        return None
    keys = {name: column.key for column in reading.columns for name in (column.title, column.key)}
    missing = next((title for title in (options.x, options.y) if title not in keys), None)
    if missing is not None:
        raise Unreadable(
            "colonne de coordonnées « {title} » absente",
            where=reading.title or reading.table,
            remedy="corrigez x et y dans la fiche du jeu de données ; colonnes présentes : {present}",
            title=missing,
            present=", ".join(column.title for column in reading.columns[:30]),
        )
    return PlaceFound(PlaceKind.XY, keys[options.x], keys[options.y], degrees=options.crs is None)


def _samples(reading: Reading) -> dict[str, list[str]]:
    keys = [column.key for column in reading.columns if column.type is ColumnType.TEXT]
    if not keys:
        return {}
    columns = ", ".join(f'"{key}"' for key in keys)
    cursor = reading.con.execute(f"SELECT {columns} FROM {reading.table} LIMIT {SAMPLED_ROWS}")
    found: dict[str, list[str]] = {key: [] for key in keys}
    while any(len(values) < SAMPLE for values in found.values()) and (rows := cursor.fetchmany(100)):
        for key, cells in zip(keys, zip(*rows, strict=True), strict=True):
            found[key] += [cell for cell in cells if cell is not None]
    return {key: values[:SAMPLE] for key, values in found.items() if values}


def _number(reading: Reading, key: str) -> str:
    column = next(column for column in reading.columns if column.key == key)
    if column.type in (ColumnType.NUMBER, ColumnType.INTEGER):
        return f'"{key}"::DOUBLE'
    return f"TRY_CAST(replace(\"{key}\"::VARCHAR, ',', '.') AS DOUBLE)"


def _measured_xy(reading: Reading, place: PlaceFound, options: ReadOptions, spans: Spans | None) -> CrsFound | None:
    """Place the rows that stay in their file by what was measured of their degrees; None: they are to be read."""
    if reading.streamed is None or spans is None or (place.x, place.y) != (spans.x, spans.y):
        return None
    xs, ys = (np.array([_degree(cells[side]) for cells in spans.cells]) for side in (0, 1))
    declared_by, places = _declared_by(place, options), spans.places
    found = detect_crs(xs, ys, declared=CRS84, declared_by=declared_by, extent=options.extent)
    if places.box is None or found.code != CRS84 or found.swapped or places.placed < places.given:
        return None
    _stream(reading, place, places.box, lines=reading.streamed.lines)
    _tell(reading, place, missing=places.rows - places.placed, outside=places.outside)
    return found


def _degree(cell: str) -> float:
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        return np.nan


def _written_xy(reading: Reading, place: PlaceFound, options: ReadOptions) -> CrsFound | None:
    """Write points from two columns of numbers, or from one that holds both."""
    if place.kind is PlaceKind.PAIR:
        first, second = (f'TRY_CAST(regexp_extract("{place.x}", {quoted(PAIR)}, {n}) AS DOUBLE)' for n in (1, 2))
        x, y = (second, first) if place.latitude_first else (first, second)
    else:
        x, y = _number(reading, place.x), _number(reading, place.y)
    numbers = _numbers(reading, x, y)
    xs, ys = _floats(numbers["x"]), _floats(numbers["y"])
    # (0, 0) is in the Gulf of Guinea: it is how software writes "nowhere".
    nowhere = ~np.isfinite(xs) | ~np.isfinite(ys) | ((xs == 0) & (ys == 0))
    xs[nowhere], ys[nowhere] = np.nan, np.nan
    if nowhere.all():
        return None
    declared = options.crs or (CRS84 if place.degrees else None)
    found = detect_crs(xs, ys, declared=declared, declared_by=_declared_by(place, options), extent=options.extent)
    if found.code is None:
        reading.evidences.append(found.evidence)
        return None
    lon, lat = to_crs84(xs, ys, found)
    placed = int(np.isfinite(lon).sum())
    if placed < _LEAST_PLACED * int((~nowhere).sum()):
        return None
    if not _stays_streamed(reading, place, (xs, ys), (lon, lat)):
        _attach(reading, _points(lon, lat))
        _make_numbers(reading, place)
    _tell(reading, place, missing=len(lon) - placed, outside=_outside(lon, lat, options))
    return found


def _tell(reading: Reading, place: PlaceFound, *, missing: int, outside: int) -> None:
    names = [column.title for column in reading.columns if column.key in (place.x, place.y)]
    why = Sentence(
        "{columns} donnent un point ; {missing} ligne(s) n’en ont pas",
        {"columns": " et ".join(f"« {name} »" for name in names), "missing": missing},
    )
    reading.evidences.append(Evidence("geometry", "point", why))
    if outside:
        reading.evidences.append(Evidence("geometry", str(outside), OUTSIDE))


def _numbers(reading: Reading, x: str, y: str) -> dict[str, NDArray[np.float64]]:
    asked = f"SELECT {x} AS x, {y} AS y FROM {reading.table}"
    if reading.streamed is None:
        return reading.con.execute(asked).fetchnumpy()
    # What is handed over row after row is read by one thread; what is made a table, by all of them.
    reading.con.execute(f"CREATE OR REPLACE TEMP TABLE places_read AS {asked}")
    found = reading.con.execute("SELECT x, y FROM places_read").fetchnumpy()
    reading.con.execute("DROP TABLE places_read")
    return found


def _stays_streamed(
    reading: Reading, place: PlaceFound, read: tuple[_Floats, _Floats], placed: tuple[_Floats, _Floats]
) -> bool:
    """Place the rows that stay in their file, where two columns of numbers are their place as they stand."""
    types = {column.key: column.type for column in reading.columns}
    if (
        reading.streamed is None
        or place.kind is not PlaceKind.XY
        or {types[place.x], types[place.y]} != {ColumnType.NUMBER}
        or not all(map(partial(np.array_equal, equal_nan=True), read, placed))
    ):
        return False
    lon, lat = placed
    _stream(
        reading, place, (float(np.nanmin(lon)), float(np.nanmin(lat)), float(np.nanmax(lon)), float(np.nanmax(lat)))
    )
    return True


def _stream(
    reading: Reading, place: PlaceFound, box: tuple[float, float, float, float], lines: Lines | None = None
) -> None:
    """Give the rows that stay in their file the place that two of their columns are."""
    from beffroi.lake.connectors.tabular import table_name

    if reading.streamed is None:
        raise ValueError("rows that are held are placed otherwise")
    x, y = name(place.x), name(place.y)
    point = f"CASE WHEN {somewhere(x, y)} THEN ST_AsWKB(ST_Point({x}, {y})) END AS {GEOMETRY}"
    views = []
    for view in (reading.table, reading.streamed.numbered):
        views.append(table_name("places"))
        reading.con.execute(f"CREATE TEMP VIEW {views[-1]} AS SELECT *, {point} FROM {view}")
    reading.table, reading.streamed = (
        views[0],
        replace(reading.streamed, numbered=views[1], x=place.x, y=place.y, box=box, lines=lines),
    )


def _outside(lon: NDArray[np.float64], lat: NDArray[np.float64], options: ReadOptions) -> int:
    """Count the points that lie where no data are expected."""
    if options.extent is None:
        return 0
    west, south, east, north = widened(options.extent, *_NEAR)
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return int((np.isfinite(lon) & np.isfinite(lat) & ~inside).sum())


def _declared_by(place: PlaceFound, options: ReadOptions) -> str:
    if options.crs:
        return "la fiche du jeu de données"
    return {PlaceKind.GEOJSON: "le format GeoJSON"}.get(place.kind, "le titre des colonnes" if place.degrees else "")


def _floats(column: NDArray[np.float64] | np.ma.MaskedArray) -> NDArray[np.float64]:
    return np.asarray(np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan), dtype=np.float64)


def _points(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Iterator[list[bytes | None]]:
    for start in range(0, len(lon), _CHUNK):
        part = slice(start, start + _CHUNK)
        good = np.isfinite(lon[part]) & np.isfinite(lat[part])
        record = np.zeros(int(good.sum()), dtype=[("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])
        record["order"], record["type"] = 1, 1
        record["x"], record["y"] = lon[part][good], lat[part][good]
        data = record.tobytes()
        size = record.dtype.itemsize
        wkb = iter([data[at : at + size] for at in range(0, len(data), size)])
        yield [next(wkb) if one else None for one in good]


def _written_shapes(reading: Reading, place: PlaceFound, options: ReadOptions) -> None:
    """Write geometries from one column of WKT, hexadecimal WKB or GeoJSON."""
    cells = reading.con.execute(f'SELECT "{place.x}" FROM {reading.table}').fetchall()
    shapes = _parsed([cell for (cell,) in cells], place.kind)
    given = sum(1 for (cell,) in cells if cell)
    read = int(np.sum(~shapely.is_missing(shapes)))
    if not read or read < _LEAST_PLACED * given:
        return
    title = next(column.title for column in reading.columns if column.key == place.x)
    declared = options.crs or (CRS84 if place.kind is PlaceKind.GEOJSON else None)
    placed = attach_shapes(
        reading,
        shapes,
        title,
        declared=declared,
        declared_by=_declared_by(place, options),
        options=options,
        drop=place.x,
    )
    if placed and len(reading.columns) > 1:
        reading.columns = tuple(column for column in reading.columns if column.key != place.x)


def attach_shapes(
    reading: Reading,
    shapes: NDArray[np.object_],
    title: str,
    *,
    declared: str | None,
    declared_by: str,
    options: ReadOptions,
    drop: str = "",
) -> bool:
    """Give the table its geometry from `shapes`, one per row, brought to CRS84; return whether it could be placed.

    `title` names the published column(s) they come from; `drop` is the key of a column they replace.
    """
    known = shapes[~shapely.is_missing(shapes)]
    if not len(known):
        return False
    coordinates = shapely.get_coordinates(known[:: max(1, len(known) // 1000)])
    found = detect_crs(
        coordinates[:, 0], coordinates[:, 1], declared=declared, declared_by=declared_by, extent=options.extent
    )
    reading.evidences.append(found.evidence)
    if found.code is None:
        return False
    wkb = shapely.to_wkb(geometries_to_crs84(shapes, found), output_dimension=3, flavor="iso")
    alone = len(reading.columns) < 2
    batches = (list(wkb[start : start + _CHUNK]) for start in range(0, len(wkb), _CHUNK))
    _attach(reading, batches, drop="" if alone else drop)
    why = Sentence(
        "« {column} » porte la géométrie ; {missing} ligne(s) n’en ont pas",
        {"column": title, "missing": len(wkb) - len(known)},
    )
    reading.evidences.append(Evidence("geometry", "shape", why))
    reading.has_geometry, reading.crs = True, found.code
    return True


def _parsed(cells: list[str | None], kind: PlaceKind) -> NDArray[np.object_]:
    texts = np.array([cell or None for cell in cells], dtype=object)
    if kind is PlaceKind.GEOJSON:
        return shapely.from_geojson(texts, on_invalid="ignore")
    if kind is PlaceKind.WKB:
        return shapely.from_wkb(texts, on_invalid="ignore")
    bare = np.array(
        [cell.split(";", 1)[-1] if cell and cell[:5].upper() == "SRID=" else cell for cell in texts], dtype=object
    )
    return shapely.from_wkt(bare, on_invalid="ignore")


def _attach(reading: Reading, batches: Iterator[list[bytes | None]], *, drop: str = "") -> None:
    """Give the table its geometry column, row for row; `drop` is the key of a column it replaces."""
    from beffroi.lake.connectors.tabular import table_name

    con = reading.con
    places, whole = table_name("lieux"), table_name()
    con.execute(f"CREATE TEMP TABLE {places} ({GEOMETRY} BLOB)")
    for batch in batches:
        view = table_name("lot")
        con.register(view, Table.from_pydict({GEOMETRY: Array(batch, type=DataType.binary())}))
        con.execute(f"INSERT INTO {places} SELECT * FROM {view}")
        con.unregister(view)
    kept = f't.* EXCLUDE ("{drop}")' if drop else "t.*"
    read = reading.streamed.numbered if reading.streamed else reading.table
    con.execute(f"CREATE TEMP TABLE {whole} AS SELECT {kept}, p.{GEOMETRY} FROM {read} t POSITIONAL JOIN {places} p")
    if reading.streamed is None:
        con.execute(f"DROP TABLE {reading.table}")
    con.execute(f"DROP TABLE {places}")
    reading.table, reading.streamed = whole, None


def _make_numbers(reading: Reading, place: PlaceFound) -> None:
    """Type as numbers the coordinates a dBase header had declared text."""
    if place.kind is not PlaceKind.XY:
        return
    for key in (place.x, place.y):
        column = next(column for column in reading.columns if column.key == key)
        if column.type is not ColumnType.TEXT:
            continue
        expression = _number(reading, key)
        lost = reading.con.execute(
            f'SELECT count(*) FROM {reading.table} WHERE "{key}" IS NOT NULL AND {expression} IS NULL'
        ).fetchone()
        if lost and lost[0]:
            continue
        reading.con.execute(f'ALTER TABLE {reading.table} ALTER COLUMN "{key}" TYPE DOUBLE USING {expression}')
        number = Column(key, column.title, ColumnType.NUMBER, column.unit, column.description, column.access)
        reading.columns = tuple(number if other.key == key else other for other in reading.columns)
