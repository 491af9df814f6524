"""GeoJSON in the coordinate systems of French towns. Knows no Django.

The lake is in OGC:CRS84 (longitude, latitude in degrees). A system is named by its URI, and its axes are in the order
its authority gives: EPSG:4326 is latitude, longitude.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
EVERYWHERE = (CRS84, f"{_EPSG}4326", f"{_EPSG}3857")
LAMBERT_93 = f"{_EPSG}2154"
# Where each legal projection holds: the box of the territory and its EPSG code.
# Source: decree 2000-1276 as amended by decree 2019-165, and the registry of EPSG.
_OVERSEAS = (
    (BBox(-63.3, 14.3, -60.7, 18.2), 5490),  # Guadeloupe, Martinique, Saint-Barthélemy, Saint-Martin: RGAF09 / UTM 20N
    (BBox(-54.7, 2.1, -51.5, 5.9), 2972),  # Guyane: RGFG95 / UTM 22N
    (BBox(55.1, -21.5, 55.95, -20.8), 2975),  # La Réunion: RGR92 / UTM 40S
    (BBox(44.9, -13.1, 45.4, -12.5), 4471),  # Mayotte: RGM04 / UTM 38S
    (BBox(-56.6, 46.6, -56.0, 47.2), 4467),  # Saint-Pierre-et-Miquelon: RGSPM06 / UTM 21N
)
_METROPOLE = BBox(-5.5, 41.2, 9.8, 51.3)
_CC_ZONES = range(42, 51)


class UnknownCrs(BeffroiError):
    """A coordinate system that is not offered for this dataset."""


def offered(bbox: BBox | None) -> tuple[str, ...]:
    """Return the systems a dataset can be had in: the world's, then the legal ones of where it lies.

    >>> [uri.rpartition("/")[2] for uri in offered(BBox(3.80, 43.56, 3.94, 43.65))]
    ['CRS84', '4326', '3857', '2154', '3943', '3944']
    """
    if bbox is None:
        return EVERYWHERE
    codes = [code for zone, code in _OVERSEAS if _meet(zone, bbox)]
    if _meet(_METROPOLE, bbox):
        codes.append(2154)
        # A conical zone covers one degree on each side of its parallel.
        codes += [3900 + zone for zone in _CC_ZONES if bbox.south < zone + 1 and bbox.north > zone - 1]
    return (*EVERYWHERE, *(f"{_EPSG}{code}" for code in codes))


def legal_code(bbox: BBox | None) -> int | None:
    """Return the EPSG code of the legal projection where a dataset lies (Lambert-93 in mainland France), if any.

    >>> legal_code(BBox(3.80, 43.56, 3.94, 43.65)), legal_code(BBox(55.4, -21.0, 55.5, -20.9)), legal_code(None)
    (2154, 2975, None)
    """
    return next((int(uri.rpartition("/")[2]) for uri in offered(bbox)[len(EVERYWHERE) :]), None)


def _meet(one: BBox, other: BBox) -> bool:
    return one.west <= other.east and one.east >= other.west and one.south <= other.north and one.north >= other.south


def known(text: str, among: tuple[str, ...], *, where: str) -> str:
    """Return the URI meant by `text`, which may be written in brackets, as a URN or as ``EPSG:2154``.

    Raises:
        UnknownCrs: it is none of `among`.
    """
    plain = text.strip("[]<>").removeprefix("https://").removeprefix("http://")
    for uri in among:
        authority, _, code = uri.rpartition("/")
        names = {uri.removeprefix("http://"), f"{'OGC' if 'OGC' in authority else 'EPSG'}:{code}"}
        names |= {f"urn:ogc:def:crs:EPSG::{code}"} if "EPSG" in authority else {"urn:ogc:def:crs:OGC:1.3:CRS84"}
        if plain in names:
            return uri
    raise UnknownCrs(
        "système de coordonnées « {crs} » non proposé",
        where=where,
        remedy="systèmes : {known}",
        crs=text[:120],
        known=", ".join(among),
    )


class _Transformers(threading.local):
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], pyproj.Transformer] = {}


_transformers = _Transformers()


def _transformer(source: str, target: str) -> pyproj.Transformer:
    key = (source, target)
    if key not in _transformers.kept:
        # The axes stay in the order of each authority.
        _transformers.kept[key] = pyproj.Transformer.from_crs(_proj(source), _proj(target), always_xy=False)
    return _transformers.kept[key]


def _proj(uri: str) -> str:
    return "OGC:CRS84" if uri == CRS84 else f"EPSG:{uri.rpartition('/')[2]}"


def to_crs84(shape: BaseGeometry, crs: str) -> BaseGeometry:
    """Return a shape written in `crs` in longitude, latitude."""
    if crs == CRS84:
        return shape
    return shapely.transform(shape, lambda points: _moved(points, crs, CRS84))


def box_in_crs84(numbers: tuple[float, float, float, float], crs: str) -> BaseGeometry:
    """Return the area of a box written in `crs` (in the order of its axes): its sides bend, they get 21 points each."""
    return to_crs84(
        shapely.segmentize(shapely.box(*numbers), max(np.ptp(numbers[::2]), np.ptp(numbers[1::2])) / 20), crs
    )


def _moved(points: npt.NDArray[np.float64], source: str, target: str) -> npt.NDArray[np.float64]:
    first, second = _transformer(source, target).transform(points[:, 0], points[:, 1])
    return np.column_stack([first, second, *points[:, 2:].T])


def reprojected(joined: bytes, crs: str) -> bytes:
    """Return ready features (joined by commas) in `crs`: metres to the millimetre, degrees to 1e-8."""
    if crs == CRS84 or not joined:
        return joined
    features: list[dict[str, Any]] = json.loads(b"[" + joined + b"]")
    placed = [(feature, list(_places(feature["geometry"]))) for feature in features if feature["geometry"]]
    places = [place for _, found in placed for place in found]
    if places:
        digits = 8 if crs.endswith("/4326") else 3
        flat = np.array([place[:2] for place in places], dtype=np.float64)
        for place, (first, second) in zip(places, _moved(flat, CRS84, crs).round(digits).tolist(), strict=True):
            place[0], place[1] = first, second
        for feature, found in placed:
            # A place that the system cannot hold (beyond the pole, say) has none in it: JSON knows no infinity.
            if not all(math.isfinite(place[0]) and math.isfinite(place[1]) for place in found):
                feature["geometry"] = None
    return ",".join(json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features).encode()


def _places(geometry: dict[str, Any]) -> Iterator[list[float]]:
    if geometry["type"] == "GeometryCollection":
        for part in geometry["geometries"]:
            yield from _places(part)
    else:
        yield from _positions(geometry["coordinates"])


def _positions(coordinates: list[Any]) -> Iterator[list[float]]:
    if coordinates and not isinstance(coordinates[0], list):
        yield coordinates
    else:
        for part in coordinates:
            yield from _positions(part)
