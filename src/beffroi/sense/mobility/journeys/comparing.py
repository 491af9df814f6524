"""The ways of going from one place to another at a moment, each with its time, cost and CO2."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from beffroi.sense.mobility import live
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.ground import OffTheStreets
from beffroi.sense.mobility.journeys.factors import factors, mode_of_line
from beffroi.sense.mobility.journeys.parkride import ParkRide, park_and_ride
from beffroi.sense.mobility.layers import CLEAR, Layer, laid
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.shared import queries as shared
from beffroi.sense.mobility.shared.queries import Fleet, Ride
from beffroi.sense.mobility.store import router_of
from beffroi.sense.mobility.transit import queries as transit
from beffroi.sense.mobility.transit import store
from beffroi.sense.mobility.transit.journeys import Journey, journey
from beffroi.sense.mobility.transit.queries import Line, Stop

FOOT, BICYCLE, TRANSIT, CARPOOL, CAR, SHARED, PARK = "foot", "bicycle", "transit", "carpool", "car", "shared", "park"
BY_PROFILE = ((FOOT, "a-pied"), (BICYCLE, "velo"), (CAR, "voiture"))
TOGETHER = 2
"""Persons in a shared car."""
Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of a way by transit: walked (no line), or ridden from one stop to another."""

    seconds: float
    line: Line | None = None
    boarded: Stop | None = None
    left: Stop | None = None
    leaves_at: datetime | None = None
    arrives_at: datetime | None = None
    destination: str = ""
    stops: int = 0


@dataclass(frozen=True, slots=True)
class Option:
    """One way: `mode`, seconds from door to door, metres, euros (None: nobody tells them) and grams of CO2 a person.

    `leaves_at` and `arrives_at` are told for transit, whose hours decide; `profile` names the route drawn on streets;
    `ride` tells the stations of a shared bicycle, `park` the park where the car is left.
    """

    mode: str
    seconds: float
    length_m: float
    cost_eur: float | None
    co2_g: float
    profile: str = ""
    leaves_at: datetime | None = None
    arrives_at: datetime | None = None
    legs: tuple[Leg, ...] = ()
    ride: Ride | None = None
    park: ParkRide | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The ways found, the quickest first, and where their figures come from."""

    options: tuple[Option, ...]
    at: datetime
    networks: tuple[str, ...]
    co2_source: str
    cost_source: str
    fleets: tuple[Fleet, ...] = ()


def compare(
    territory: str, *, start: Place, goal: Place, at: datetime, leaving: datetime | None = None,
    ticket_eur: float | None = None, shared_eur: float | None = None,
) -> Comparison:  # fmt: skip
    """Return the ways from `start` to `goal`: on foot, by bicycle, by car alone or shared, by transit.

    `leaving`: another moment than now. `ticket_eur`: what one trip costs on the town's networks, None when not told;
    `shared_eur`: what one ride by a shared bicycle costs. A shared bicycle is proposed for now alone: nobody knows what
    a station will have.
    The car is counted from door to door, without looking for a place to park.

    Raises:
        NoGraph, NoEngine: see `queries.route`.
        OffTheStreets: no profile has a street near one of the places.
    """
    moment = leaving or at
    known = factors()
    found: list[Option] = []
    fault: OffTheStreets | None = None
    for mode, slug in BY_PROFILE:
        try:
            answer = mobility.route(territory, profile=mobility.profile(slug), start=start, goal=goal, at=at,
                                    leaving=leaving, explained=False)  # fmt: skip
        except OffTheStreets as error:
            fault = error
            continue
        for one in answer.routes:
            km = one.length_m / 1000
            cost = km * known.car_eur_km if mode == CAR else 0.0
            found.append(Option(mode, one.time_s, one.length_m, cost, km * known.co2_g_km[mode], profile=slug))
            if mode == CAR:
                halved = (cost / TOGETHER, km * known.co2_g_km[CAR] / TOGETHER)
                found.append(Option(CARPOOL, one.time_s, one.length_m, *halved, profile=slug))
    if fault is not None and not found:
        raise fault
    ridden = _by_transit(territory, start, goal, moment, ticket_eur)
    fleets = shared.fleets(territory, at=at) if abs(moment - at) <= shared.HOLDS else []
    lent = _by_shared_bicycle(territory, start, goal, at, shared_eur) if fleets else []
    ridden += _by_park_and_ride(territory, start, goal, moment, at, ticket_eur)
    networks = tuple(name for one in transit.feeds(territory) for name in one.names)
    options = sorted([*found, *ridden, *lent], key=lambda one: one.seconds)
    return Comparison(tuple(options), moment, networks, known.co2_source, known.cost_source, tuple(fleets))


def _by_shared_bicycle(
    territory: str, start: Place, goal: Place, at: datetime, shared_eur: float | None
) -> list[Option]:  # fmt: skip
    ride = shared.ride(territory, start=start, goal=goal, at=at)
    if ride is None:
        return []
    taken, left = ((one.lon, one.lat) for one in (ride.taken, ride.left))
    lengths = [
        mobility.route(territory, profile=mobility.profile(slug), start=first, goal=last, at=at, explained=False)
        for slug, first, last in (("a-pied", start, taken), ("velo", taken, left), ("a-pied", left, goal))
    ]
    walked, ridden, back = (answer.routes[0].length_m if answer.routes else 0.0 for answer in lengths)
    grams = ridden / 1000 * factors().co2_g_km[BICYCLE]
    return [Option(SHARED, ride.seconds, walked + ridden + back, shared_eur, grams, ride=ride)]


def _by_transit(territory: str, start: Place, goal: Place, moment: datetime, ticket_eur: float | None) -> list[Option]:
    feeds = store.feeds(territory)
    if not feeds:
        return []
    router, layer = walker(territory, moment)
    try:
        first, last = router.spot(*start, layer), router.spot(*goal, layer)
    except OffTheStreets:
        return []
    found = []
    for feed in feeds:
        timetable = store.timetable_of(territory, feed)
        one = journey(timetable, router, layer, first, last, moment)
        if one is not None:
            found.append((one.arrives_at, feed, one))
    return [_option(territory, feed, one, ticket_eur) for _arrives, feed, one in sorted(found, key=lambda x: x[0])[:1]]


def _by_park_and_ride(
    territory: str, start: Place, goal: Place, moment: datetime, at: datetime, ticket_eur: float | None
) -> list[Option]:  # fmt: skip
    if not store.feeds(territory):
        return []
    router, layer = walker(territory, moment)
    found = park_and_ride(territory, router=router, layer=layer, start=start, goal=goal, moment=moment, at=at)
    if found is None:
        return []
    whole, known, km = _option(territory, found.feed, found.journey, ticket_eur), factors(), found.drive_m / 1000
    cost = None if ticket_eur is None else ticket_eur + km * known.car_eur_km
    seconds = (found.journey.arrives_at - found.leaves_at).total_seconds()
    return [Option(PARK, seconds, whole.length_m + found.drive_m, cost, whole.co2_g + km * known.co2_g_km[CAR],
                   leaves_at=found.leaves_at, arrives_at=whole.arrives_at, legs=whole.legs, park=found)]  # fmt: skip


def walker(territory: str, moment: datetime) -> tuple[Router, Layer]:
    """Return the streets of a town and what they cost on foot, obstacles of the moment met."""
    router = router_of(territory)
    overlays, _ = live.laid_at(router, territory, moment)
    layer = router.layer(mobility.profile("a-pied"))
    return router, laid(layer, overlays.get("a-pied", CLEAR))


def _option(territory: str, feed: str, one: Journey, ticket_eur: float | None) -> Option:
    timetable, known = store.timetable_of(territory, feed), factors()
    legs, grams = [Leg(one.walk_first_s)], 0.0
    for before, ride in zip((None, *one.rides), one.rides, strict=False):
        if before is not None:
            legs.append(Leg((ride.leaves_at - before.arrives_at).total_seconds()))
        line = transit.line_of(timetable, ride.route)
        grams += ride.length_m / 1000 * known.co2_g_km[mode_of_line(line.kind)]
        legs.append(
            Leg(
                (ride.arrives_at - ride.leaves_at).total_seconds(), line, transit.stop_of(timetable, ride.boarded),
                transit.stop_of(timetable, ride.left), ride.leaves_at, ride.arrives_at, ride.destination, ride.stops,
            )
        )  # fmt: skip
    legs.append(Leg(one.walk_last_s))
    length = sum(ride.length_m for ride in one.rides)
    return Option(TRANSIT, one.seconds, length, ticket_eur, grams, leaves_at=one.leaves_at, arrives_at=one.arrives_at,
                  legs=tuple(legs))  # fmt: skip
