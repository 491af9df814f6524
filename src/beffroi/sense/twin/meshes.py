"""Triangles of a building's faces: what a graphics processor draws."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from beffroi.lake.volumes import Face, Points, normal_of

Triangles = NDArray[np.int64]


def triangles(local: Points, faces: tuple[Face, ...]) -> Triangles:
    """Return triangles (n, 3) of vertex numbers that cover `faces`; `local` are metres.

    A convex face without holes is cut as a fan; any other by constrained Delaunay triangulation in its own plane
    (GEOS), which adds no vertex. A face whose outline crosses itself in its plane is cut as a fan.
    """
    found = [_cut(local, face) for face in faces]
    return np.concatenate(found) if found else np.empty((0, 3), dtype=np.int64)


def _cut(local: Points, face: Face) -> Triangles:
    outer = np.array(face[0])
    if len(face) == 1 and len(outer) == 3:
        return outer[None, :]
    plane = _plane(local[outer])
    if len(face) == 1 and _is_convex(local[outer][:, plane]):
        return _fan(outer)
    cut = _delaunay(local[:, plane], face)
    return _fan(outer) if cut is None else cut


def _plane(ring: Points) -> list[int]:
    """Return the two axes on which the face is seen widest."""
    dropped = int(np.argmax(np.abs(normal_of(ring - ring[0]))))
    return [axis for axis in (0, 1, 2) if axis != dropped]


def _is_convex(ring: Points) -> bool:
    sides = np.roll(ring, -1, axis=0) - ring
    following = np.roll(sides, -1, axis=0)
    turns = sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]
    if not ((turns >= -1e-9).all() or (turns <= 1e-9).all()):
        return False
    # A star turns one way all along and goes round more than once.
    angles = np.arctan2(turns, (sides * following).sum(axis=1))
    return bool(abs(angles.sum()) < 2 * np.pi + 0.1)


def _fan(ring: NDArray[np.int64]) -> Triangles:
    return np.column_stack([np.full(len(ring) - 2, ring[0]), ring[1:-1], ring[2:]])


def _delaunay(flat: Points, face: Face) -> Triangles | None:
    polygon = shapely.Polygon(flat[list(face[0])], [flat[list(ring)] for ring in face[1:]])
    if not polygon.is_valid:
        return None
    number = {(float(x), float(y)): vertex for ring in face for vertex in ring for x, y in [flat[vertex]]}
    parts = shapely.get_parts(shapely.constrained_delaunay_triangles(polygon))
    corners = shapely.get_coordinates(parts).reshape(-1, 4, 2)[:, :3]
    try:
        found = [[number[float(x), float(y)] for x, y in triangle] for triangle in corners]
    except KeyError:
        return None
    return np.array(found, dtype=np.int64) if found else None
