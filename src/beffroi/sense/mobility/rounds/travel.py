"""Times and lengths between the places of a round, for each kind of vehicle, and why it cannot get to some."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from beffroi.sense.mobility.compiled import search_module
from beffroi.sense.mobility.ground import Spot
from beffroi.sense.mobility.layers import CLEAR, Layer, laid
from beffroi.sense.mobility.profiles import Profile
from beffroi.sense.mobility.rounds.plan import Plan, Stop, Vehicle
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.routes import pieces_of, street_name
from beffroi.sense.mobility.streets import Array
from beffroi.sense.mobility.vocabulary import Kind

REACH_M = 300.0
"""How far from any street a place may be and still belong to a town."""
MAIN = (Kind.MOTORWAY, Kind.ROAD_MAJOR, Kind.ROAD)
NO_WAY = -1
_SIZES = (("max_width_cm", "width_cm"), ("road_cm", "width_cm"), ("max_height_cm", "height_cm"),
          ("max_weight_kg", "weight_kg"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Obstruction:
    """Why a vehicle cannot serve a stop: a code, the street, the limit there and what the vehicle measures.

    Codes: ``width``, ``height``, ``weight`` (in cm and kg), ``barred`` (the street is not for such vehicles),
    ``closed`` (an obstacle or works of that day), ``far`` (no street near), ``cut`` (no way leads there).
    """

    code: str
    street: str = ""
    limit: float = 0.0
    own: float = 0.0


@dataclass(frozen=True, slots=True)
class Travel:
    """What one kind of vehicle needs between places: depots and tips first, then stops, in the order of `places`.

    `seconds` and `metres` are (n, n) int32, `NO_WAY` where there is none; `main` (n) bool tells the places on main
    roads; `barred` says why by place, for those it cannot be served at.
    """

    seconds: Array
    metres: Array
    main: Array
    barred: Mapping[int, Obstruction]


@dataclass(frozen=True, slots=True)
class Ways:
    """Every `Travel` of a round, by vehicle name, and the place of each thing in it."""

    travels: Mapping[str, Travel]
    depot: Mapping[str, int]
    home: Mapping[str, int]
    tip: int | None
    stop: Mapping[str, int]

    def is_main(self, stop: str) -> bool:
        """Tell whether a stop is on a main road, whichever vehicle comes."""
        return any(bool(one.main[self.stop[stop]]) for one in self.travels.values())


def size_key(vehicle: Vehicle) -> tuple[str, int, int, int]:
    """Return what tells two kinds of vehicles apart on the streets."""
    return vehicle.profile, vehicle.width_cm, vehicle.height_cm, vehicle.weight_kg


Places = list[tuple[float, float]]


def places_of(plan: Plan, stops: Sequence[Stop]) -> tuple[Places, dict[str, int], dict[str, int], int | None]:
    """Return the places of a round: depots, once each, then the tip, then stops.

    Then, by their ranks among them, the depot of each vehicle, where each ends its round, and the tip.
    """
    places: Places = []
    depot: dict[str, int] = {}
    home: dict[str, int] = {}
    for one in plan.vehicles:
        for known, site in ((depot, one.depot), (home, one.home)):
            place = (site.lon, site.lat)
            if place not in places:
                places.append(place)
            known[one.name] = places.index(place)
    tip = None
    if plan.tip is not None:
        tip = len(places)
        places.append((plan.tip.lon, plan.tip.lat))
    places += [(one.lon, one.lat) for one in stops]
    return places, depot, home, tip


def ways_of(router: Router, layers: Mapping[tuple[str, int, int, int], Layer], plan: Plan, stops: Sequence[Stop],
            *, tell: Any = None) -> Ways:  # fmt: skip
    """Compute the times between all places of a round for each kind of vehicle.

    `layers` gives the costs of each kind, with the obstacles of the day of the round. `tell` receives the share done.
    """
    places, depot, home, tip = places_of(plan, stops)
    first_stop = len(places) - len(stops)
    kinds = list(dict.fromkeys(size_key(one) for one in plan.vehicles))
    found: dict[Any, Travel] = {}
    for rank, kind in enumerate(kinds):

        def share(part: float, rank: int = rank) -> None:
            if tell is not None:
                tell((rank + part) / len(kinds))

        found[kind] = _travel(router, layers[kind], places, first_stop, plan.walk_m, share)
    travels = {one.name: found[size_key(one)] for one in plan.vehicles}
    return Ways(travels, depot, home, tip, {one.id: first_stop + rank for rank, one in enumerate(stops)})


def _travel(router: Router, layer: Layer, places: Sequence[tuple[float, float]], first_stop: int, walk_m: int,
            tell: Any) -> Travel:  # fmt: skip
    spots: list[Spot | None] = []
    barred: dict[int, Obstruction] = {}
    everything = np.ones(len(router.graph), bool)
    for rank, place in enumerate(places):
        reach = REACH_M
        if rank >= first_stop:
            # A place off the street is brought to one first: what the crew walks is counted from there.
            near = router.nearest(*place, everything, reach_m=REACH_M)
            reach = walk_m + (near.away_m if near is not None else 0.0)
        spots.append(router.nearest(*place, layer.usable, reach_m=reach))
        if spots[-1] is None:
            barred[rank] = _why_not_here(router, layer, place, reach)
    seconds, metres = between(router, layer, spots, tell=tell)
    main = np.zeros(len(places), bool)
    for rank, spot in enumerate(spots):
        main[rank] = spot is not None and router.graph.columns["kind"][spot.segment] in MAIN
    for rank in range(first_stop, len(places)):
        if rank not in barred and (seconds[0, rank] == NO_WAY or seconds[rank, 0] == NO_WAY):
            barred[rank] = _why_no_way(router, layer, spots[0], spots[rank])
    return Travel(seconds, metres, main, barred)


def between(router: Router, layer: Layer, spots: Sequence[Spot | None], *, tell: Any = None) -> tuple[Array, Array]:
    """Return the times (whole seconds, rounded up) and lengths (metres) of the best ways between all spots."""
    count = len(spots)
    seconds, metres = np.full((count, count), NO_WAY, np.int32), np.full((count, count), NO_WAY, np.int32)
    times = delayed_times(layer)
    for rank, spot in enumerate(spots):
        if spot is not None:
            time, length = spread_from(router, layer, spot, spots, times=times)
            gone = np.isfinite(time)
            seconds[rank, gone] = np.ceil(time[gone] - 1e-3)
            metres[rank, gone] = np.round(length[gone])
            seconds[rank, rank] = metres[rank, rank] = 0
        if tell is not None:
            tell((rank + 1) / count)
    return seconds, metres


def delayed_times(layer: Layer) -> Array:
    """Return the time of every arc, the delays of the obstacles laid over the layer included."""
    times = layer.costs.time.astype(np.float64)
    for segment, seconds in layer.overlay.slowed.items():
        times[2 * segment : 2 * segment + 2] += seconds
    return times


def spread_from(
    router: Router, layer: Layer, start: Spot, goals: Sequence[Spot | None], *, times: Array
) -> tuple[Array, Array]:
    """Return the time (seconds) and length (metres) of the best way to each goal, infinite where there is none.

    One search for all goals, which finds the same ways as `Router.path`; `times` is `delayed_times(layer)`.
    """
    best, by = router.reached(layer, start)
    time, length = np.full(len(goals), np.inf), np.full(len(goals), np.inf)
    lengths = router.graph.length_m
    owners, ends = [], []
    for rank, goal in enumerate(goals):
        if goal is None:
            continue
        straight = router.along_one(layer, start, goal)
        into, costs, arcs = router.reaching(layer, goal)
        total = best[into] + costs
        choice = int(np.argmin(total))
        if straight is not None and straight[0] <= total[choice]:
            share, arc = abs(goal.share - start.share), straight[1]
        elif np.isfinite(total[choice]):
            arc = arcs[choice]
            share = goal.share if arc % 2 == 0 else 1 - goal.share
            owners.append(rank)
            ends.append(int(into[choice]))
        else:
            continue
        time[rank], length[rank] = times[arc] * share, float(lengths[goal.segment]) * share
    if ends:
        spent, gone, begun = search_module().summed(
            by, router.tails_of(layer), layer.topology.arcs, times, lengths, np.array(ends, np.int64)
        )
        for rank, seconds, metres, end in zip(owners, spent.tolist(), gone.tolist(), begun.tolist(), strict=True):
            arc, share = _first(layer, start, end)
            time[rank] += seconds + times[arc] * share
            length[rank] += metres + float(lengths[start.segment]) * share
    return time, length


def _first(layer: Layer, start: Spot, end: int) -> tuple[int, float]:
    """Return the arc by which one leaves `start` for `end`, and the share of it."""
    ahead, back = (2 * start.segment, 1 - start.share), (2 * start.segment + 1, start.share)
    able = [one for one in (ahead, back) if int(layer.topology.entry[one[0]]) == end]
    return min(able, key=lambda one: layer.costs.inner[one[0]] * one[1])


# --- Why not --------------------------------------------------------------------------------------------------------


def _why_not_here(router: Router, layer: Layer, place: tuple[float, float], reach_m: float) -> Obstruction:
    """Say why no street this vehicle may use is near a stop."""
    free = router.layer(layer.profile.unsized())
    near = router.nearest(*place, free.usable, reach_m=reach_m)
    if near is not None:
        tight = size_limit(router, layer.profile, near.segment)
        return tight or Obstruction("barred", street_name(router, near.segment))
    anyone = router.nearest(*place, np.ones(len(router.graph), bool), reach_m=REACH_M)
    return Obstruction("barred", street_name(router, anyone.segment)) if anyone is not None else Obstruction("far")


def _why_no_way(router: Router, layer: Layer, start: Spot | None, goal: Spot | None) -> Obstruction:
    """Say what on the way, were the vehicle small and the streets open, stops it."""
    free = router.layer(layer.profile.unsized())
    bare = laid(free, CLEAR)
    for a, b in ((start, goal), (goal, start)):
        found = router.path(bare, a, b) if a is not None and b is not None else None
        for piece in pieces_of(found) if found is not None else ():
            tight = size_limit(router, layer.profile, piece.segment)
            if tight is not None:
                return tight
            if piece.segment in layer.overlay.closed:
                return Obstruction("closed", street_name(router, piece.segment))
    return Obstruction("cut", street_name(router, goal.segment) if goal is not None else "")


def size_limit(router: Router, profile: Profile, segment: int) -> Obstruction | None:
    """Return the limit of a street that a vehicle is beyond, None when it fits."""
    for column, attribute in _SIZES:
        limit, own = int(router.graph.columns[column][segment]), int(getattr(profile, attribute))
        if own and 0 < limit < own:
            return Obstruction(attribute.split("_")[0], street_name(router, segment), limit, own)
    return None


# --- Kept -----------------------------------------------------------------------------------------------------------


def packed(ways: Ways, plan: Plan) -> bytes:
    """Return the ways of a round as bytes, each kind of vehicle once."""
    arrays: dict[str, Array] = {}
    for one in plan.vehicles:
        key = "_".join(map(str, size_key(one)))
        travel = ways.travels[one.name]
        arrays |= {f"{key}:s": travel.seconds, f"{key}:m": travel.metres, f"{key}:main": travel.main}
        told = [(str(rank), one.code, one.street, str(one.limit), str(one.own)) for rank, one in travel.barred.items()]
        arrays[f"{key}:barred"] = np.array(told, dtype=np.str_).reshape(-1, 5)
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays)
    return out.getvalue()


def unpacked(content: bytes, plan: Plan, stops: Sequence[Stop]) -> Ways:
    """Return the ways of a round as `packed` kept them."""
    kept = np.load(io.BytesIO(content), allow_pickle=False)
    places, depot, home, tip = places_of(plan, stops)
    first_stop = len(places) - len(stops)
    travels = {}
    for one in plan.vehicles:
        key = "_".join(map(str, size_key(one)))
        barred = {
            int(rank): Obstruction(code, street, float(limit), float(own))
            for rank, code, street, limit, own in kept[f"{key}:barred"].tolist()
        }
        travels[one.name] = Travel(kept[f"{key}:s"], kept[f"{key}:m"], kept[f"{key}:main"], barred)
    return Ways(travels, depot, home, tip, {one.id: first_stop + rank for rank, one in enumerate(stops)})
