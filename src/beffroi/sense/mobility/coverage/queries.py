"""What one may ask: who is within so many minutes of a kind of place, by zone and age; the nearest place of a kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import shapely

from beffroi.base.kernel.errors import BeffroiError
from beffroi.sense.mobility import live, store
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.coverage.computing import OneMore, Reach, one_more, reach_of
from beffroi.sense.mobility.coverage.kinds import (
    Destination,
    Destinations,
    KindNotFound,
    PlaceKind,
    destinations,
    kind_named,
    place_kinds,
)
from beffroi.sense.mobility.coverage.population import NoPopulation, Residents, residents
from beffroi.sense.mobility.profiles import Profile, profile_named
from beffroi.sense.mobility.streets import Array

LEAST_MINUTES, MOST_MINUTES = 1, 60
WALKER, WHEELED = "a-pied", "fauteuil-manuel"


class BadMinutes(BeffroiError):
    """A number of minutes out of bounds."""


class NoPlaces(KindNotFound):
    """No dataset of the town tells places of this kind."""


@dataclass(frozen=True, slots=True)
class Share:
    """Inhabitants of a zone or an age: all of them, those covered, and those covered with the profile compared."""

    title: str
    people: float
    covered: float
    other: float

    @property
    def share(self) -> float:
        return self.covered / self.people if self.people else 0.0

    @property
    def missing(self) -> float:
        return self.people - self.covered

    @property
    def gap(self) -> float:
        """Return how many reach a place in time with one of the two profiles and not with the other."""
        return abs(self.other - self.covered)


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone: its id, its shares, those of each age, the median minutes of who has a way, its shape (CRS84)."""

    id: str
    all: Share
    ages: tuple[Share, ...]
    median_min: float | None
    shape: shapely.Geometry


@dataclass(frozen=True, slots=True)
class Served:
    """A place of the kind and how many people have it as their nearest within the time."""

    place: Destination
    people: float
    reached: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """Who is within `minutes` of a kind of place for a profile. `sources` are (title, ISO day, licence).

    `compared` is walking with ease; a manual wheelchair when the profile is walking itself.
    """

    kind: PlaceKind
    profile: Profile
    compared: Profile
    minutes: int
    town: Share
    ages: tuple[Share, ...]
    zones: tuple[Zone, ...]
    served: tuple[Served, ...]
    more: OneMore | None
    by_homes: bool
    sources: tuple[tuple[str, str, str], ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class NearestPlace:
    """A place of a kind and the seconds of the way to it."""

    place: Destination
    seconds: float


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest places of a kind, soonest first, and the dataset they come from."""

    found: tuple[NearestPlace, ...]
    source: str
    date: str


def kinds(territory: str = "") -> list[PlaceKind]:
    """Return the kinds of places, in the order of lists; with a territory, those its data tell."""
    known = list(place_kinds().values())
    return [one for one in known if destinations(territory, one).places] if territory else known


def nearest(
    territory: str, *, kind: str, place: tuple[float, float], profile: Profile, at: datetime, most: int = 5
) -> Nearest:
    """Return the places of a kind nearest to `place` (longitude, latitude) by time, obstacles of the moment met.

    Raises:
        KindNotFound: unknown. NoPlaces: the town's data tell none. NoGraph, NoEngine, OffTheStreets: see `route`.
    """
    told = _told(territory, kind_named(kind))
    among = [(one.lon, one.lat) for one in told.places]
    found = mobility.nearest(territory, profile=profile, place=place, among=among, at=at, most=most)
    return Nearest(tuple(NearestPlace(told.places[one.rank], one.seconds) for one in found), told.source, told.date)


def coverage(territory: str, *, kind: str, profile: Profile, minutes: int, at: datetime) -> Coverage:
    """Return who is within `minutes` of a kind of place, by zone and age, beside who would be with another profile.

    Raises:
        KindNotFound, NoPlaces: see `nearest`. NoPopulation: no census. BadMinutes: out of 1…60. NoGraph, NoEngine.
    """
    if not LEAST_MINUTES <= minutes <= MOST_MINUTES:
        raise BadMinutes("durée de {minutes} minutes", where="minutes", remedy="de {least} à {most}",
                         minutes=minutes, least=LEAST_MINUTES, most=MOST_MINUTES)  # fmt: skip
    told, homes = _told(territory, kind_named(kind)), residents(territory)
    router = store.router_of(territory)
    live.bring_up_to_date(router, territory, at)
    layer = router.layer(profile)
    reach = reach_of(router, layer, told.places, homes)
    within = reach.seconds <= 60.0 * minutes
    compared = profile_named(WALKER if profile.slug != WALKER else WHEELED)
    other = reach_of(router, router.layer(compared), told.places, homes).seconds <= 60.0 * minutes
    graph = mobility.graph_info(territory)
    day = f"{graph.built_at:%Y-%m-%d}"
    return Coverage(
        kind=told.kind,
        profile=profile,
        compared=compared,
        minutes=minutes,
        town=_share("", homes.people.sum(axis=1), within, other),
        ages=_ages(homes, np.ones(len(homes.zone), bool), within, other),
        zones=tuple(_zones(homes, reach, within, other)),
        served=tuple(_served(told, homes, reach, within)),
        more=one_more(router, layer, homes, within, 60.0 * minutes),
        by_homes=homes.by_homes,
        sources=(
            (told.source, told.date, told.licence),
            *homes.sources,
            (graph.origins[0][0], day, graph.origins[0][2]),
        ),
        at=at,
    )


def _told(territory: str, kind: PlaceKind) -> Destinations:
    found = destinations(territory, kind)
    if not found.places:
        raise NoPlaces(
            "aucun lieu de ce genre dans les données de la commune : {kind}",
            where="kind",
            remedy="importez le jeu qui les dit (base permanente des équipements, défibrillateurs…)",
            kind=kind.title,
        )
    return found


def _share(title: str, people: Array, within: Array, other: Array) -> Share:
    return Share(title, float(people.sum()), float(people[within].sum()), float(people[other].sum()))


def _ages(homes: Residents, here: Array, within: Array, other: Array) -> tuple[Share, ...]:
    return tuple(
        _share(title, homes.people[here, rank], within[here], other[here]) for rank, title in enumerate(homes.ages)
    )


def _zones(homes: Residents, reach: Reach, within: Array, other: Array) -> list[Zone]:
    people, found = homes.people.sum(axis=1), []
    for rank, (key, name) in enumerate(homes.zones):
        here = homes.zone == rank
        way = here & np.isfinite(reach.seconds)
        found.append(
            Zone(
                key,
                _share(name, people[here], within[here], other[here]),
                _ages(homes, here, within, other),
                _median(reach.seconds[way], people[way]),
                homes.shapes[rank],
            )
        )
    return found


def _median(seconds: Array, people: Array) -> float | None:
    if not people.sum():
        return None
    order = np.argsort(seconds)
    half = np.searchsorted(np.cumsum(people[order]), people.sum() / 2)
    return float(seconds[order][min(int(half), len(order) - 1)]) / 60.0


def _served(told: Destinations, homes: Residents, reach: Reach, within: Array) -> list[Served]:
    people = homes.people.sum(axis=1)
    counts = np.bincount(reach.nearest[within], weights=people[within], minlength=len(told.places))
    found = [Served(place, float(counts[rank]), rank not in reach.unreached) for rank, place in enumerate(told.places)]
    return sorted(found, key=lambda one: -one.people)


__all__ = ["Coverage", "Nearest", "NoPlaces", "NoPopulation", "Share", "Zone", "coverage", "kinds", "nearest"]
