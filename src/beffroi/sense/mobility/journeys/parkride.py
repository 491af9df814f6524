"""Park and ride: by car to a park told to have such places (BNLS), then by transit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import cos, hypot, radians

import shapely

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.ground import OffTheStreets
from beffroi.sense.mobility.layers import Layer
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.transit import store
from beffroi.sense.mobility.transit.journeys import Journey, journey

DATASET, PLACES, NAME = "parkings", "nb_pr", "nom"
PARKING_S = 180.0
"""What parking and walking out of the park takes: an assumption."""
MOST_PARKS, MOST_TRIED = 20, 3
Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Park:
    """A park with places for those who go on by transit: how many, and where (degrees, CRS84)."""

    name: str
    places: int
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class ParkRide:
    """By car to a park (seconds, metres), then the journey by transit that arrives first, in a network."""

    park: Park
    drive_s: float
    drive_m: float
    feed: str
    journey: Journey

    @property
    def leaves_at(self) -> datetime:
        return self.journey.leaves_at - timedelta(seconds=self.drive_s + PARKING_S)


_READ: dict[str, tuple[str, tuple[Park, ...]]] = {}


def parks(territory: str) -> tuple[Park, ...]:
    """Return the parks of a town told to have places for park and ride; none when no dataset tells them."""
    ref = DatasetRef(territory, DATASET)
    try:
        detail = lake.dataset(ANONYMOUS, ref)
    except DatasetNotFound:
        return ()
    kept = _READ.get(territory)
    if kept is None or kept[0] != detail.summary.version:
        known = {column.key for column in detail.columns}
        usable = {PLACES, NAME} <= known and detail.summary.geometry_type is not None
        kept = _READ[territory] = (detail.summary.version, _read(ref) if usable else ())
    return kept[1]


def _read(ref: DatasetRef) -> tuple[Park, ...]:
    found = []
    for name, places, shape in lake.rows(ANONYMOUS, ref, columns=[NAME, PLACES, "geometry"], max_rows=20_000).rows:
        if shape is not None and isinstance(places, int | float) and places > 0:
            middle = shapely.from_wkb(bytes(shape)).centroid
            found.append(Park(str(name or ""), int(places), middle.x, middle.y))
    return tuple(found)


def park_and_ride(
    territory: str, *, router: Router, layer: Layer, start: Place, goal: Place, moment: datetime, at: datetime
) -> ParkRide | None:
    """Return the way by a park and then by transit that arrives first, None without one.

    Of the three parks quickest to reach by car, those on the way alone: a park farther than the goal itself is none.
    `router`, `layer`: the streets on foot. Free places are not known: BNLS tells how many there are, not what is left.

    Raises:
        NoGraph, NoEngine: see `queries.route`.
    """
    known, feeds = parks(territory), store.feeds(territory)
    if not known or not feeds:
        return None
    near = sorted(known, key=lambda one: _away(start, one))[:MOST_PARKS]
    car = mobility.profile("voiture")
    targets = [*((one.lon, one.lat) for one in near), goal]
    *times, whole = mobility.matrix(territory, profile=car, sources=[start], targets=targets, at=at).seconds[0]
    reached = sorted(
        ((seconds, rank) for rank, seconds in enumerate(times) if seconds is not None and seconds < (whole or 0)),
    )[:MOST_TRIED]
    found: list[ParkRide] = []
    for seconds, rank in reached:
        park = near[rank]
        try:
            spots = router.spot(park.lon, park.lat, layer), router.spot(*goal, layer)
        except OffTheStreets:
            continue
        ready = moment + timedelta(seconds=seconds + PARKING_S)
        for feed in feeds:
            one = journey(store.timetable_of(territory, feed), router, layer, *spots, ready)
            if one is not None:
                found.append(ParkRide(park, seconds, 0.0, feed, one))
    best = min(found, key=lambda one: one.journey.arrives_at, default=None)
    return best and _measured(territory, best, start, at)


def _measured(territory: str, one: ParkRide, start: Place, at: datetime) -> ParkRide | None:
    car, there = mobility.profile("voiture"), (one.park.lon, one.park.lat)
    answer = mobility.route(territory, profile=car, start=start, goal=there, at=at, explained=False)
    if not answer.routes:
        return None
    return ParkRide(one.park, one.drive_s, answer.routes[0].length_m, one.feed, one.journey)


def _away(place: Place, one: Park) -> float:
    return hypot((one.lon - place[0]) * cos(radians(place[1])), one.lat - place[1])
