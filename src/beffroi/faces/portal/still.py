"""The still picture of a small map, drawn by the server: outline of the town, water, parks, and what the map is about.

It stands where the map will be, costs a page a few kilobytes and no script, and is read without JavaScript.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import cos, radians
from typing import Any

import numpy as np
import shapely

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.shell.themes import theme
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef, DatasetSummary

SIDE, MARGIN = 1000, 24
"""The longer side of a picture, and the room around what it shows, in its own units."""

MOST_ROWS = 6_000
"""A dataset with more rows is left to the map: reading it would make the page wait."""

CROWD = 500
MOST_LETTERS = 14_000
FINENESS = (1, 2, 4, 6, 8, 12, 16, 24)
"""How far a drawing may stray, in units, from the finest on, until it fits in `MOST_LETTERS`."""

DRAWN_BASE = ("green", "water", "streets", "limit")
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What one dataset draws: SVG path data of its areas, its lines and its points, empty where it has none.

    `crowded` points are drawn small, to stand apart.
    """

    kind: str
    colour: str
    areas: str = ""
    lines: str = ""
    points: str = ""
    crowded: bool = False


@dataclass(frozen=True, slots=True)
class Still:
    """A picture of `width` by `height` units: the base from the bottom up, then the things."""

    width: int
    height: int
    base: tuple[Drawing, ...]
    things: tuple[Drawing, ...]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who reads: equal to any other, the class of what she may read is in the key of the cache already."""

    viewer: Viewer = field(compare=False)


def still_of(
    viewer: Viewer,
    base: Mapping[str, DatasetSummary],
    shown: Iterable[DatasetSummary],
    box: BBox | None,
    *,
    colours: Mapping[str, str] | None = None,
) -> Still | None:
    """Draw the datasets `shown` over the base map by role, in `box`; None when there is no box to draw in.

    `colours` are those of the datasets, by slug; else that of their theme.
    """
    if box is None or box.east <= box.west or box.north <= box.south:
        return None
    # At the scale of a town, degrees of longitude narrowed by the latitude look as the map's own projection does.
    wide, high = (box.east - box.west) * cos(radians((box.north + box.south) / 2)), box.north - box.south
    scale = (SIDE - 2 * MARGIN) / max(wide, high)
    width, height = (round(side * scale) + 2 * MARGIN for side in (wide, high))
    drawn = (_drawing(viewer, base[role], role, box) for role in DRAWN_BASE if role in base)
    things = (_drawing(viewer, one, "things", box, (colours or {}).get(one.ref.slug)) for one in shown)
    return Still(width, height, tuple(_some(drawn)), tuple(_some(things)))


def _some(drawings: Iterable[Drawing | None]) -> Iterator[Drawing]:
    return (one for one in drawings if one is not None and (one.areas or one.lines or one.points))


def _drawing(
    viewer: Viewer, summary: DatasetSummary, kind: str, box: BBox, colour: str | None = None
) -> Drawing | None:
    if summary.rows > MOST_ROWS:
        return None
    seen = lake.what_is_seen(viewer, summary.ref)
    if seen is None:
        return None
    areas, lines, points = _paths(_Reader(viewer), summary.ref, summary.version, seen[:2], tuple(box))
    return Drawing(kind, colour or theme(summary.theme).colour, areas, lines, points, crowded=summary.rows > CROWD)


@lru_cache(maxsize=512)
def _paths(reader: _Reader, ref: DatasetRef, version: str, _seen: tuple[str, str], box: Box) -> tuple[str, str, str]:
    """Return the path data of a version that never changes, as one class of readers sees it."""
    page = lake.features(reader.viewer, ref, version=version, bbox=_around(box), limit=MOST_ROWS)
    shapes = shapely.from_geojson([body.decode() for body in page.features], on_invalid="ignore")
    shapes = shapes[~shapely.is_missing(shapes)]
    west, south, east, north = box
    squeeze = cos(radians((north + south) / 2))
    scale = (SIDE - 2 * MARGIN) / max((east - west) * squeeze, north - south)

    def placed(corners: Any) -> Any:
        return np.column_stack(
            ((corners[:, 0] - west) * squeeze * scale + MARGIN, (north - corners[:, 1]) * scale + MARGIN)
        )

    # The frame is wider or higher than what it shows: what it shows beside is drawn too, and no more.
    return drawn(shapely.clip_by_rect(shapely.transform(shapes, placed), -SIDE, -SIDE, 2 * SIDE, 2 * SIDE))


def _around(box: Box) -> BBox:
    west, south, east, north = box
    reach = max(east - west, north - south)
    return BBox(max(-180, west - reach), max(-90, south - reach), min(180, east + reach), min(90, north + reach))


def drawn(shapes: Any) -> tuple[str, str, str]:
    """Return SVG path data of areas, lines and points, all coordinates rounded to one unit.

    >>> drawn(shapely.from_wkt(["POLYGON ((0 0, 9 0, 9 9, 0 0))", "LINESTRING (1 1, 5 5.2)", "POINT (3 3)"]))
    ('M0 0l9 0 0 9z', 'M1 1l4 4', 'm3 3h0')
    """
    shapes = shapely.get_parts(shapes)
    kinds = shapely.get_type_id(shapes)
    areas, lines, points = (shapes[kinds == kind] for kind in (3, 1, 0))
    return _fitting(areas, closed=True), _fitting(lines, closed=False), _dots(points)


def _fitting(shapes: Any, *, closed: bool) -> str:
    """Return the finest drawing that fits, the largest shapes first; what is too small to see is left out."""
    pieces: list[str] = []
    for fineness in FINENESS[:3]:
        coarse = shapely.simplify(shapes, fineness)
        size = shapely.area(coarse) if closed else shapely.length(coarse)
        order = np.argsort(-size, kind="stable")
        kept = coarse[order][size[order] >= (fineness * fineness if closed else fineness)]
        rings = shapely.get_rings(kept) if closed else kept
        pieces = [_traced(shapely.get_coordinates(ring), closed=closed) for ring in rings]
        if sum(map(len, pieces)) <= MOST_LETTERS:
            break
    fits = np.cumsum([len(piece) for piece in pieces]) <= MOST_LETTERS
    return "".join(piece for piece, fit in zip(pieces, fits, strict=True) if fit)


def _traced(corners: Any, *, closed: bool) -> str:
    """Return one ring or line: its first corner, then steps."""
    rounded = np.rint(corners).astype(int)
    steps = np.diff(rounded[:-1] if closed else rounded, axis=0)
    steps = steps[steps.any(axis=1)]
    if not len(steps):
        return ""
    told = " ".join(f"{x} {y}" for x, y in steps)
    return f"M{rounded[0][0]} {rounded[0][1]}l{told}{'z' if closed else ''}"


def _dots(points: Any) -> str:
    """Return a dot per point; on a coarser grid, neighbours share one, until the drawing fits."""
    for fineness in FINENESS:
        grid = np.unique(np.rint(shapely.get_coordinates(points) / fineness).astype(int), axis=0) * fineness
        steps = np.diff(grid, axis=0, prepend=0)
        path = "".join(f"m{x} {y}h0" for x, y in steps)
        if len(path) <= MOST_LETTERS:
            return path
    return ""
