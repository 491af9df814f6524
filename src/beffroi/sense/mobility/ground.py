"""Places on the streets of a graph: the nearest street a profile may use, and where along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beffroi.base.kernel.errors import BeffroiError
from beffroi.sense.mobility.compiled import search_module
from beffroi.sense.mobility.graph import Graph
from beffroi.sense.mobility.streets import Array

SNAP_M = 300.0


class OffTheStreets(BeffroiError):
    """A place is too far from any street its profile may use."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place brought to a street: the segment, the share of its length, how far the place was (metres)."""

    segment: int
    share: float
    away_m: float
    lon: float
    lat: float


class Ground:
    """The streets of a graph as a place to stand on: `flat` (p, 2) float32 are their vertices in metres."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.flat = np.stack(graph.metres(graph.points[:, 0], graph.points[:, 1]), axis=1).astype(np.float32)

    def spot_on(self, lon: float, lat: float, usable: Array, *, where: str = "", reach_m: float = SNAP_M) -> Spot:
        """Bring a place to the nearest of the `usable` segments.

        Raises:
            OffTheStreets: none within `reach_m`.
        """
        found = self.nearest(lon, lat, usable, reach_m=reach_m)
        if found is None:
            raise OffTheStreets(
                "aucune rue praticable à moins de {reach} m de ce lieu ({lon:.5f}, {lat:.5f})",
                where=where,
                remedy="choisissez un lieu dans la commune, près d'une rue",
                reach=int(reach_m),
                lon=lon,
                lat=lat,
            )
        return found

    def nearest(self, lon: float, lat: float, usable: Array, *, reach_m: float) -> Spot | None:
        """Return the nearest of the `usable` segments, None when none is within `reach_m`."""
        x, y = self.graph.metres(lon, lat)
        grid = self.graph.about["grid"]
        segment, away, along = search_module().nearest(
            float(x), float(y), self.graph.cell_first, self.graph.cell_segments, grid["west"], grid["south"],
            grid["columns"], grid["rows"], grid["cell_m"], self.flat, self.graph.offset, usable, reach_m,
        )  # fmt: skip
        if segment < 0:
            return None
        share = min(1.0, max(0.0, along / float(self.graph.length_m[segment])))
        at = self.place(segment, share)
        return Spot(int(segment), share, float(away), *at)

    def nearest_each(
        self, lon: Array, lat: Array, usable: Array, *, reach_m: float = SNAP_M
    ) -> tuple[Array, Array, Array]:
        """Return, for each place, the nearest of the `usable` segments (-1 beyond `reach_m`), where along it (share of
        its length), and how far (metres)."""
        x, y = self.graph.metres(np.asarray(lon, np.float64), np.asarray(lat, np.float64))
        grid = self.graph.about["grid"]
        segment, away, along = np.empty(len(x), np.int32), np.empty(len(x)), np.empty(len(x))
        search_module().nearest_each(
            x, y, self.graph.cell_first, self.graph.cell_segments, grid["west"], grid["south"], grid["columns"],
            grid["rows"], grid["cell_m"], self.flat, self.graph.offset, usable, reach_m, segment, away, along,
        )  # fmt: skip
        share = np.clip(along / np.asarray(self.graph.length_m)[np.maximum(segment, 0)], 0.0, 1.0)
        return segment, share, away

    def place(self, segment: int, share: float) -> tuple[float, float]:
        """Return the longitude and latitude at a share of a segment's length."""
        line = self.cut(segment, 0.0, share)
        return float(line[-1, 0]), float(line[-1, 1])

    def cut(self, segment: int, start: float, stop: float) -> Array:
        """Return the vertices of a segment between two shares of its length; backwards when `start` is the larger."""
        if start > stop:
            found: Array = self.cut(segment, stop, start)[::-1]
            return found
        low, high = self.graph.offset[segment], self.graph.offset[segment + 1]
        if start < 1e-9 and stop > 1 - 1e-9:
            whole: Array = self.graph.points[low:high]
            return whole
        flat, line = self.flat[low:high], self.graph.points[low:high]
        walked = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(flat, axis=0).T.astype(float)))])
        total = walked[-1] or 1.0
        wanted = np.array([start, stop]) * total
        ends = np.stack([np.interp(wanted, walked, line[:, axis]) for axis in (0, 1)], axis=1)
        inner = line[(walked > wanted[0] + 1e-6) & (walked < wanted[1] - 1e-6)]
        return np.concatenate([ends[:1], inner, ends[1:]])
