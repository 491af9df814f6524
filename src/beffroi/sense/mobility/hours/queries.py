"""What one may ask of hours: the places measured, the axes about a site or along a trip, and what the day is like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import cos, radians

import shapely

from beffroi.base.kernel.errors import NotFound
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.hours import rides
from beffroi.sense.mobility.hours.profiles import Day, Measure, Peak, peaks, slowed
from beffroi.sense.mobility.hours.reading import Place, places_of
from beffroi.sense.mobility.hours.rides import Passes, Trip
from beffroi.sense.mobility.hours.settings import HoursSettings
from beffroi.sense.mobility.hours.shifts import SHIFTS_MIN, Shifted, best_shift, shifted, together, window

__all__ = [
    "Day",
    "Measure",
    "Passes",
    "Peak",
    "Place",
    "Shifted",
    "Site",
    "SitePlace",
    "Trip",
    "Way",
    "best_shift",
    "peaks",
    "place",
    "places",
    "site",
    "slowed",
    "together",
    "way",
]  # fmt: skip

ON_THE_WAY_M = 30.0
AROUND_M = 1_500.0
MOST_AXES = 4
METRES_PER_DEGREE = 111_195.0


class PlaceNotMeasured(NotFound):
    """No dataset measures a place of that name by hour."""


@dataclass(frozen=True, slots=True)
class Way:
    """A trip through the hours of a kind of day.

    `axes`: the counted streets it goes along by car; `load` (by hour from midnight) the mean of their flow, each as a
    share of its own peak, None where one of them is not counted. `car_s`: by car without traffic, None without a way.
    `trips`: by transit, planned on `on`.
    """

    axes: tuple[Place, ...]
    load: tuple[float | None, ...]
    car_s: float | None
    length_m: float | None
    trips: tuple[Trip, ...]
    on: date


@dataclass(frozen=True, slots=True)
class SitePlace:
    """A counted street about a site: its metres from it, and what each shift changes, coming and leaving."""

    place: Place
    distance_m: float
    coming: tuple[Shifted, ...]
    leaving: tuple[Shifted, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """What an employer may say: the busiest streets about the site, and the vehicles of each slot.

    `coming`, `leaving`: how many vehicles leave the stops about the site in the hour on the road, by shift; None
    without a timetable.
    """

    axes: tuple[SitePlace, ...]
    passes: Passes | None
    coming: tuple[int | None, ...]
    leaving: tuple[int | None, ...]


def places(territory: str, settings: HoursSettings) -> tuple[Place, ...]:
    """Return every place measured by hour, in the order of the datasets, then by name."""
    return tuple(one for reading in settings.read for one in places_of(territory, reading))


def place(territory: str, settings: HoursSettings, key: str) -> Place:
    """Return the place `key`.

    Raises:
        PlaceNotMeasured: no dataset measures it.
    """
    for one in places(territory, settings):
        if one.key == key:
            return one
    raise PlaceNotMeasured(
        "aucun lieu mesuré ne se nomme « {name} »", where="lieu", remedy="choisissez-le dans la liste",
        name=key.rpartition("/")[2][:80],
    )  # fmt: skip


def way(
    territory: str, settings: HoursSettings, *, start: tuple[float, float], goal: tuple[float, float], day: Day,
    at: datetime,
) -> Way:  # fmt: skip
    """Return a trip through the hours of a kind of day: the counted streets it takes by car, and transit as planned.

    Raises:
        NoGraph, NoEngine, OffTheStreets: see `mobility.queries.route`.
    """
    found = mobility.route(territory, profile=mobility.profile("voiture"), start=start, goal=goal, at=at,
                           explained=False)  # fmt: skip
    route = found.routes[0] if found.routes else None
    axes = _along(places(territory, settings), route.coordinates.tolist(), day) if route else ()
    on = rides.day_like(territory, day, after=at.date())
    ridden = rides.trips(territory, start=start, goal=goal, on=on, first=settings.first, last=settings.last)
    return Way(axes, _load(axes, day), route.time_s if route else None, route.length_m if route else None, ridden, on)


def _along(known: Sequence[Place], line: Sequence[tuple[float, float]], day: Day) -> tuple[Place, ...]:
    """Return the counted streets within `ON_THE_WAY_M` of a line (degrees), in the order they are met."""
    if len(line) < 2:
        return ()
    shape = _metres(shapely.LineString([(one[0], one[1]) for one in line]), line[0][1])
    met = []
    for one in _streets(known, day):
        point = _metres(shapely.Point(one.lon, one.lat), line[0][1])
        if shape.distance(point) <= ON_THE_WAY_M:
            met.append((shape.project(point), one))
    return tuple(one for _where, one in sorted(met, key=lambda pair: pair[0]))


def _streets(known: Sequence[Place], day: Day) -> list[Place]:
    return [
        one for one in known
        if one.measure == Measure.VEHICLES and day in one.days and one.lon is not None and one.lat is not None
    ]  # fmt: skip


def _metres(shape: shapely.Geometry, lat: float) -> shapely.Geometry:
    scale = METRES_PER_DEGREE * cos(radians(lat))
    return shapely.transform(shape, lambda at: at * [scale, METRES_PER_DEGREE])


def _load(axes: Sequence[Place], day: Day) -> tuple[float | None, ...]:
    shares = []
    for one in axes:
        values = one.days[day].values
        top = max((value for value in values if value is not None), default=0)
        if top > 0:
            shares.append([None if value is None else value / top for value in values])
    found: list[float | None] = []
    for hour in zip(*shares, strict=True):
        known = [one for one in hour if one is not None]
        found.append(sum(known) / len(known) if len(known) == len(hour) else None)
    return tuple(found)


def site(
    territory: str, settings: HoursSettings, *, lon: float, lat: float, start_min: int, end_min: int, at: datetime,
    day: Day = Day.WEEKDAY,
) -> Site:  # fmt: skip
    """Return the busiest counted streets within `AROUND_M` of a site, and what shifts of its hours change on each."""
    here = _metres(shapely.Point(lon, lat), lat)
    near = [(float(here.distance(_metres(shapely.Point(one.lon, one.lat), lat))), one)
            for one in _streets(places(territory, settings), day)]  # fmt: skip
    near = [(away, one) for away, one in near if away <= AROUND_M]
    near.sort(key=lambda pair: -max(value or 0 for value in pair[1].days[day].values))
    axes = tuple(
        SitePlace(one, away, *(
            shifted(one.days[day].values, start_min=minute, before=before, capacity=one.capacity)
            for minute, before in ((start_min, True), (end_min, False))
        ))
        for away, one in near[:MOST_AXES]
    )  # fmt: skip
    found = rides.passes(territory, lon=lon, lat=lat, on=rides.day_like(territory, day, after=at.date()))
    slots = [[None if found is None else found.between(*window(minute + shift, before=before)) for shift in SHIFTS_MIN]
             for minute, before in ((start_min, True), (end_min, False))]  # fmt: skip
    return Site(axes, found, tuple(slots[0]), tuple(slots[1]))
