"""Which connector reads a source: the content decides, before the extension."""

from __future__ import annotations

import importlib
import re
import tempfile
import zipfile
from pathlib import Path
from typing import cast

from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.lake import duck
from beffroi.lake.reading import Connector, Evidence, Reading, ReadOptions, Unreadable

HEAD_BYTES = 1 << 16

# Connectors by format; loaded when first needed, so that reading a CSV does not pay for GDAL.
CONNECTORS: dict[str, str] = {
    "csv": "beffroi.lake.connectors.csv",
    "spreadsheet": "beffroi.lake.connectors.spreadsheet",
    "json": "beffroi.lake.connectors.jsonrows",
    "xml": "beffroi.lake.connectors.xmlrows",
    "gtfs": "beffroi.lake.connectors.gtfs",
    "finess": "beffroi.lake.connectors.finess",
    "parquet": "beffroi.lake.connectors.parquet",
    "archive": "beffroi.lake.connectors.archive",
    "citymodel": "beffroi.lake.connectors.citymodel",
    "ifc": "beffroi.lake.connectors.ifc",
    "osm": "beffroi.lake.connectors.osm",
    "vector": "beffroi.lake.connectors.vector",
}

# What a publisher takes for a format of its own, by the format that reads it.
ALIASES = {
    "tsv": "csv", "txt": "csv", "xls": "spreadsheet", "xlsx": "spreadsheet", "ods": "spreadsheet", "zip": "archive",
    "ndjson": "json", "jsonl": "json", "geojson": "vector", "shp": "vector", "gpkg": "vector", "kml": "vector",
    "gpx": "vector", "dxf": "vector", "fgb": "vector", "gml": "vector", "geoparquet": "parquet",
    "cityjson": "citymodel", "citygml": "citymodel", "pbf": "osm",
}  # fmt: skip

_REFUSED_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", gettext_noop("un document PDF"), gettext_noop("publiez le tableau d’origine (CSV, XLSX ou ODS)")),
    (b"\x89PNG", gettext_noop("une image PNG"), gettext_noop("publiez la donnée dont l’image est tirée")),
    (b"\xff\xd8\xff", gettext_noop("une photographie JPEG"), gettext_noop("publiez la donnée dont l’image est tirée")),
    (b"GIF8", gettext_noop("une image GIF"), gettext_noop("publiez la donnée dont l’image est tirée")),
    (b"II*\x00", gettext_noop("une image TIFF"), gettext_noop("publiez la donnée dont l’image est tirée")),
    (b"MM\x00*", gettext_noop("une image TIFF"), gettext_noop("publiez la donnée dont l’image est tirée")),
    (b"BM", gettext_noop("une image BMP"), gettext_noop("publiez la donnée dont l’image est tirée")),
    (b"RIFF", gettext_noop("une image ou un son"), gettext_noop("publiez la donnée dont il est tiré")),
    (b"\x1f\x8b", gettext_noop("un fichier compressé par gzip"), gettext_noop("décompressez-le, ou publiez un ZIP")),
    (b"7z\xbc\xaf", gettext_noop("une archive 7-Zip"), gettext_noop("publiez les fichiers, ou un ZIP")),
    (b"Rar!", gettext_noop("une archive RAR"), gettext_noop("publiez les fichiers, ou un ZIP")),
    (b"{\\rtf", gettext_noop("un document RTF"), gettext_noop("publiez le tableau en CSV, XLSX ou ODS")),
    (b"LASF", gettext_noop("un nuage de points LAS"), gettext_noop("le lac ne garde pas encore les nuages de points")),
    (
        b"AC10",
        gettext_noop("un dessin DWG, format fermé que seul son logiciel relit sûrement"),
        gettext_noop("dans le logiciel de dessin, « Enregistrer sous » puis DXF, et déposez le fichier .dxf"),
    ),
    (b"b3dm", gettext_noop("une tuile 3D"), gettext_noop("publiez la donnée dont elle est tirée (CityGML, CityJSON)")),
    (b"\x7fELF", gettext_noop("un programme"), gettext_noop("publiez un fichier de données")),
    (b"MZ", gettext_noop("un programme"), gettext_noop("publiez un fichier de données")),
    (b"\x00\x01\x00\x00Standard", gettext_noop("une base Access"), gettext_noop("exportez ses tables en CSV")),
)
_ALSO_WORDS = (b"BM", b"MZ", b"AC10")
_VECTOR_MAGIC = (b"fgb\x03", b"SQLite format 3", b"\x00\x00\x27\x0a")
_VECTOR_SUFFIXES = frozenset(
    {".shp", ".dbf", ".shx", ".prj", ".gpkg", ".fgb", ".kml", ".kmz", ".gpx", ".gml", ".dxf", ".geojson", ".topojson",
     ".tab", ".mif", ".mid"}
)  # fmt: skip
_GEOJSON = re.compile(rb'"type"\s*:\s*"(FeatureCollection|Feature|Topology|GeometryCollection)"')
_CITYJSON = re.compile(rb'"type"\s*:\s*"CityJSON"')
_GEOMETRY_ROOT = re.compile(rb'^\s*\{\s*"type"\s*:\s*"(Multi)?(Point|LineString|Polygon)"')
_GRID = re.compile(rb"\s*(ncols|nrows)\s+\d+\s", re.IGNORECASE)
_XML_ROOT = re.compile(rb"<(?!\?|!)(?:[\w.-]+:)?([\w.-]+)")
_VECTOR_ROOTS = frozenset({b"kml", b"gpx", b"featurecollection", b"citymodel", b"wfs"})
_GTFS = frozenset({"stops.txt", "routes.txt", "trips.txt", "stop_times.txt", "agency.txt"})


def format_of(path: Path) -> str:
    """Return the key in `CONNECTORS` of the connector that reads `path`.

    Raises:
        Unreadable: the file is empty, or of a kind the lake does not read; the sentence says which and what to do.
    """
    if path.is_dir():
        raise Unreadable(
            "« {name} » est un dossier", where=path.name, remedy="importez-le avec --recursive", name=path.name
        )
    try:
        with path.open("rb") as handle:
            head = handle.read(HEAD_BYTES)
    except OSError as error:
        raise Unreadable(
            "fichier impossible à ouvrir ({why})",
            where=path.name,
            remedy="vérifiez qu’il existe et que Beffroi peut le lire",
            why=error.strerror or "?",
        ) from error
    if not head:
        raise Unreadable("ce fichier est vide", where=path.name, remedy="publiez-le à nouveau")
    if head.startswith(b"PK"):
        return _format_of_zip(path)
    return _format_by_magic(path, head) or _format_of_text(path, head)


def _format_by_magic(path: Path, head: bytes) -> str | None:
    for magic, kind, remedy in _REFUSED_MAGIC:
        # Letters can start a CSV too: these also need the zeros of a binary header.
        if head.startswith(magic) and (magic not in _ALSO_WORDS or b"\x00" in head[:64]):
            raise Unreadable("ce fichier est {kind}", where=path.name, remedy=remedy, kind=kind)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return _format_of_ole(path, head)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(_VECTOR_MAGIC):
        return "vector"
    if head.startswith(b"ISO-10303-21"):
        return "ifc"
    # A block of a PBF extract: the length of its header, then the header's kind.
    if head[4:15] == b"\x0a\x09OSMHeader":
        return "osm"
    return None


def _format_of_ole(path: Path, head: bytes) -> str:
    with path.open("rb") as handle:
        content = handle.read(1 << 26)
    names = {
        name: name.encode("utf-16-le") in content
        for name in ("Workbook", "Book", "WordDocument", "PowerPoint Document")
    }
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise Unreadable(
            "ce classeur est protégé par un mot de passe", where=path.name, remedy="enregistrez-le sans mot de passe"
        )
    if names["WordDocument"] and not names["Workbook"]:
        _refuse_office(path, "un document Word")
    if names["PowerPoint Document"]:
        _refuse_office(path, "une présentation PowerPoint")
    return "spreadsheet"


def _refuse_office(path: Path, kind: str) -> None:
    raise Unreadable(
        "ce fichier est {kind}", where=path.name, remedy="publiez le tableau en CSV, XLSX ou ODS", kind=kind
    )


def _format_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            mime = archive.read("mimetype")[:100] if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, EOFError) as error:
        raise Unreadable(
            "archive ZIP abîmée ou incomplète", where=path.name, remedy="téléchargez-la ou publiez-la à nouveau"
        ) from error
    if any(name.startswith(("xl/workbook", "xl/worksheets")) for name in names) or b"spreadsheet" in mime:
        return "spreadsheet"
    for start, what in (("word/", "un document Word"), ("ppt/", "une présentation PowerPoint")):
        if any(name.startswith(start) for name in names):
            _refuse_office(path, what)
    if mime.startswith((b"application/vnd.oasis", b"application/epub")):
        _refuse_office(path, "un document bureautique")
    base = {name.rsplit("/", 1)[-1].lower() for name in names}
    if len(_GTFS & base) >= 3:
        return "gtfs"
    return "vector" if _only_vector(names) else "archive"


_SIDECARS = (
    ".dbf",
    ".shx",
    ".prj",
    ".cpg",
    ".sbn",
    ".sbx",
    ".qix",
    ".fix",
    ".qpj",
    ".shp.xml",
    ".lyr",
    ".qml",
    ".sld",
    ".ind",
    ".dat",
)
_DATA = (".csv", ".tsv", ".xls", ".xlsx", ".ods", ".json", ".geojson", ".xml", ".parquet", ".zip", ".txt", ".ndjson")


def _only_vector(names: list[str]) -> bool:
    """Tell an archive of vector files alone (a shapefile and its companions, a KML) from one that holds tables too."""
    kept = [name.lower() for name in names if not name.endswith("/") and "__macosx" not in name.lower()]
    stems = {name[: -len(".shp")] for name in kept if name.endswith(".shp")}
    vector = [
        name
        for name in kept
        if name.endswith((".shp", ".kml", ".gpkg", ".gpx", ".dxf", ".gml", ".fgb", ".tab", ".mif"))
    ]
    tables = [
        name for name in kept
        if name.endswith(_DATA) and not name.endswith(_SIDECARS) and not (name.endswith(".xml") and stems)
        and not name.endswith((".txt", ".geojson"))
    ]  # fmt: skip
    geojson = [name for name in kept if name.endswith(".geojson")]
    return bool(vector or geojson) and not tables


def _format_of_text(path: Path, head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = text.decode("utf-16", "ignore").encode()
    start = text.lstrip()[:1]
    if _GRID.match(text):
        raise Unreadable(
            "ce fichier est une grille (ASC) : une valeur par maille, non un tableau ni une carte d’objets",
            where=path.name,
            remedy="publiez ce qui en est tiré, par exemple des courbes de niveau en GeoJSON",
        )
    if start == b"<":
        return _format_of_xml(path, text)
    if start in (b"{", b"["):
        if _CITYJSON.search(text):
            return "citymodel"
        if _GEOJSON.search(text) or _GEOMETRY_ROOT.match(text):
            return "vector"
        return "json"
    if re.match(rb"\s*0\r?\n\s*SECTION", text):
        return "vector"
    suffix = path.suffix.lower()
    return "vector" if suffix in _VECTOR_SUFFIXES else "csv"


def _format_of_xml(path: Path, text: bytes) -> str:
    bare = re.sub(rb"<!--.*?-->", b"", text, flags=re.DOTALL)
    match = _XML_ROOT.search(bare)
    root = match[1].lower() if match else b""
    if root in (b"html", b"head", b"body", b"table", b"div") or b"<!doctype html" in bare[:1000].lower():
        raise Unreadable(
            "ce fichier est une page web, peut-être un message d’erreur enregistré à la place de la donnée",
            where=path.name,
            remedy="téléchargez la donnée à nouveau, puis ouvrez-la pour vérifier",
        )
    if root == b"svg":
        raise Unreadable(
            "ce fichier est une image SVG", where=path.name, remedy="publiez la donnée dont elle est tirée"
        )
    if root == b"osm":
        return "osm"
    if root in _VECTOR_ROOTS or (path.suffix.lower() == ".gml"):
        return "vector"
    return "xml"


def connector_for(path: Path, options: ReadOptions | None = None) -> Connector:
    """Return the connector that reads `path`, by its content or by the format a dataset file imposes.

    Raises:
        Unreadable: no connector reads this kind of file.
    """
    return _load(_wanted(path, options or ReadOptions()), path)


def _wanted(path: Path, options: ReadOptions) -> str:
    if not options.format:
        return format_of(path)
    name = ALIASES.get(options.format.lower(), options.format.lower())
    if name not in CONNECTORS:
        raise Unreadable(
            "format « {name} » inconnu",
            where=path.name,
            remedy="choisissez parmi : {known}",
            name=options.format,
            known=", ".join(sorted({*CONNECTORS, *ALIASES})),
        )
    return name


def _load(name: str, path: Path) -> Connector:
    module = importlib.import_module(CONNECTORS[name])
    return _read_vector if name == "vector" else cast(Connector, module.read)


def _read_vector(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read a geographic file, under the extension its content deserves when its own says something else."""
    from beffroi.lake.connectors import vector

    suffix = path.suffix.lower()
    with path.open("rb") as handle:
        wanted = _vector_suffix(handle.read(HEAD_BYTES))
    if suffix in vector.READERS and suffix in _SAME_CONTENT.get(wanted, (suffix,)):
        wanted = suffix
    if wanted == suffix:
        return vector.read_vector(path, options, con)
    with tempfile.TemporaryDirectory(dir=options.work_dir, prefix="beffroi-nom-") as folder:
        named = Path(folder) / f"{path.stem}{wanted}"
        named.symlink_to(path.resolve())
        return vector.read_vector(named, options, con)


# Extensions that a content found may bear; a content not listed here is read under its publisher's extension.
_SAME_CONTENT: dict[str, tuple[str, ...]] = {
    ".gpkg": (".gpkg",),
    ".fgb": (".fgb",),
    ".shp": (".shp",),
    ".zip": (".zip", ".kmz"),
    ".kml": (".kml",),
    ".gpx": (".gpx",),
    ".gml": (".gml",),
    ".geojson": (".geojson", ".json", ".topojson", ".geojsonl"),
    ".topojson": (".topojson",),
}


def _vector_suffix(head: bytes) -> str:
    """Return the extension of the geographic format that starts with `head`."""
    signs = (
        (b"SQLite format 3", ".gpkg"),
        (b"fgb\x03", ".fgb"),
        (b"\x00\x00\x27\x0a", ".shp"),
        (b"PK", ".zip"),
    )
    for sign, suffix in signs:
        if head.startswith(sign):
            return suffix
    text = head[:4096].lower()
    marks = ((b"<kml", ".kml"), (b"<gpx", ".gpx"), (b"<", ".gml"), (b'"topology"', ".topojson"), (b"{", ".geojson"))
    return next((suffix for mark, suffix in marks if mark in text), ".dxf")


_EXPECTED_SUFFIXES: dict[str, tuple[str, ...]] = {
    "csv": (".csv", ".tsv", ".txt", ".tab", ".dat", ""),
    "spreadsheet": (".xls", ".xlsx", ".ods", ".xlsm", ".xlsb", ""),
    "json": (".json", ".ndjson", ".jsonl", ""),
    "xml": (".xml", ""),
    "gtfs": (".zip", ""),
    "archive": (".zip", ""),
    "citymodel": (".json", ".jsonl", ".cityjson", ""),
    "ifc": (".ifc", ""),
    "parquet": (".parquet", ".geoparquet", ""),
}


def read(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read a source of any format into tables of `con`.

    Raises:
        Unreadable: and nothing else, whatever the file holds; the sentence says what, where and how to mend it.
    """
    try:
        name = _wanted(path, options)
        readings = _load(name, path)(path, options, con)
    except Unreadable:
        raise
    except (KeyboardInterrupt, SystemExit):
        raise
    except MemoryError as error:
        raise Unreadable(
            "ce fichier demande plus de mémoire que cette machine n’en accorde",
            where=path.name,
            remedy="publiez-le en plusieurs fichiers, ou augmentez la mémoire accordée",
        ) from error
    except Exception as error:
        raise Unreadable(
            "ce fichier n’a pas pu être lu : {why}",
            where=path.name,
            remedy="ouvrez-le et enregistrez-le à nouveau dans un format ouvert (CSV, GeoJSON, XLSX, ODS)",
            why=f"{type(error).__name__} : {' '.join(str(error).split())[:200]}",
        ) from error
    if not readings:
        raise Unreadable("ce fichier ne contient aucun tableau", where=path.name, remedy="publiez un fichier rempli")
    _tell_wrong_extension(name, path, readings)
    _tell_unknown_types(options, readings)
    return readings


def _tell_unknown_types(options: ReadOptions, readings: list[Reading]) -> None:
    """Say which columns of `[reading.types]` no table has: their type was imposed on nothing."""
    titles = {column.title for reading in readings for column in reading.columns}
    keys = {column.key for reading in readings for column in reading.columns}
    unknown = sorted(options.types.keys() - titles - keys)
    if not unknown:
        return
    why = Sentence(
        "reading.types donne un type à « {column} », qu’aucune colonne n’a pour titre : il ne sert à rien ; "
        "titres lus : {known}",
        {"column": " », « ".join(unknown), "known": ", ".join(sorted(titles)[:30])},
    )
    for reading in readings:
        reading.evidences.append(Evidence("values", "types", why))


def _tell_wrong_extension(name: str, path: Path, readings: list[Reading]) -> None:
    expected = _EXPECTED_SUFFIXES.get(name)
    if expected is None or path.suffix.lower() in expected:
        return
    why = Sentence(
        "l’extension « {suffix} » ne dit pas ce que le fichier contient : il est lu d’après son contenu",
        {"suffix": path.suffix},
    )
    for reading in readings:
        reading.evidences.insert(0, Evidence("format", name, why))
