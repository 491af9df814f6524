"""The lanes of a thing in a commune: its sectors, each with its week; and which one serves a place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import shapely

from beffroi.base.territory import queries as territory_queries
from beffroi.serve.bookings.things import WEEK, BookingsSettings
from beffroi.serve.cases.ground import Place, checked_place


@dataclass(frozen=True, slots=True)
class Lane:
    """What a place of an agenda is taken in: a sector, its usual weekdays (0 is Monday) and places a day."""

    slug: str
    name: str
    weekdays: frozenset[int]
    capacity: int


def lanes(territory: str, rules: BookingsSettings, *, at: datetime) -> list[Lane]:
    """Return the lanes of a thing, by name; a commune without such sectors has one, without a name."""
    zones = _zones(territory, rules.sectors, int(at.timestamp() // 60)) if rules.sectors else ()
    own = {one.slug: one for one in rules.sector}
    found = []
    for rank, (slug, name, _shape) in enumerate(zones or (("", "", None),)):
        days = (rules.days[rank % len(rules.days)],) if rules.turns and slug else rules.days
        capacity = rules.capacity
        if slug in own:
            days = own[slug].days or days
            capacity = capacity if own[slug].capacity is None else own[slug].capacity or 0
        found.append(Lane(slug, name, frozenset(WEEK.index(day) for day in days), capacity))
    return found


def lane_of(territory: str, rules: BookingsSettings, slug: str, *, at: datetime) -> Lane:
    """Return a lane by its slug; one that is gone has no day any more, and keeps its name."""
    for one in lanes(territory, rules, at=at):
        if one.slug == slug:
            return one
    return Lane(slug, slug, frozenset(), 0)


def lane_at(
    territory: str, rules: BookingsSettings, lon: float, lat: float, *, at: datetime
) -> tuple[Lane, Place, str]:
    """Return the lane that serves a place (CRS84 degrees), the place to the centimetre, and its district.

    Between sectors, it is the nearest: nobody of the town is left without a day.

    Raises:
        BadCase: not on the globe, or not in this town.
    """
    minute = int(at.timestamp() // 60)
    place, district = checked_place(territory, lon, lat, minute=minute)
    known = lanes(territory, rules, at=at)
    zones = _zones(territory, rules.sectors, minute) if rules.sectors else ()
    if not zones:
        return known[0], place, district
    point = shapely.Point(place)
    nearest = min(zones, key=lambda zone: zone[2].distance(point))[0]
    return next(one for one in known if one.slug == nearest), place, district


@lru_cache(maxsize=64)
def _zones(territory: str, kind: str, _minute: int) -> tuple[tuple[str, str, shapely.Geometry], ...]:
    found = [(one.slug, one.name, shapely.from_wkb(one.shape)) for one in territory_queries.zones(territory, kind)]
    return tuple(sorted(found, key=lambda zone: zone[1]))


def forget_lanes() -> None:
    """Have the sectors read again at the next question."""
    _zones.cache_clear()
