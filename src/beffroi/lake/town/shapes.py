"""The few vectorised shapes the town is drawn with. Metres, x east, y north, about the town's own origin."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Array = NDArray[Any]
Geometries = NDArray[np.object_]


def drawn_from(seed: int, topic: str) -> np.random.Generator:
    """Return the random stream of `topic`: topics do not disturb each other when one draws more."""
    return np.random.default_rng([seed, zlib.crc32(topic.encode())])


@dataclass(frozen=True, slots=True)
class Waves:
    """A smooth random field: a sum of plane waves. Range about ±1; the same everywhere, however it is asked."""

    vectors: Array
    phases: Array
    weights: Array

    @classmethod
    def drawn(cls, rng: np.random.Generator, *, wavelength_m: float, octaves: int = 3, per_octave: int = 6) -> Waves:
        """Draw a field whose longest waves have `wavelength_m`; each octave halves length and weight."""
        vectors, weights = [], []
        for octave in range(octaves):
            angle = rng.uniform(0, 2 * np.pi, per_octave)
            length = wavelength_m / 2**octave * rng.uniform(0.7, 1.4, per_octave)
            vectors.append(np.stack([np.cos(angle), np.sin(angle)], axis=1) * (2 * np.pi / length)[:, None])
            weights.append(np.full(per_octave, 0.5**octave))
        weight = np.concatenate(weights)
        vector = np.concatenate(vectors)
        return cls(vector, rng.uniform(0, 2 * np.pi, len(vector)), weight / np.sqrt((weight**2).sum() / 2) / 2)

    def at(self, points: Array) -> Array:
        """Return the field at `points` (n, 2)."""
        total = np.zeros(len(points))
        for vector, phase, weight in zip(self.vectors, self.phases, self.weights, strict=True):
            total += weight * np.sin(points[:, 0] * vector[0] + points[:, 1] * vector[1] + phase)
        return total


def in_threads(function: Callable[..., Geometries], *arrays: Any, chunk: int = 4000) -> Geometries:
    """Apply a vectorised shapely `function` by chunks on two threads (shapely frees the interpreter); order is kept."""
    count = len(arrays[0])
    if count <= chunk:
        return function(*arrays)
    starts = range(0, count, chunk)
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(lambda start: function(*(array[start : start + chunk] for array in arrays)), starts))
    return np.concatenate(parts)


def unit(vectors: Array) -> Array:
    """Return `vectors` (n, 2) at length 1; the null vector becomes east."""
    length = np.hypot(vectors[:, 0], vectors[:, 1])
    safe = np.where(length > 0, length, 1.0)
    out = vectors / safe[:, None]
    out[length == 0] = (1.0, 0.0)
    return out


def left_of(vectors: Array) -> Array:
    """Return `vectors` (n, 2) turned a quarter to the left."""
    return np.stack([-vectors[:, 1], vectors[:, 0]], axis=1)


def oriented_boxes(polygons: Geometries) -> tuple[Array, Array, Array, Array]:
    """Return centre (n, 2), unit long axis (n, 2), long side and short side (n) of the tightest box of each polygon."""
    boxes = in_threads(shapely.oriented_envelope, polygons)
    area = shapely.get_type_id(boxes) == 3
    boxes = np.where(area, boxes, shapely.envelope(shapely.buffer(boxes, 0.05)))
    corners = shapely.get_coordinates(shapely.get_exterior_ring(boxes)).reshape(-1, 5, 2)
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    first_m, second_m = np.hypot(*first.T), np.hypot(*second.T)
    swap = second_m > first_m
    axis = unit(np.where(swap[:, None], second, first))
    centre = (corners[:, 0] + corners[:, 2]) / 2
    return centre, axis, np.where(swap, second_m, first_m), np.where(swap, first_m, second_m)


def extents_along(polygons: Geometries, origin: Array, axis: Array) -> tuple[Array, Array]:
    """Return the least and greatest abscissa of each polygon along its `axis`, from its `origin`."""
    coordinates, index = shapely.get_coordinates(polygons, return_index=True)
    along = ((coordinates - origin[index]) * axis[index]).sum(axis=1)
    starts = np.searchsorted(index, np.arange(len(polygons)))
    return np.minimum.reduceat(along, starts), np.maximum.reduceat(along, starts)


def rectangles(centre: Array, axis: Array, length_m: Array, width_m: Array) -> Geometries:
    """Return rectangles of `length_m` along `axis` and `width_m` across, about `centre`."""
    along, across = axis * (length_m / 2)[:, None], left_of(axis) * (width_m / 2)[:, None]
    ring = np.stack(
        [centre - along - across, centre + along - across, centre + along + across, centre - along + across], axis=1
    )
    polygons: Geometries = shapely.polygons(ring)
    return polygons


def bands(origin: Array, axis: Array, low: Array, high: Array, reach_m: Array) -> Geometries:
    """Return the band of plane between abscissas `low` and `high` along `axis`, `reach_m` wide on each side."""
    centre = origin + axis * ((low + high) / 2)[:, None]
    return rectangles(centre, axis, high - low, 2 * reach_m)


def polygon_parts(geometries: Geometries, *, least_m2: float) -> tuple[Geometries, Array]:
    """Return the polygons of at least `least_m2` inside `geometries` and the index each came from."""
    parts, index = shapely.get_parts(geometries, return_index=True)
    keep = (shapely.get_type_id(parts) == 3) & (shapely.area(parts) >= least_m2)
    return parts[keep], index[keep]


def slices(
    polygons: Geometries, axis: Array, cuts: Array, rng: np.random.Generator, *, jitter: float, least_m2: float
) -> tuple[Geometries, Array]:
    """Cut each polygon across its `axis` into `cuts` bands of about the same width.

    Returns the pieces and the index of the polygon each came from. `jitter` is the share of a band a cut may move by.
    """
    origin = shapely.get_coordinates(shapely.centroid(polygons))
    low, high = extents_along(polygons, origin, axis)
    source = np.repeat(np.arange(len(polygons)), cuts)
    rank = np.arange(len(source)) - np.repeat(np.cumsum(cuts) - cuts, cuts)
    step = ((high - low) / cuts)[source]
    start = low[source] + rank * step + np.where(rank > 0, rng.uniform(-jitter, jitter, len(source)) * step, -1.0)
    last = rank == cuts[source] - 1
    end = np.where(last, high[source] + 1.0, np.roll(start, -1))
    reach = shapely.minimum_bounding_radius(polygons)[source] * 2 + 5
    whole = cuts[source] == 1
    pieces = polygons[source].copy()
    cutting = np.flatnonzero(~whole)
    if len(cutting):
        band = bands(origin[source[cutting]], axis[source[cutting]], start[cutting], end[cutting], reach[cutting])
        pieces[cutting] = in_threads(shapely.intersection, pieces[cutting], band)
    parts, index = polygon_parts(pieces, least_m2=least_m2)
    return parts, source[index]


def to_the_millimetre(shapes: Geometries) -> Geometries:
    """Return shapes with rounded coordinates, so that neighbours share their corners exactly.

    Edges that differ by a rounding error are what overlay algorithms get wrong. A shape that would become invalid is
    left as it was.
    """
    rounded = shapely.transform(shapes, lambda points: np.round(points, 3))
    out: Geometries = np.where(shapely.is_valid(rounded), rounded, shapes)
    return out


def without_in_turn(polygons: Geometries, cutters: Geometries, pairs: Array) -> Geometries:
    """Return `polygons` less every cutter paired with them; `pairs` is (2, n): polygon index, cutter index."""
    out = polygons.copy()
    order = np.argsort(pairs[0], kind="stable")
    target, cutter = pairs[0][order], pairs[1][order]
    turn = np.arange(len(target)) - np.searchsorted(target, target)
    for step in range(int(turn.max(initial=-1)) + 1):
        now = turn == step
        out[target[now]] = in_threads(shapely.difference, out[target[now]], cutters[cutter[now]])
    return out
