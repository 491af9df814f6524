"""Which features meet a box or a shape, exactly: by their boxes where those tell, else one by one. Knows no Django."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from beffroi.base.kernel.geo import BBox
from beffroi.lake import cql
from beffroi.lake.columns import BLOCK, Boxes
from beffroi.lake.cql import BadFilter
from beffroi.lake.filter_source import Mask, Rows, Source
from beffroi.lake.sql import QueryTooCostly

MAX_SHAPES = 200_000
"""Most features whose exact shape one question may compare; beyond, it is refused rather than slow."""


def in_box(source: Source, bbox: BBox) -> Rows:
    """Return the features whose shape meets a box, exactly, in order; none of a dataset that is not placed.

    Blocks of neighbours are looked at first. A feature whose box leaves the asked one on one side only does meet it:
    the point where it reaches furthest inside is in both. Only the others, at the corners, are compared by shape.
    """
    if not source.has_geometry:
        return np.empty(0, dtype=np.int64)
    if bbox.west > bbox.east:
        halves = (bbox._replace(east=180.0), bbox._replace(west=-180.0))
        return np.unique(np.concatenate([in_box(source, half) for half in halves]))
    boxes = source.boxes()
    rows = _candidates(boxes, bbox)
    west, south, east, north = boxes.sides[:, rows]
    met = (west <= bbox.east) & (east >= bbox.west) & (south <= bbox.north) & (north >= bbox.south)
    rows, west, south, east, north = rows[met], west[met], south[met], east[met], north[met]
    across = (west >= bbox.west) & (east <= bbox.east) & ((south >= bbox.south) | (north <= bbox.north))
    along = (south >= bbox.south) & (north <= bbox.north) & ((west >= bbox.west) | (east <= bbox.east))
    doubtful = np.flatnonzero(~(across | along))
    if len(doubtful):
        shape = shapely.box(*bbox)
        truly = shapely.intersects(_exact(source, rows[doubtful]), shape)
        rows = np.delete(rows, doubtful[~truly])
    return rows


def _candidates(boxes: Boxes, bbox: BBox) -> Rows:
    west, south, east, north = boxes.blocks
    hits = np.flatnonzero((west <= bbox.east) & (east >= bbox.west) & (south <= bbox.north) & (north >= bbox.south))
    rows = (hits[:, None] * BLOCK + np.arange(BLOCK)).ravel()
    # Features without a shape come last in the data.
    return rows[: np.searchsorted(rows, boxes.placed)]


def _exact(source: Source, rows: Rows) -> Any:
    if len(rows) > MAX_SHAPES:
        raise QueryTooCostly(
            "{count} formes à comparer une à une",
            remedy="ajoutez une emprise (bbox) : {most} formes au plus",
            count=len(rows),
            most=MAX_SHAPES,
        )
    return source.shapes(rows)


def spatial(source: Source, node: cql.Spatial, negated: bool, rows: Rows | None) -> Mask:
    """Return where a condition on the shape holds (where its contrary does when `negated`), among `rows` or all.

    Raises:
        BadFilter: the dataset is not placed.
        QueryTooCostly: too many exact shapes to compare.
    """
    if not source.has_geometry:
        raise BadFilter("ce jeu de données n'est pas situé", remedy="retirez la condition sur la forme")
    if node.op == "s_disjoint":
        return spatial(source, cql.Spatial("s_intersects", node.wkb), not negated, rows)
    shape = shapely.from_wkb(node.wkb)
    boxes = source.boxes()
    among = np.arange(source.count) if rows is None else rows
    west, south, east, north = boxes.sides if rows is None else boxes.sides[:, rows]
    low_x, low_y, high_x, high_y = shape.bounds
    near = np.flatnonzero((west <= high_x) & (east >= low_x) & (south <= high_y) & (north >= low_y))
    held = np.zeros(len(among), dtype=bool)
    if node.op in ("s_intersects", "s_within") and not node.flipped and shape.area > 0 and len(near):
        shapely.prepare(shape)
        whole = shapely.contains_properly(shape, shapely.box(west[near], south[near], east[near], north[near]))
        held[near[whole]] = True
        near = near[~whole]
    if len(near):
        predicate, found = getattr(shapely, cql.SPATIAL[node.op]), _exact(source, among[near])
        held[near] = predicate(shape, found) if node.flipped else predicate(found, shape)
    return ~held & ~np.isnan(west) if negated else held
