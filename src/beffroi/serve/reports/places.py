"""Where a report is: inside the town, in which district, in which cell of the grid that finds its neighbours.

The grid: rows of `CELL_M` metres of latitude; in each row, cells of `CELL_M` metres of longitude at the row's middle.
A cell's number is ``row * 2**32 + column``, so that a few numbers, found by one index, hold every report of a
neighbourhood. Distances are those of the sphere (6,371,008.8 m): within 0.3 % of the ellipsoid's in France.
"""

from __future__ import annotations

import math

import shapely

from beffroi.serve.cases.definition import BadCase
from beffroi.serve.cases.ground import EARTH_RADIUS_M, METRES_PER_DEGREE
from beffroi.serve.cases.ground import Ground as Ground
from beffroi.serve.cases.ground import Place as Place
from beffroi.serve.cases.ground import checked_place as checked_place
from beffroi.serve.cases.ground import forget_grounds as forget_grounds
from beffroi.serve.cases.ground import ground as ground

CELL_M = 60.0
_ROW_DEGREES = CELL_M / METRES_PER_DEGREE
_COLUMNS = 1 << 32
MOST_ZONE_POINTS = 500
MOST_ZONE_KM2 = 5.0


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


def checked_zone(geojson: str, *, most_km2: float = MOST_ZONE_KM2) -> shapely.Polygon:
    """Return the polygon that someone drew, from its GeoJSON geometry, of at most `most_km2`.

    Raises:
        BadCase: unreadable, not an area, too many points or too large.
    """
    try:
        shape = shapely.from_geojson(geojson)
    except (shapely.errors.ShapelyError, TypeError, ValueError):
        shape = None
    fair = isinstance(shape, shapely.Polygon) and not shape.is_empty and shape.is_valid
    west, south, east, north = shape.bounds if fair else (181.0, 0.0, 0.0, 0.0)
    if not fair or not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise BadCase(
            "la zone dessinée n’est pas une surface",
            where="zone",
            remedy="dessinez un contour fermé qui ne se croise pas",
        )
    if shapely.get_num_coordinates(shape) > MOST_ZONE_POINTS or area_km2(shape) > most_km2:
        raise BadCase(
            "la zone dessinée est trop grande ou trop détaillée ({points} points, {km2} km²)",
            where="zone",
            remedy="entourez seulement ce que vous signalez : {most_points} points et {most_km2} km² au plus",
            points=int(shapely.get_num_coordinates(shape)),
            km2=f"{area_km2(shape):.1f}",
            most_points=MOST_ZONE_POINTS,
            most_km2=f"{most_km2:.0f}",
        )
    return shape


def area_km2(shape: shapely.Geometry) -> float:
    """Return the area of a small polygon, by the plane that touches the sphere at its middle."""
    middle = math.radians((shape.bounds[1] + shape.bounds[3]) / 2)
    return float(shape.area * (METRES_PER_DEGREE / 1000) ** 2 * math.cos(middle))
