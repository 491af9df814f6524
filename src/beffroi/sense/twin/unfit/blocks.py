"""The blocks of a town: parcels that touch, put together; streets part them.

No block is published as open data: they are drawn from the cadastre, in which public streets are no parcel. Gaps of
less than 20 cm between parcels are those of the drawing, not streets.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely import STRtree

from beffroi.base.territory.viewer import Viewer
from beffroi.lake.queries import DatasetDetail
from beffroi.lake.reading import GEOMETRY
from beffroi.sense.twin.plane import METRES_PER_DEGREE
from beffroi.sense.twin.written import key_among, read_rows

_GAP_M = 0.2
NEAR_M = 30.0
"""How far outside a block what stands at its gate may be: an address is often on the pavement."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block, its streets those with the most addresses on it. `shape` is in longitude, latitude (CRS84)."""

    number: int
    streets: tuple[str, ...]
    shape: Any


class Blocks:
    """The blocks of a town, from west to east, and which of them each place stands on."""

    def __init__(self, viewer: Viewer, parcels: DatasetDetail, addresses: DatasetDetail | None) -> None:
        shapes = [bytes(one) for (one,) in read_rows(viewer, parcels, GEOMETRY) if one]
        flat = shapely.from_wkb(shapes)
        middle = shapely.total_bounds(flat)[[1, 3]].mean() if len(flat) else 0.0
        self._scale = np.array([METRES_PER_DEGREE * math.cos(math.radians(float(middle))), METRES_PER_DEGREE])
        whole = shapely.union_all(shapely.transform(flat, self._metres), grid_size=_GAP_M)
        parts = [one for one in shapely.get_parts(whole).tolist() if one.geom_type == "Polygon"]
        self._flat = np.array(sorted(parts, key=lambda one: one.bounds), dtype=object)
        self._tree = STRtree(self._flat)
        names = self._named(viewer, addresses)
        drawn = shapely.transform(self._flat, lambda at: at / self._scale)
        self.blocks = tuple(Block(rank + 1, names[rank], shape) for rank, shape in enumerate(drawn.tolist()))

    def of(self, places: Sequence[tuple[float, float]]) -> list[int]:
        """Return the rank of the block of each place (longitude, latitude), -1 where none is within 30 m."""
        found = [-1] * len(places)
        if not places or not len(self._flat):
            return found
        points = shapely.points(np.array(places) * self._scale)
        for at, block in zip(*self._tree.query_nearest(points, max_distance=NEAR_M, all_matches=False), strict=True):
            found[int(at)] = int(block)
        return found

    def _metres(self, at: Any) -> Any:
        return at * self._scale

    def _named(self, viewer: Viewer, addresses: DatasetDetail | None) -> list[tuple[str, ...]]:
        counts: list[Counter[str]] = [Counter() for _one in self._flat]
        if addresses is not None and addresses.summary.geometry_type and key_among(addresses, ("nom_voie",)):
            rows = [(name, bytes(form)) for name, form in read_rows(viewer, addresses, "nom_voie", GEOMETRY) if form]
            at = shapely.get_coordinates(shapely.point_on_surface(shapely.from_wkb([form for _name, form in rows])))
            for (name, _form), block in zip(rows, self.of([(x, y) for x, y in at.tolist()]), strict=True):
                if block >= 0 and name:
                    counts[block][str(name)] += 1
        # The streets with the most addresses; of as many, in the order of the alphabet: the same every day.
        return [tuple(sorted(one, key=lambda name: (-one[name], name))[:2]) for one in counts]
