"""Who reaches a kind of place in time: one search from all its places at once, read at each home."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beffroi.sense.mobility.coverage.kinds import Destination
from beffroi.sense.mobility.coverage.population import Residents
from beffroi.sense.mobility.fields import NOWHERE, field_of, places_on, seconds_at
from beffroi.sense.mobility.ground import Spot
from beffroi.sense.mobility.layers import Layer
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.streets import Array

CELL_M = 150.0
MOST_TRIED = 40


@dataclass(frozen=True, slots=True)
class Reach:
    """For each home, the seconds to the nearest place (infinite without a way), and which; places no way leads to."""

    seconds: Array
    nearest: Array
    unreached: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OneMore:
    """Where one more place would cover most of those who are not: longitude, latitude, inhabitants it would add."""

    lon: float
    lat: float
    people: float


def spots_of(router: Router, layer: Layer, places: tuple[Destination, ...]) -> tuple[list[Spot], list[int]]:
    """Return the spots of the places this profile can go to, and the rank of each among `places`."""
    if not places:
        return [], []
    on = places_on(router, layer, np.array([(one.lon, one.lat) for one in places]))
    kept = [rank for rank in range(len(places)) if on.segment[rank] != NOWHERE]
    spots = [
        Spot(int(on.segment[rank]), float(on.share[rank]), 0.0, places[rank].lon, places[rank].lat) for rank in kept
    ]
    return spots, kept


def reach_of(router: Router, layer: Layer, places: tuple[Destination, ...], homes: Residents) -> Reach:
    """Return how long each home takes to the nearest of `places`, on the way there."""
    spots, kept = spots_of(router, layer, places)
    count = len(homes.places)
    if not spots:
        return Reach(np.full(count, np.inf), np.full(count, NOWHERE), tuple(range(len(places))))
    field = field_of(router, layer, spots, backwards=True)
    seconds, owner = seconds_at(router, layer, field, places_on(router, layer, homes.places))
    nearest = np.where(owner >= 0, np.array(kept)[np.maximum(owner, 0)], NOWHERE)
    return Reach(seconds, nearest, tuple(rank for rank in range(len(places)) if rank not in kept))


def one_more(router: Router, layer: Layer, homes: Residents, covered: Array, limit_s: float) -> OneMore | None:
    """Return the best of the homes that are not covered as the site of one more place, by who it would add.

    Homes are gathered in squares of 150 m. A square is tried by the people within reach of it as the crow flies, which
    no way can better: the first whose bound is under the best found ends the search, as does the fortieth tried.
    """
    left = homes.people.sum(axis=1) * ~covered
    if left.sum() < 1:
        return None
    x, y = router.graph.metres(homes.places[:, 0], homes.places[:, 1])
    cell = np.stack([np.floor(x / CELL_M), np.floor(y / CELL_M)], axis=1)
    _, cells = np.unique(cell, axis=0, return_inverse=True)
    cells = cells.reshape(-1)
    lived = np.bincount(cells, weights=left)
    middle = np.stack(
        [np.bincount(cells, weights=left * axis) / np.maximum(lived, 1e-9) for axis in (np.asarray(x), np.asarray(y))],
        axis=1,
    )
    # As the crow flies and at the best pace of the profile, no way goes farther.
    pace = float(np.min(layer.costs.time / np.repeat(router.graph.length_m, 2), initial=np.inf))
    fastest_m = limit_s / max(pace, 1e-6)
    apart = np.hypot(middle[:, None, 0] - middle[None, :, 0], middle[:, None, 1] - middle[None, :, 1])
    bound = ((apart <= fastest_m + 2 * CELL_M) * lived[None, :]).sum(axis=1)
    on = places_on(router, layer, homes.places)
    best: OneMore | None = None
    order = [number for number in np.argsort(-bound, kind="stable").tolist() if lived[number] > 0]
    for number in order[:MOST_TRIED]:
        if best is not None and bound[number] <= best.people:
            break
        lon, lat = router.graph.degrees(*middle[number])
        spot = router.nearest(float(lon), float(lat), layer.usable, reach_m=CELL_M)
        if spot is None:
            continue
        seconds, _ = seconds_at(router, layer, field_of(router, layer, [spot], backwards=True), on)
        added = float(left[seconds <= limit_s].sum())
        if best is None or added > best.people:
            best = OneMore(spot.lon, spot.lat, added)
    return best


__all__ = ["OneMore", "Reach", "one_more", "reach_of"]
