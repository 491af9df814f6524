"""3D Tiles 1.1 of a town: one tile per square of the map's grid, its content a GLB."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pyproj import Transformer

from beffroi.base.kernel.geo import BBox

ZOOM = 15
"""The square of the grid a tile covers: some 850 m wide in France."""

MOST_TILES = 4_096
_ROOT_ERROR_M, _TILE_ERROR_M = 500.0, 50.0


def tile_box(z: int, x: int, y: int) -> BBox:
    """Return the box of a square of the web's grid, in degrees (CRS84)."""
    return BBox(_lon(x, z), _lat(y + 1, z), _lon(x + 1, z), _lat(y, z))


def middle(bbox: BBox) -> tuple[float, float]:
    """Return the longitude and latitude around which the content of a square is written."""
    return (bbox.west + bbox.east) / 2, (bbox.south + bbox.north) / 2


def zoom_of(bbox: BBox) -> int:
    """Return the zoom whose squares cover a box without exceeding `MOST_TILES`; that of a town is `ZOOM`."""
    zoom = ZOOM
    while zoom > 0 and len(_columns(bbox, zoom)) * len(_rows(bbox, zoom)) > MOST_TILES:
        zoom -= 1
    return zoom


def squares(bbox: BBox, zoom: int) -> list[tuple[int, int]]:
    """Return the squares (x, y) that cover a box."""
    return [(x, y) for y in _rows(bbox, zoom) for x in _columns(bbox, zoom)]


def _columns(bbox: BBox, zoom: int) -> range:
    wide = 1 << zoom
    west, east = (min(wide - 1, max(0, int((lon + 180) / 360 * wide))) for lon in (bbox.west, bbox.east))
    return range(west, east + 1)


def _rows(bbox: BBox, zoom: int) -> range:
    wide = 1 << zoom
    north, south = (min(wide - 1, max(0, int(_row(lat) * wide))) for lat in (bbox.north, bbox.south))
    return range(north, south + 1)


def tileset(bbox: BBox, *, low_m: float, high_m: float, content: str, title: str) -> dict[str, Any]:
    """Return the tileset of a town between two heights; `content` is the address of a tile, with ``{z}/{x}/{y}``.

    Heights are those of the source, not above the ellipsoid: in mainland France the ellipsoid is some 45 to 50 m lower.
    """
    zoom = zoom_of(bbox)
    children = [_tile(zoom, x, y, low_m, high_m, content) for x, y in squares(bbox, zoom)]
    return {
        "asset": {"version": "1.1", "generator": "Beffroi", "extras": {"title": title, "heights": "source"}},
        "geometricError": _ROOT_ERROR_M,
        "root": {
            "boundingVolume": {"region": _region(bbox, low_m, high_m)},
            "geometricError": _TILE_ERROR_M,
            "refine": "ADD",
            "children": children,
        },
    }


def _tile(z: int, x: int, y: int, low_m: float, high_m: float, content: str) -> dict[str, Any]:
    box = tile_box(z, x, y)
    # A building belongs to the square its middle is in: it may stand out on either side.
    margin = (box.east - box.west) * 0.1
    wider = BBox(box.west - margin, box.south - margin, box.east + margin, box.north + margin)
    address = content.replace("{z}", str(z)).replace("{x}", str(x)).replace("{y}", str(y))
    return {
        "boundingVolume": {"region": _region(wider, low_m, high_m)},
        "geometricError": 0.0,
        "transform": _transform(*middle(box)),
        "content": {"uri": address},
    }


def _region(box: BBox, low_m: float, high_m: float) -> list[float]:
    return [round(math.radians(side), 10) for side in box] + [low_m, high_m]


def _transform(lon: float, lat: float) -> list[float]:
    """Return the matrix (columns first) from metres east, north and up of a place to the geocentric frame."""
    x, y, z = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True).transform(lon, lat, 0.0)
    a, b = math.radians(lon), math.radians(lat)
    east = (-math.sin(a), math.cos(a), 0.0)
    north = (-math.sin(b) * math.cos(a), -math.sin(b) * math.sin(a), math.cos(b))
    up = (math.cos(b) * math.cos(a), math.cos(b) * math.sin(a), math.sin(b))
    matrix = np.array([(*east, 0.0), (*north, 0.0), (*up, 0.0), (x, y, z, 1.0)])
    return [round(float(value), 12) for value in matrix.reshape(-1)]


def _row(lat: float) -> float:
    phi = math.radians(max(-85.0511, min(85.0511, lat)))
    return (1 - math.asinh(math.tan(phi)) / math.pi) / 2


def _lon(x: int, z: int) -> float:
    return x / (1 << z) * 360 - 180


def _lat(y: int, z: int) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / (1 << z)))))
