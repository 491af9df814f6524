"""The lie of the land: hills, and a valley along the river. Heights in metres above the sea (fictional datum)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from beffroi.lake.town.shapes import Array, Geometries, Waves, drawn_from

STEP_M = 25.0


@dataclass(frozen=True, slots=True)
class Terrain:
    """Heights anywhere, from waves and the distance to the river."""

    hills: Waves
    bumps: Waves
    heading: Array
    abscissa: Array
    offset: Array
    valley_m: float

    @classmethod
    def drawn(cls, river: shapely.LineString, *, urban_m: float, seed: int) -> Terrain:
        """Draw the hills about a river; its valley is wider in a larger town."""
        rng = drawn_from(seed, "terrain")
        course = shapely.get_coordinates(river)
        heading = course[-1] - course[0]
        heading = heading / np.hypot(*heading)
        along = course @ heading
        order = np.argsort(along)
        across = course @ np.array([-heading[1], heading[0]])
        return cls(
            Waves.drawn(rng, wavelength_m=3_200, octaves=3),
            Waves.drawn(rng, wavelength_m=420, octaves=2),
            heading,
            along[order],
            across[order],
            420 + 0.18 * urban_m,
        )

    def at(self, points: Array) -> Array:
        """Return the height in metres at `points` (n, 2)."""
        along = points @ self.heading
        across = points @ np.array([-self.heading[1], self.heading[0]])
        distance = across - np.interp(along, self.abscissa, self.offset)
        slope = 1 - np.exp(-((distance / self.valley_m) ** 2))
        height: Array = 9 - along * 6e-4 + slope * (24 + 17 * self.hills.at(points) + 2.2 * self.bumps.at(points))
        return height

    def grid(self, bounds: tuple[float, float, float, float]) -> tuple[Array, float, float]:
        """Return heights every 25 m over `bounds` (rows from north to south) and the west and south of the grid."""
        west, south = np.floor(bounds[0] / STEP_M) * STEP_M, np.floor(bounds[1] / STEP_M) * STEP_M
        columns, rows = int((bounds[2] - west) / STEP_M) + 1, int((bounds[3] - south) / STEP_M) + 1
        x = west + (np.arange(columns) + 0.5) * STEP_M
        y = south + (np.arange(rows)[::-1] + 0.5) * STEP_M
        points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        return np.round(self.at(points), 2).reshape(rows, columns), float(west), float(south)


def contour_lines(heights: Array, west: float, south: float, *, every_m: float) -> tuple[Geometries, Array]:
    """Return contour lines of a grid (rows from north to south) and their heights, by marching triangles.

    Two triangles a cell: no ambiguous saddle. Lines are exact for the linear interpolation of each triangle.
    """
    rows, columns = heights.shape
    x = west + (np.arange(columns) + 0.5) * STEP_M
    y = south + (np.arange(rows)[::-1] + 0.5) * STEP_M
    corner = np.stack([*np.meshgrid(x, y), heights], axis=-1)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]
    triangles = np.concatenate([np.stack([a, b, c], axis=2), np.stack([a, c, d], axis=2)]).reshape(-1, 3, 3)
    low, high = triangles[:, :, 2].min(axis=1), triangles[:, :, 2].max(axis=1)
    lines, levels = [], []
    # Off the round value by a hair: no vertex then lies exactly on a contour.
    for level in np.arange(np.ceil(heights.min() / every_m), np.floor(heights.max() / every_m) + 1) * every_m:
        crossed = triangles[(low < level + 1e-4) & (high > level + 1e-4)]
        merged = shapely.line_merge(shapely.multilinestrings(_crossings(crossed, level + 1e-4)))
        parts = shapely.get_parts(merged)
        parts = shapely.simplify(parts[shapely.length(parts) > 120], 1.5)
        lines.append(parts)
        levels.append(np.full(len(parts), level))
    none = np.array([], dtype=object)
    return np.concatenate([none, *lines]), np.concatenate([np.array([]), *levels])


def _crossings(triangles: Array, level: float) -> Geometries:
    start, end = triangles, np.roll(triangles, -1, axis=1)
    cut = (start[:, :, 2] < level) != (end[:, :, 2] < level)
    share = np.where(cut, (level - start[:, :, 2]) / np.where(cut, end[:, :, 2] - start[:, :, 2], 1.0), 0.0)
    # The two ends of an edge are always taken in the same order, so that neighbours find the very same point.
    point = start[:, :, :2] + share[:, :, None] * (end[:, :, :2] - start[:, :, :2])
    pairs = np.round(point[cut].reshape(-1, 2, 2), 3)
    segments: Geometries = shapely.linestrings(pairs[(pairs[:, 0] != pairs[:, 1]).any(axis=1)])
    return segments
