"""Cameras of a town, what each sees, and where what happens is seen by none: where one may be sited, or moved from."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef, DatasetSummary
from beffroi.sense.twin.queries import town_buildings
from beffroi.sense.twin.sight import METRES_PER_DEGREE, field_of_view

MOST_CAMERAS, MOST_INCIDENTS, MOST_WALLS = 1_000, 10_000, 400
BEARING, ANGLE, REACH = "azimut", "ouverture", "portee_m"


@dataclass(frozen=True, slots=True)
class Seen:
    """A camera and its field (CRS84); `incidents` happened in it."""

    id: str
    name: str
    lon: float
    lat: float
    field: BaseGeometry
    incidents: int = 0


@dataclass(frozen=True, slots=True)
class Unseen:
    """A square with no camera in which `incidents` happened: its middle (CRS84), the street most of them name."""

    lon: float
    lat: float
    street: str
    incidents: int


@dataclass(frozen=True, slots=True)
class Watch:
    """What the cameras of a town see; `unseen` the fullest squares first. `outside` of `incidents` are in no field."""

    cameras: tuple[Seen, ...]
    unseen: tuple[Unseen, ...]
    incidents: int
    outside: int


def watch(
    viewer: Viewer,
    datasets: Sequence[DatasetSummary],
    *,
    cameras: DatasetRef,
    incidents: DatasetRef | None,
    cell_m: float = 100.0,
    least: int = 3,
) -> Watch | None:
    """Return what cameras see, None to who may not read where they look.

    Args:
        datasets: those of the town the viewer may see: the buildings among them hide.
        incidents: points of what happened, with `voie` where known; None when there are none to this viewer.
        cell_m: the side of the squares in which incidents seen by no camera are gathered.
        least: a square of fewer is not listed.
    """
    if BEARING not in {column.key for column in lake.dataset(viewer, cameras).columns}:
        return None
    buildings = town_buildings([one for one in datasets if one.geometry_type])
    fields = [
        one
        for body in _features(viewer, cameras, MOST_CAMERAS)
        if (one := _seen(viewer, body, buildings.ref if buildings else None)) is not None
    ]
    happened = list(_features(viewer, incidents, MOST_INCIDENTS)) if incidents else []
    points = [shape(one["geometry"]) for one in happened]
    counted: Counter[int] = Counter()
    covered: set[int] = set()
    tree = shapely.STRtree(points)
    for rank, one in enumerate(fields):
        inside = tree.query(one.field, predicate="contains").tolist() if points else []
        counted[rank] = len(inside)
        covered.update(inside)
    outside = [rank for rank in range(len(points)) if rank not in covered]
    told = [Seen(one.id, one.name, one.lon, one.lat, one.field, counted[rank]) for rank, one in enumerate(fields)]
    return Watch(
        cameras=tuple(sorted(told, key=lambda one: (one.incidents, one.name))),
        unseen=_gathered([(points[rank], happened[rank]["properties"].get("voie")) for rank in outside], cell_m, least),
        incidents=len(points),
        outside=len(outside),
    )


def _seen(viewer: Viewer, body: dict[str, Any], buildings: DatasetRef | None) -> Seen | None:
    """Return the field of one camera, None when the file does not say where it looks."""
    values, point = body["properties"], shape(body["geometry"])
    bearing, angle, reach = (values.get(key) for key in (BEARING, ANGLE, REACH))
    if bearing is None or angle is None or reach is None:
        return None
    high = float(reach) / METRES_PER_DEGREE
    wide = high / math.cos(math.radians(point.y))
    box = BBox(point.x - wide, point.y - high, point.x + wide, point.y + high)
    walls = [shape(one["geometry"]) for one in _features(viewer, buildings, MOST_WALLS, box)] if buildings else []
    field = field_of_view(
        point.x, point.y, bearing_deg=float(bearing), angle_deg=float(angle), reach_m=float(reach), walls=walls
    )
    return Seen(str(body["id"]), str(values.get("nom") or body["id"]), point.x, point.y, field)


def _features(viewer: Viewer, ref: DatasetRef, most: int, bbox: BBox | None = None) -> Iterable[dict[str, Any]]:
    page = lake.features(viewer, ref, bbox=bbox, limit=most)
    return [one for one in map(json.loads, page.features) if one.get("geometry")]


def _gathered(outside: Sequence[tuple[BaseGeometry, object]], cell_m: float, least: int) -> tuple[Unseen, ...]:
    squares: dict[tuple[int, int], list[object]] = {}
    high = cell_m / METRES_PER_DEGREE
    for point, street in outside:
        row = math.floor(point.y / high)
        wide = high / math.cos(math.radians((row + 0.5) * high))
        squares.setdefault((row, math.floor(point.x / wide)), []).append(street)
    found = []
    for (row, column), streets in squares.items():
        if len(streets) < least:
            continue
        wide = high / math.cos(math.radians((row + 0.5) * high))
        named = Counter(str(one) for one in streets if one).most_common(1)
        found.append(Unseen((column + 0.5) * wide, (row + 0.5) * high, named[0][0] if named else "", len(streets)))
    return tuple(sorted(found, key=lambda one: (-one.incidents, one.street)))
