"""GeoJSON as found: GDAL reads it when it is sound; else its features are saved one by one."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from arro3.core import Array, Table

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake import duck
from beffroi.lake.connectors.vector_gdal import Layer, read_layer
from beffroi.lake.reading import LINE, Evidence, Reading, ReadOptions, Rejects, Unreadable

MOST_BYTES = 512 * 1024**2
"""Largest file whose features are saved one by one: it is held whole in memory."""

_GEOMETRIES = ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"]
_COLLECTION = re.compile(rb'"type"\s*:\s*"(FeatureCollection|Feature)"')
_ALONE = re.compile(rb'\s*\{\s*"type"\s*:\s*"(%s)"' % "|".join(_GEOMETRIES).encode())
_FEATURE = re.compile(rb'"type"\s*:\s*"Feature"')
_GEOMETRY = re.compile(rb'"geometry"\s*:\s*(?:\{|null)')
_FEATURE_START = re.compile(r'\{\s*"(?:type"\s*:\s*"Feature"|id"\s*:|properties"\s*:|geometry"\s*:)')
_CRS = re.compile(rb'"crs"\s*:\s*\{')
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")

_NOT_FEATURE = Sentence("cet élément n’est pas un objet géographique (« Feature »)")
_BROKEN = Sentence("objet illisible : la syntaxe JSON y est rompue")
_CUT = Sentence("fichier interrompu au milieu de cet objet")


@dataclass(slots=True)
class Saved:
    """The features that could be saved, each with its number in the source (from 1), and the others."""

    features: list[dict[str, Any]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    rejects: Rejects = field(default_factory=Rejects)
    bad_geometries: int = 0
    crs: dict[str, Any] | None = None
    read: int = 0
    encoding: Evidence | None = None
    as_is: bool = False

    def add(self, number: int, feature: object) -> None:
        """Keep one feature, or say why it is not one."""
        if not isinstance(feature, dict) or not ("geometry" in feature or "properties" in feature):
            self.rejects.add(number, _NOT_FEATURE, json.dumps(feature, ensure_ascii=False)[:200])
            return
        properties = feature.get("properties")
        geometry = feature.get("geometry")
        if geometry is not None and not _sound(geometry):
            geometry = None
            self.bad_geometries += 1
        kept = {"type": "Feature", "properties": _finite(properties) if isinstance(properties, dict) else {}}
        if isinstance(feature.get("id"), (str, int)):
            kept["id"] = feature["id"]
        self.features.append(kept | {"geometry": geometry})
        self.numbers.append(number)


def looks_like(head: bytes) -> bool:
    """Tell whether the beginning of a JSON file is that of a GeoJSON or a TopoJSON."""
    head = head.removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"")
    return bool(_COLLECTION.search(head) or _ALONE.match(head) or is_topology(head))


def is_topology(head: bytes) -> bool:
    """Tell whether the beginning of a JSON file is that of a TopoJSON."""
    return b'"Topology"' in head[:4096]


def read_geojson(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read a GeoJSON.

    Raises:
        Unreadable: not JSON at all, or no feature in it.
    """
    with path.open("rb") as handle:
        data = handle.read(MOST_BYTES)
    head = data[:65_536].removeprefix(b"\xef\xbb\xbf").lstrip()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or not _is_utf8(data):
        return [_saved_reading(path, data, options, con)]
    if head[:1] not in (b"{", b"["):
        raise Unreadable("ce n’est pas du JSON", where=path.name, remedy="vérifiez le fichier publié")
    # A feature whose type is misspelt is one that GDAL passes over in silence.
    expected = max(len(_FEATURE.findall(data)), len(_GEOMETRY.findall(data)))
    try:
        reading = read_layer(_declaration(data, Layer(path, title=path.stem)), options, con)
    except Unreadable:
        return [_saved_reading(path, data, options, con)]
    if reading.rows_read - reading.rejects.total >= expected and not reading.rejects.total:
        return [reading]
    con.execute(f"DROP TABLE IF EXISTS {reading.table}")
    return [_saved_reading(path, data, options, con)]


def _declaration(data: bytes, layer: Layer) -> Layer:
    if _CRS.search(data[:65_536]) or _CRS.search(data[-4096:]):
        return replace(layer, declared_by="le membre « crs »")
    return replace(layer, declared="OGC:CRS84", declared_by="la norme GeoJSON")


def _saved_reading(path: Path, data: bytes, options: ReadOptions, con: duck.Connection) -> Reading:
    saved = save_features(data, where=path.name)
    if not saved.features:
        raise Unreadable(
            "aucun objet géographique lisible dans ce JSON",
            where=path.name,
            remedy="attendu : une « FeatureCollection » (RFC 7946)",
        )
    with tempfile.TemporaryDirectory(dir=options.work_dir, prefix="beffroi-geojson-") as name:
        clean = Path(name) / f"{path.stem or 'source'}.geojson"
        collection: dict[str, Any] = {"type": "FeatureCollection", "features": saved.features}
        if saved.crs:
            collection = {"type": "FeatureCollection", "crs": saved.crs, "features": saved.features}
        clean.write_text(json.dumps(collection), encoding="utf-8")
        reading = read_layer(_declaration(clean.read_bytes()[:4096], Layer(clean, title=path.stem)), options, con)
    _renumber(reading, saved.numbers)
    reading.rows_read = saved.read
    reading.rejects = saved.rejects
    if saved.encoding:
        reading.evidences.insert(0, saved.encoding)
    if not saved.as_is or saved.rejects.total:
        why = Sentence("le JSON n’est pas conforme : ses objets sont lus un à un")
        reading.evidences.append(Evidence("format", "GeoJSON", why))
    if saved.bad_geometries:
        why = Sentence("géométries que rien ne sait lire : objets gardés sans géométrie")
        reading.evidences.append(Evidence("geometry", str(saved.bad_geometries), why))
    return reading


def _renumber(reading: Reading, numbers: list[int]) -> None:
    """Give the rows the numbers their features had in the source."""
    if numbers == list(range(1, len(numbers) + 1)):
        return
    kept = Array(np.arange(1, len(numbers) + 1, dtype=np.int64))
    table = Table.from_arrays([kept, Array(np.array(numbers, dtype=np.int64))], names=["kept", "number"])
    reading.con.register("vector_numbers", table)
    reading.con.execute(
        f"UPDATE {reading.table} SET {LINE} = number FROM vector_numbers WHERE {LINE} = kept"  # noqa: S608
    )
    reading.con.unregister("vector_numbers")


def save_features(data: bytes, *, where: str) -> Saved:
    """Return every feature that can be read from damaged GeoJSON, and the number of each that cannot.

    Raises:
        Unreadable: larger than `MOST_BYTES`, or nested beyond reason.
    """
    if len(data) >= MOST_BYTES:
        raise Unreadable("GeoJSON trop volumineux pour être réparé", where=where, remedy="publiez-le en GeoPackage")
    text, encoding = _decoded(data)
    saved = Saved(encoding=encoding)
    try:
        _save(text, saved)
    except RecursionError as error:
        raise Unreadable("JSON imbriqué sans fin", where=where, remedy="vérifiez l’export") from error
    saved.read = saved.rejects.total + len(saved.features)
    return saved


def _decoded(data: bytes) -> tuple[str, Evidence | None]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        why = Sentence("le fichier commence par la marque d’ordre des octets d’UTF-16")
        return data.decode("utf-16", "replace"), Evidence("encoding", "utf-16", why)
    if _is_utf8(data):
        return data.decode("utf-8-sig", "replace"), None
    why = Sentence("les octets accentués ne forment pas de l’UTF-8, que GeoJSON impose : ce sont ceux de cp1252")
    return data.decode("cp1252", "replace"), Evidence("encoding", "cp1252", why)


def _is_utf8(data: bytes) -> bool:
    """Tell whether the bytes are UTF-8, but for a letter cut at the very end."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(data) - 4
    return True


def _save(text: str, saved: Saved) -> None:
    for attempt in (text, _TRAILING_COMMA.sub(r"\1", text)):
        try:
            document = json.loads(attempt)
        except ValueError:
            continue
        for number, feature in enumerate(_features(document), start=1):
            saved.add(number, feature)
        crs = document.get("crs") if isinstance(document, dict) else None
        saved.crs = crs if isinstance(crs, dict) else None
        saved.as_is = attempt is text
        return
    _save_one_by_one(text, saved)


def _features(document: object) -> list[object]:
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        return []
    if isinstance(document.get("features"), list):
        features: list[object] = document["features"]
        return features
    if document.get("type") == "Feature":
        return [document]
    if document.get("type") in _GEOMETRIES:
        return [{"type": "Feature", "properties": {}, "geometry": document}]
    return []


def _save_one_by_one(text: str, saved: Saved) -> None:
    start = text.find('"features"')
    position = text.find("[", start) + 1 if start >= 0 else 0
    decoder = json.JSONDecoder()
    for number, (begin, end) in enumerate(_spans(text, position), start=1):
        try:
            feature, _ = decoder.raw_decode(_TRAILING_COMMA.sub(r"\1", text[begin:end]))
        except ValueError:
            reason = _CUT if end >= len(text) else _BROKEN
            saved.rejects.add(number, reason, text[begin:end][:200])
        else:
            saved.add(number, feature)


def _spans(text: str, position: int) -> Iterator[tuple[int, int]]:
    """Yield where each feature begins and ends, found by what features begin with."""
    starts = [match.start() for match in _FEATURE_START.finditer(text, position)]
    # A member of a feature may begin like one: what lies inside the feature before it is no start.
    decoder = json.JSONDecoder()
    end = position
    for index, start in enumerate(starts):
        if start < end:
            continue
        try:
            _, end = decoder.raw_decode(text, start)
        except ValueError:
            following = next((s for s in starts[index + 1 :] if _is_feature(text, s)), len(text))
            end = following
        yield start, end


def _is_feature(text: str, start: int) -> bool:
    return '"Feature"' in text[start : start + 200] or '"geometry"' in text[start : start + 30]


def _sound(geometry: object) -> bool:
    """Tell whether a GeoJSON geometry can be built."""
    if not isinstance(geometry, dict) or geometry.get("type") not in _GEOMETRIES:
        return False
    try:
        text = json.dumps(geometry, allow_nan=False)
        return shapely.from_geojson(text, on_invalid="ignore") is not None
    except (ValueError, RecursionError):
        return False


def _finite(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the properties without NaN nor infinities, which JSON does not have."""
    return {
        str(name): None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in properties.items()
    }
