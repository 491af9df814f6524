"""The baked tiles of a dataset, asked of what a viewer sees of it (`queries.seen_dataset`)."""

from __future__ import annotations

from dataclasses import dataclass
from math import asinh, pi, radians, tan
from typing import Any

from beffroi.base.kernel.geo import BBox
from beffroi.lake import tiles
from beffroi.lake.answers import TilesState
from beffroi.lake.seeing import Seen, tiles_state_of


@dataclass(frozen=True, slots=True)
class Limits:
    """The tiles of one zoom that may hold something: columns `first_x`…`last_x`, rows `first_y`…`last_y` from north."""

    zoom: int
    first_x: int
    last_x: int
    first_y: int
    last_y: int

    def hold(self, x: int, y: int) -> bool:
        """Tell whether a tile is among them."""
        return self.first_x <= x <= self.last_x and self.first_y <= y <= self.last_y


def tile_at(seen: Seen, z: int, x: int, y: int) -> bytes | None:
    """Return one vector tile (MVT, gzipped), None where there is nothing or while tiles are being baked."""
    return tiles.tile(seen.folder, seen.class_name, seen.class_columns, z, x, y)


def tiles_ready(seen: Seen) -> bool:
    """Tell whether tiles are baked under the rights of today."""
    return tiles_state_of(seen) is TilesState.READY


def tilejson_of(seen: Seen, *, tiles_url: str) -> dict[str, Any]:
    """Return the TileJSON 3.0 of a dataset that has a geometry; `tiles_url` holds ``{z}``, ``{x}`` and ``{y}``."""
    return tiles.tilejson(seen.folder, seen.class_name, seen.manifest, seen.class_columns, tiles_url=tiles_url)


def limits_of(seen: Seen) -> list[Limits]:
    """Return the tiles of each zoom that the dataset reaches; none when it has no geometry."""
    if seen.manifest.bbox is None:
        return []
    described = tilejson_of(seen, tiles_url="")
    return [limits(seen.manifest.bbox, zoom) for zoom in range(described["minzoom"], described["maxzoom"] + 1)]


def limits(bbox: BBox, zoom: int) -> Limits:
    """Return the tiles of one zoom that meet a box.

    >>> limits(BBox(3.80, 43.56, 3.94, 43.65), 10)
    Limits(zoom=10, first_x=522, last_x=523, first_y=373, last_y=373)
    """
    (first_x, last_y), (last_x, first_y) = (
        _tile_of(longitude, latitude, zoom)
        for longitude, latitude in ((bbox.west, bbox.south), (bbox.east, bbox.north))
    )
    return Limits(zoom, first_x, last_x, first_y, last_y)


# Web Mercator ends where the world becomes a square.
_MOST_NORTH = 85.05112877980659


def _tile_of(longitude: float, latitude: float, zoom: int) -> tuple[int, int]:
    count = 1 << zoom
    north = max(-_MOST_NORTH, min(_MOST_NORTH, latitude))
    x = int((longitude + 180) / 360 * count)
    y = int((1 - asinh(tan(radians(north))) / pi) / 2 * count)
    return max(0, min(count - 1, x)), max(0, min(count - 1, y))
