"""Which columns of a table say where its rows are: degrees, projected X and Y, points and shapes as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class PlaceKind(StrEnum):
    """How a table says where its rows are."""

    XY = "xy"
    PAIR = "pair"
    WKT = "wkt"
    GEOJSON = "geojson"
    WKB = "wkb"


@dataclass(frozen=True, slots=True)
class PlaceFound:
    """The key(s) of the columns that hold the place; `degrees` when their names say longitude and latitude."""

    kind: PlaceKind
    x: str
    y: str = ""
    degrees: bool = False
    latitude_first: bool = False


_LON = re.compile(r"(?:^|(?<=_))(longitude|x?long|x?lon|lng)(?=_|\d|$)|longitude")
_LAT = re.compile(r"(?:^|(?<=_))(latitude|y?lat)(?=_|\d|$)|latitude")
_X = re.compile(
    r"(?:^|(?<=_))(x_?coord|coord_?x|x|x_?l93|x_?93|lambert_?x|x_?lambert|point_?x|coordonnees?_?x)(?=_|\d|$)"
)
_PAIR_NAME = re.compile(
    r"geo_?point|geopoint|coordonnees?(_?xy|_?gps|_geo)?$|lat_?lon|lon_?lat|lat_?lng|position_gps|geoloc|^gps$|^xy$"
)
_SHAPE_NAME = re.compile(
    r"^(the_)?geom(etry|etrie)?(_|$)|wkt|geo_?shape|geojson|^shape$|^geo$|wkb|^location$|coordonnees?$"
)

NUMBER = r"[+-]?[0-9]{1,8}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?"
PAIR = rf"^[\[( ]*({NUMBER}) *[,; ] *({NUMBER})[\]) ]*$"
_WKT = re.compile(
    r"(?i)^\s*(SRID=\d+;)?\s*(MULTI)?(POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)\s*(Z|M|ZM)?\s*(\(|EMPTY)"
)
_GEOJSON = re.compile(r'^\s*\{.*"coordinates"\s*:', re.DOTALL)
_WKB = re.compile(r"^(00|01)[0-9A-Fa-f]{8,}$")


def find_place(keys: Sequence[str], samples: dict[str, list[str]]) -> PlaceFound | None:
    """Find the columns that place the rows; `samples` holds a few non-blank values of each column of text."""
    return _shape(keys, samples) or _degrees(keys) or _pair(keys, samples) or _projected(keys)


def _shape(keys: Sequence[str], samples: dict[str, list[str]]) -> PlaceFound | None:
    forms = ((PlaceKind.GEOJSON, _GEOJSON), (PlaceKind.WKT, _WKT), (PlaceKind.WKB, _WKB))
    for key in keys:
        values = samples.get(key) or []
        for kind, pattern in forms:
            named = kind is not PlaceKind.WKB or _SHAPE_NAME.search(key)
            if values and named and all(pattern.match(value) for value in values):
                return PlaceFound(kind, key)
    return None


def _degrees(keys: Sequence[str]) -> PlaceFound | None:
    latitudes = {_residue(_LAT, key): key for key in reversed(keys) if _LAT.search(key)}
    pairs = [
        (key, latitudes[_residue(_LON, key)]) for key in keys if _LON.search(key) and _residue(_LON, key) in latitudes
    ]
    if not pairs:
        return None
    longitude, latitude = min(pairs, key=lambda pair: len(pair[0]))
    return PlaceFound(PlaceKind.XY, longitude, latitude, degrees=True)


def _residue(pattern: re.Pattern[str], key: str) -> str:
    return re.sub(r"\d", "", pattern.sub("", key, count=1))


def _pair(keys: Sequence[str], samples: dict[str, list[str]]) -> PlaceFound | None:
    for key in keys:
        values = samples.get(key) or []
        if _PAIR_NAME.search(key) and values and all(re.match(PAIR, value) for value in values):
            listed = values[0].lstrip().startswith("[")
            first = re.search(r"xy|lon_?lat", key) is None and ("geo_point" in key or not listed)
            return PlaceFound(PlaceKind.PAIR, key, degrees=True, latitude_first=first)
    return None


def _projected(keys: Sequence[str]) -> PlaceFound | None:
    plain = {re.sub(r"\d", "", key): key for key in reversed(keys)}
    for key in keys:
        match = _X.search(key)
        if not match:
            continue
        other = key[: match.start()] + match[0].replace("x", "y") + key[match.end() :]
        partner = plain.get(re.sub(r"\d", "", other))
        if partner and partner != key:
            return PlaceFound(PlaceKind.XY, key, partner)
    return None
