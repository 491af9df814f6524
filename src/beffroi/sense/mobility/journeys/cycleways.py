"""The cycle ways a commune publishes (``amenagements-cyclables``), in metres of a graph, and where they end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import atan2, cos, degrees, hypot, sin

import numpy as np
import shapely

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.sense.mobility.graph import Graph
from beffroi.sense.mobility.streets import Array

DATASET, SIDES, NAME = "amenagements-cyclables", ("ame_d", "ame_g"), "nom_voie"
NOTHING = ("", "AUCUN")
JOINED_M = 30.0
"""Two ends that near are one."""
AROUND_M, STRAIGHT_DEG = 25.0, 45.0
"""A way ends where, so far around, cycle ways are in one direction only."""
MOST_READ = 50_000


@dataclass(frozen=True, slots=True)
class CycleWays:
    """The cycle ways of a commune: lines in metres, the street of each, a tree of them, and when they came."""

    lines: Array
    names: tuple[str, ...]
    tree: shapely.STRtree
    at: datetime

    def away_m(self, x: float, y: float) -> float:
        """Return how far the nearest is, infinite without any."""
        if not len(self.lines):
            return float("inf")
        point = shapely.Point(x, y)
        return float(self.lines[self.tree.nearest(point)].distance(point))


@dataclass(frozen=True, slots=True)
class Tip:
    """Where a cycle way ends: metres, the direction it was going (radians from the east), its street."""

    x: float
    y: float
    ahead: float
    name: str


def flat(graph: Graph, shape: shapely.Geometry) -> shapely.Geometry:
    """Return a shape in degrees (CRS84) in metres of a graph."""
    return shapely.transform(shape, lambda at: np.stack(graph.metres(at[:, 0], at[:, 1]), axis=1))


def version_of(code: str) -> str:
    """Return the version of what a commune publishes, empty when it publishes none."""
    try:
        return lake.dataset(ANONYMOUS, DatasetRef(code, DATASET)).summary.version
    except DatasetNotFound:
        return ""


def cycle_ways(code: str, graph: Graph) -> CycleWays | None:
    """Return the cycle ways that a commune publishes to everyone, None when it publishes none.

    A line whose two sides say there is nothing (« AUCUN ») is none.
    """
    ref = DatasetRef(code, DATASET)
    try:
        detail = lake.dataset(ANONYMOUS, ref)
    except DatasetNotFound:
        return None
    columns = {one.key for one in detail.columns}
    sides = [one for one in SIDES if one in columns]
    if not sides or detail.summary.geometry_type is None:
        return None
    named = [NAME] if NAME in columns else []
    lines, names = [], []
    for *told, shape in lake.rows(ANONYMOUS, ref, columns=[*sides, *named, "geometry"], max_rows=MOST_READ).rows:
        if shape is None or all((one or "") in NOTHING for one in told[: len(sides)]):
            continue
        for part in shapely.get_parts(flat(graph, shapely.from_wkb(bytes(shape)))):
            if part.geom_type == "LineString":
                lines.append(part)
                names.append(str(told[-1] or "") if named else "")
    found = np.array(lines, dtype=object)
    return CycleWays(found, tuple(names), shapely.STRtree(found), detail.summary.updated_at)


def tips(ways: CycleWays, near: list[shapely.Geometry], *, within_m: float) -> list[Tip]:
    """Return where cycle ways end that near to one of these shapes; ends that touch are told once."""
    found: list[Tip] = []
    for line, name in zip(ways.lines, ways.names, strict=True):
        for at in (0, -1):
            end = shapely.get_point(line, at)
            if any(shape.distance(end) <= within_m for shape in near):
                ahead = _ahead(ways, end)
                if ahead is not None and all(hypot(one.x - end.x, one.y - end.y) > JOINED_M for one in found):
                    found.append(Tip(end.x, end.y, ahead, name))
    return found


def _ahead(ways: CycleWays, end: shapely.Point) -> float | None:
    """Return the direction in which cycle ways stop at `end`, None when one goes on or turns there."""
    around = ways.lines[ways.tree.query(end, predicate="dwithin", distance=AROUND_M)]
    crossed = shapely.get_coordinates(shapely.intersection(around, end.buffer(AROUND_M).exterior))
    angles = [atan2(y - end.y, x - end.x) for x, y in crossed.tolist()]
    if not angles or any(turn_deg(one, angles[0]) > STRAIGHT_DEG for one in angles):
        return None
    return atan2(-sin(angles[0]), -cos(angles[0]))


def turn_deg(one: float, other: float) -> float:
    """Return the angle between two directions (radians), in degrees.

    >>> round(turn_deg(3.1, -3.1), 1)
    4.8
    """
    return abs(degrees(atan2(sin(one - other), cos(one - other))))
