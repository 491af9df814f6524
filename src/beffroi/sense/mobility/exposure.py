"""The black spots of a town, with what passes there: accidents from the lake, traffic from the counts of streets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import Spots
from beffroi.lake.queries import DatasetNotFound, DatasetRef, DatasetSummary
from beffroi.sense.mobility.blackspots import Rate, rate_of, spots

__all__ = ["BlackSpot", "BlackSpots", "Rate", "black_spots"]

MOST_ROWS = 50_000
ON_THE_ROAD_M = 30.0
"""Farther from a counted street than this, an accident is not on it."""

_METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class BlackSpot:
    """One spot: where it is (degrees, CRS84), its accidents and victims, what passes there a day, its rate.

    `per_day` and `rate` are None where no counted street passes: nothing is then said of the risk. `killed` and
    `badly_hurt` are None when the file of the victims was not there.
    """

    street: str
    lon: float
    lat: float
    accidents: int
    killed: int | None
    badly_hurt: int | None
    per_day: float | None
    rate: Rate | None


@dataclass(frozen=True, slots=True)
class BlackSpots:
    """The spots of a town, those whose traffic is known first, from the greatest sure risk; and the years counted.

    `accidents` are those that are placed and dated; `counted` is where the traffic comes from, None without any.
    """

    spots: tuple[BlackSpot, ...]
    first: int
    last: int
    accidents: int
    counted: DatasetSummary | None


def black_spots(viewer: Viewer, territory: str, wanted: Spots) -> BlackSpots | None:
    """Return the black spots of a town as its reader may see them, None when accidents are not known.

    Raises:
        BadQuery: more than 50 000 accidents. QueryTooCostly: as `lake.queries.rows`.
    """
    ref = DatasetRef(territory, wanted.dataset)
    try:
        known = {column.key for column in lake.dataset(viewer, ref).columns}
    except DatasetNotFound:
        return None
    columns = ["geometry", wanted.date, wanted.street, wanted.killed, wanted.hurt]
    asked = [key for key in columns if key == "geometry" or key in known]
    rows = [dict(zip(asked, row, strict=True)) for row in lake.rows(
        viewer, ref, columns=asked, max_rows=MOST_ROWS
    ).rows]  # fmt: skip
    placed = [row for row in rows if row["geometry"] is not None and isinstance(row.get(wanted.date), date)]
    if not placed:
        return None
    points = shapely.get_coordinates(shapely.from_wkb([bytes(row["geometry"]) for row in placed]))
    scale = _scale(float(points[:, 1].mean()))
    years = [row[wanted.date].year for row in placed]
    traffic = _traffic(viewer, territory, wanted, scale)
    span = (min(years), max(years))
    weights = [_int(row, wanted.killed) * 100 + _int(row, wanted.hurt) for row in placed]
    found = [
        _spot([placed[rank] for rank in one.members], points[one.centre], scale, traffic, span, wanted)
        for one in spots(points * scale, weights, within_m=wanted.within_m, least=wanted.least)
    ]
    return BlackSpots(tuple(sorted(found, key=_order)), *span, len(placed), traffic.summary if traffic else None)


def _scale(lat: float) -> NDArray[np.float64]:
    return np.array([_METRES_PER_DEGREE * math.cos(math.radians(lat)), _METRES_PER_DEGREE])


def _int(row: dict[str, Any], key: str) -> int:
    value = row.get(key)
    return int(value) if isinstance(value, int | float) else 0


def _sum(rows: Sequence[dict[str, Any]], key: str) -> int | None:
    return sum(_int(row, key) for row in rows) if any(row.get(key) is not None for row in rows) else None


def _order(one: BlackSpot) -> tuple[bool, float, int, float, float]:
    """Rank by the risk that is sure (the low bound of the rate); without traffic, by the number of accidents."""
    return one.rate is None, -one.rate.low if one.rate else 0.0, -one.accidents, one.lon, one.lat


@dataclass(frozen=True, slots=True)
class _Traffic:
    summary: DatasetSummary
    tree: shapely.STRtree
    streets: tuple[str, ...]
    per_day: tuple[float, ...]

    def at(self, place: NDArray[np.float64]) -> float | None:
        """Return what enters a place a day: of each counted street near it, its busiest part; None without any."""
        near = self.tree.query(shapely.Point(place), predicate="dwithin", distance=ON_THE_ROAD_M)
        busiest: dict[str, float] = {}
        for rank in sorted(near.tolist()):
            street = self.streets[rank]
            busiest[street] = max(busiest.get(street, 0.0), self.per_day[rank])
        return sum(busiest.values()) or None


def _traffic(viewer: Viewer, territory: str, wanted: Spots, scale: NDArray[np.float64]) -> _Traffic | None:
    ref = DatasetRef(territory, wanted.traffic)
    try:
        detail = lake.dataset(viewer, ref)
    except DatasetNotFound:
        return None
    if detail.summary.geometry_type is None:
        return None
    columns = ["geometry", wanted.street_counted, wanted.per_day]
    rows = [
        row for row in lake.rows(viewer, ref, columns=columns, max_rows=MOST_ROWS).rows
        if row[0] is not None and isinstance(row[2], int | float) and row[2] > 0
    ]  # fmt: skip
    shapes = shapely.transform(shapely.from_wkb([bytes(row[0]) for row in rows]), lambda at: at * scale)
    return _Traffic(
        detail.summary, shapely.STRtree(shapes), tuple(str(row[1] or rank) for rank, row in enumerate(rows)),
        tuple(float(row[2]) for row in rows),
    )  # fmt: skip


def _spot(
    rows: Sequence[dict[str, Any]],
    centre: NDArray[np.float64],
    scale: NDArray[np.float64],
    traffic: _Traffic | None,
    span: tuple[int, int],
    wanted: Spots,
) -> BlackSpot:
    per_day = traffic.at(centre * scale) if traffic else None
    years = span[1] - span[0] + 1
    names = [str(row.get(wanted.street) or "") for row in rows]
    return BlackSpot(
        street=max(sorted(set(names)), key=names.count),
        lon=float(centre[0]),
        lat=float(centre[1]),
        accidents=len(rows),
        killed=_sum(rows, wanted.killed),
        badly_hurt=_sum(rows, wanted.hurt),
        per_day=per_day,
        rate=rate_of(len(rows), per_day=per_day, years=years) if per_day else None,
    )
