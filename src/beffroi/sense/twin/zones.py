"""The districts of a town, and which of them each thing stands in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import shapely
from shapely import STRtree

from beffroi.base.territory.viewer import Viewer
from beffroi.lake.queries import DatasetDetail
from beffroi.lake.reading import GEOMETRY
from beffroi.sense.twin.written import key_among, read_rows

_NAMES = ("nom", "nom_quartier", "libelle")


class Zones:
    """The districts of a town: the name of the one that holds each point, empty when none does."""

    def __init__(self, viewer: Viewer, areas: DatasetDetail | None) -> None:
        named = key_among(areas, _NAMES) if areas and areas.summary.geometry_type else None
        rows = read_rows(viewer, areas, named, GEOMETRY) if areas and named else []
        placed = sorted((str(name), bytes(shape)) for name, shape in rows if name and shape)
        self._rows = [name for name, _shape in placed]
        self.names = tuple(dict.fromkeys(self._rows))
        self._tree = STRtree(shapely.from_wkb([shape for _name, shape in placed]))

    def of(self, shapes: Sequence[Any]) -> list[str]:
        """Return the district of each shape (WKB, None for none): that of a point of it."""
        found = [""] * len(shapes)
        ranks = [rank for rank, shape in enumerate(shapes) if shape]
        points = shapely.point_on_surface(shapely.from_wkb([bytes(shapes[rank]) for rank in ranks]))
        for at, zone in zip(*self._tree.query(points, predicate="within").tolist(), strict=True):
            found[ranks[at]] = self._rows[zone]
        return found
