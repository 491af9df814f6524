"""The costs of one setting of a profile over a graph, and the obstacles of the moment laid over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from beffroi.sense.mobility.costs import Costs
from beffroi.sense.mobility.graph import Topology
from beffroi.sense.mobility.profiles import Profile
from beffroi.sense.mobility.streets import Array


@dataclass(frozen=True, slots=True)
class Overlay:
    """What obstacles of the moment change for one profile: segments closed, seconds added, and where on them.

    `at` gives, for a closed segment, the shares of its length where it is closed: one may go up to there.
    """

    closed: Mapping[int, tuple[float, ...]]
    slowed: Mapping[int, float]

    @property
    def empty(self) -> bool:
        return not self.closed and not self.slowed


CLEAR = Overlay({}, {})


@dataclass(frozen=True, slots=True)
class Layer:
    """The costs of one setting of a profile, in the order of the arcs of its topology; `live` has the obstacles in.

    `part` numbers the parts of the graph that this setting joins, whatever the direction: from one to another, no way.
    """

    profile: Profile
    costs: Costs
    topology: Topology
    base: Array
    live: Array
    pace: float
    marks: Array
    place_of: Array
    usable: Array
    overlay: Overlay
    part: Array


def laid(layer: Layer, overlay: Overlay) -> Layer:
    """Return a layer with other obstacles than those of the moment, for one search: another day, a project."""
    if overlay.empty:
        return replace(layer, live=layer.base, overlay=overlay)
    live = layer.base.copy()
    slow = np.array(list(overlay.slowed), dtype=np.int64)
    added = np.array(list(overlay.slowed.values()), dtype=np.float32)
    for side in (0, 1):
        for places in _places(layer, 2 * slow + side):
            live[places[0]] += added[places[1]]
        for places in _places(layer, 2 * np.array(list(overlay.closed), dtype=np.int64) + side):
            live[places[0]] = np.inf
    return replace(layer, live=live, overlay=overlay)


def first_places(topology: Topology, arcs: int) -> Array:
    """Return the first place of each arc in a topology, -1 for those it has not."""
    places = np.full(arcs, -1, np.int32)
    order = np.arange(len(topology.arcs) - 1, -1, -1, dtype=np.int32)
    places[topology.arcs[order]] = order
    return places


def _places(layer: Layer, arcs: Array) -> list[tuple[Array, Array]]:
    """Return the places of `arcs` in the topology, with the rank of each; doubled ends have copies of arcs."""
    if not len(arcs):
        return []
    found = [(layer.place_of[arcs], np.arange(len(arcs)))]
    extra = len(layer.topology.arcs) - len(layer.place_of)
    if extra > 0:
        rank = {int(arc): number for number, arc in enumerate(arcs)}
        copies = [
            (place, rank[int(arc)])
            for place, arc in enumerate(layer.topology.arcs.tolist())
            if arc in rank and layer.place_of[arc] != place
        ]
        if copies:
            found.append((np.array([one[0] for one in copies]), np.array([one[1] for one in copies])))
    return [(places[places >= 0], ranks[places >= 0]) for places, ranks in found]
