"""Geographic files: shapefile, GeoJSON, TopoJSON, KML, KMZ, GPX, GeoPackage, FlatGeobuf, GML, DXF, zipped or not."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake import duck
from beffroi.lake.connectors import citymodel, vector_geojson
from beffroi.lake.connectors.vector_archive import unpacked
from beffroi.lake.connectors.vector_dbf import dbf_encoding
from beffroi.lake.connectors.vector_gdal import Layer, layers_of, merged, read_layer
from beffroi.lake.reading import Evidence, Reading, ReadOptions, Unreadable

_HEAD = 65_536
# What LIBKML adds to every placemark: its own display state, not the publisher's data, unless it is filled.
_KML_EXTRAS = frozenset({"Name", "description", "timestamp", "begin", "end", "altitudeMode", "icon", "snippet"})
_KML_DEFAULTS = {"tessellate": "-1", "extrude": "0", "visibility": "-1", "drawOrder": "0"}
# Layers that hold drawing instructions of a desktop program.
_STYLE_LAYERS = {"layer_styles", "qgis_projects", "gpkg_ogr_contents"}
# Vertices of the routes and tracks, which are layers themselves.
_GPX_DETAILS = {"route_points", "track_points"}
MOST_LAYERS = 200

_CITY = re.compile(rb"<(\w+:)?CityModel\b")

Reader = Callable[[Path, ReadOptions, duck.Connection], list[Reading]]


def read_vector(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read a geographic file; one Reading per layer that holds something, told apart by its `title`.

    Geometries come out in CRS84 with the evidence of the CRS found; rows whose geometry cannot be read are kept
    without it and counted. Zip archives of one of these formats are read too.

    Raises:
        Unreadable: the file is not what its name says, is damaged, or holds nothing.
    """
    if not path.is_file() or path.stat().st_size == 0:
        raise Unreadable("fichier absent ou vide", where=path.name, remedy="publiez-le à nouveau")
    suffix = suffix_of(path)
    reader = READERS.get(suffix)
    if reader is None:
        raise Unreadable(
            "format géographique « {suffix} » inconnu",
            where=path.name,
            remedy="formats lus : {known}",
            suffix=path.suffix,
            known=", ".join(sorted(READERS)),
        )
    _check_signature(path, suffix)
    if suffix == path.suffix.lower():
        readings = reader(path, options, con)
    else:
        # GDAL chooses by the name as much as by the content: the copy bears the name its content calls for.
        with _aside(options) as folder:
            readings = reader(Path(shutil.copy(path, folder / f"{path.stem or path.name}{suffix}")), options, con)
    readings = [reading for reading in readings if reading.rows_read]
    if options.layer:
        readings = _only(readings, options.layer, path)
    if not readings:
        raise Unreadable("aucun objet dans ce fichier", where=path.name, remedy="vérifiez l’export qui l’a produit")
    return readings


def read(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read a geographic file: the entry the registry of connectors knows."""
    return read_vector(path, options, con)


def is_vector(path: Path) -> bool:
    """Tell whether `path` is a geographic file by its name, and by its content for the names that do not say."""
    suffix = suffix_of(path)
    return suffix in READERS and suffix not in {".zip", ".dbf"}


# What a content begins with, for the names that do not say it (.json, .xml, .txt, none).
_CONTENTS: dict[str, re.Pattern[bytes]] = {
    ".kml": re.compile(rb"<(\w+:)?kml\b"),
    ".gpx": re.compile(rb"<(\w+:)?gpx\b"),
    ".gml": re.compile(rb"<(\w+:)?(FeatureCollection|CityModel)\b"),
}


def suffix_of(path: Path) -> str:
    """Return the suffix under which a file is read: its own, or the one its content calls for."""
    suffix = path.suffix.lower()
    if suffix in READERS and suffix not in {".json", ".geojson"}:
        return suffix
    with path.open("rb") as handle:
        head = handle.read(_HEAD)
    if suffix == ".geojson" or vector_geojson.looks_like(head):
        return ".topojson" if vector_geojson.is_topology(head) else ".geojson"
    for found, pattern in _CONTENTS.items():
        if pattern.search(head[:8192]):
            return found
    binary = {b"SQLite format 3": ".gpkg", b"fgb": ".fgb", b"PK\x03\x04": ".zip"}
    return next((found for magic, found in binary.items() if head.startswith(magic)), suffix)


def _only(readings: list[Reading], layer: str, path: Path) -> list[Reading]:
    chosen = [reading for reading in readings if reading.title == layer]
    if len(readings) > 1 and not chosen:
        raise Unreadable(
            "couche « {layer} » absente",
            where=path.name,
            remedy="couches présentes : {known}",
            layer=layer,
            known=", ".join(reading.title for reading in readings)[:300],
        )
    return chosen or readings


# Beginnings a file must have: GDAL looks at content only, and would follow a virtual file that names another one.
_SIGNATURES: dict[str, re.Pattern[bytes]] = {
    ".shp": re.compile(rb"\x00\x00\x27\x0a"),
    ".gpkg": re.compile(rb"SQLite format 3\x00"),
    ".fgb": re.compile(rb"fgb[\x00-\x0f]fgb"),
    ".kml": re.compile(rb".{0,4096}<(\w+:)?kml\b", re.DOTALL),
    ".gpx": re.compile(rb".{0,4096}<(\w+:)?gpx\b", re.DOTALL),
    ".gml": re.compile(rb".{0,4096}(opengis\.net/(gml|citygml)|<(\w+:)?FeatureCollection\b)", re.DOTALL),
    ".topojson": re.compile(rb"(\xef\xbb\xbf)?\s*\{"),
    ".dxf": re.compile(rb"(\s*999[^\n]*\n[^\n]*\n)*\s*0\s*\r?\n\s*SECTION|AutoCAD Binary DXF"),
}


def _check_signature(path: Path, suffix: str) -> None:
    signature = _SIGNATURES.get(suffix)
    if signature is None:
        return
    with path.open("rb") as handle:
        head = handle.read(_HEAD)
    if not signature.match(head):
        raise Unreadable(
            "le contenu n’est pas celui d’un fichier {suffix}",
            where=path.name,
            remedy="vérifiez que le bon fichier a été publié, entier",
            suffix=suffix,
        )


def _shapefile(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    declared = _beside(path, ".prj")
    dbf = _beside(path, ".dbf") if path.suffix.lower() == ".shp" else path
    evidences: list[Evidence] = []
    encoding = options.encoding
    if dbf and not encoding:
        found = dbf_encoding(dbf, _beside(path, ".cpg"))
        encoding = found.value if found else None
        evidences += [found] if found else []
    if path.suffix.lower() == ".shp" and dbf is None:
        why = Sentence("le fichier .dbf manque : les objets n’ont pas d’attribut")
        evidences.append(Evidence("format", "shp", why))
    layer = Layer(
        path,
        title=path.stem,
        encoding=encoding,
        declared=_text(declared) if declared else None,
        declared_by="fichier .prj" if declared else "",
        believe_crs=False,
        evidences=tuple(evidences),
    )
    if path.suffix.lower() == ".shp" and _beside(path, ".shx") is None:
        return [_without_index(layer, options, con)]
    return [read_layer(layer, options, con)]


def _without_index(layer: Layer, options: ReadOptions, con: duck.Connection) -> Reading:
    """Read a shapefile whose .shx is missing: GDAL rebuilds it beside the file, so beside a copy."""
    with _aside(options) as folder:
        for part in layer.path.parent.glob(f"{_escaped(layer.path.stem)}.*"):
            if part.stem == layer.path.stem and part.is_file():
                shutil.copy(part, folder / part.name)
        why = Sentence("le fichier .shx manque : l’index est reconstruit")
        rebuilt = replace(
            layer,
            path=folder / layer.path.name,
            rebuild_index=True,
            evidences=(*layer.evidences, Evidence("format", "shp", why)),
        )
        return read_layer(rebuilt, options, con)


def _escaped(stem: str) -> str:
    return re.sub(r"([\[\]*?])", r"[\1]", stem)


def _beside(path: Path, suffix: str) -> Path | None:
    """Return the part of the same shapefile, whatever the case of its name."""
    wanted = (path.stem + suffix).lower()
    return next((part for part in path.parent.iterdir() if part.name.lower() == wanted and part.is_file()), None)


def _text(path: Path) -> str:
    return path.read_bytes()[:_HEAD].decode("utf-8-sig", "replace").strip()


def _one_layer(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    return _layers(path, options, con, declared_by="le fichier lui-même")


def _layers(
    path: Path, options: ReadOptions, con: duck.Connection, *, declared_by: str, believe_crs: bool = True
) -> list[Reading]:
    names = [name for name in layers_of(path) if name not in _STYLE_LAYERS]
    if options.layer in names:
        names = [str(options.layer)]
    if len(names) > MOST_LAYERS:
        raise Unreadable("{count} couches dans un fichier", where=path.name, remedy="séparez-le", count=len(names))
    return [
        read_layer(Layer(path, name, title=name, declared_by=declared_by, believe_crs=believe_crs), options, con)
        for name in names
    ]


def _gpx(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    return [
        read_layer(Layer(path, name, title=name, declared_by="le format GPX"), options, con)
        for name in layers_of(path)
        if name not in _GPX_DETAILS
    ]


def _kml(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    readings = _layers(path, options, con, declared_by="le format KML")
    filled = [reading for reading in readings if reading.rows_read]
    # One dataset filed in folders: the folder becomes a column.
    whole = merged(filled, title=path.stem, column="Dossier") if len(filled) > 1 else filled
    for reading in whole:
        _drop_kml_extras(reading)
    return whole


def _drop_kml_extras(reading: Reading) -> None:
    extras = [column for column in reading.columns if column.title in _KML_EXTRAS | _KML_DEFAULTS.keys()]
    for column in extras:
        default = _KML_DEFAULTS.get(column.title, "")
        query = f'SELECT count(*) FROM {reading.table} WHERE "{column.key}"::VARCHAR <> ?'  # noqa: S608
        row = reading.con.execute(query, [default]).fetchone()
        if row and row[0] == 0:
            reading.con.execute(f'ALTER TABLE {reading.table} DROP COLUMN "{column.key}"')
            reading.columns = tuple(other for other in reading.columns if other is not column)


def _kmz(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    with unpacked(path, options.work_dir) as folder:
        return [reading for kml in sorted(folder.rglob("*.kml")) for reading in _kml(kml, options, con)]


def _gml(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read the buildings of a city model as such; any other GML from a copy, GDAL writing what it learns beside it."""
    with path.open("rb") as handle:
        is_city = _CITY.search(handle.read(8192))
    if is_city:
        with suppress(citymodel.NoBuilding):
            return citymodel.read(path, options, con)
    with _aside(options) as folder:
        copy = folder / f"{path.stem}.gml"
        shutil.copy(path, copy)
        return _one_layer(copy, options, con)


def _dxf(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    drop = frozenset({"PaperSpace", "SubClasses"})
    return [read_layer(Layer(path, "entities", title=path.stem, believe_crs=False, drop=drop), options, con)]


# The members of an archive that are one dataset in several formats: the first of this list is read.
_PREFERRED = [
    ".gpkg",
    ".shp",
    ".zip",
    ".fgb",
    ".tab",
    ".geojson",
    ".gml",
    ".topojson",
    ".mif",
    ".kml",
    ".kmz",
    ".gpx",
    ".dxf",
]
MOST_NESTED = 3


def _zip(path: Path, options: ReadOptions, con: duck.Connection, depth: int = 1) -> list[Reading]:
    if depth > MOST_NESTED:
        raise Unreadable("archives emboîtées sans fin", where=path.name, remedy="publiez les fichiers à plat")
    inside = replace(options, layer=None)
    readings: list[Reading] = []
    refusals: list[Unreadable] = []
    with unpacked(path, options.work_dir) as folder:
        for member in _members(folder):
            try:
                if member.suffix.lower() == ".zip":
                    readings += _zip(member, inside, con, depth + 1)
                else:
                    readings += read_vector(member, inside, con)
            except Unreadable as refusal:
                refusals.append(refusal)
    if not readings and refusals:
        raise refusals[0]
    if not readings:
        raise Unreadable(
            "aucun fichier géographique dans cette archive", where=path.name, remedy="vérifiez son contenu"
        )
    for reading in readings:
        reading.evidences += [Evidence("format", "zip", refusal.what) for refusal in refusals]
    return readings


def _members(folder: Path) -> list[Path]:
    """Return the geographic members of an unpacked archive, the best format of each."""
    best: dict[Path, Path] = {}
    for member in sorted(folder.rglob("*")):
        if not member.is_file() or not _is_member(member):
            continue
        stem = member.with_suffix("")
        best[stem] = min(best.get(stem, member), member, key=_preference)
    return list(best.values())


def _preference(path: Path) -> int:
    suffix = suffix_of(path)
    return _PREFERRED.index(suffix) if suffix in _PREFERRED else len(_PREFERRED)


def _is_member(path: Path) -> bool:
    suffix = path.suffix.lower()
    if suffix == ".dbf":
        return _beside(path, ".shp") is None and _beside(path, ".tab") is None
    return suffix == ".zip" or is_vector(path)


@contextmanager
def _aside(options: ReadOptions) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=options.work_dir, prefix="beffroi-vector-") as name:
        yield Path(name)


def _topojson(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    return [
        read_layer(Layer(path, name, title=name, declared="OGC:CRS84", declared_by="la norme TopoJSON"), options, con)
        for name in layers_of(path)
    ]


READERS: dict[str, Reader] = {
    ".shp": _shapefile,
    ".dbf": _shapefile,
    ".geojson": vector_geojson.read_geojson,
    ".geojsonl": _one_layer,
    ".topojson": _topojson,
    ".kml": _kml,
    ".kmz": _kmz,
    ".gpx": _gpx,
    ".gpkg": _one_layer,
    ".fgb": _one_layer,
    ".gml": _gml,
    ".dxf": _dxf,
    ".tab": _one_layer,
    ".mif": _one_layer,
    ".zip": _zip,
}
