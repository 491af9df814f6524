"""The way along lines, of water or of rail: from one place to another, by the network when both are on it.

Lines meet where they share a point, to a metre or so. Knows neither the lake nor Django.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from math import cos, radians

import shapely

Place = tuple[float, float]
Graph = dict[Place, list[tuple[Place, float]]]
ON_LINE_M = 1_000.0
"""How far from a line a quay or a station may stand and still be on it."""
METRES_PER_DEGREE = 111_195.0
_KNOT_M = 2.0


def straight_m(start: Place, goal: Place) -> float:
    """Return the metres between two places (longitude, latitude) as the crow flies; within 0.5 % under 300 km."""
    east = (goal[0] - start[0]) * METRES_PER_DEGREE * cos(radians((start[1] + goal[1]) / 2))
    return float((east**2 + ((goal[1] - start[1]) * METRES_PER_DEGREE) ** 2) ** 0.5)


def along_m(lines: Sequence[shapely.Geometry], start: Place, goal: Place) -> float | None:
    """Return the metres along lines (degrees) between two places, what leads to the lines included.

    None when either stands farther than `ON_LINE_M` from them, or when no way joins them.
    """
    lat = (start[1] + goal[1]) / 2
    scale = [METRES_PER_DEGREE * cos(radians(lat)), METRES_PER_DEGREE]
    flat = (shapely.transform(line, lambda at: at[:, :2] * scale) for line in lines)
    parts = [part for line in flat for part in shapely.get_parts(line)]
    ends = [shapely.Point(place[0] * scale[0], place[1] * scale[1]) for place in (start, goal)]
    if not parts or any(min(part.distance(end) for part in parts) > ON_LINE_M for end in ends):
        return None
    knots = shapely.union_all(parts)
    graph: Graph = defaultdict(list)
    for part in shapely.get_parts(knots):
        _join(graph, part, ends)
    access = [min(part.distance(end) for part in parts) for end in ends]
    found = _shortest(graph, *(_nearest(graph, parts, end) for end in ends))
    return None if found is None else found + sum(access)


def _join(graph: Graph, part: shapely.LineString, ends: Sequence[shapely.Point]) -> None:
    """Add a line to the graph, cut where it is nearest to the places asked."""
    cuts = sorted({0.0, part.length, *(part.project(end) for end in ends)})
    for before, after in pairwise(cuts):
        first, last = _knot(part.interpolate(before)), _knot(part.interpolate(after))
        graph[first].append((last, after - before))
        graph[last].append((first, after - before))


def _knot(point: shapely.Point) -> Place:
    return round(point.x / _KNOT_M) * _KNOT_M, round(point.y / _KNOT_M) * _KNOT_M


def _nearest(graph: Graph, parts: Sequence[shapely.Geometry], end: shapely.Point) -> Place:
    line = min(parts, key=end.distance)
    at = line.interpolate(line.project(end))
    return min(graph, key=lambda knot: (knot[0] - at.x) ** 2 + (knot[1] - at.y) ** 2)


def _shortest(graph: Graph, start: Place, goal: Place) -> float | None:
    best, queue = {start: 0.0}, [(0.0, start)]
    while queue:
        length, at = heapq.heappop(queue)
        if at == goal:
            return length
        for other, metres in graph[at] if length <= best[at] else ():
            if length + metres < best.get(other, float("inf")):
                best[other] = length + metres
                heapq.heappush(queue, (length + metres, other))
    return None
