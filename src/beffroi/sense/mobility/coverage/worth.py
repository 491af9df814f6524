"""What is worth doing for those who move with difficulty: barriers to remove, streets to measure, most useful first.

A sample of trips stands for the town: homes drawn by their inhabitants, each with the nearest place of a kind one goes
to. The drawing is the same every time: two lists of two days differ by the streets, not by chance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from beffroi.sense.mobility import live, routes, store
from beffroi.sense.mobility.costs import Barrier
from beffroi.sense.mobility.coverage.kinds import destinations, place_kinds
from beffroi.sense.mobility.coverage.population import residents
from beffroi.sense.mobility.ground import Spot
from beffroi.sense.mobility.layers import Layer
from beffroi.sense.mobility.profiles import Profile
from beffroi.sense.mobility.router import Found, Router
from beffroi.sense.mobility.routes import Met, frank, pieces_of
from beffroi.sense.mobility.streets import Array
from beffroi.sense.mobility.vocabulary import Attribute, Confidence

TRIPS, SEED, REACH_M = 240, 20260101, 300.0
MOST_SHOWN = 30
STEP_M = 5.0
"""A place at the corner of a street does not make one follow it."""
AS_GOOD = 1.25
"""A documented way no more than a quarter dearer than the best makes measuring that one no matter of urgency."""


@dataclass(frozen=True, slots=True)
class Trip:
    """From a home to a place, standing for so many inhabitants."""

    start: tuple[float, float]
    goal: tuple[float, float]
    people: float


@dataclass(frozen=True, slots=True)
class Work:
    """One barrier: whom removing it alone would let through, and the person-minutes it would save the others."""

    met: Met
    opens: float
    saved_min: float
    trips: int


@dataclass(frozen=True, slots=True)
class Measure:
    """One street nobody has measured for this profile: metres to look at, what to measure, whom that alone would let
    go by documented streets, and how many go that way."""

    street: str
    lon: float
    lat: float
    length_m: float
    missing: tuple[Attribute, ...]
    unlocks: float
    passing: float


@dataclass(frozen=True, slots=True)
class Worth:
    """Both lists for a profile, over `trips` trips that stand for `people`; `stuck` have no way at all today."""

    profile: Profile
    works: tuple[Work, ...]
    measures: tuple[Measure, ...]
    trips: int
    people: float
    stuck: float
    undocumented: float


def worth_doing(territory: str, *, profile: Profile, at: datetime) -> Worth:
    """Return what removing one barrier, or measuring one street, would change for a profile.

    Raises:
        NoGraph, NoEngine, NoPopulation: see `coverage`.
    """
    router = store.router_of(territory)
    known = live.bring_up_to_date(router, territory, at)
    layer = router.layer(profile)
    sure = router.layer(profile.adjusted(documented_only=True))
    asked = list(_placed(router, layer, trips_of(territory)))
    works, measures = _Works(router, layer, known), _Measures(router, layer)
    stuck = undocumented = 0.0
    for start, goal, people in asked:
        found = router.path(layer, start, goal)
        works.count(start, goal, people, found)
        if found is None:
            stuck += people
            continue
        documented = router.path(sure, start, goal)
        if documented is None or documented.cost > AS_GOOD * found.cost + 1:
            undocumented += people
            length = router.graph.length_m
            measures.count(
                [one.segment for one in pieces_of(found) if one.share * length[one.segment] > STEP_M], people
            )
    return Worth(
        profile, works.ranked(), measures.ranked(), len(asked), sum(people for *_, people in asked), stuck, undocumented
    )


def trips_of(territory: str) -> list[Trip]:
    """Return the sample of trips of a territory, always the same on the same data."""
    homes = residents(territory)
    places = [told.places for kind in place_kinds().values() if (told := destinations(territory, kind)).places]
    if not places:
        return []
    people = homes.people.sum(axis=1)
    rng = np.random.default_rng(SEED)
    drawn = rng.choice(len(people), TRIPS, p=people / people.sum())
    trips = []
    for home, kind in zip(drawn.tolist(), rng.integers(0, len(places), TRIPS).tolist(), strict=True):
        lon, lat = homes.places[home]
        flat = np.array([(one.lon, one.lat) for one in places[kind]])
        east = (flat[:, 0] - lon) * np.cos(np.radians(lat))
        nearest = flat[int(np.argmin(east**2 + (flat[:, 1] - lat) ** 2))]
        goal = (float(nearest[0]), float(nearest[1]))
        trips.append(Trip((float(lon), float(lat)), goal, float(people.sum()) / TRIPS))
    return trips


def _placed(router: Router, layer: Layer, trips: Iterable[Trip]) -> Iterable[tuple[Spot, Spot, float]]:
    """Bring trips to the streets the profile may use; one that has none near either end tells nothing of a barrier."""
    for trip in trips:
        start = router.nearest(*trip.start, layer.usable, reach_m=REACH_M)
        goal = router.nearest(*trip.goal, layer.usable, reach_m=REACH_M)
        if start is not None and goal is not None:
            yield start, goal, trip.people


class _Works:
    """Counts, barrier by barrier, the trips that it alone stops or lengthens."""

    def __init__(self, router: Router, layer: Layer, obstacles: routes.Obstacles) -> None:
        self.router, self.layer, self.obstacles = router, layer, obstacles
        self.found: dict[tuple[Barrier, str], list[tuple[Met, float, float]]] = {}

    def count(self, start: Spot, goal: Spot, people: float, found: Found | None) -> None:
        if found is None:
            opens = routes.no_way(self.router, self.layer, start, goal, self.obstacles).opens
            if opens is not None:
                self._add(opens, people, 0.0)
            return
        direct = self.router.path(frank(self.router, self.layer), start, goal)
        if direct is None:
            return
        taken = {arc >> 1 for arc in found.arcs}
        stopping = routes.barriers_on(self.router, self.layer, pieces_of(direct), self.obstacles, avoided=taken)
        time = sum(float(self.layer.costs.time[one.arc]) * one.share for one in pieces_of(found))
        if len(stopping) == 1:
            self._add(stopping[0], 0.0, people * max(0.0, time - direct.cost) / 60.0)

    def _add(self, met: Met, opens: float, saved_min: float) -> None:
        if met.obstacle is None and met.reason not in (Barrier.UNDOCUMENTED, Barrier.DARK):
            self.found.setdefault((met.reason, met.name), []).append((met, opens, saved_min))

    def ranked(self) -> tuple[Work, ...]:
        works = [
            Work(told[0][0], sum(one[1] for one in told), sum(one[2] for one in told), len(told))
            for told in self.found.values()
        ]
        works = [one for one in works if one.opens or one.saved_min >= 1]
        return tuple(sorted(works, key=lambda one: (-one.opens, -one.saved_min))[:MOST_SHOWN])


class _Measures:
    """Counts, street by street, the trips that go where nobody has measured what the profile must know."""

    def __init__(self, router: Router, layer: Layer) -> None:
        self.router, self.layer = router, layer
        levels = np.array([0, *(int(one.confidence) for one in router.graph.origins)])
        self.level: Array = levels[router.graph.origin]
        self.streets: dict[str, tuple[set[int], list[float]]] = {}

    def count(self, segments: list[int], people: float) -> None:
        unknown = [one for one in segments if not self.layer.costs.documented[one]]
        names = {routes.street_name(self.router, one) for one in unknown}
        for name in names:
            kept, counts = self.streets.setdefault(name, (set(), [0.0, 0.0]))
            kept.update(one for one in unknown if routes.street_name(self.router, one) == name)
            counts[0] += people if len(names) == 1 else 0.0
            counts[1] += people

    def ranked(self) -> tuple[Measure, ...]:
        found = [self._measure(name, sorted(kept), counts) for name, (kept, counts) in self.streets.items()]
        return tuple(sorted(found, key=lambda one: (-one.unlocks, -one.passing))[:MOST_SHOWN])

    def _measure(self, name: str, kept: list[int], counts: list[float]) -> Measure:
        missing = tuple(
            need for need in self.layer.profile.needs if (self.level[kept, need] < Confidence.DECLARED).any()
        )
        longest = max(kept, key=lambda one: float(self.router.graph.length_m[one]))
        lon, lat = self.router.place(longest, 0.5)
        length = float(np.asarray(self.router.graph.length_m)[kept].sum())
        return Measure(name, lon, lat, length, missing, counts[0], counts[1])


__all__ = ["Measure", "Trip", "Work", "Worth", "trips_of", "worth_doing"]
