"""The whole public space, sampled: carriageways, what is beside them up to the parcels, squares, paths, gardens.

A street is cut across every so many metres. Each section tells the width from one parcel to the other: its profile.
The carriageway is the width the road file says; what is left on each side is pavement or verge. A sample stands for
the area around it, so that shares are shares of square metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from beffroi.sense.twin.lighting.standards import PARTS, PROFILES, profile_of

EVERY_M = 10.0
MOST_SECTIONS = 60_000
ACROSS_M = 20.0
"""How far from the axis the parcels are looked for."""
UNKNOWN_SIDE_M = 1.5
"""What is beside a carriageway where no parcel is known: an assumption."""
LEAST_SIDE_M = 0.8
GRID_M = 8.0
MOST_IN_AREA = 4_000

PART_RANK = {name: rank for rank, name in enumerate(PARTS)}
PROFILE_RANK = {name: rank for rank, name in enumerate(PROFILES)}


@dataclass(frozen=True, slots=True)
class Road:
    """A stretch of street: its line in metres, how wide its carriageway is, what part of the space it is."""

    line: Any
    name: str
    width_m: float
    part: str


@dataclass(frozen=True, slots=True)
class Area:
    """A square, a pedestrian street or a garden: its shape in metres."""

    shape: Any
    name: str
    part: str


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Points of the public space, one row each: metres, the area each stands for, its part and profile by rank.

    `place` is the rank in `places` of the stretch or area each is of; `section` numbers the cuts along a stretch.
    """

    at: NDArray[np.float64]
    area_m2: NDArray[np.float64]
    part: NDArray[np.intp]
    profile: NDArray[np.intp]
    place: NDArray[np.intp]
    section: NDArray[np.intp]
    places: tuple[str, ...]
    every_m: float

    def __len__(self) -> int:
        return len(self.at)


def sampled(roads: list[Road], areas: list[Area], parcels: NDArray[Any]) -> Samples:
    """Sample the public space of a town; a street inside a square or a pedestrian zone is counted with it."""
    length = float(sum(shapely.length(road.line) for road in roads))
    every = max(EVERY_M, length / MOST_SECTIONS)
    parts = [_along(roads, parcels, every), _over(areas, len(roads))]
    at, area, part, profile, place, section = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    squares = [one.shape for one in areas if one.part == "square"]
    inside = np.zeros(len(at), dtype=bool)
    if squares:
        ranks = STRtree(np.array(squares, dtype=object)).query(shapely.points(at), predicate="intersects")[0]
        inside[ranks] = True
    keep = ~(inside & (section >= 0))
    places = tuple(road.name for road in roads) + tuple(one.name for one in areas)
    return Samples(at[keep], area[keep], part[keep], profile[keep], place[keep], section[keep], places, every)


_Columns = tuple[NDArray[Any], ...]


def _along(roads: list[Road], parcels: NDArray[Any], every: float) -> _Columns:
    """Cut each street across and sample the lanes and the sides."""
    lines = np.array([road.line for road in roads], dtype=object)
    count = np.maximum(1, np.round(shapely.length(lines) / every)).astype(int) if len(lines) else np.array([], int)
    road = np.repeat(np.arange(len(roads)), count)
    rank = np.arange(len(road)) - np.repeat(np.cumsum(count) - count, count)
    step = (shapely.length(lines) / count)[road] if len(lines) else np.array([])
    middle = (rank + 0.5) * step
    axis = shapely.get_coordinates(shapely.line_interpolate_point(lines[road], middle)).reshape(-1, 2)
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines[road], middle + 0.2)).reshape(-1, 2)
    behind = shapely.get_coordinates(shapely.line_interpolate_point(lines[road], middle - 0.2)).reshape(-1, 2)
    way = ahead - behind
    way /= np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-9)[:, None]
    normal = np.column_stack([-way[:, 1], way[:, 0]])
    half = np.array([one.width_m for one in roads])[road] / 2 if roads else np.array([])
    part = np.array([PART_RANK[one.part] for one in roads], dtype=np.intp)[road]
    is_street = part == PART_RANK["carriageway"]
    left, right = (_side(axis, normal * sign, half, parcels) for sign in (1.0, -1.0))
    width = left + right + 2 * half
    profile = np.array(
        [PROFILE_RANK[profile_of(one) if street else "off"] for one, street in zip(width, is_street, strict=True)],
        dtype=np.intp,
    )
    columns: list[_Columns] = []

    def add(offset: NDArray[Any], area: NDArray[Any], of: NDArray[Any], keep: NDArray[np.bool_]) -> None:
        at = axis + normal * offset[:, None]
        columns.append((at[keep], area[keep], of[keep], profile[keep], road[keep], rank[keep]))

    everywhere = np.ones(len(road), dtype=bool)
    add(half / 2, half * step, part, everywhere)
    add(-half / 2, half * step, part, everywhere)
    beside = np.full(len(road), PART_RANK["side"], dtype=np.intp)
    for sign, room in ((1.0, left), (-1.0, right)):
        add(sign * (half + room / 2), room * step, beside, is_street & (room >= LEAST_SIDE_M))
    return tuple(np.concatenate(one) for one in zip(*columns, strict=True))


def _side(
    axis: NDArray[np.float64], normal: NDArray[np.float64], half: NDArray[np.float64], parcels: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the metres of public space beyond the carriageway on one side, up to the first parcel."""
    if not len(parcels) or not len(axis):
        return np.full(len(axis), UNKNOWN_SIDE_M)
    rays = shapely.linestrings(np.stack([axis, axis + normal * ACROSS_M], axis=1))
    ray, parcel = STRtree(parcels).query(rays, predicate="intersects")
    met = np.full(len(axis), np.inf)
    near = shapely.distance(shapely.points(axis[ray]), shapely.intersection(rays[ray], parcels[parcel]))
    np.minimum.at(met, ray, near)
    # Open ground, without a parcel in reach: no more than the usual is taken for the street's.
    return np.where(np.isinf(met), UNKNOWN_SIDE_M, np.maximum(met - half, 0.0))


def _over(areas: list[Area], first: int) -> _Columns:
    """Sample squares and gardens on a grid, coarser in the largest."""
    columns: list[_Columns] = []
    for rank, one in enumerate(areas):
        west, south, east, north = shapely.bounds(one.shape).tolist()
        side = max(GRID_M, (float(shapely.area(one.shape)) / MOST_IN_AREA) ** 0.5)
        xs, ys = np.arange(west + side / 2, east, side), np.arange(south + side / 2, north, side)
        grid = np.array(np.meshgrid(xs, ys)).reshape(2, -1).T
        grid = grid[shapely.contains_xy(one.shape, grid[:, 0], grid[:, 1])] if len(grid) else grid.reshape(0, 2)
        if not len(grid):
            grid = shapely.get_coordinates(shapely.point_on_surface(one.shape)).reshape(-1, 2)
        many = len(grid)
        columns.append((
            grid, np.full(many, float(shapely.area(one.shape)) / many),
            np.full(many, PART_RANK[one.part], dtype=np.intp), np.full(many, PROFILE_RANK["off"], dtype=np.intp),
            np.full(many, first + rank, dtype=np.intp), np.full(many, -1, dtype=np.intp),
        ))  # fmt: skip
    if not columns:
        none = np.array([], dtype=np.intp)
        return np.empty((0, 2)), np.array([], dtype=float), none, none, none, none
    return tuple(np.concatenate(one) for one in zip(*columns, strict=True))
