"""Read GTFS: each table of the feed is a Reading; stops are points, shapes are lines, calendars give the period."""

# ruff: noqa: S608 — names in SQL are made here and quoted; no value is pasted unquoted

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake import duck
from beffroi.lake.connectors import csv
from beffroi.lake.connectors.points import attach_shapes
from beffroi.lake.connectors.tabular import table_name
from beffroi.lake.connectors.vector_archive import unpacked
from beffroi.lake.reading import LINE, Column, ColumnType, Evidence, Reading, ReadOptions, Unreadable

# Source: GTFS Schedule Reference (gtfs.org), fields whose figures are names: never numbers.
_TEXT_SUFFIXES = ("_id", "_code", "_time", "_name", "_phone", "_color", "_headsign", "stop_desc")
_DATES = ("start_date", "end_date", "date", "feed_start_date", "feed_end_date")
_TABLES = (
    "stops", "routes", "trips", "stop_times", "calendar", "calendar_dates", "shapes", "agency", "transfers",
    "frequencies", "fare_attributes", "fare_rules", "feed_info", "pathways", "levels", "attributions", "translations",
)  # fmt: skip


def read(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read the tables of a zipped GTFS feed, the standard ones first; `options.layer` names the only one wanted.

    Raises:
        Unreadable: the archive is damaged, or none of its tables can be read.
    """
    readings: list[Reading] = []
    refused: list[Unreadable] = []
    with unpacked(path, options.work_dir) as folder:
        files = sorted((file for file in folder.rglob("*.txt") if file.is_file()), key=_rank)
        for file in files:
            if options.layer and file.stem != options.layer:
                continue
            try:
                readings += _table(file, replace(options, layer=None), con)
            except Unreadable as error:
                refused.append(error)
    if not readings:
        raise Unreadable("aucune table lisible dans ce GTFS", where=path.name, remedy="vérifiez l’export du réseau")
    for refusal in refused:
        why = Sentence("table non lue : {why}", {"why": str(refusal)})
        readings[0].evidences.append(Evidence("table", refusal.where, why))
    _date(readings)
    return readings


def _rank(file: Path) -> tuple[int, str]:
    return (_TABLES.index(file.stem) if file.stem in _TABLES else len(_TABLES), file.name)


def _table(file: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    with file.open(encoding="utf-8-sig", errors="replace") as handle:
        titles = handle.readline(1 << 16).strip().replace('"', "").split(",")
    types = {title.strip(): ColumnType.TEXT for title in titles if title.strip().endswith(_TEXT_SUFFIXES)}
    types |= {title.strip(): ColumnType.DATE for title in titles if title.strip() in _DATES}
    readings = csv.read(file, replace(options, separator=",", header_line=1, types={**types, **options.types}), con)
    for reading in readings:
        reading.title = file.stem
    return [_as_lines(reading, options) if file.stem == "shapes" else reading for reading in readings]


def _as_lines(reading: Reading, options: ReadOptions) -> Reading:
    """Make one line of the points of each shape, in the order of their sequence."""
    con = reading.con
    points = con.execute(
        "SELECT shape_id, shape_pt_lon::DOUBLE AS x, shape_pt_lat::DOUBLE AS y "
        f"FROM {reading.table} WHERE shape_pt_lon IS NOT NULL AND shape_pt_lat IS NOT NULL "
        "ORDER BY shape_id, TRY_CAST(shape_pt_sequence AS BIGINT)"
    ).fetchnumpy()
    names, index, counts = np.unique(points["shape_id"].astype(str), return_inverse=True, return_counts=True)
    kept = counts >= 2
    pairs = np.column_stack([points["x"], points["y"]])[kept[index]]
    lines = shapely.linestrings(pairs, indices=np.searchsorted(np.flatnonzero(kept), index[kept[index]]))
    table = table_name()
    con.execute(f"CREATE TEMP TABLE {table} ({LINE} BIGINT, shape_id VARCHAR, points BIGINT)")
    rows = [(n, str(name), int(size)) for n, (name, size) in enumerate(zip(names[kept], counts[kept], strict=True), 1)]
    con.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", rows)
    con.execute(f"DROP TABLE {reading.table}")
    columns = (Column("shape_id", "shape_id"), Column("points", "points", ColumnType.INTEGER))
    why = Sentence("{points} points forment {lines} tracés", {"points": len(index), "lines": len(rows)})
    shaped = Reading(con, table, columns, rows_read=len(rows), title="shapes", rejects=reading.rejects)
    shaped.rows_read += shaped.rejects.total
    shaped.evidences = [*reading.evidences, Evidence("geometry", "linestring", why)]
    attach_shapes(
        shaped, lines, "shape_pt_lon, shape_pt_lat", declared="OGC:CRS84", declared_by="GTFS", options=options
    )
    return shaped


def _date(readings: list[Reading]) -> None:
    """Give every table the period of service that the calendars state."""
    periods = [reading.period for reading in readings if reading.title in ("calendar", "calendar_dates")]
    days = [day for period in periods if period for day in period]
    for reading in readings:
        if reading.title == "calendar" and "end_date" in {column.key for column in reading.columns}:
            last = reading.con.execute(f"SELECT max(end_date)::DATE::VARCHAR FROM {reading.table}").fetchone()
            days += [last[0]] if last and last[0] else []
    for reading in readings:
        reading.period = (min(days), max(days)) if days else reading.period
