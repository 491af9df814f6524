"""Blocks: a footprint raised to a height, for buildings whose real surfaces nobody has given (level of detail 1.2)."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from beffroi.lake.volumes import GROUND, ROOF, WALL, Face, Points, Volume

LOD = "1.2"


def raised(footprint: BaseGeometry, *, base_m: float, height_m: float) -> Volume:
    """Return the block over a footprint (CRS84): ground, roof and one wall per side, faces turned outwards."""
    parts = shapely.get_parts(footprint)
    rings: list[list[Points]] = [_rings(part) for part in parts if part.geom_type == "Polygon"]
    levels: list[Points] = []
    faces: list[Face] = []
    kinds: list[str] = []
    at = 0
    for polygon in rings:
        low: list[tuple[int, ...]] = []
        high: list[tuple[int, ...]] = []
        for ring in polygon:
            count = len(ring)
            levels += [np.column_stack([ring, np.full(count, height)]) for height in (base_m, base_m + height_m)]
            bottom, top = range(at, at + count), range(at + count, at + 2 * count)
            low.append(tuple(reversed(bottom)))
            high.append(tuple(top))
            for one in range(count):
                two = (one + 1) % count
                faces.append(((bottom[one], bottom[two], top[two], top[one]),))
                kinds.append(WALL)
            at += 2 * count
        faces += [tuple(low), tuple(high)]
        kinds += [GROUND, ROOF]
    return Volume(LOD, np.concatenate(levels), tuple(faces), tuple(kinds))


def _rings(polygon: BaseGeometry) -> list[Points]:
    """Return the rings of a polygon without their closing point, the outer one anticlockwise, the holes clockwise."""
    turned = shapely.orient_polygons(polygon, exterior_cw=False)
    return [shapely.get_coordinates(ring)[:-1] for ring in (turned.exterior, *turned.interiors)]
