"""Writers of the national formats: same content, same bytes. Local metres become Lambert-93 or longitude, latitude."""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
import xlsxwriter
from pyproj import Transformer

from beffroi.lake.town.plan import LICENCE, NAME, WARNING, YEAR
from beffroi.lake.town.shapes import Array, Geometries

LON, LAT = -4.0, 45.9
"""Where the town would be: at sea, in the Bay of Biscay, so that nobody takes it for a place."""
_EPOCH = (YEAR, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the local metres start, in Lambert-93."""

    x: float
    y: float
    to_degrees: Transformer

    @classmethod
    def at_sea(cls) -> Origin:
        """Return the origin of the town, on a round kilometre."""
        forth = Transformer.from_crs("EPSG:4326", "EPSG:2154", always_xy=True)
        x, y = forth.transform(LON, LAT)
        return cls(round(x, -3), round(y, -3), Transformer.from_crs("EPSG:2154", "EPSG:4326", always_xy=True))

    def lambert(self, points: Array) -> Array:
        """Return Lambert-93 metres, to the centimetre."""
        out: Array = np.round(points + np.array([self.x, self.y]), 2)
        return out

    def degrees(self, points: Array) -> Array:
        """Return longitude, latitude (n, 2), to 1e-7 degree (about a centimetre)."""
        lon, lat = self.to_degrees.transform(points[:, 0] + self.x, points[:, 1] + self.y)
        out: Array = np.round(np.stack([lon, lat], axis=1), 7)
        return out


@dataclass(slots=True)
class Sheet:
    """One file written: its place, title and number of records."""

    path: str
    title: str
    rows: int


@dataclass(frozen=True, slots=True)
class Layer:
    """One table of an archive: its shapes in local metres (None for a table that has none) and its columns."""

    shapes: Geometries | None
    columns: Mapping[str, Iterable[Any]]

    @property
    def rows(self) -> int:
        """Return how many records it holds."""
        return len(list(next(iter(self.columns.values()))))


@dataclass(slots=True)
class Writer:
    """Write the files of a town under `folder`, and keep the list of them."""

    folder: Path
    origin: Origin
    sheets: list[Sheet] = field(default_factory=list)

    def table(
        self,
        path: str,
        title: str,
        columns: Mapping[str, Iterable[Any]],
        *,
        separator: str = ",",
        encoding: str = "utf-8",
    ) -> None:
        """Write a CSV file; None is an empty cell."""
        lists = [column.tolist() if isinstance(column, np.ndarray) else list(column) for column in columns.values()]
        target = self._at(path)
        with target.open("w", encoding=encoding, newline="") as handle:
            writer = csv.writer(handle, delimiter=separator, lineterminator="\r\n")
            writer.writerow(columns)
            writer.writerows(zip(*lists, strict=True))
        self._wrote(path, title, len(lists[0]) if lists else 0)

    def geojson(self, path: str, title: str, shapes: Geometries, columns: Mapping[str, Iterable[Any]]) -> None:
        """Write a GeoJSON file (RFC 7946, seven decimals)."""
        self._vector(
            self._at(path),
            self._in_degrees(shapes),
            columns,
            driver="GeoJSON",
            crs="EPSG:4326",
            layer_options={"RFC7946": "YES", "COORDINATE_PRECISION": "7", "WRITE_BBOX": "NO"},
        )
        self._wrote(path, title, len(shapes))

    def kml(self, path: str, title: str, shapes: Geometries, columns: Mapping[str, Iterable[Any]]) -> None:
        """Write a KML file."""
        self._vector(self._at(path), self._in_degrees(shapes), columns, driver="KML", crs="EPSG:4326")
        self._wrote(path, title, len(shapes))

    def geopackage(self, path: str, title: str, shapes: Geometries, columns: Mapping[str, Iterable[Any]]) -> None:
        """Write a GeoPackage in Lambert-93."""
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{YEAR}-01-01T00:00:00.000Z"})
        try:
            self._vector(self._at(path), self._in_lambert(shapes), columns, driver="GPKG", crs="EPSG:2154")
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
        self._wrote(path, title, len(shapes))

    def shapefile(
        self, path: str, title: str, layer: str, shapes: Geometries, columns: Mapping[str, Iterable[Any]]
    ) -> None:
        """Write a zipped shapefile in Lambert-93, with its .prj and .cpg."""
        with tempfile.TemporaryDirectory() as aside:
            self._vector(
                Path(aside) / f"{layer}.shp",
                self._in_lambert(shapes),
                columns,
                driver="ESRI Shapefile",
                crs="EPSG:2154",
                layer_options={"DBF_DATE_LAST_UPDATE": f"{YEAR}-01-01"},
            )
            zipped(self._at(path), {item.name: item for item in sorted(Path(aside).iterdir())})
        self._wrote(path, title, len(shapes))

    def shapefiles(self, path: str, title: str, layers: Mapping[str, Layer]) -> None:
        """Write shapefiles in Lambert-93 in one archive; a table without shapes is a lone .dbf. The first has rows."""
        with tempfile.TemporaryDirectory() as aside:
            for name, layer in layers.items():
                self._vector(
                    Path(aside) / f"{name}.{'dbf' if layer.shapes is None else 'shp'}",
                    None if layer.shapes is None else self._in_lambert(layer.shapes),
                    layer.columns,
                    driver="ESRI Shapefile",
                    crs="EPSG:2154",
                    layer_options={"DBF_DATE_LAST_UPDATE": f"{YEAR}-01-01"},
                )
            zipped(self._at(path), {item.name: item for item in sorted(Path(aside).iterdir())})
        self._wrote(path, title, next(iter(layers.values())).rows)

    def geopackages(self, path: str, title: str, layers: Mapping[str, Layer]) -> None:
        """Write a GeoPackage of several tables in Lambert-93. The first has the rows."""
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{YEAR}-01-01T00:00:00.000Z"})
        try:
            for name, layer in layers.items():
                shapes = None if layer.shapes is None else self._in_lambert(layer.shapes)
                self._vector(self._at(path), shapes, layer.columns, driver="GPKG", crs="EPSG:2154", layer=name)
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
        self._wrote(path, title, next(iter(layers.values())).rows)

    def workbook(self, path: str, title: str, sheet: str, columns: Mapping[str, Iterable[Any]]) -> None:
        """Write a one-sheet XLSX workbook."""
        from datetime import datetime

        book = xlsxwriter.Workbook(self._at(path), {"in_memory": True})
        book.set_properties({"title": f"{title} ({NAME}, ville fictive)", "created": datetime(*_EPOCH)})  # noqa: DTZ001 - as the format wants
        page = book.add_worksheet(sheet)
        lists = [list(column) for column in columns.values()]
        for number, (name, values) in enumerate(zip(columns, lists, strict=True)):
            page.write(0, number, name)
            page.write_column(1, number, values)
        book.close()
        self._wrote(path, title, len(lists[0]))

    def text(self, path: str, title: str, content: str, rows: int = 0) -> None:
        """Write a text file."""
        self._at(path).write_text(content, encoding="utf-8")
        self._wrote(path, title, rows)

    def archive(self, path: str, title: str, tables: Mapping[str, Mapping[str, Iterable[Any]]], rows: int) -> None:
        """Write a zip of CSV tables (GTFS)."""
        with tempfile.TemporaryDirectory() as aside:
            inner = Writer(Path(aside), self.origin)
            for name, columns in tables.items():
                inner.table(name, "", columns)
            zipped(self._at(path), {name: Path(aside) / name for name in sorted(tables)})
        self._wrote(path, title, rows)

    def readme(self, folder: str, theme: str) -> None:
        """Write the README of a folder: what it holds, its licence, and that the town does not exist."""
        lines = [
            f"{theme} — {NAME} (ville fictive)",
            "",
            WARNING,
            "",
            f"Licence : {LICENCE}",
            f"Millésime : {YEAR}",
            "",
        ]
        lines += [
            f"- {Path(sheet.path).name} : {sheet.title} (ville fictive)"
            for sheet in self.sheets
            if Path(sheet.path).parent.as_posix() == folder
        ]
        (self.folder / folder / "README.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _at(self, path: str) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _wrote(self, path: str, title: str, rows: int) -> None:
        self.sheets.append(Sheet(path, title, rows))

    def _in_degrees(self, shapes: Geometries) -> Geometries:
        moved: Geometries = shapely.transform(shapes, self.origin.degrees)
        return moved

    def _in_lambert(self, shapes: Geometries) -> Geometries:
        moved: Geometries = shapely.transform(shapes, self.origin.lambert)
        return moved

    def _vector(
        self,
        target: Path,
        shapes: Geometries | None,
        columns: Mapping[str, Iterable[Any]],
        *,
        driver: str,
        crs: str,
        layer: str | None = None,
        layer_options: Mapping[str, str] | None = None,
    ) -> None:
        arrays = [np.asarray(_column(column)) for column in columns.values()]
        named: dict[str, Any] = {} if layer is None else {"layer": layer, "append": target.exists()}
        options: dict[str, Any] = {"layer_options": dict(layer_options)} if layer_options else {}
        pyogrio.raw.write(
            target,
            geometry=None if shapes is None else shapely.to_wkb(shapes),
            field_data=arrays,
            fields=list(columns),
            crs=None if shapes is None else crs,
            driver=driver,
            geometry_type=None if shapes is None else _type_of(shapes),
            encoding="UTF-8" if driver == "ESRI Shapefile" else None,
            **named,
            **options,
        )


def _column(column: Iterable[Any]) -> Array:
    array = column if isinstance(column, np.ndarray) else np.array(list(column), dtype=object)
    return array.astype(object) if array.dtype.kind == "U" else array


def _type_of(shapes: Geometries) -> str:
    names = {0: "Point", 1: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon"}
    kinds = sorted(set(shapely.get_type_id(shapes).tolist()))
    return (
        names[kinds[0]]
        if len(kinds) == 1
        else {(1, 5): "MultiLineString", (3, 6): "MultiPolygon"}.get(tuple(kinds), "Unknown")
    )


def zipped(target: Path, members: Mapping[str, Path]) -> None:
    """Write a zip whose bytes depend on nothing but its members."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        for name, path in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            with path.open("rb") as source, archive.open(info, "w", force_zip64=False) as out:
                shutil.copyfileobj(source, out, 1 << 20)


def as_json_text(payload: object) -> str:
    """Return JSON as publishers write it: indented, accents kept."""
    return json.dumps(payload, ensure_ascii=False, indent=1) + "\n"
