"""Where one gets in so many minutes, as shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from beffroi.sense.mobility.fields import field_of
from beffroi.sense.mobility.ground import Spot
from beffroi.sense.mobility.layers import Layer
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.streets import Array

BESIDE_M = 25.0
"""Ground counted as reached on both sides of a street."""


@dataclass(frozen=True, slots=True)
class Isochrone:
    """The ground reached within `minutes` (GeoJSON-ready shape, CRS84) and the length of streets in it."""

    minutes: int
    shape: shapely.Geometry
    length_m: float


def isochrone_of(router: Router, layer: Layer, start: Spot, minutes: list[int]) -> list[Isochrone]:
    """Return the ground reached within each of `minutes`, by time along the ways of least felt cost."""
    seconds = times_from(router, layer, start, limit_s=max(minutes) * 60.0)
    return [_shape(router, layer, start, seconds, limit) for limit in minutes]


def times_from(router: Router, layer: Layer, start: Spot, *, limit_s: float) -> Array:
    """Return the time to every end, infinite beyond `limit_s` or where one cannot go.

    The way is that of least felt cost, as `route` finds it; its time is what counts.
    """
    seconds = field_of(router, layer, [start]).seconds
    return np.where(seconds > limit_s, np.inf, seconds)


def _shape(router: Router, layer: Layer, start: Spot, seconds: Array, minutes: int) -> Isochrone:
    graph, limit = router.graph, minutes * 60.0
    lines, length = [], 0.0
    for side, end in ((0, graph.tail), (1, graph.head)):
        left = limit - seconds[np.asarray(end)]
        open_to = np.isfinite(layer.costs.cost[side::2]) & (left > 0)
        share = np.clip(left / np.maximum(layer.costs.time[side::2], 0.1), 0.0, 1.0)
        for segment in np.flatnonzero(open_to).tolist():
            part = float(share[segment])
            line = router.cut(segment, 0.0, part) if side == 0 else router.cut(segment, 1.0, 1.0 - part)
            lines.append(line)
            length += part * float(graph.length_m[segment]) / 2
    lines.append(np.array([[start.lon, start.lat], [start.lon + 1e-7, start.lat]]))
    flat = [shapely.linestrings(np.stack(graph.metres(line[:, 0], line[:, 1]), axis=1)) for line in lines]
    ground = shapely.buffer(shapely.multilinestrings(flat), BESIDE_M, quad_segs=3)
    ground = shapely.simplify(_filled(ground), 5.0)
    shape = shapely.transform(ground, lambda places: np.stack(graph.degrees(places[:, 0], places[:, 1]), axis=1))
    return Isochrone(minutes, shapely.set_precision(shape, 1e-6), length)


def _filled(ground: shapely.Geometry) -> shapely.Geometry:
    """Fill the holes smaller than a block of one hectare: houses between reached streets are reached."""
    parts = []
    for part in shapely.get_parts(ground):
        holes = [ring for ring in part.interiors if shapely.Polygon(ring).area > 10_000]
        parts.append(shapely.Polygon(part.exterior, holes))
    return shapely.union_all(parts)
