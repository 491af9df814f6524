"""A graph ready to answer: costs per profile, places on streets, searches, the obstacles of the moment laid over."""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from beffroi.base.kernel.files import written_whole
from beffroi.sense.mobility.compiled import search_module
from beffroi.sense.mobility.costs import costs_of
from beffroi.sense.mobility.graph import Graph, Topology
from beffroi.sense.mobility.ground import SNAP_M, Ground, Spot
from beffroi.sense.mobility.landmarks import Backwards, backwards_of, bounds_of, parts_of, rim_of
from beffroi.sense.mobility.layers import CLEAR, Layer, Overlay, first_places, laid
from beffroi.sense.mobility.profiles import Profile, profile_named
from beffroi.sense.mobility.streets import Array

SETTINGS_KEPT = 24


@dataclass(frozen=True, slots=True)
class Found:
    """A path: its cost as felt, the arcs it follows, and the shares where it begins and ends on the first and last."""

    cost: float
    arcs: tuple[int, ...]
    start: Spot
    goal: Spot
    opened: int


class Router(Ground):
    """Answers for one version of one graph. Safe for threads: what a search writes is its thread's own."""

    def __init__(self, graph: Graph, folder: Path | None = None) -> None:
        super().__init__(graph)
        self.folder = folder
        self._layers: OrderedDict[Any, Layer] = OrderedDict()
        self._overlays: dict[str, Overlay] = {}
        self._lock = threading.RLock()
        self._own = threading.local()
        self._topologies: dict[bool, Topology] = {}

    # --- Costs -------------------------------------------------------------------------------------------------------

    def layer(self, profile: Profile) -> Layer:
        """Return the costs of a setting of a profile, with the obstacles of the moment."""
        key = profile.key
        kept = self._layers.get(key)
        if kept is not None:
            return kept
        with self._lock:
            if key not in self._layers:
                self._layers[key] = laid(self._fresh(profile), self._overlays.get(profile.slug, CLEAR))
                while len(self._layers) > SETTINGS_KEPT:
                    self._layers.popitem(last=False)
            return self._layers[key]

    def lay(self, overlays: Mapping[str, Overlay]) -> None:
        """Have the next search of each profile meet these obstacles, and no other."""
        with self._lock:
            self._overlays = dict(overlays)
            for key, layer in list(self._layers.items()):
                wanted = self._overlays.get(layer.profile.slug, CLEAR)
                if wanted != layer.overlay:
                    self._layers[key] = laid(layer, wanted)

    def topology(self, *, vehicle: bool) -> Topology:
        """Return the arcs of vehicles or of everyone else, as arrays in memory order."""
        with self._lock:
            if vehicle not in self._topologies:
                self._topologies[vehicle] = self.graph.topology(vehicle=vehicle)
            return self._topologies[vehicle]

    def _fresh(self, profile: Profile) -> Layer:
        costs = costs_of(self.graph, profile)
        topology = self.topology(vehicle=profile.vehicle)
        base = costs.cost[topology.arcs]
        lengths = np.repeat(self.graph.length_m, 2)
        paces = costs.cost / lengths
        pace = float(np.min(paces, initial=np.inf)) * (1 - 1e-5)
        standard = profile_named(profile.slug) if _known(profile.slug) else profile
        own = profile.key == standard.key
        part = parts_of(topology, base)
        marks = np.zeros((len(topology.place), 0), np.float32)
        if own:
            marks = self.marks(profile.slug, topology, base, part)
        else:
            usual = self.layer(standard)
            if np.all(costs.cost >= usual.costs.cost):
                marks = usual.marks
        return Layer(
            profile=profile,
            costs=costs,
            topology=topology,
            base=base,
            live=base,
            pace=pace if np.isfinite(pace) else 0.0,
            marks=marks,
            place_of=first_places(topology, 2 * len(self.graph)),
            usable=np.isfinite(costs.inner[0::2]) | np.isfinite(costs.inner[1::2]),
            overlay=CLEAR,
            part=part,
        )

    def marks(self, name: str, topology: Topology, base: Array, part: Array) -> Array:
        """Return the costs from and to each landmark, read from beside the graph when they were computed before."""
        landmarks = rim_of(self.graph, part[: self.graph.ends])
        crc = zlib.crc32(np.array(landmarks, np.int64).tobytes(), zlib.crc32(base.tobytes()))
        file = f"marks-{name}-{crc:08x}.npy"
        kept = self.folder / file if self.folder else None
        if kept is not None and kept.exists():
            return np.asarray(np.load(kept, mmap_mode="r"))
        count = len(topology.place)
        marks = np.full((count, 2 * len(landmarks)), np.inf, np.float32)
        way = backwards_of(topology)
        back = (way.first, way.heads, base[way.order])
        for rank, end in enumerate(landmarks):
            marks[:, 2 * rank] = self._spread(topology.first, topology.heads, base, end, count)
            marks[:, 2 * rank + 1] = self._spread(*back, end, count)
        # Rounded down: a bound may be too low, never too high. The twins of a doubled end arrive only.
        marks[:, 0::2] *= np.float32(1 - 2e-7)
        if kept is not None:
            with written_whole(kept) as handle:
                np.save(handle, marks)
        return marks

    def _spread(self, first: Array, heads: Array, cost: Array, end: int, count: int) -> Array:
        best, by = np.full(count, np.inf), np.full(count, -1, np.int32)
        seeds = np.array([end], np.int64)
        self._heap_until_done(
            lambda heap: search_module().spread(first, heads, cost, seeds, np.zeros(1), np.inf, best, by, *heap),
            reset=(best, by),
        )
        return best

    def _heap_until_done(self, run: Any, reset: tuple[Array, Array]) -> int:
        size = 4 * len(reset[0]) + 1024
        while True:
            heap = (np.empty(size), np.empty(size, np.int32), np.empty(size))
            done = int(run(heap))
            if done >= 0:
                return done
            reset[0].fill(np.inf)
            reset[1].fill(-1)
            size *= 2

    # --- Places ------------------------------------------------------------------------------------------------------

    def spot(self, lon: float, lat: float, layer: Layer, *, where: str = "", reach_m: float = SNAP_M) -> Spot:
        """Bring a place to the nearest street this profile may use.

        Raises:
            OffTheStreets: none within `reach_m`.
        """
        return self.spot_on(lon, lat, layer.usable, where=where, reach_m=reach_m)

    # --- Searches ----------------------------------------------------------------------------------------------------

    def path(self, layer: Layer, start: Spot, goal: Spot, *, cost: Array | None = None) -> Found | None:
        """Return the cheapest path between two spots, None when there is none. `cost` replaces the live costs."""
        live = layer.live if cost is None else cost
        straight = self.along_one(layer, start, goal)
        seeds, seed_costs, first_arcs = self.leaving(layer, start)
        goals, goal_costs, last_arcs = self.reaching(layer, goal)
        if straight is None and not np.isin(layer.part[seeds], layer.part[goals]).any():
            return None
        total, rank, opened, memory = self._searched(layer, live, goal, (seeds, seed_costs), (goals, goal_costs))
        if straight is not None and straight[0] <= total:
            return Found(straight[0], (straight[1],), start, goal, opened)
        if rank < 0:
            return None
        between, end = self.traced(layer, memory[1], int(goals[rank]))
        first = first_arcs[int(np.flatnonzero(seeds == end)[np.argmin(seed_costs[seeds == end])])]
        arcs = [first, *between, last_arcs[rank]]
        return Found(float(total), tuple(arc for arc in arcs if arc >= 0), start, goal, opened)

    def traced(self, layer: Layer, by: Array, end: int) -> tuple[list[int], int]:
        """Return the arcs that led to `end`, in order, and the end they leave; `by` is what a search left."""
        places, begin = search_module().traced(by, self.tails_of(layer), end)
        return layer.topology.arcs[places].tolist(), int(begin)

    def _searched(
        self, layer: Layer, live: Array, goal: Spot, begin: tuple[Array, Array], finish: tuple[Array, Array]
    ) -> Any:
        best, by, stamp, heap = self._memory(len(layer.topology.place))
        search = search_module()
        marks = layer.marks
        used, goal_from, goal_to = bounds_of(marks, begin, finish)
        gx, gy = self.graph.metres(goal.lon, goal.lat)
        x, y = self._xy(layer)
        while True:
            self._own.turn += 1
            total, rank, opened = search.shortest(
                layer.topology.first, layer.topology.heads, live, x, y, marks, used, layer.pace, float(gx), float(gy),
                goal_from, goal_to, *begin, *finish, best, by, stamp, self._own.turn, *heap,
            )  # fmt: skip
            if rank != -2:
                return total, rank, opened, (best, by, stamp)
            heap = self._larger_heap()

    def reached(
        self, layer: Layer, spot: Spot, *, limit: float = np.inf, backwards: bool = False
    ) -> tuple[Array, Array]:
        """Return the cost of every end from `spot` (to it when `backwards`), and the place of the arc one came by."""
        count = len(layer.topology.place)
        best, by = np.full(count, np.inf), np.full(count, -1, np.int32)
        if backwards:
            ends, costs, _ = self.reaching(layer, spot)
        else:
            ends, costs, _ = self.leaving(layer, spot)
        self.spread_out(layer, (ends, costs), (best, by), limit=limit, backwards=backwards)
        return best, by

    def spread_out(
        self, layer: Layer, seeds: tuple[Array, Array], into: tuple[Array, Array], *, limit: float, backwards: bool
    ) -> None:
        """Search from every end of `seeds` (ends, their costs) at once, into (costs, places of arcs); see `spread`."""
        way = self.backwards(layer) if backwards else None
        arrays = (
            (layer.topology.first, layer.topology.heads, layer.live)
            if way is None
            else (way.first, way.heads, layer.live[way.order])
        )
        self._heap_until_done(lambda heap: search_module().spread(*arrays, *seeds, limit, *into, *heap), reset=into)

    def backwards(self, layer: Layer) -> Backwards:
        """Return the arcs of a layer's topology by the end they enter."""
        with self._lock:
            kept: dict[bool, Backwards] = self.__dict__.setdefault("_backwards", {})
            vehicle = layer.profile.vehicle
            if vehicle not in kept:
                kept[vehicle] = backwards_of(layer.topology)
            return kept[vehicle]

    def leaving(self, layer: Layer, spot: Spot) -> tuple[Array, Array, tuple[int, ...]]:
        """Return the ends one may go to from a spot, at what cost and by which arc."""
        ahead, back = 2 * spot.segment, 2 * spot.segment + 1
        cost, inner, entry = layer.costs.cost, layer.costs.inner, layer.topology.entry
        shut = layer.overlay.closed.get(spot.segment, ())
        costs = [
            _part(cost[ahead], inner[ahead], 1 - spot.share, closed=any(at >= spot.share for at in shut)),
            _part(cost[back], inner[back], spot.share, closed=any(at <= spot.share for at in shut)),
        ]
        # Where on the street one is slowed is not kept: part of the street is slowed by that part.
        slowed = layer.overlay.slowed.get(spot.segment, 0.0) * np.array([1 - spot.share, spot.share])
        return np.array([entry[ahead], entry[back]], np.int64), np.array(costs, np.float64) + slowed, (ahead, back)

    def reaching(self, layer: Layer, spot: Spot) -> tuple[Array, Array, tuple[int, ...]]:
        """Return the ends from which one may reach a spot, at what cost and by which arc."""
        ahead, back = 2 * spot.segment, 2 * spot.segment + 1
        inner, graph = layer.costs.inner, self.graph
        shut = layer.overlay.closed.get(spot.segment, ())
        slowed = layer.overlay.slowed.get(spot.segment, 0.0)
        sides = (
            (int(graph.tail[spot.segment]), ahead, spot.share, any(at <= spot.share for at in shut)),
            (int(graph.head[spot.segment]), back, 1 - spot.share, any(at >= spot.share for at in shut)),
        )
        ends, costs, arcs = [], [], []
        for end, arc, share, closed in sides:
            # A doubled end leads to the spot too, unless the turn is the forbidden one.
            for twin in self._twins(layer, end):
                if (
                    twin == end
                    or arc in layer.topology.arcs[layer.topology.first[twin] : layer.topology.first[twin + 1]]
                ):
                    ends.append(twin)
                    costs.append(_part(inner[arc], inner[arc], share, closed=closed) + slowed * share)
                    arcs.append(arc)
        return np.array(ends, np.int64), np.array(costs, np.float64), tuple(arcs)

    def _twins(self, layer: Layer, end: int) -> list[int]:
        count = self.graph.ends
        more = np.flatnonzero(layer.topology.place[count:] == end) + count
        return [end, *more.tolist()]

    def along_one(self, layer: Layer, start: Spot, goal: Spot) -> tuple[float, int] | None:
        """Return the cost of staying on one segment, and its arc, when both spots are on it and it may be followed."""
        if start.segment != goal.segment:
            return None
        ahead = goal.share >= start.share
        arc = 2 * start.segment + (0 if ahead else 1)
        low, high = sorted((start.share, goal.share))
        if any(low <= at <= high for at in layer.overlay.closed.get(start.segment, ())):
            return None
        inner = float(layer.costs.inner[arc])
        slowed = layer.overlay.slowed.get(start.segment, 0.0)
        return ((inner + slowed) * (high - low), arc) if np.isfinite(inner) else None

    # --- Working memory ----------------------------------------------------------------------------------------------

    def _memory(self, count: int) -> Any:
        own = self._own
        if getattr(own, "room", 0) < count:
            own.room = count
            own.turn = 0
            own.best, own.by = np.empty(count), np.empty(count, np.int32)
            own.stamp = np.zeros(count, np.int64)
            own.heap = _heap(count + 1024)
        return own.best, own.by, own.stamp, own.heap

    def _larger_heap(self) -> Any:
        self._own.heap = _heap(2 * len(self._own.heap[0]))
        return self._own.heap

    def _xy(self, layer: Layer) -> tuple[Array, Array]:
        if not layer.profile.vehicle:
            return self.graph.x, self.graph.y
        with self._lock:
            if not hasattr(self, "_drive_xy"):
                place = self.graph.drive_place
                self._drive_xy = (self.graph.x[place], self.graph.y[place])
            return self._drive_xy

    def tails_of(self, layer: Layer) -> Array:
        with self._lock:
            kept = self.__dict__.setdefault("_tails_of", {})
            if layer.profile.vehicle not in kept:
                first = layer.topology.first
                kept[layer.profile.vehicle] = np.repeat(np.arange(len(first) - 1, dtype=np.int32), np.diff(first))
            found: Array = kept[layer.profile.vehicle]
            return found


def _part(cost: float, inner: float, share: float, *, closed: bool) -> float:
    """Return the cost of the last `share` of an arc, its end included: infinite when it is closed or impossible.

    `inner` is what the arc costs by itself, `cost` with its end.
    """
    if closed or not np.isfinite(cost):
        return float(np.inf)
    return float(inner) * share + float(cost - inner)


def _known(slug: str) -> bool:
    from beffroi.sense.mobility.profiles import load_profiles

    return slug in load_profiles()[0]


def _heap(size: int) -> tuple[Array, Array, Array]:
    return np.empty(size), np.empty(size, np.int32), np.empty(size)
