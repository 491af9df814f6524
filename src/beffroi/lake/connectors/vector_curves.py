"""Arcs and surfaces that GEOS does not read, turned into the straight geometries it does."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

STEP_DEG = 4.0
"""Largest angle a straight segment stands for; a 100 m arc is then followed to 6 cm (r·(1 - cos 2°))."""

_MOST_DEPTH = 32
_EWKB_Z, _EWKB_M, _EWKB_SRID = 0x80000000, 0x40000000, 0x20000000
Point = tuple[float, ...]


class BadWkbError(ValueError):
    """The bytes are not well-known binary."""


@dataclass(slots=True)
class _Cursor:
    data: bytes
    at: int = 0

    def take(self, layout: str) -> tuple[float, ...]:
        size = struct.calcsize(layout)
        if self.at + size > len(self.data):
            raise BadWkbError("cut short")
        values = struct.unpack_from(layout, self.data, self.at)
        self.at += size
        return values


def straightened(wkb: bytes) -> BaseGeometry | None:
    """Return the geometry of any ISO or extended WKB, arcs cut every `STEP_DEG` degrees; measures are dropped.

    Polyhedral surfaces, TINs and triangles become polygons. None when the bytes make no geometry.
    """
    try:
        return _geometry(_Cursor(wkb), 0)
    except (BadWkbError, shapely.errors.GEOSException, ValueError, MemoryError):
        return None


def _geometry(cursor: _Cursor, depth: int) -> BaseGeometry:
    if depth > _MOST_DEPTH:
        raise BadWkbError("nested too deep")
    order, kind, dimensions = _header(cursor)
    keep = 3 if dimensions[0] else 2
    size = 2 + sum(dimensions)
    if kind == 1:
        point = _points(cursor, order, size, keep, 1)[0]
        return shapely.Point() if all(math.isnan(value) for value in point) else shapely.Point(point)
    (count,) = (int(value) for value in cursor.take(f"{order}I"))
    if kind in (2, 8):
        points = _points(cursor, order, size, keep, count)
        return shapely.LineString(points if kind == 2 else _stroked(points))
    if kind in (3, 17):
        return _polygon([_ring(cursor, order, size, keep) for _ in range(_sane(cursor, count))])
    parts = [_geometry(cursor, depth + 1) for _ in range(_sane(cursor, count))]
    return _assembled(kind, parts)


def _header(cursor: _Cursor) -> tuple[str, int, tuple[bool, bool]]:
    order = "<" if cursor.take("B")[0] else ">"
    code = int(cursor.take(f"{order}I")[0])
    has_z, has_m = bool(code & _EWKB_Z), bool(code & _EWKB_M)
    if code & _EWKB_SRID:
        cursor.take(f"{order}I")
    code &= 0x1FFFFFFF
    thousands, kind = divmod(code, 1000)
    return order, kind, (has_z or thousands in (1, 3), has_m or thousands in (2, 3))


def _sane(cursor: _Cursor, count: int) -> int:
    if count * 5 > len(cursor.data):
        raise BadWkbError("more parts than bytes")
    return count


def _points(cursor: _Cursor, order: str, size: int, keep: int, count: int) -> list[Point]:
    if count * size * 8 > len(cursor.data):
        raise BadWkbError("more points than bytes")
    flat = cursor.take(f"{order}{count * size}d")
    return [flat[start : start + keep] for start in range(0, len(flat), size)]


def _ring(cursor: _Cursor, order: str, size: int, keep: int) -> list[Point]:
    return _points(cursor, order, size, keep, int(cursor.take(f"{order}I")[0]))


def _polygon(rings: list[list[Point]]) -> BaseGeometry:
    return shapely.Polygon(rings[0], rings[1:]) if rings else shapely.Polygon()


def _assembled(kind: int, parts: list[BaseGeometry]) -> BaseGeometry:
    if kind == 9:
        points = [point for part in parts for point in part.coords]
        return shapely.LineString([p for i, p in enumerate(points) if i == 0 or p != points[i - 1]])
    if kind == 10:
        return _polygon([list(part.coords) for part in parts])
    if kind == 4:
        return shapely.MultiPoint(parts)
    if kind in (5, 11):
        return shapely.MultiLineString(parts)
    if kind in (6, 12, 15, 16):
        return shapely.MultiPolygon(parts)
    if kind == 7:
        return shapely.GeometryCollection(parts)
    raise BadWkbError(f"type {kind}")


def _stroked(points: list[Point]) -> list[Point]:
    """Return the straight line that follows the arcs through points 0-1-2, 2-3-4…"""
    line = points[:1]
    for start in range(0, len(points) - 2, 2):
        line += _arc(points[start], points[start + 1], points[start + 2])
    return line


def _arc(a: Point, b: Point, c: Point) -> list[Point]:
    center = _center(a, b, c)
    if center is None:
        return [b, c]
    x, y = center
    radius = math.hypot(a[0] - x, a[1] - y)
    start, middle, end = (math.atan2(p[1] - y, p[0] - x) for p in (a, b, c))
    sweep = (end - start) % math.tau or math.tau
    if (middle - start) % math.tau > sweep:
        sweep -= math.tau
    steps = max(2, math.ceil(abs(sweep) / math.radians(STEP_DEG)))
    heights = [(a[2] + (c[2] - a[2]) * i / steps,) if len(a) > 2 else () for i in range(1, steps)]
    angles = (start + sweep * i / steps for i in range(1, steps))
    between = [(x + radius * math.cos(t), y + radius * math.sin(t), *z) for t, z in zip(angles, heights, strict=True)]
    return [*between, c]


def _center(a: Point, b: Point, c: Point) -> tuple[float, float] | None:
    """Return the centre of the circle through three points; None when they are aligned."""
    if a[:2] == c[:2]:
        return ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) if a[:2] != b[:2] else None
    bx, by, cx, cy = b[0] - a[0], b[1] - a[1], c[0] - a[0], c[1] - a[1]
    d = 2 * (bx * cy - by * cx)
    if abs(d) <= 1e-12 * (bx * bx + by * by + cx * cx + cy * cy):
        return None
    ux = (cy * (bx * bx + by * by) - by * (cx * cx + cy * cy)) / d
    uy = (bx * (cx * cx + cy * cy) - cx * (bx * bx + by * by)) / d
    return a[0] + ux, a[1] + uy
