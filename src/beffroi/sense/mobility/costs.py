"""What each arc costs a profile, in seconds as felt, and why it is impossible when it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

import numpy as np

from beffroi.sense.mobility.graph import Graph
from beffroi.sense.mobility.profiles import Profile
from beffroi.sense.mobility.streets import Array
from beffroi.sense.mobility.vocabulary import (
    KERB_UNKNOWN,
    LIFT,
    UNKNOWN,
    WHEELS,
    Attribute,
    Confidence,
    Kind,
    Mode,
    Yes,
)

LIFT_S = 60.0
"""Time to call and take a lift of two to four floors: a choice of ours."""
SLOWEST_KMH = 0.7
_KERBED = [Kind.CROSSING, Kind.ROAD_MAJOR, Kind.ROAD, Kind.STREET, Kind.SERVICE]


class Barrier(IntFlag):
    """Why an arc is impossible for a profile; DARK only makes it dear, for those who choose lit streets."""

    FORBIDDEN = 1
    STAIRS = 2
    SLOPE = 4
    KERB = 8
    WIDTH = 16
    SURFACE = 32
    SIZE = 64
    STANDING = 128
    UNDOCUMENTED = 256
    CLOSED = 512
    DARK = 1024


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of the arcs of a graph for a profile: arrays of 2s values.

    `cost` float32, seconds as felt, infinite where impossible; `inner`, the same but for what one meets only at the end
    of the arc, for who stops before; `time` float32, seconds; `why` uint16, `Barrier` bits; `documented` (s) bool: all
    the profile needs to know is declared or measured.
    """

    cost: Array
    inner: Array
    time: Array
    why: Array
    documented: Array


def costs_of(graph: Graph, profile: Profile) -> Costs:
    """Compute the costs of every arc for `profile`."""
    documented = documented_segments(graph, profile)
    why, at_end = _impossible(graph, profile, documented)
    speed, comfort = _pace(graph, profile)
    length = np.repeat(graph.length_m.astype(np.float64), 2)
    time = length / (speed / 3.6)
    cost = time * comfort
    steps_time, steps_cost = _stairs(graph, profile)
    time, cost = time + steps_time, cost + steps_cost
    for ends in (False, True):
        stop = _stops(graph, profile, ends=ends)
        time, cost = time + stop, cost + stop + _kerbs(graph, profile, ends=ends)
        if not ends:
            inner = np.where(why > 0, np.inf, cost).astype(np.float32)
    why |= at_end
    cost[why > 0] = np.inf
    return Costs(cost.astype(np.float32), inner, time.astype(np.float32), why, documented)


def documented_segments(graph: Graph, profile: Profile) -> Array:
    """Tell which segments are documented for a profile: each thing it needs is declared or measured.

    A need that a segment cannot have (stairs on what is no stairs, a kerb on a foot way) asks nothing.
    """
    sure = np.array([False, *(one.confidence >= Confidence.DECLARED for one in graph.origins)])
    kind = graph.columns["kind"]
    known = np.ones(len(graph), bool)
    for need in profile.needs:
        told = sure[graph.origin[:, need]]
        if need == Attribute.STAIRS:
            told |= kind != Kind.STEPS
        if need == Attribute.KERB:
            told |= ~_has_kerbs(graph)
        known &= told
    return known


def _has_kerbs(graph: Graph) -> Array:
    """Tell the segments where one may meet a kerb: crossings, streets with pavements, ways that end at one."""
    unsure = graph.arc_kerb_cm == KERB_UNKNOWN
    found: Array = np.isin(graph.columns["kind"], _KERBED) | unsure[0::2] | unsure[1::2]
    return found


def _signed(along: Array, against: Array) -> Array:
    """Interleave what holds along the segment with what holds against it."""
    both = np.empty(2 * len(along), np.float64)
    both[0::2], both[1::2] = along, against
    return both


def _impossible(graph: Graph, profile: Profile, documented: Array) -> tuple[Array, Array]:
    """Return why each arc is impossible by itself, and by what stands at its end."""
    columns, why, at_end = graph.columns, np.zeros(2 * len(graph), np.uint16), np.zeros(2 * len(graph), np.uint16)

    def bar(where: Array, reason: Barrier, into: Array = why) -> None:
        into[where if len(where) == len(into) else np.repeat(where, 2)] |= np.uint16(reason)

    access = np.empty(2 * len(graph), np.uint8)
    access[0::2], access[1::2] = columns["forward"], columns["backward"]
    bar((access & profile.mode) == 0, Barrier.FORBIDDEN)
    kind = columns["kind"]
    bar(np.isin(kind, list(profile.barred_kinds)), Barrier.FORBIDDEN)
    if not profile.stairs_allowed:
        bar((kind == Kind.STEPS) & (columns["wheelchair"] != Yes.YES) | (kind == Kind.ESCALATOR), Barrier.STAIRS)
    if profile.wheels:
        bar(columns["wheelchair"] == Yes.NO, Barrier.STANDING)
        bar((graph.arc_barrier & WHEELS) > 0, Barrier.STANDING, at_end)
    bar((graph.arc_barrier & profile.mode) > 0, Barrier.STANDING, at_end)
    if profile.max_slope_pct is not None:
        steepest = np.fmax(graph.steepest_up_pct, graph.steepest_down_pct)
        # A slope read off a terrain model, cells of 25 to 30 m, is no measure: it makes a street costly, not closed,
        # until it is beyond doubt (half as steep again).
        margin = np.where(_confidence(graph, Attribute.SLOPE) >= Confidence.DECLARED, 1.0, 1.5)
        bar((steepest > profile.max_slope_pct * margin) & (kind != Kind.LIFT), Barrier.SLOPE)
    if profile.max_kerb_cm is not None:
        bar(graph.arc_kerb_cm > profile.max_kerb_cm, Barrier.KERB, at_end)
        bar(columns["kerb_cm"] > profile.max_kerb_cm, Barrier.KERB)
    if profile.min_width_cm is not None:
        bar((columns["width_cm"] > 0) & (columns["width_cm"] < profile.min_width_cm), Barrier.WIDTH)
    bar(np.isin(columns["surface"], [key for key, value in profile.surfaces.items() if value is None]), Barrier.SURFACE)
    sizes = ((profile.weight_kg, "max_weight_kg"), (profile.height_cm, "max_height_cm"))
    for own, limit in (*sizes, (profile.width_cm, "max_width_cm"), (profile.width_cm, "road_cm")):
        if own:
            bar((columns[limit] > 0) & (columns[limit] < own), Barrier.SIZE)
    if profile.documented_only:
        bar(~documented, Barrier.UNDOCUMENTED)
    return why, at_end


def _confidence(graph: Graph, attribute: Attribute) -> Array:
    levels = np.array([0, *(int(one.confidence) for one in graph.origins)])
    found: Array = levels[graph.origin[:, attribute]]
    return found


def _pace(graph: Graph, profile: Profile) -> tuple[Array, Array]:
    """Return the speed (km/h) on each arc, and how many times its time it costs."""
    columns = graph.columns
    flat = np.full(len(graph), profile.kmh)
    if profile.limit_share:
        flat = np.maximum(columns["speed_kmh"] * profile.limit_share, 5.0)
        flat = np.minimum(flat, profile.kmh) if profile.kmh else flat
    speed, comfort = np.repeat(flat, 2), np.ones(2 * len(graph))
    up, down = _slope(graph)
    if profile.slopes:
        bounds = np.array([step.upto_pct for step in profile.slopes])
        rank = np.minimum(np.searchsorted(bounds, np.maximum(up, 0.0)), len(bounds) - 1)
        speed = speed * np.array([step.speed for step in profile.slopes])[rank]
        comfort = comfort * np.array([step.cost for step in profile.slopes])[rank]
        # Going down does not hasten a person, and beyond the gentle it costs her half of what going up does.
        rank = np.minimum(np.searchsorted(bounds, np.maximum(down, 0.0)), len(bounds) - 1)
        comfort = comfort * (1 + (np.array([step.cost for step in profile.slopes])[rank] - 1) / 2)
    for surface, value in profile.surfaces.items():
        if value is not None:
            there = np.repeat(columns["surface"] == surface, 2)
            speed[there] *= value[0]
            comfort[there] *= value[1]
    worse = np.ones(len(graph))
    for kind, factor in profile.kinds.items():
        worse[columns["kind"] == kind] *= factor
    for attribute, factor in profile.unknown.items():
        worse[_ignored(graph, attribute)] *= factor
    lit = columns["lit"]
    worse[lit == Yes.NO] *= profile.unlit
    worse[lit == UNKNOWN] *= profile.unsure
    worse[np.isin(columns["kind"], [Kind.PATH, Kind.TRACK, Kind.FOOTWAY])] *= profile.deserted
    return np.maximum(speed, SLOWEST_KMH), comfort * np.repeat(worse, 2)


def _ignored(graph: Graph, attribute: Attribute) -> Array:
    ignored: Array = graph.origin[:, attribute] == 0
    if attribute == Attribute.KERB:
        ignored = ignored & _has_kerbs(graph)
    if attribute == Attribute.STAIRS:
        ignored = ignored & (graph.columns["kind"] == Kind.STEPS)
    return ignored


def _slope(graph: Graph) -> tuple[Array, Array]:
    """Return how much each arc goes up, and down, in percent of its length on average; 0 where nobody knows."""
    up, down = graph.climb_m / graph.length_m * 100, graph.descent_m / graph.length_m * 100
    return _signed(up, down), _signed(down, up)


def _stairs(graph: Graph, profile: Profile) -> tuple[Array, Array]:
    """Return the time and the felt cost of steps; a flight whose steps nobody counted has one every 35 cm."""
    stairs = graph.columns["kind"] == Kind.STEPS
    steps = np.where(graph.columns["steps"] > 0, graph.columns["steps"], np.ceil(graph.length_m / 0.35))
    time = np.repeat(np.where(stairs, steps * profile.step_s, 0.0), 2)
    return time, time * profile.step_cost


def _stops(graph: Graph, profile: Profile, *, ends: bool) -> Array:
    """Return the time lost on an arc, or at its end: crossings, lifts, junctions."""
    waits = np.array([0.0, *profile.crossings_s])
    on_foot = profile.mode == Mode.FOOT
    if ends:
        lifts = np.where((graph.arc_barrier & LIFT) > 0, LIFT_S, 0.0) if on_foot else 0.0
        at_end: Array = waits[graph.arc_crossing] + lifts + profile.junction_s
        return at_end
    kind = graph.columns["kind"]
    stop = np.where(kind == Kind.CROSSING, waits[graph.columns["crossing"]], 0.0)
    return np.repeat(stop + (np.where(kind == Kind.LIFT, LIFT_S, 0.0) if on_foot else 0.0), 2)


def _kerbs(graph: Graph, profile: Profile, *, ends: bool) -> Array:
    """Return what kerbs cost: those of a crossing itself, or those at the end of an arc."""
    if profile.mode != Mode.FOOT:
        return np.zeros(2 * len(graph))
    kerb = graph.arc_kerb_cm if ends else np.repeat(graph.columns["kerb_cm"], 2)
    found: Array = np.where(kerb == KERB_UNKNOWN, profile.kerb_unknown_s, np.maximum(kerb, 0) * profile.kerb_cm_s)
    return found


__all__ = ["Barrier", "Costs", "costs_of", "documented_segments"]
