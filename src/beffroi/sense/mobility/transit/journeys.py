"""From a place to another by the vehicles of one network, walking to it, between its stops and from it.

Times are those of the timetable. A walk to or from a stop follows the streets, obstacles of the moment met; a change
between two stops is a straight line made longer by `DETOUR`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from beffroi.sense.mobility.compiled import NoEngine
from beffroi.sense.mobility.fields import field_of, places_on, seconds_at
from beffroi.sense.mobility.ground import Spot
from beffroi.sense.mobility.layers import Layer
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.streets import Array
from beffroi.sense.mobility.transit.calendars import zero_of
from beffroi.sense.mobility.transit.timetable import Timetable

HOURS = 3
MOST_WALK_S = 1500.0
CHANGE_S, CHANGE_M, DETOUR, WALK_M_S = 90.0, 350.0, 1.3, 1.2
METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True)
class Ride:
    """A vehicle boarded and left: its line and stops by number, moments, where it goes, metres by its stops."""

    route: int
    boarded: int
    left: int
    leaves_at: datetime
    arrives_at: datetime
    destination: str
    stops: int
    length_m: float


@dataclass(frozen=True, slots=True)
class Journey:
    """Rides in order, the walk before the first and after the last (seconds). One leaves just in time for the first."""

    leaves_at: datetime
    arrives_at: datetime
    walk_first_s: float
    walk_last_s: float
    rides: tuple[Ride, ...]

    @property
    def seconds(self) -> float:
        return (self.arrives_at - self.leaves_at).total_seconds()


@dataclass(frozen=True, slots=True)
class _Hops:
    """Vehicles from one stop to the next, by departure; seconds from the moment asked. `row`: stop time left from."""

    leaves: Array
    arrives: Array
    row: Array
    trip: Array
    trips: int


def journey(
    timetable: Timetable, router: Router, layer: Layer, start: Spot, goal: Spot, at: datetime
) -> Journey | None:
    """Return the journey that arrives first among those that board at least once; see `journeys`."""
    return journeys(timetable, router, layer, start, goal, [at])[0]


def journeys(
    timetable: Timetable, router: Router, layer: Layer, start: Spot, goal: Spot, moments: Sequence[datetime]
) -> list[Journey | None]:
    """Return, for each moment, the journey that arrives first among those that board at least once, None without one.

    With a wheelchair (`wheels`), only stops told accessible and vehicles that are not told otherwise.

    Raises:
        NoEngine: the search is not installed.
    """
    try:
        from beffroi.sense.mobility.transit.scanning import scan
    except ImportError as error:
        raise NoEngine("le calcul d'itinéraires n'est pas installé sur ce serveur",
                       remedy="faites « make install »") from error  # fmt: skip
    access, egress = _walks(timetable, router, layer, start, goal)
    if not np.isfinite(access).any():
        return [None] * len(moments)
    wheels = layer.profile.wheels
    return [_first(scan, timetable, _hops(timetable, at, wheels=wheels), access, egress, at) for at in moments]


def _first(
    scan: Callable[..., tuple[float, int, int]], timetable: Timetable, hops: _Hops, access: Array, egress: Array,
    at: datetime,
) -> Journey | None:  # fmt: skip
    if not len(hops.row):
        return None
    count = len(access)
    ready, leg_in, leg_out = access.copy(), np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    first, to, seconds = _foot(timetable)
    _total, last_in, last_out = scan(
        hops.leaves, hops.arrives, timetable.at_stop[hops.row], timetable.at_stop[hops.row + 1], hops.trip,
        timetable.pickup[hops.row] != 1, timetable.drop_off[hops.row + 1] != 1, ready, egress, first, to, seconds,
        CHANGE_S, np.inf, np.full(hops.trips, -1, np.int64), leg_in, leg_out,
    )  # fmt: skip
    if last_in < 0:
        return None
    legs = [(int(last_in), int(last_out))]
    while (stop := int(timetable.at_stop[hops.row[legs[-1][0]]])) >= 0 and leg_in[stop] >= 0:
        legs.append((int(leg_in[stop]), int(leg_out[stop])))
    rides = tuple(_ride(timetable, hops, *leg, at) for leg in reversed(legs))
    walk_first, walk_last = float(access[rides[0].boarded]), float(egress[rides[-1].left])
    return Journey(
        rides[0].leaves_at - timedelta(seconds=walk_first), rides[-1].arrives_at + timedelta(seconds=walk_last),
        walk_first, walk_last, rides,
    )  # fmt: skip


def _walks(timetable: Timetable, router: Router, layer: Layer, start: Spot, goal: Spot) -> tuple[Array, Array]:
    """Return the walk from the start to each stop and from each stop to the goal, infinite beyond `MOST_WALK_S`."""
    where = np.stack([timetable.stop_lon, timetable.stop_lat], axis=1)
    located = np.isfinite(where).all(axis=1) & (timetable.stop_kind == 0)
    if layer.profile.wheels:
        located &= timetable.stop_wheelchair == 1
    on = places_on(router, layer, where[located])
    found = []
    for spot, backwards in ((start, False), (goal, True)):
        seconds, _ = seconds_at(router, layer, field_of(router, layer, [spot], backwards=backwards), on)
        walk = np.full(len(where), np.inf)
        walk[located] = np.where(seconds <= MOST_WALK_S, seconds, np.inf)
        found.append(walk)
    return found[0], found[1]


def _hops(timetable: Timetable, at: datetime, *, wheels: bool) -> _Hops:
    trips = len(timetable.trip_id)
    rows = np.flatnonzero(timetable.of_trip[:-1] == timetable.of_trip[1:])
    trip = timetable.of_trip[rows]
    if wheels:
        kept = timetable.trip_wheelchair[trip] != 2
        rows, trip = rows[kept], trip[kept]
    today = at.astimezone(timetable.zone).date()
    parts: list[tuple[Array, Array, Array, Array]] = []
    # What began the day before may still run after midnight; the next day begins within the hours looked at.
    days = range(-1 - timetable.latest // 86_400, 2)
    for rank, offset in enumerate(days):
        day: date = today + timedelta(days=offset)
        shift = zero_of(day, timetable.zone) - at.timestamp()
        leaves = timetable.departure[rows] + shift
        here = timetable.calendar.running(day)[timetable.trip_service[trip]] & (leaves >= 0) & (leaves < HOURS * 3600)
        parts.append((leaves[here], timetable.arrival[rows[here] + 1] + shift, rows[here], trip[here] + rank * trips))
    leaves, arrives, row, of = (np.concatenate([part[place] for part in parts]) for place in range(4))
    # Of hops that leave at one time, a trip's own order is kept: one goes on with the vehicle one is in.
    order = np.lexsort((row, arrives, leaves))
    return _Hops(leaves[order], arrives[order], row[order], of[order].astype(np.int64), len(days) * trips)


_FOOT: dict[tuple[str, str, str], tuple[Array, Array, Array]] = {}


def _foot(timetable: Timetable) -> tuple[Array, Array, Array]:
    """Return the walks between stops within `CHANGE_M`, by the stop they leave; kept for the version in use."""
    key = (str(timetable.about["territory"]), str(timetable.about["feed"]), timetable.version)
    if key not in _FOOT:
        for old in [one for one in _FOOT if one[:2] == key[:2]]:
            del _FOOT[old]
        _FOOT[key] = _foot_of(timetable)
    return _FOOT[key]


def _foot_of(timetable: Timetable) -> tuple[Array, Array, Array]:
    lon, lat = timetable.stop_lon, timetable.stop_lat
    x = np.where(np.isnan(lon), np.inf, lon * METRES_PER_DEGREE * np.cos(np.radians(np.nanmean(lat))))
    y = np.where(np.isnan(lat), np.inf, lat * METRES_PER_DEGREE)
    counts, to, seconds = np.zeros(len(x) + 1, np.int64), [], []
    order = np.argsort(y, kind="stable")
    sorted_y = y[order]
    for stop in range(len(x)):
        if not (np.isfinite(x[stop]) and np.isfinite(y[stop])):
            continue
        band = order[np.searchsorted(sorted_y, y[stop] - CHANGE_M) : np.searchsorted(sorted_y, y[stop] + CHANGE_M)]
        away = np.hypot(x[band] - x[stop], y[band] - y[stop])
        near = (away <= CHANGE_M) & (band != stop)
        counts[stop + 1] = near.sum()
        to.append(band[near])
        seconds.append(CHANGE_S / 2 + away[near] * DETOUR / WALK_M_S)
    if not to:
        return np.zeros(len(x) + 1, np.int64), np.zeros(0, np.int64), np.zeros(0)
    return np.cumsum(counts), np.concatenate(to), np.concatenate(seconds)


def _ride(timetable: Timetable, hops: _Hops, boarded: int, left: int, at: datetime) -> Ride:
    first, last = int(hops.row[boarded]), int(hops.row[left]) + 1
    stops = timetable.at_stop[first : last + 1]
    lon, lat = timetable.stop_lon[stops], timetable.stop_lat[stops]
    east = np.diff(lon) * METRES_PER_DEGREE * np.cos(np.radians(np.nanmean(lat)))
    length = float(np.nansum(np.hypot(east, np.diff(lat) * METRES_PER_DEGREE)))
    return Ride(
        route=int(timetable.trip_route[timetable.of_trip[first]]),
        boarded=int(stops[0]),
        left=int(stops[-1]),
        leaves_at=at + timedelta(seconds=float(hops.leaves[boarded])),
        arrives_at=at + timedelta(seconds=float(hops.arrives[left])),
        destination=timetable.destination(first),
        stops=len(stops) - 1,
        length_m=length,
    )
