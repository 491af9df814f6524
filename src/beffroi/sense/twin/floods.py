"""What water reaches: the buildings of a town by scenario of flood, and how high the water stands there.

A building is touched when its footprint meets a zone; of several, it takes the highest. Heights are classes: at least,
at most (None for the last, which has no upper bound).
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetDetail, DatasetSummary
from beffroi.lake.reading import GEOMETRY
from beffroi.sense.twin.queries import town_buildings
from beffroi.sense.twin.written import read_rows

COLUMNS = ("typ_inond", "scenario", "ht_min", "ht_max")
SUBMERSION = "03"


@dataclass(frozen=True, slots=True)
class Water:
    """A class of height of water, in metres; `most_m` is None when it has no upper bound."""

    least_m: float
    most_m: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Flood:
    """One scenario of one kind of flood: its zones (CRS84) and their water, the buildings reached and theirs."""

    kind: str
    scenario: str
    shapes: NDArray[Any]
    water: tuple[Water, ...]
    buildings: dict[str, Water]

    def at(self, places: NDArray[np.float64]) -> list[Water | None]:
        """Return the water at each place (n, 2: longitude, latitude), None where none comes."""
        found: list[Water | None] = [None] * len(places)
        points, zones = STRtree(self.shapes).query(shapely.points(places), predicate="intersects").tolist()
        for place, zone in zip(points, zones, strict=True):
            found[place] = _higher(found[place], self.water[zone])
        return found


def floods(viewer: Viewer, datasets: Sequence[DatasetSummary], *, zones: str) -> list[Flood] | None:
    """Return the floods of a town by kind and scenario, None when dataset `zones` tells none to this reader."""
    about = next((one for one in datasets if one.ref.slug == zones), None)
    if about is None:
        return None
    told = lake.dataset(viewer, about.ref, version=about.version)
    if not set(COLUMNS) <= {column.key for column in told.columns}:
        return None
    blocks = town_buildings([one for one in datasets if one.geometry_type])
    own = lake.dataset(viewer, blocks.ref, version=blocks.version) if blocks else None
    standing = (blocks.ref, blocks.version) if blocks else None
    key = (about.ref, about.version, standing, lake.edits_mark(about.ref.territory))
    with _holding:
        if key not in _held:
            _held[key] = _floods(viewer, told, own)
            while len(_held) > _MOST_KEPT:
                _held.popitem(last=False)
        return _held[key]


def _floods(viewer: Viewer, told: DatasetDetail, own: DatasetDetail | None) -> list[Flood]:
    ids, footprints = _footprints(viewer, own) if own else ([], np.array([], dtype=object))
    tree = STRtree(footprints)
    groups: dict[tuple[str, str], list[tuple[Any, Water]]] = defaultdict(list)
    for kind, scenario, least, most, shape in read_rows(viewer, told, *COLUMNS, GEOMETRY):
        if kind and scenario and shape and least is not None:
            water = Water(float(least), float(most) if most is not None and most > least else None)
            groups[str(kind), str(scenario)].append((shape, water))
    found = []
    for (kind, scenario), rows in sorted(groups.items()):
        shapes = shapely.from_wkb([bytes(shape) for shape, _water in rows])
        touched: dict[str, Water] = {}
        zones, blocks = tree.query(shapes, predicate="intersects").tolist()
        for zone, block in zip(zones, blocks, strict=True):
            touched[ids[block]] = _higher(touched.get(ids[block]), rows[zone][1])
        found.append(Flood(kind, scenario, shapes, tuple(water for _shape, water in rows), touched))
    return found


def _footprints(viewer: Viewer, own: DatasetDetail) -> tuple[list[str], NDArray[Any]]:
    rows = [(str(one), bytes(shape)) for one, shape in read_rows(viewer, own, "_id", GEOMETRY) if shape]
    return [one for one, _shape in rows], shapely.from_wkb([shape for _one, shape in rows])


def _higher(one: Water | None, other: Water) -> Water:
    return other if one is None or other.least_m > one.least_m else one


_held: OrderedDict[object, list[Flood]] = OrderedDict()
_holding = threading.Lock()
_MOST_KEPT = 2
