"""Whole datasets to take away, with the columns of one visibility class. Knows no Django.

GeoJSON is streamed from the serving index. The others are made once per version and class and kept in
``<lake>/.cache``, which may be deleted at any time and needs no backup.

CSV is RFC 4180 in UTF-8: comma, decimal point, keys as header. Whoever opens a spreadsheet takes the XLSX.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio

from beffroi.lake import gpx, projecting, rights, sql
from beffroi.lake.manifest import BOX, ID, Manifest
from beffroi.lake.reading import GEOMETRY, Column, ColumnType
from beffroi.lake.sql import BadQuery
from beffroi.lake.store import DatasetRef, Lake
from beffroi.lake.unbaked import Served

XLSX_MAX_ROWS = 100_000
"""Beyond, a workbook takes minutes to make and to open; the sheet itself ends at 1 048 576 rows."""

DXF_MAX_ROWS = 100_000
"""Beyond, drawing programs no longer open the file; GDAL wants the whole of it in memory."""

_FORMULA = r"^[=+\-@\t\r]"


@dataclass(frozen=True, slots=True)
class Download:
    """A file to hand over: either a finished file (`path`) or bytes to stream (`chunks`), never both."""

    filename: str
    media_type: str
    path: Path | None = None
    chunks: Iterator[bytes] | None = None
    size_bytes: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One dataset, cut: what every writer of a format takes."""

    manifest: Manifest
    data: Path
    columns: tuple[Column, ...]

    @property
    def credits(self) -> dict[str, str]:
        """Return what must follow the data: title, producer, licence, version."""
        told = {
            "title": self.manifest.title,
            "producer": self.manifest.producer,
            "licence": self.manifest.licence,
            "version": self.manifest.version,
        }
        return told | ({"note": "Données fictives"} if self.manifest.fictional else {})


MEDIA_TYPES = {
    "geojson": "application/geo+json",
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
    "gpkg": "application/geopackage+sqlite3",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "gpx": "application/gpx+xml",
    "dxf": "image/vnd.dxf",
}
FORMATS = tuple(MEDIA_TYPES)


def formats(manifest: Manifest) -> list[str]:
    """Return the formats a version can be had in."""
    placed = manifest.geometry_type is not None
    offered = {
        "geojson": placed,
        "gpkg": placed,
        "xlsx": manifest.rows <= XLSX_MAX_ROWS,
        "gpx": manifest.geometry_type in gpx.SHAPES,
        "dxf": manifest.rows <= DXF_MAX_ROWS and projecting.legal_code(manifest.bbox) is not None,
    }
    return [name for name in FORMATS if offered.get(name, True)]


def download(
    lake: Lake,
    manifest: Manifest,
    class_name: str,
    columns: Sequence[Column],
    format: str,
    *,
    index: Callable[[], Served],
) -> Download:
    """Return one version in one format, with `columns` only; `index` opens what answers for it.

    Raises:
        BadQuery: an unknown format, or one that does not suit the dataset.
    """
    offered = formats(manifest)
    if format not in offered:
        raise BadQuery(
            "format « {format} » non proposé pour ce jeu de données",
            remedy="formats : {offered}",
            format=format[:20],
            offered=", ".join(offered),
        )
    ref = DatasetRef(manifest.territory, manifest.slug)
    wanted = _Wanted(manifest, lake.version_folder(ref, manifest.version) / "data.parquet", tuple(columns))
    filename = f"{ref.territory}-{ref.slug}-{manifest.created_at:%Y%m%d}.{format}"
    if format == "geojson":
        return Download(filename, MEDIA_TYPES[format], chunks=_geojson(index, wanted.credits))
    if format == "gpx":
        return Download(filename, MEDIA_TYPES[format], chunks=gpx.chunks(index, wanted.credits, columns))
    if format == "parquet" and len(columns) == len(manifest.columns):
        return _file(filename, format, wanted.data)
    kept = kept_path(lake, manifest, class_name, columns, format)
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        _forget_others(kept.parent)
        _make_whole(kept, lambda aside: _WRITERS[format](wanted, aside))
    return _file(filename, format, kept)


def kept_path(lake: Lake, manifest: Manifest, class_name: str, columns: Sequence[Column], format: str) -> Path:
    """Return where a download is kept once it has been made."""
    home = lake.root / ".cache" / manifest.territory / manifest.slug / manifest.version
    return home / f"{rights.file_part(class_name)}-{rights.signature(tuple(columns))}.{format}"


def _make_whole(target: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file aside, by name as GDAL and DuckDB want, then put it at `target`, whole."""
    aside = target.with_name(f".{os.getpid()}-{threading.get_ident()}-{target.name}")
    aside.unlink(missing_ok=True)
    try:
        write(aside)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def _file(filename: str, format: str, path: Path) -> Download:
    return Download(filename, MEDIA_TYPES[format], path=path, size_bytes=path.stat().st_size)


def _forget_others(home: Path) -> None:
    """Drop what was kept for other versions of the dataset: they are made again if asked."""
    for other in home.parent.iterdir():
        if other != home:
            shutil.rmtree(other, ignore_errors=True)


def _geojson(index: Callable[[], Served], credits: Mapping[str, str]) -> Iterator[bytes]:
    with closing(index()) as opened:
        head = json.dumps({"type": "FeatureCollection", **credits}, ensure_ascii=False)
        yield head[:-1].encode() + b',"features":[\n'
        after, separator = -1, b""
        while True:
            page = opened.page(bbox=None, limit=2_000, after=after)
            if page.bodies:
                yield separator + ",\n".join(page.bodies).encode()
                separator = b",\n"
            if page.last is None:
                break
            after = page.last
        yield b"\n]}\n"


def _selected(wanted: _Wanted, *, neutral: bool) -> list[str]:
    """Return the SQL of each column; with `neutral`, a text a spreadsheet would run as a formula gets an apostrophe."""
    selected = []
    for column in wanted.columns:
        quoted = sql.name(column.key)
        if neutral and column.type is ColumnType.TEXT:
            danger = sql.literal(_FORMULA)
            selected.append(
                f"CASE WHEN regexp_matches({quoted}, {danger}) THEN '''' || {quoted} ELSE {quoted} END AS {quoted}"
            )
        else:
            selected.append(quoted)
    return selected


def _place(wanted: _Wanted) -> list[str]:
    """Return the SQL that tells in text where a row is: two columns for points, WKT for the rest."""
    if wanted.manifest.geometry_type is None:
        return []
    if wanted.manifest.geometry_type != "Point":
        return [f"ST_AsText({GEOMETRY}) AS {_free('wkt', wanted)}"]
    return [f"ST_X({GEOMETRY}) AS {_free('longitude', wanted)}", f"ST_Y({GEOMETRY}) AS {_free('latitude', wanted)}"]


def _free(key: str, wanted: _Wanted) -> str:
    return sql.name(f"_{key}" if any(column.key == key for column in wanted.columns) else key)


def _write_csv(wanted: _Wanted, target: Path) -> None:
    selected = [*_selected(wanted, neutral=True), *_place(wanted)]
    _copy(wanted, selected or [ID], target, "FORMAT csv, HEADER true, DELIMITER ',', QUOTE '\"'")


def _write_parquet(wanted: _Wanted, target: Path) -> None:
    selected = [ID, *_selected(wanted, neutral=False)]
    metadata = {key: value for key, value in wanted.credits.items() if value}
    if wanted.manifest.geometry_type is not None:
        selected += [f"ST_AsWKB({GEOMETRY}) AS {GEOMETRY}", BOX]
        metadata["geo"] = _geo_metadata(wanted.data)
    told = ", ".join(f"{key}: {sql.literal(value)}" for key, value in metadata.items())
    _copy(
        wanted, selected, target, f"FORMAT parquet, COMPRESSION zstd, GEOPARQUET_VERSION 'NONE', KV_METADATA {{{told}}}"
    )


def _geo_metadata(data: Path) -> str:
    with closing(sql.connect(threads=1)) as con:
        found = con.execute(
            "SELECT decode(value) FROM parquet_kv_metadata(?) WHERE key = 'geo'", [str(data)]
        ).fetchone()
    return str(found[0])


def _copy(wanted: _Wanted, selected: Sequence[str], target: Path, options: str) -> None:
    with closing(sql.connect(threads=2)) as con:
        con.execute(
            f"COPY (SELECT {', '.join(selected)} FROM read_parquet({sql.literal(str(wanted.data))})) "  # noqa: S608
            f"TO {sql.literal(str(target))} ({options})"
        )


def _write_gpkg(wanted: _Wanted, target: Path) -> None:
    kind = wanted.manifest.geometry_type or "Unknown"
    # A layer of several parts holds nothing else: GeoPackage allows no single one among them.
    shape = f"ST_Multi({GEOMETRY})" if kind.startswith("Multi") else GEOMETRY
    selected = [*_selected(wanted, neutral=False), f"ST_AsWKB({shape}) AS {GEOMETRY}"]
    with closing(sql.connect(threads=2)) as con:
        source = sql.literal(str(wanted.data))
        relation = con.sql(f"SELECT {', '.join(selected)} FROM read_parquet({source})")  # noqa: S608
        pyogrio.write_arrow(
            relation,
            target,
            driver="GPKG",
            layer=wanted.manifest.slug,
            geometry_name=GEOMETRY,
            geometry_type="Unknown" if kind == "Geometry" else kind,
            crs="EPSG:4326",
            dataset_metadata=wanted.credits,
            layer_metadata=wanted.credits,
        )


def _write_xlsx(wanted: _Wanted, target: Path) -> None:
    """Write a sheet of data and one that says what they are. Cells hold values, never formulas or links."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }
    # Loaded when a workbook is asked for: it takes as long as all the rest of this module.
    import xlsxwriter

    workbook = xlsxwriter.Workbook(str(target), options)
    about = {"title": "Titre", "producer": "Producteur", "licence": "Licence", "version": "Version", "note": "Note"}
    data = workbook.add_worksheet("Données")
    titles = [f"{c.title} ({c.unit})" if c.unit else c.title for c in wanted.columns]
    titles += [part.rsplit(" AS ", 1)[1].strip('"') for part in _place(wanted)]
    bold = workbook.add_format({"bold": True})
    shapes = {
        datetime: workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        date: workbook.add_format({"num_format": "yyyy-mm-dd"}),
        time: workbook.add_format({"num_format": "hh:mm:ss"}),
    }
    data.write_row(0, 0, titles, bold)
    data.freeze_panes(1, 0)
    selected = [*_selected(wanted, neutral=False), *_place(wanted)] or [ID]
    with closing(sql.connect(threads=2)) as con:
        source = sql.literal(str(wanted.data))
        cursor = con.execute(f"SELECT {', '.join(selected)} FROM read_parquet({source})")  # noqa: S608
        line = 1
        while batch := cursor.fetchmany(5_000):
            for row in batch:
                _write_row(data, line, row, shapes)
                line += 1
    sheet = workbook.add_worksheet("À propos")
    for position, (key, value) in enumerate(wanted.credits.items()):
        sheet.write_row(position, 0, [about[key], value])
    workbook.close()


def _write_row(sheet: Any, line: int, row: Sequence[Any], shapes: Mapping[type, Any]) -> None:
    for position, value in enumerate(row):
        if isinstance(value, str):
            # Excel's cell ends at 32 767 characters.
            sheet.write_string(line, position, value[:32_767])
        elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**15:
            # A number in Excel has 15 digits: identifiers such as SIRET + NIC would lose theirs.
            sheet.write_string(line, position, str(value))
        elif isinstance(value, (date, time)):
            shown = type(value) in shapes and getattr(value, "year", 1900) >= 1900
            if shown:
                sheet.write_datetime(line, position, value, shapes[type(value)])
            else:
                sheet.write_string(line, position, value.isoformat())
        elif value is not None:
            sheet.write(line, position, value)


def _write_dxf(wanted: _Wanted, target: Path) -> None:
    """Write the shapes in the legal projection of the place, in metres, on one layer named after the dataset."""
    code = projecting.legal_code(wanted.manifest.bbox)
    shape = f"ST_Transform({GEOMETRY}, 'OGC:CRS84', 'EPSG:{code}', always_xy := true)"
    with closing(sql.connect(threads=2)) as con:
        found = con.execute(
            f"SELECT ST_AsWKB({shape}) AS shape FROM read_parquet(?) WHERE {GEOMETRY} IS NOT NULL",  # noqa: S608
            [str(wanted.data)],
        ).fetchall()
    shapes = np.array([bytes(row[0]) for row in found], dtype=object)
    layers = np.full(len(shapes), wanted.manifest.slug, dtype=object)
    # As outlines: a filled area is what GDAL writes of a polygon otherwise, and one cannot measure it.
    pyogrio.set_gdal_config_options({"DXF_WRITE_HATCH": False})
    pyogrio.raw.write(target, shapes, [layers], ["Layer"], driver="DXF", geometry_type="Unknown", crs=f"EPSG:{code}")


_WRITERS: dict[str, Callable[[_Wanted, Path], None]] = {
    "csv": _write_csv,
    "parquet": _write_parquet,
    "gpkg": _write_gpkg,
    "xlsx": _write_xlsx,
    "dxf": _write_dxf,
}
