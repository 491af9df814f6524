"""What one may ask of shared vehicles: what there is near a place now, and how to go by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import cos, hypot, radians
from typing import Any

from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.models import LiveMessage
from beffroi.sense.mobility.shared import gbfs
from beffroi.sense.mobility.shared.gbfs import Station, Vehicle
from beffroi.sense.mobility.shared.sources import System, systems

HOLDS = timedelta(minutes=5)
"""How long what a station is told to have is believed."""
NEAR_M, MOST_TRIED = 800.0, 4
HANDLING_S = 60.0
"""What taking a bicycle takes, and leaving it: an assumption."""
METRES_PER_DEGREE = 111_195.0
Place = tuple[float, float]
_PARSED: dict[tuple[str, str], tuple[tuple[Any, ...], tuple[Station, ...], tuple[Vehicle, ...]]] = {}


@dataclass(frozen=True, slots=True)
class Fleet:
    """What a system has. `told_at` is the instant of the figures; `fresh` tells whether one may still count on them."""

    system: System
    stations: tuple[Station, ...]
    vehicles: tuple[Vehicle, ...]
    told_at: datetime | None
    fresh: bool


@dataclass(frozen=True, slots=True)
class Ride:
    """A way by a shared bicycle: walk to a station, ride, walk from another. Seconds; metres are told by the route."""

    fleet: Fleet
    taken: Station
    left: Station
    walk_first_s: float
    ride_s: float
    walk_last_s: float

    @property
    def seconds(self) -> float:
        return self.walk_first_s + self.ride_s + self.walk_last_s + 2 * HANDLING_S


def fleets(territory: str, *, at: datetime) -> list[Fleet]:
    """Return what each system of a town has, as it was last told."""
    return [fleet for system in systems(territory)[0] if (fleet := _fleet(system, at)) is not None]


def _fleet(system: System, at: datetime) -> Fleet | None:
    rows = LiveMessage.objects.filter(territory=system.territory, feed=system.feed, fetched_at__isnull=False)
    known = {row.kind: row for row in rows.defer("content")}
    mark = tuple(sorted((kind, row.number) for kind, row in known.items()))
    key = (system.territory, system.feed)
    kept = _PARSED.get(key)
    if kept is None or kept[0] != mark:
        data = {row.kind: gbfs.read(bytes(row.content), where=row.kind)[0] for row in rows}
        stations = gbfs.stations(data.get(gbfs.STATIONS, {}), data.get(gbfs.STATUS))
        kept = _PARSED[key] = (mark, stations, gbfs.vehicles(data.get(gbfs.VEHICLES, {})))
    told = [row.told_at or row.fetched_at for kind, row in known.items() if kind in (gbfs.STATUS, gbfs.VEHICLES)]
    if not told:
        return None
    told_at = min(one for one in told if one is not None)
    return Fleet(system, kept[1], kept[2], told_at, abs(at - told_at) <= HOLDS)


def near(
    fleet: Fleet, place: Place, *, within_m: float = NEAR_M, most: int = MOST_TRIED
) -> list[tuple[float, Station]]:
    """Return the stations nearest a place as the crow flies, with their metres."""
    found = [(_away(place, one), one) for one in fleet.stations]
    return sorted((pair for pair in found if pair[0] <= within_m), key=lambda pair: pair[0])[:most]


def vehicles_near(fleet: Fleet, place: Place, *, within_m: float = NEAR_M) -> int:
    """Return how many vehicles left in the street one may take within so many metres."""
    return sum(_away(place, one) <= within_m for one in fleet.vehicles)


def _away(place: Place, one: Station | Vehicle) -> float:
    east = (one.lon - place[0]) * METRES_PER_DEGREE * cos(radians(place[1]))
    return hypot(east, (one.lat - place[1]) * METRES_PER_DEGREE)


def ride(territory: str, *, start: Place, goal: Place, at: datetime) -> Ride | None:
    """Return the quickest way by a shared bicycle of the stations of now, None without one that is told fresh.

    Of the four nearest stations at each end that have a bicycle, or a free dock; none that is slower than to walk.
    Vehicles left in the street are not counted on: where one may leave them is not read.

    Raises:
        NoGraph, NoEngine: see `queries.route`.
    """
    best: Ride | None = None
    for fleet in fleets(territory, at=at):
        if fleet.fresh:
            one = _ride(territory, fleet, start, goal, at)
            if one is not None and (best is None or one.seconds < best.seconds):
                best = one
    return best


def _ride(territory: str, fleet: Fleet, start: Place, goal: Place, at: datetime) -> Ride | None:
    lending = [one for _away_m, one in near(fleet, start, most=len(fleet.stations)) if one.lends][:MOST_TRIED]
    taking = [one for _away_m, one in near(fleet, goal, most=len(fleet.stations)) if one.takes_back][:MOST_TRIED]
    if not lending or not taking:
        return None
    firsts, lasts = [(one.lon, one.lat) for one in lending], [(one.lon, one.lat) for one in taking]
    foot, bicycle = mobility.profile("a-pied"), mobility.profile("velo")
    walks = mobility.matrix(territory, profile=foot, sources=[start], targets=[*firsts, goal], at=at).seconds[0]
    *to, whole = walks
    ridden = mobility.matrix(territory, profile=bicycle, sources=firsts, targets=lasts, at=at).seconds
    back = [row[0] for row in mobility.matrix(territory, profile=foot, sources=lasts, targets=[goal], at=at).seconds]
    found = [
        Ride(fleet, taken, left, walk, middle, last)
        for taken, walk, row in zip(lending, to, ridden, strict=True)
        for left, middle, last in zip(taking, row, back, strict=True)
        if taken.id != left.id and walk is not None and middle is not None and last is not None
    ]
    best = min(found, key=lambda one: one.seconds, default=None)
    return best if best is not None and (whole is None or best.seconds < whole) else None
