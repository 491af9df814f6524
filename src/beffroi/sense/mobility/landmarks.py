"""What bounds a search from below: which parts of a graph are joined, and the costs from and to its landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beffroi.sense.mobility.compiled import search_module
from beffroi.sense.mobility.graph import Graph, Topology
from beffroi.sense.mobility.streets import Array

LANDMARKS, USED_LANDMARKS = 8, 3


@dataclass(frozen=True, slots=True)
class Backwards:
    """Arcs by the end they enter: `first` (n + 1), the ends they come from, and the place of each in the topology."""

    first: Array
    heads: Array
    order: Array


def rim_of(graph: Graph, part: Array) -> list[int]:
    """Return ends at the rim of the largest part, one in each of `LANDMARKS` directions from its middle.

    The part is that of the profile: a rim of field tracks would bound nothing for who may not follow them.
    """
    labels, counts = np.unique(part, return_counts=True)
    inside = np.flatnonzero(part == labels[np.argmax(counts)])
    x, y = np.asarray(graph.x)[inside], np.asarray(graph.y)[inside]
    angle = np.arctan2(y - np.median(y), x - np.median(x))
    far = np.hypot(y - np.median(y), x - np.median(x))
    sector = ((angle + np.pi) / (2 * np.pi) * LANDMARKS).astype(int) % LANDMARKS
    found = []
    for number in range(LANDMARKS):
        there = np.flatnonzero(sector == number)
        if len(there):
            found.append(int(inside[there[np.argmax(far[there])]]))
    return found


def backwards_of(topology: Topology) -> Backwards:
    """Return the arcs of a topology by the end they enter."""
    count = len(topology.first) - 1
    tails = np.repeat(np.arange(count, dtype=np.int32), np.diff(topology.first))
    order = np.argsort(topology.heads, kind="stable").astype(np.int32)
    first = np.zeros(count + 1, np.int32)
    np.cumsum(np.bincount(topology.heads, minlength=count), out=first[1:])
    return Backwards(first, tails[order], order)


def parts_of(topology: Topology, base: Array) -> Array:
    """Return the number of the part of the graph each end is in, joined by arcs whose cost is finite."""
    count = len(topology.first) - 1
    tails = np.repeat(np.arange(count, dtype=np.int32), np.diff(topology.first))
    part = np.arange(count, dtype=np.int32)
    search_module().joined(tails, topology.heads, base, part)
    return part


def bounds_of(marks: Array, begin: tuple[Array, Array], finish: tuple[Array, Array]) -> tuple[Array, Array, Array]:
    """Return the landmarks that bound this search best, and what they say of its goals."""
    count = marks.shape[1] // 2
    if not count:
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    goals, goal_costs = finish
    rows = np.asarray(marks[goals], np.float64)
    with np.errstate(invalid="ignore"):
        goal_from = np.min(rows[:, 0::2] + goal_costs[:, None], axis=0)
        # The costs to a landmark were not rounded down: a hair less keeps the bound under the truth.
        goal_to = np.min(goal_costs[:, None] - rows[:, 1::2] * (1 + 2e-7), axis=0)
        seeds = np.asarray(marks[begin[0]], np.float64)
        bound = np.maximum(goal_from - seeds[:, 0::2], goal_to + seeds[:, 1::2]).max(axis=0)
    bound = np.nan_to_num(bound, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    best = np.argsort(-bound)[:USED_LANDMARKS].astype(np.int64)
    return best, goal_from - 1e-3, goal_to - 1e-3
