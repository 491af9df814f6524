"""Where a request is: inside the town, and in which district of it."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import shapely

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory import queries as territory_queries
from beffroi.serve.cases.definition import BadCase

EARTH_RADIUS_M = 6_371_008.8
METRES_PER_DEGREE = math.pi * EARTH_RADIUS_M / 180
# How far outside the outline a point may fall: a bridge, a beach, the other side of the boundary street.
MARGIN_M = 200.0
DISTRICT_KIND = "quartier"
MOST_ZONE_POINTS = 500
MOST_ZONE_KM2 = 5.0
CORNERS = 32


class Place(NamedTuple):
    """A point in degrees, CRS84."""

    lon: float
    lat: float


@lru_cache(maxsize=64)
def _outline(wkb: bytes) -> shapely.Geometry:
    shape = shapely.from_wkb(wkb)
    grown = shape.buffer(MARGIN_M / METRES_PER_DEGREE)
    shapely.prepare(grown)
    return grown


class Ground(NamedTuple):
    """What intake must know of a town: its outline, grown by a margin, and its districts."""

    outline: shapely.Geometry | None
    districts: tuple[tuple[str, shapely.Geometry], ...]


@lru_cache(maxsize=64)
def _ground(territory: str, _minute: int) -> Ground:
    wkb = territory_queries.contour(territory)
    if wkb is None and (box := _box(territory)) is not None:
        # Its outline is not known: its box keeps the rest of the world out.
        wkb = shapely.to_wkb(shapely.box(*box))
    districts = []
    for zone in territory_queries.zones(territory, DISTRICT_KIND):
        shape = shapely.from_wkb(zone.shape)
        shapely.prepare(shape)
        districts.append((zone.slug, shape))
    return Ground(None if wkb is None else _outline(wkb), tuple(districts))


def _box(territory: str) -> BBox | None:
    try:
        return territory_queries.territory(territory).bbox
    except territory_queries.UnknownTerritory:
        # The town of the use cases' examples is in no registry.
        return None


def ground(territory: str, *, minute: int) -> Ground:
    """Return the ground of a town, read at most once a minute per process."""
    return _ground(territory, minute)


def forget_grounds() -> None:
    """Have outlines and districts read again at the next question."""
    _ground.cache_clear()


def checked_place(territory: str, lon: float, lat: float, *, minute: int) -> tuple[Place, str]:
    """Return the place, to the centimetre, and the district it is in ("" when in none).

    Raises:
        BadCase: not on the globe, or not in this town.
    """
    if not (
        isinstance(lon, (int, float)) and isinstance(lat, (int, float)) and -180 <= lon <= 180 and -90 <= lat <= 90
    ):
        raise BadCase(
            "la position {lon}, {lat} n’est pas sur le globe",
            where="position",
            remedy="donnez la longitude puis la latitude, en degrés, par exemple 3.8767 et 43.6108",
            lon=str(lon)[:20],
            lat=str(lat)[:20],
        )
    place = Place(round(float(lon), 7), round(float(lat), 7))
    known = ground(territory, minute=minute)
    point = shapely.Point(place.lon, place.lat)
    if known.outline is not None and not known.outline.covers(point):
        raise BadCase(
            "ce lieu est hors de la commune",
            where="position",
            remedy="déplacez le repère, ou adressez-vous à la mairie de ce lieu",
        )
    return place, next((slug for slug, shape in known.districts if shape.covers(point)), "")


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


def circle(lon: float, lat: float, radius_m: float) -> shapely.Polygon:
    """Return a polygon of 32 corners around a place (CRS84), by the plane that touches the sphere there.

    Good to 0.5 % at the sizes of a town.

    >>> round(area_km2(circle(3.88, 43.61, 1000)), 2)
    3.12
    """
    high = radius_m / METRES_PER_DEGREE
    wide = high / math.cos(math.radians(lat))
    turns = [2 * math.pi * number / CORNERS for number in range(CORNERS)]
    return shapely.Polygon(
        [(round(lon + wide * math.cos(turn), 6), round(lat + high * math.sin(turn), 6)) for turn in turns]
    )
