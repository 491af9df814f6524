"""Routes as answers: what one meets on the way, other ways, what was avoided, why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from beffroi.sense.mobility.costs import Barrier
from beffroi.sense.mobility.ground import Spot
from beffroi.sense.mobility.landmarks import parts_of
from beffroi.sense.mobility.layers import CLEAR, Layer
from beffroi.sense.mobility.obstacles import ObstacleInfo
from beffroi.sense.mobility.router import Found, Router
from beffroi.sense.mobility.streets import Array
from beffroi.sense.mobility.vocabulary import KERB_UNKNOWN, NO_KERB, Crossing, Kind, Surface, Yes

MOST_ALTERNATIVES = 3
SHARED_AT_MOST = 0.7
LONGER_AT_MOST = 1.6
PENALTY = 1.5
NEARER_M = 10.0
"""How much nearer one must get for a way that does not arrive to be worth telling."""
Obstacles = Mapping[int, list[ObstacleInfo]]
_REMOVABLE = int(
    Barrier.STAIRS | Barrier.SLOPE | Barrier.KERB | Barrier.WIDTH | Barrier.SURFACE | Barrier.STANDING
    | Barrier.UNDOCUMENTED | Barrier.CLOSED
)  # fmt: skip


class Piece(NamedTuple):
    """A stretch of a route on one arc, between two shares of its segment's length."""

    arc: int
    start: float
    stop: float

    @property
    def segment(self) -> int:
        return self.arc >> 1

    @property
    def share(self) -> float:
        return abs(self.stop - self.start)


@dataclass(frozen=True, slots=True)
class Met:
    """A barrier: why it stops or slows someone, where, and how much of it (steps, percent, centimetres)."""

    reason: Barrier
    segment: int
    name: str
    lon: float
    lat: float
    amount: float | None = None
    obstacle: ObstacleInfo | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One way from a place to another. Lengths in metres, times in seconds, slopes in percent; `coordinates` are its
    vertices (n×2, longitude and latitude in degrees).

    `cost_s` is the time as the profile feels it, which is what was made smallest. `rises` are (metres walked, height
    relative to the start); `surfaces` gives metres by surface, None for unknown; `kerb_cm` is the highest kerb told.
    """

    pieces: tuple[Piece, ...]
    coordinates: Array = field(compare=False)
    length_m: float
    time_s: float
    cost_s: float
    climb_m: float | None
    descent_m: float | None
    steepest_up_pct: float | None
    steepest_down_pct: float | None
    rises: tuple[tuple[float, float], ...]
    steps: int
    flights: int
    kerbs: int
    kerbs_unknown: int
    kerb_cm: int | None
    crossings: int
    signals: int
    lifts: int
    surfaces: dict[Surface | None, float]
    narrowest_cm: int | None
    lit_m: float
    documented_m: float
    obstacles: tuple[ObstacleInfo, ...]

    @property
    def documented_share(self) -> float:
        return self.documented_m / self.length_m if self.length_m else 1.0


@dataclass(frozen=True, slots=True)
class Why:
    """The quickest way, were nothing in the way of this profile: what stands on it, and what avoiding it costs."""

    barriers: tuple[Met, ...]
    extra_m: float
    extra_s: float
    same: bool


@dataclass(frozen=True, slots=True)
class NoWay:
    """Why there is no route: how far one gets, what single barrier removed would open one, and all those on the best
    way were they all removed."""

    farthest: Route | None
    left_m: float
    opens: Met | None
    opened_s: float | None
    all_barriers: tuple[Met, ...]


def pieces_of(found: Found) -> list[Piece]:
    """Cut the first and last arcs of a path at its two spots."""
    arcs, last = found.arcs, len(found.arcs) - 1
    pieces = [Piece(arc, 1.0, 0.0) if arc & 1 else Piece(arc, 0.0, 1.0) for arc in arcs]
    pieces[0] = pieces[0]._replace(start=found.start.share)
    pieces[last] = pieces[last]._replace(stop=found.goal.share)
    # A hair of a street, where a place was brought to its very end, is no part of the way.
    kept = [one for rank, one in enumerate(pieces) if 0 < rank < last or one.share > 1e-3]
    return kept or pieces[:1]


def described(router: Router, layer: Layer, pieces: list[Piece], obstacles: Obstacles, cost_s: float) -> Route:
    """Tell everything of a path."""
    graph, columns = router.graph, router.graph.columns
    arcs = np.array([one.arc for one in pieces])
    segments, share = arcs >> 1, np.ones(len(arcs))
    # Only the two ends of a path stop or begin within a street.
    share[0], share[-1] = pieces[0].share, pieces[-1].share
    forward = arcs % 2 == 0
    length = graph.length_m[segments] * share
    up = np.where(forward, graph.climb_m[segments], graph.descent_m[segments]) * share
    down = np.where(forward, graph.descent_m[segments], graph.climb_m[segments]) * share
    told = ~np.isnan(graph.steepest_up_pct[segments])
    steep_up = np.where(forward, graph.steepest_up_pct[segments], graph.steepest_down_pct[segments])
    steep_down = np.where(forward, graph.steepest_down_pct[segments], graph.steepest_up_pct[segments])
    walked = np.concatenate([[0.0], np.cumsum(length)])
    height = np.concatenate([[0.0], np.cumsum(up - down)])
    kind = columns["kind"][segments]
    flights = kind == Kind.STEPS
    steps = np.where(
        columns["steps"][segments] > 0, columns["steps"][segments], np.ceil(graph.length_m[segments] / 0.35)
    )
    # The last arc's own end is not met: one stops on it or at it.
    met = arcs[:-1]
    kerbs = np.concatenate([graph.arc_kerb_cm[met], columns["kerb_cm"][segments[kind == Kind.CROSSING]]])
    crossings = np.concatenate([graph.arc_crossing[met], columns["crossing"][segments[kind == Kind.CROSSING]]])
    surface = columns["surface"][segments]
    width = columns["width_cm"][segments]
    anyone = bool(told.any())
    return Route(
        pieces=tuple(pieces),
        coordinates=_line(router, pieces, arcs),
        length_m=float(length.sum()),
        time_s=float((layer.costs.time[arcs] * share).sum()),
        cost_s=float(cost_s),
        climb_m=float(up[told].sum()) if anyone else None,
        descent_m=float(down[told].sum()) if anyone else None,
        steepest_up_pct=float(np.nanmax(steep_up)) if anyone else None,
        steepest_down_pct=float(np.nanmax(steep_down)) if anyone else None,
        rises=tuple(zip(walked.round(1).tolist(), height.round(1).tolist(), strict=True)) if anyone else (),
        steps=int(np.ceil(steps[flights] * share[flights]).sum()),
        flights=int(flights.sum()),
        kerbs=int((kerbs > 0).sum()),
        kerbs_unknown=int((kerbs == KERB_UNKNOWN).sum()),
        kerb_cm=int(kerbs.max()) if (kerbs >= 0).any() else None,
        crossings=int((crossings > 0).sum()),
        signals=int((crossings == Crossing.SIGNALS).sum()),
        lifts=int((kind == Kind.LIFT).sum() + ((graph.arc_barrier[met] & 32) > 0).sum()),
        surfaces={
            (Surface(int(one)) if one else None): float(length[surface == one].sum()) for one in np.unique(surface)
        },
        narrowest_cm=int(width[width > 0].min()) if (width > 0).any() else None,
        lit_m=float(length[columns["lit"][segments] == 1].sum()),
        documented_m=float(length[layer.costs.documented[segments]].sum()),
        obstacles=_standing_on(segments.tolist(), obstacles),
    )


def _standing_on(segments: Iterable[int], obstacles: Obstacles) -> tuple[ObstacleInfo, ...]:
    found = {one.id: one for segment in segments for one in obstacles.get(segment, ())}
    return tuple(found.values())


def _line(router: Router, pieces: list[Piece], arcs: Array) -> Array:
    graph, first = router.graph, pieces[0]
    parts = [router.cut(first.segment, first.start, first.stop)]
    # Where one piece ends the next begins: told once. Between the first and the last, streets are followed whole.
    whole = arcs[1:-1]
    if len(whole):
        low, high = (graph.offset[(whole >> 1) + side].astype(np.int64) for side in (0, 1))
        count = high - low - 1
        owner = np.repeat(np.arange(len(whole)), count)
        step = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
        ahead = (whole % 2 == 0)[owner]
        parts.append(graph.points[np.where(ahead, low[owner] + 1 + step, high[owner] - 2 - step)])
    if len(pieces) > 1:
        last = pieces[-1]
        parts.append(router.cut(last.segment, last.start, last.stop)[1:])
    # Seven decimals: a centimetre.
    line: Array = np.concatenate(parts).round(7)
    return line


def ways(router: Router, layer: Layer, start: Spot, goal: Spot, *, most: int, obstacles: Obstacles) -> list[Route]:
    """Return the best way and up to `most` - 1 others that differ from it in more than a third of their length."""
    best = router.path(layer, start, goal)
    if best is None:
        return []
    found, penalised = [best], None
    for _ in range(2 * (most - 1)):
        if len(found) == most:
            break
        penalised = layer.live.copy() if penalised is None else penalised
        _penalise(router, layer, penalised, found[-1])
        other = router.path(layer, start, goal, cost=penalised)
        if other is None:
            break
        true = _cost(layer, other)
        if true > best.cost * LONGER_AT_MOST:
            break
        if all(_shared(router, other, one) <= SHARED_AT_MOST for one in found):
            found.append(replace(other, cost=true))
        else:
            _penalise(router, layer, penalised, other)
    return [described(router, layer, pieces_of(one), obstacles, one.cost) for one in found]


def _penalise(router: Router, layer: Layer, costs: Array, found: Found) -> None:
    for arc in found.arcs[1:-1]:
        for side in (arc, arc ^ 1):
            place = layer.place_of[side]
            if place >= 0:
                costs[place] *= PENALTY


def _cost(layer: Layer, found: Found) -> float:
    pieces = pieces_of(found)
    slowed = layer.overlay.slowed
    costs, inner = layer.costs.cost, layer.costs.inner
    whole = sum(costs[one.arc] - inner[one.arc] for one in pieces[:-1])
    return float(whole + sum((inner[one.arc] + slowed.get(one.segment, 0.0)) * one.share for one in pieces))


def _shared(router: Router, one: Found, other: Found) -> float:
    mine = {arc >> 1 for arc in one.arcs}
    common = np.array(sorted(mine & {arc >> 1 for arc in other.arcs}), dtype=int)
    total = float(router.graph.length_m[np.array(sorted(mine), dtype=int)].sum())
    return float(router.graph.length_m[common].sum()) / total if total else 1.0


# --- Why ------------------------------------------------------------------------------------------------------------


def frank(router: Router, layer: Layer) -> Layer:
    """Return the layer as if nothing stood in the way of this profile and nothing was unpleasant: time alone.

    It is the same whatever the person set: settings only bar what is passed over here.
    """
    kept: dict[str, Layer] = router.__dict__.setdefault("_frank", {})
    key = layer.profile.slug
    if key not in kept:
        open_to = (layer.costs.why & ~np.uint16(_REMOVABLE)) == 0
        time = np.where(open_to, layer.costs.time, np.inf).astype(np.float32)
        pace = float(np.min(time / np.repeat(router.graph.length_m, 2), initial=np.inf)) * (1 - 1e-5)
        base = time[layer.topology.arcs]
        part = parts_of(layer.topology, base)
        kept[key] = replace(
            layer,
            costs=replace(layer.costs, cost=time, inner=time),
            base=base,
            live=base,
            pace=pace if np.isfinite(pace) else 0.0,
            marks=router.marks(f"frank-{layer.profile.slug}", layer.topology, base, part),
            usable=open_to[0::2] | open_to[1::2],
            overlay=CLEAR,
            part=part,
        )
    return kept[key]


def why(router: Router, layer: Layer, start: Spot, goal: Spot, route: Route, obstacles: Obstacles) -> Why:
    """Say what the quickest way would have met, and what avoiding it costs."""
    direct = router.path(frank(router, layer), start, goal)
    if direct is None:
        return Why((), 0.0, 0.0, same=True)
    pieces = pieces_of(direct)
    barriers = barriers_on(router, layer, pieces, obstacles, avoided={one.segment for one in route.pieces})
    lengths = router.graph.length_m[np.array([one.arc for one in pieces]) >> 1].tolist()
    length = sum(whole * one.share for whole, one in zip(lengths, pieces, strict=True))
    same = {one.segment for one in pieces} == {one.segment for one in route.pieces}
    return Why(tuple(barriers), max(0.0, route.length_m - length), max(0.0, route.time_s - direct.cost), same)


def barriers_on(
    router: Router, layer: Layer, pieces: list[Piece], obstacles: Obstacles, avoided: set[int]
) -> list[Met]:
    """Return what stops or deters this profile on a path, obstacles of the moment included, outside `avoided`."""
    arcs = np.array([one.arc for one in pieces])
    bits = layer.costs.why[arcs].astype(np.int64) & _REMOVABLE
    if layer.profile.unlit > 1:
        bits[router.graph.columns["lit"][arcs >> 1] == Yes.NO] |= int(Barrier.DARK)
    closed, slowed = layer.overlay.closed, layer.overlay.slowed
    found: list[Met] = []
    for one, raised in zip(pieces, bits.tolist(), strict=True):
        if one.segment in avoided:
            continue
        # Most streets raise nothing: flags are told one by one only on those that do.
        found.extend(met(router, reason, one) for reason in (Barrier if raised else ()) if raised & reason)
        if one.segment in closed or one.segment in slowed:
            found.extend(met(router, Barrier.CLOSED, one, obstacle) for obstacle in obstacles.get(one.segment, ()))
    return _merged(found)


def met(router: Router, reason: Barrier, piece: Piece, obstacle: ObstacleInfo | None = None) -> Met:
    """Tell a barrier of an arc: where it is and how much of it there is."""
    graph, segment = router.graph, piece.segment
    columns = graph.columns
    kerbs = (int(graph.arc_kerb_cm[piece.arc]), int(columns["kerb_cm"][segment]))
    amounts: dict[Barrier, float | None] = {
        Barrier.STAIRS: float(columns["steps"][segment]) or None,
        Barrier.SLOPE: float(np.fmax(graph.steepest_up_pct[segment], graph.steepest_down_pct[segment])),
        Barrier.KERB: float(max(kerbs)) if max(kerbs) > 0 else None,
        Barrier.WIDTH: float(columns["width_cm"][segment]) or None,
    }
    lon, lat = (obstacle.lon, obstacle.lat) if obstacle else router.place(segment, 0.5)
    return Met(reason, segment, street_name(router, segment), lon, lat, amounts.get(reason), obstacle)


def street_name(router: Router, segment: int) -> str:
    """Return the name of a segment's street, or of the one it leads to; empty when neither has one."""
    graph = router.graph
    if graph.name(segment):
        return graph.name(segment)
    for end in (int(graph.tail[segment]), int(graph.head[segment])):
        for place in range(int(graph.walk_first[end]), int(graph.walk_first[end + 1])):
            name = graph.name(int(graph.walk_arcs[place]) >> 1)
            if name:
                return name
    return ""


def _merged(found: list[Met]) -> list[Met]:
    """Tell once what one street has of one barrier, by its worst."""
    kept: dict[tuple[Any, ...], Met] = {}
    for one in found:
        key = (one.reason, one.name, one.obstacle.id if one.obstacle else None)
        worst = kept.get(key)
        if worst is None or _worse(one, worst):
            kept[key] = one
    return list(kept.values())


def _worse(one: Met, other: Met) -> bool:
    if one.amount is None or other.amount is None:
        return one.amount is not None
    return one.amount < other.amount if one.reason == Barrier.WIDTH else one.amount > other.amount


# --- No way ---------------------------------------------------------------------------------------------------------


def no_way(router: Router, layer: Layer, start: Spot, goal: Spot, obstacles: Obstacles) -> NoWay:
    """Say how far one gets and what would open the way."""
    ahead, by = router.reached(layer, start)
    behind, _ = router.reached(layer, goal, backwards=True)
    farthest, left = _farthest(router, layer, start, goal, ahead, by, obstacles)
    opens, seconds = _opening(router, layer, ahead, behind, obstacles)
    direct = router.path(frank(router, layer), start, goal)
    barriers: list[Met] = []
    if direct is not None:
        barriers = barriers_on(router, layer, pieces_of(direct), obstacles, avoided=set())
    return NoWay(farthest, left, opens, seconds, tuple(barriers))


def _farthest(
    router: Router, layer: Layer, start: Spot, goal: Spot, ahead: Array, by: Array, obstacles: Obstacles
) -> tuple[Route | None, float]:
    """Return the route to the reachable end nearest to the goal as the crow flies, and how far it still is."""
    graph = router.graph
    gx, gy = graph.metres(goal.lon, goal.lat)
    places = layer.topology.place
    away = np.hypot(graph.x[places] - gx, graph.y[places] - gy)
    away[~np.isfinite(ahead)] = np.inf
    end = int(np.argmin(away))
    sx, sy = graph.metres(start.lon, start.lat)
    if not np.isfinite(away[end]) or away[end] > np.hypot(sx - gx, sy - gy) - NEARER_M:
        return None, float(np.hypot(sx - gx, sy - gy))
    left = float(away[end])
    arcs, end = router.traced(layer, by, end)
    first = 2 * start.segment + (0 if int(layer.topology.entry[2 * start.segment]) == end else 1)
    path = [first, *arcs]
    last = path[-1]
    stop = Spot(last >> 1, 1.0 if last % 2 == 0 else 0.0, 0.0, goal.lon, goal.lat)
    found = Found(0.0, tuple(path), start, stop, 0)
    return described(router, layer, pieces_of(found), obstacles, _cost(layer, found)), left


def _opening(
    router: Router, layer: Layer, ahead: Array, behind: Array, obstacles: Obstacles
) -> tuple[Met | None, float | None]:
    """Return the barrier, between what is reached and what leads to the goal, whose removal gives the best way."""
    tails, heads = router.tails_of(layer), layer.topology.heads
    arcs = layer.topology.arcs
    shut = ~np.isfinite(layer.live) & ((layer.costs.why[arcs] & ~np.uint16(_REMOVABLE)) == 0)
    between = np.flatnonzero(shut & np.isfinite(ahead[tails]) & np.isfinite(behind[heads]))
    if not len(between):
        return None, None
    total = ahead[tails[between]] + layer.costs.time[arcs[between]] + behind[heads[between]]
    best = int(between[np.argmin(total)])
    arc = int(arcs[best])
    piece = Piece(arc, 0.0, 1.0) if arc % 2 == 0 else Piece(arc, 1.0, 0.0)
    bits = int(layer.costs.why[arc]) & _REMOVABLE
    if bits == 0:
        standing = next(iter(obstacles.get(arc >> 1, ())), None)
        return met(router, Barrier.CLOSED, piece, standing), float(total.min())
    return met(router, next(one for one in Barrier if bits & one), piece), float(total.min())


__all__ = ["NO_KERB", "NoWay", "Route", "Why", "described", "frank", "no_way", "pieces_of", "ways", "why"]
