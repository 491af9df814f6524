"""What works do to trips: detours in minutes and metres, streets that take the load, places cut off.

A trip whose best way meets no closed or slowed stretch keeps it: closing streets elsewhere cannot make it better. Only
the others are searched again. Where a street changes direction, every trip is: some may gain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from beffroi.sense.mobility.ground import Spot
from beffroi.sense.mobility.layers import Layer, Overlay, laid
from beffroi.sense.mobility.obstacles import obstacle_kinds
from beffroi.sense.mobility.profiles import profile_named
from beffroi.sense.mobility.router import Found, Router
from beffroi.sense.mobility.routes import pieces_of, street_name
from beffroi.sense.mobility.works.directions import turned
from beffroi.sense.mobility.works.plan import Phase, Stretch
from beffroi.sense.mobility.works.trips import Sample, Trip

REACH_M = 300.0
MOST_STREETS, MOST_LINES, MOST_NAMED = 12, 60, 30
LEAST_S, LEAST_M = 0.5, 1.0
"""A way that differs by less is the same, or one as good."""
SAME_M = 15.0
"""A stretch is found again on a later graph within this distance of its middle."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What one phase does to one profile. Shares are of the trips of the sample, by weight.

    `extra_*` are over the trips touched (seconds, metres); `over_all_s` is the mean over every trip. `streets` gives
    the names that take the load and the share of trips each gains; `lines` their stretches, `cut_streets` and
    `cut_places` what nobody of this profile can reach any more; `lost` the share of trips with no way left.
    `relieved` are the names fewer trips take. `before_s`, `before_m`, `over_all_m` are means over every trip that keeps
    a way; `better` and `worse` the shares of trips that gain or lose time, those lost among the worse. `districts`
    gives, by where residents leave from, the trips, those better, those worse, and the mean seconds added.
    """

    profile: str
    trips: int
    touched: float
    lost: float
    over_all_s: float
    extra_mean_s: float
    extra_median_s: float
    extra_p95_s: float
    extra_mean_m: float
    extra_median_m: float
    extra_p95_m: float
    streets: tuple[tuple[str, float], ...] = ()
    lines: tuple[tuple[tuple[float, float], ...], ...] = ()
    cut_streets: tuple[str, ...] = ()
    cut_places: tuple[str, ...] = ()
    relieved: tuple[tuple[str, float], ...] = ()
    before_s: float = 0.0
    before_m: float = 0.0
    over_all_m: float = 0.0
    better: float = 0.0
    worse: float = 0.0
    districts: tuple[tuple[str, int, int, int, float], ...] = ()


def segments_of(router: Router, stretches: Sequence[Stretch]) -> list[int]:
    """Return the segments of this graph that stretches are, those gone since left out."""
    return list(dict.fromkeys(one for one in _found_again(router, stretches) if one is not None))


def _found_again(router: Router, stretches: Sequence[Stretch]) -> list[int | None]:
    everything = np.ones(len(router.graph), bool)
    found = [router.nearest(one.lon, one.lat, everything, reach_m=SAME_M) for one in stretches]
    return [one.segment if one is not None else None for one in found]


def overlay_of(segments: Sequence[int], phase: Phase, profile: str, before: Overlay) -> Overlay:
    """Return what a phase changes for a profile, over the obstacles that stand anyway."""
    closed, slowed = dict(before.closed), dict(before.slowed)
    for kind in (obstacle_kinds()[one] for one in phase.kinds()):
        for segment in segments:
            if profile in kind.closes:
                closed[segment] = tuple(sorted({*closed.get(segment, ()), 0.5}))
            elif profile in kind.slows:
                slowed[segment] = slowed.get(segment, 0.0) + kind.slows[profile]
    return Overlay(closed, slowed)


def effect_of(
    router: Router, phase: Phase, profile: str, sample: Sample, *, before: Overlay,
    district_of: Callable[[float, float], str] | None = None,
) -> Effect:  # fmt: skip
    """Return what a phase does to the trips of one profile; `before` are the obstacles that stand anyway.

    `district_of` names the district of a place (longitude, latitude); without it, none is told.
    """
    was = laid(router.layer(profile_named(profile)), before)
    then, now, changed = _after(router, phase, profile, was)
    told = [_compared((router, then), was, now, one, changed, bool(phase.direction)) for one in sample.trips]
    pairs = [(trip, one) for trip, one in zip(sample.trips, told, strict=True) if one is not None]
    weighed = [(trip.weight, one) for trip, one in pairs]
    touched = [(weight, one) for weight, one in weighed if one.extra_s is not None]
    lost = [(weight, one) for weight, one in weighed if one.lost]
    kept = [(weight, one) for weight, one in weighed if not one.lost]
    total, left = sum(weight for weight, _ in weighed) or 1.0, sum(weight for weight, _ in kept) or 1.0
    seconds = _spread([(weight, one.extra_s or 0.0) for weight, one in touched])
    metres = _spread([(weight, one.extra_m) for weight, one in touched])
    by_street, lines = _loads(router, [*touched, *lost])
    cut = _cut((router, then), was, now, sample, changed)
    names = {one.name for one in sample.trips if one.name and _segment(router, was, one.goal) in cut}
    return Effect(
        profile, len(weighed), sum(w for w, _ in [*touched, *lost]) / total, sum(w for w, _ in lost) / total,
        sum(w * (one.extra_s or 0.0) for w, one in touched) / total, *seconds, *metres,
        streets=_most(by_street, total), lines=lines,
        cut_streets=tuple(sorted({street_name(router, one) for one in cut} - {""}))[:MOST_NAMED],
        cut_places=tuple(sorted(names))[:MOST_NAMED],
        relieved=_most({name: -weight for name, weight in by_street.items()}, total),
        before_s=sum(w * one.base_s for w, one in kept) / left, before_m=sum(w * one.base_m for w, one in kept) / left,
        over_all_m=sum(w * one.extra_m for w, one in kept) / left,
        better=sum(w for w, one in weighed if one.better) / total,
        worse=sum(w for w, one in weighed if one.worse) / total,
        districts=_by_district(pairs, district_of) if district_of else (),
    )  # fmt: skip


def _after(router: Router, phase: Phase, profile: str, was: Layer) -> tuple[Router, Layer, set[int]]:
    """Return what answers once a phase holds, its costs, and the segments that change for the profile."""
    before = was.overlay
    if phase.direction:
        then = Router(turned(router.graph, phase, _found_again(router, phase.stretches)))
        now = laid(then.layer(profile_named(profile)), before)
        arcs = np.flatnonzero(np.isfinite(was.costs.inner) != np.isfinite(now.costs.inner))
        return then, now, set((arcs >> 1).tolist())
    segments = segments_of(router, phase.stretches)
    now = laid(was, overlay_of(segments, phase, profile, before))
    # A stretch closed to others only changes nothing for this profile.
    changed = {
        one
        for one in segments
        if before.closed.get(one) != now.overlay.closed.get(one)
        or before.slowed.get(one) != now.overlay.slowed.get(one)
    }
    return router, now, changed


@dataclass(frozen=True, slots=True)
class _Change:
    """One trip before and after: what it adds (None: untouched, or lost), and the segments it takes instead, or leaves.

    `base_s` and `base_m` are those of the way before.
    """

    extra_s: float | None
    extra_m: float
    lost: bool
    base_s: float
    base_m: float
    instead: frozenset[int] = frozenset()
    leaves: frozenset[int] = frozenset()

    @property
    def better(self) -> bool:
        return self.extra_s is not None and self.extra_s < -LEAST_S

    @property
    def worse(self) -> bool:
        return self.lost or (self.extra_s is not None and self.extra_s > LEAST_S)


def _compared(
    routers: tuple[Router, Router], was: Layer, now: Layer, trip: Trip, changed: set[int], every: bool
) -> _Change | None:
    """Return what becomes of a trip; with `every`, it is searched again even if its way met nothing that changed."""
    router, then = routers
    ends = _ends(router, was, trip)
    if ends is None:
        return None
    if every and changed:
        ends = _aside(router, was, ends[0], changed), _aside(router, was, ends[1], changed)
    before = router.path(was, *ends)
    if before is None:
        return None
    # The hair of a street where a place was brought to its very end is no part of the way.
    mine = {one.segment for one in pieces_of(before)}
    s0, m0 = _measured(router, was, before)
    if not changed or not (every or mine & changed):
        return _Change(None, 0.0, False, s0, m0)
    after = then.path(now, *ends)
    if after is None:
        return _Change(None, 0.0, True, s0, m0, leaves=frozenset(mine))
    s1, m1 = _measured(router, now, after)
    if every and abs(s1 - s0) < LEAST_S and abs(m1 - m0) < LEAST_M:
        return _Change(None, 0.0, False, s0, m0)
    theirs = {one.segment for one in pieces_of(after)}
    return _Change(s1 - s0, m1 - m0, False, s0, m0, frozenset(theirs - mine), frozenset(mine - theirs))


def _ends(router: Router, layer: Layer, trip: Trip) -> tuple[Spot, Spot] | None:
    start = router.nearest(*trip.start, layer.usable, reach_m=REACH_M)
    goal = router.nearest(*trip.goal, layer.usable, reach_m=REACH_M)
    return None if start is None or goal is None else (start, goal)


def _aside(router: Router, layer: Layer, spot: Spot, changed: set[int]) -> Spot:
    """Return a place at the very end of a street that changes on another street that meets it at this crossing."""
    if spot.segment not in changed:
        return spot
    others = layer.usable.copy()
    others[list(changed)] = False
    return router.nearest(*router.place(spot.segment, spot.share), others, reach_m=LEAST_M) or spot


def _segment(router: Router, layer: Layer, place: tuple[float, float]) -> int:
    found = router.nearest(*place, layer.usable, reach_m=REACH_M)
    return found.segment if found is not None else -1


def _measured(router: Router, layer: Layer, found: Found) -> tuple[float, float]:
    """Return the seconds and metres of a path, delays included."""
    slowed = layer.overlay.slowed
    pieces = pieces_of(found)
    seconds = sum((float(layer.costs.time[one.arc]) + slowed.get(one.segment, 0.0)) * one.share for one in pieces)
    return seconds, sum(float(router.graph.length_m[one.segment]) * one.share for one in pieces)


def _spread(values: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Return the mean, the median and the 95th centile of weighted values; zeros when there are none."""
    if not values:
        return 0.0, 0.0, 0.0
    weight, value = np.array([one[0] for one in values]), np.array([one[1] for one in values])
    order = np.argsort(value)
    reached = np.cumsum(weight[order]) / weight.sum()
    at = [
        float(value[order][min(len(value) - 1, int(np.searchsorted(reached, share - 1e-9)))]) for share in (0.5, 0.95)
    ]
    # A centimetre of a street cut in two is no detour.
    return round(float((weight * value).sum() / weight.sum()), 1), round(at[0], 1), round(at[1], 1)


def _loads(router: Router, met: Sequence[tuple[float, _Change]]) -> tuple[dict[str, float], Any]:
    """Return the weight each street gains or, less than nothing, loses; and the lines of the stretches that gain."""
    by_segment: dict[int, float] = {}
    by_street: dict[str, float] = {}
    for weight, one in met:
        for segment in one.instead:
            by_segment[segment] = by_segment.get(segment, 0.0) + weight
        taken, left = ({street_name(router, one) for one in some} - {""} for some in (one.instead, one.leaves))
        for names, sign in ((taken, 1), (left - taken, -1)):
            for name in names:
                by_street[name] = by_street.get(name, 0.0) + sign * weight
    heaviest = sorted(by_segment, key=lambda one: (-by_segment[one], one))[:MOST_LINES]
    lines = tuple(tuple((round(x, 6), round(y, 6)) for x, y in router.graph.line(one).tolist()) for one in heaviest)
    return by_street, lines


def _most(by_street: dict[str, float], total: float) -> tuple[tuple[str, float], ...]:
    heaviest = sorted(by_street.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_STREETS]
    return tuple((name, weight / total) for name, weight in heaviest if weight > 0)


def _by_district(
    pairs: Sequence[tuple[Trip, _Change]], district_of: Callable[[float, float], str]
) -> tuple[tuple[str, int, int, int, float], ...]:
    """Return what residents' trips become, by the district they leave from: who gains, who loses."""
    found: dict[str, list[_Change]] = {}
    names: dict[Any, str] = {}
    for trip, one in pairs:
        if trip.kind != "through":
            if trip.start not in names:
                names[trip.start] = district_of(*trip.start)
            found.setdefault(names[trip.start], []).append(one)
    return tuple(
        (name, len(some), sum(one.better for one in some), sum(one.worse for one in some),
         round(sum(one.extra_s or 0.0 for one in some) / len(some), 1))
        for name, some in sorted(found.items())
    )  # fmt: skip


def _cut(routers: tuple[Router, Router], was: Layer, now: Layer, sample: Sample, changed: set[int]) -> set[int]:
    """Return the segments one could get to before and cannot after, from the entry that reaches most."""
    router = routers[0]
    starts = [trip.start for trip in sample.trips if trip.kind == "through"][:: max(1, sample.entries - 1)]
    best: set[int] = set()
    reached: tuple[Any, Any] | None = None
    for place in starts:
        spot = router.nearest(*place, was.usable, reach_m=REACH_M)
        if spot is None:
            continue
        pair = tuple(_got_to(one, layer, spot) for one, layer in zip(routers, (was, now), strict=True))
        if len(pair[1]) > len(reached[1] if reached else ()):
            reached = (pair[0], pair[1])
            best = pair[0] - pair[1] - changed
    return best


def _got_to(router: Router, layer: Layer, spot: Spot) -> set[int]:
    """Return the segments one may get to, at least by one of their ends."""
    best, _ = router.reached(layer, spot)
    there = np.zeros(router.graph.ends, bool)
    np.logical_or.at(there, layer.topology.place, np.isfinite(best))
    tail, head = np.asarray(router.graph.tail), np.asarray(router.graph.head)
    ahead, back = np.isfinite(layer.costs.inner[0::2]) & there[tail], np.isfinite(layer.costs.inner[1::2]) & there[head]
    return set(np.flatnonzero(ahead | back).tolist())


def as_json(effect: Effect) -> dict[str, Any]:
    """Return an effect as it is kept."""
    return asdict(effect)


def from_json(values: dict[str, Any]) -> Effect:
    """Return an effect kept as JSON."""
    tuples = {
        "streets": tuple((str(name), float(share)) for name, share in values["streets"]),
        "lines": tuple(tuple((float(x), float(y)) for x, y in line) for line in values["lines"]),
        "cut_streets": tuple(values["cut_streets"]),
        "cut_places": tuple(values["cut_places"]),
        "relieved": tuple((str(name), float(share)) for name, share in values.get("relieved", ())),
        "districts": tuple((str(one[0]), *one[1:]) for one in values.get("districts", ())),
    }
    return Effect(**(values | tuples))


__all__ = ["Effect", "effect_of", "segments_of"]
