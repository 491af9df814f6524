"""Times from one place to many, or from everywhere to the nearest of some places: one search, then plain arithmetic.

The way to each place is that of least felt cost, as `route` finds it; its time is what counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from beffroi.sense.mobility.compiled import search_module
from beffroi.sense.mobility.costs import Barrier
from beffroi.sense.mobility.ground import Spot
from beffroi.sense.mobility.layers import Layer
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.streets import Array

NOWHERE = -1
SPARE_M = 25.0


@dataclass(frozen=True, slots=True)
class Places:
    """Places brought to the streets a profile may use: the segment of each (-1 without one near) and the share."""

    segment: Array
    share: Array

    def __len__(self) -> int:
        return len(self.segment)


@dataclass(frozen=True, slots=True)
class Field:
    """What it costs to go to every end from the nearest of `spots`, or from it to the nearest when `backwards`.

    Arrays of n values (ends): `cost` as felt, infinite where one cannot go; `seconds`; `owner`, the rank of the spot.
    """

    spots: tuple[Spot, ...]
    backwards: bool
    cost: Array
    seconds: Array
    owner: Array


def places_on(router: Router, layer: Layer, places: Sequence[tuple[float, float]] | Array) -> Places:
    """Bring places (longitude, latitude) to the streets of a layer.

    A place whose own street is impossible for the profile is not brought to another one farther than `SPARE_M` more:
    the school at the end of a flight of steps is not reached by those who stop at its foot.
    """
    flat = np.asarray(places, np.float64).reshape(-1, 2)
    segment, share, away = router.nearest_each(flat[:, 0], flat[:, 1], layer.usable)
    allowed = (layer.costs.why & np.uint16(Barrier.FORBIDDEN)) == 0
    own, _, own_away = router.nearest_each(flat[:, 0], flat[:, 1], allowed[0::2] | allowed[1::2])
    kept = (own < 0) | (away <= own_away + SPARE_M)
    return Places(np.where(kept, segment, NOWHERE), share)


def field_of(router: Router, layer: Layer, spots: Sequence[Spot], *, backwards: bool = False) -> Field:
    """Search from every spot at once (towards them when `backwards`), over the whole graph."""
    count = len(layer.topology.place)
    best, by = np.full(count, np.inf), np.full(count, -1, np.int32)
    seeds = [router.reaching(layer, one) if backwards else router.leaving(layer, one) for one in spots]
    ends = np.concatenate([one[0] for one in seeds]) if seeds else np.zeros(0, np.int64)
    costs = np.concatenate([one[1] for one in seeds]) if seeds else np.zeros(0)
    router.spread_out(layer, (ends, costs), (best, by), limit=np.inf, backwards=backwards)
    seconds, owner = np.full(count, np.inf), np.full(count, NOWHERE, np.int32)
    for rank, (spot, (its_ends, its_costs, arcs)) in enumerate(zip(spots, seeds, strict=True)):
        for end, cost, arc in zip(its_ends.tolist(), its_costs.tolist(), arcs, strict=True):
            if by[end] < 0 and cost == best[end] and np.isfinite(cost):
                seconds[end] = float(layer.costs.time[arc]) * _share(spot, arc, backwards)
                owner[end] = rank
    steps, parents = layer.costs.time[layer.topology.arcs], router.tails_of(layer)
    if backwards:
        way = router.backwards(layer)
        steps = steps[way.order]
        parents = np.repeat(np.arange(count, dtype=np.int32), np.diff(way.first))
    reached = np.flatnonzero(np.isfinite(best))
    order = reached[np.argsort(best[reached], kind="stable")]
    search_module().carry(order, by, parents, steps, seconds, owner)
    return Field(tuple(spots), backwards, best, seconds, owner)


def _share(spot: Spot, arc: int, backwards: bool) -> float:
    """Return the part of an arc's time one spends between a spot on it and the end it was left by."""
    ahead = arc % 2 == 0
    return spot.share if ahead == backwards else 1 - spot.share


def seconds_at(router: Router, layer: Layer, field: Field, places: Places) -> tuple[Array, Array]:
    """Return the time between each place and the nearest spot of a field (infinite without a way), and which spot."""
    segment = np.maximum(places.segment, 0)
    cost, seconds = np.full(len(places), np.inf), np.full(len(places), np.inf)
    owner = np.full(len(places), NOWHERE, np.int32)
    into = None if field.backwards else _into(router, layer, field)
    for side in (0, 1):
        arc = 2 * segment + side
        # The part of the arc between the place and the end that the field knows.
        share = places.share if (side == 0) == (into is not None) else 1 - places.share
        end = layer.topology.entry[arc] if into is None else into[arc]
        whole, inner = layer.costs.cost[arc].astype(float), layer.costs.inner[arc].astype(float)
        # One who stops on an arc does not meet what stands at its end; one who leaves by it does.
        possible = np.isfinite(whole if into is None else inner)
        part = np.multiply(inner, share, out=np.full(len(share), np.inf), where=possible)
        if into is None:
            part += np.subtract(whole, inner, out=np.zeros(len(part)), where=np.isfinite(whole))
        part = part + _obstacles(layer, segment, share, places.share, side, backwards=into is None)
        total = np.where(end >= 0, field.cost[end] + part, np.inf)
        better = (total < cost) & (places.segment >= 0)
        cost[better] = total[better]
        seconds[better] = (field.seconds[end] + layer.costs.time[arc] * share)[better]
        owner[better] = field.owner[end][better]
    _along_the_same(router, layer, field, places, (cost, seconds, owner))
    return seconds, owner


def _into(router: Router, layer: Layer, field: Field) -> Array:
    """Return, for each arc, the end it is best left from: of the twins of a doubled end, the cheapest."""
    arcs, tails = layer.topology.arcs, router.tails_of(layer)
    best = np.full(len(layer.costs.cost), np.inf)
    np.minimum.at(best, arcs, field.cost[tails])
    found = np.full(len(best), NOWHERE, np.int64)
    chosen = np.isfinite(best[arcs]) & (field.cost[tails] == best[arcs])
    found[arcs[chosen]] = tails[chosen]
    return found


def _obstacles(layer: Layer, segment: Array, share: Array, at: Array, side: int, *, backwards: bool) -> Array:
    """Return what the obstacles of the moment add between each place and the end its arc leads to (or comes from)."""
    more = np.zeros(len(segment))
    shut, slowed = layer.overlay.closed, layer.overlay.slowed
    if not shut and not slowed:
        return more
    touched = np.isin(segment, np.array([*shut, *slowed], dtype=segment.dtype))
    # The end lies after the place along the line when one leaves by the arc ahead, or comes by the arc back.
    beyond = (side == 0) == backwards
    for rank in np.flatnonzero(touched).tolist():
        number, here = int(segment[rank]), float(at[rank])
        more[rank] = slowed.get(number, 0.0) * float(share[rank])
        if any(one >= here if beyond else one <= here for one in shut.get(number, ())):
            more[rank] = np.inf
    return more


def _along_the_same(router: Router, layer: Layer, field: Field, places: Places, into: tuple[Any, Any, Any]) -> None:
    """Prefer staying on one segment where a place and a spot are both on it."""
    cost, seconds, owner = into
    for rank, spot in enumerate(field.spots):
        for number in np.flatnonzero(places.segment == spot.segment).tolist():
            place = Spot(spot.segment, float(places.share[number]), 0.0, 0.0, 0.0)
            straight = router.along_one(layer, *((place, spot) if field.backwards else (spot, place)))
            if straight is not None and straight[0] < cost[number]:
                cost[number] = straight[0]
                seconds[number] = float(layer.costs.time[straight[1]]) * abs(place.share - spot.share)
                owner[number] = rank


__all__ = ["NOWHERE", "Field", "Places", "field_of", "places_on", "seconds_at"]
