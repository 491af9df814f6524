"""Where a report is: inside the town, in which district, in which cell of the grid that finds its neighbours.

The grid: rows of `CELL_M` metres of latitude; in each row, cells of `CELL_M` metres of longitude at the row's middle.
A cell's number is ``row * 2**32 + column``, so that a few numbers, found by one index, hold every report of a
neighbourhood. Distances are those of the sphere (6,371,008.8 m): within 0.3 % of the ellipsoid's in France.
"""

from __future__ import annotations

import math

from beffroi.serve.cases.ground import EARTH_RADIUS_M, METRES_PER_DEGREE
from beffroi.serve.cases.ground import MOST_ZONE_KM2 as MOST_ZONE_KM2
from beffroi.serve.cases.ground import MOST_ZONE_POINTS as MOST_ZONE_POINTS
from beffroi.serve.cases.ground import Ground as Ground
from beffroi.serve.cases.ground import Place as Place
from beffroi.serve.cases.ground import area_km2 as area_km2
from beffroi.serve.cases.ground import checked_place as checked_place
from beffroi.serve.cases.ground import checked_zone as checked_zone
from beffroi.serve.cases.ground import forget_grounds as forget_grounds
from beffroi.serve.cases.ground import ground as ground

CELL_M = 60.0
_ROW_DEGREES = CELL_M / METRES_PER_DEGREE
_COLUMNS = 1 << 32


def distance_m(a: Place, b: Place) -> float:
    """Return the distance of two points along the sphere (haversine).

    >>> round(distance_m(Place(3.8767, 43.6108), Place(3.8777, 43.6108)))
    81
    """
    la, lb = math.radians(a.lat), math.radians(b.lat)
    half = math.sin((lb - la) / 2) ** 2
    half += math.cos(la) * math.cos(lb) * math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def _row_of(lat: float) -> int:
    return math.floor((lat + 90) / _ROW_DEGREES)


def _column_degrees(row: int) -> float:
    middle = (row + 0.5) * _ROW_DEGREES - 90
    return CELL_M / (METRES_PER_DEGREE * max(math.cos(math.radians(middle)), 0.01))


def cell_of(lon: float, lat: float) -> int:
    """Return the number of the cell that holds a point."""
    row = _row_of(lat)
    return row * _COLUMNS + math.floor((lon + 180) / _column_degrees(row))


def cells_around(lon: float, lat: float, radius_m: float) -> list[tuple[int, int]]:
    """Return the cells within reach of a point, as one (first, last) run of numbers per row of the grid."""
    reach = radius_m / METRES_PER_DEGREE
    runs = []
    for row in range(_row_of(lat - reach), _row_of(lat + reach) + 1):
        wide = _column_degrees(row)
        sideways = radius_m / CELL_M * wide
        first, last = (math.floor((lon + side + 180) / wide) for side in (-sideways, sideways))
        runs.append((row * _COLUMNS + first, row * _COLUMNS + last))
    return runs
