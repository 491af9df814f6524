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

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.files import written_whole
from beffroi.sense.mobility.assembling import components
from beffroi.sense.mobility.costs import Barrier, Costs, costs_of
from beffroi.sense.mobility.graph import Graph, Topology
from beffroi.sense.mobility.profiles import Profile, profile_named
from beffroi.sense.mobility.streets import Array

SNAP_M = 300.0
LANDMARKS, USED_LANDMARKS = 8, 3
SETTINGS_KEPT = 24


class NoEngine(NotFound):
    """The compiler that routes need is not installed on this server."""


class OffTheStreets(BeffroiError):
    """A place is too far from any street its profile may use."""


def search_module() -> Any:
    """Return the compiled search.

    Raises:
        NoEngine: numba is not installed.
    """
    try:
        from beffroi.sense.mobility import search
    except ImportError as error:
        raise NoEngine(
            "le calcul d'itinéraires n'est pas installé sur ce serveur",
            remedy="faites « make install », ou « pip install beffroi[mobility] »",
        ) from error
    return search


@dataclass(frozen=True, slots=True)
class Spot:
    """A place brought to a street: the segment, the share of its length, how far the place was (metres)."""

    segment: int
    share: float
    away_m: float
    lon: float
    lat: float


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

    def arc(self, place: int) -> int:
        return int(self.topology.arcs[place])


@dataclass(frozen=True, slots=True)
class Backwards:
    """Arcs by the end they enter: `first` (n + 1), the ends they come from, and the place of each in the topology."""

    first: Array
    heads: Array
    order: Array


@dataclass(frozen=True, slots=True)
class Found:
    """A path: its cost as felt, the arcs it follows, and the shares where it begins and ends on the first and last."""

    cost: float
    arcs: tuple[int, ...]
    start: Spot
    goal: Spot
    opened: int


class Router:
    """Answers for one version of one graph. Safe for threads: what a search writes is its thread's own."""

    def __init__(self, graph: Graph, folder: Path | None = None) -> None:
        self.graph = graph
        self.folder = folder
        self.flat = np.stack(graph.metres(graph.points[:, 0], graph.points[:, 1]), axis=1).astype(np.float32)
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
                self._layers[key] = self.laid(self._fresh(profile), self._overlays.get(profile.slug, CLEAR))
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
                    self._layers[key] = self.laid(layer, wanted)

    def laid(self, layer: Layer, overlay: Overlay) -> Layer:
        """Return a layer with other obstacles than those of the moment, for one search: another day, a project."""
        from dataclasses import replace

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
        marks = np.zeros((len(topology.place), 0), np.float32)
        if own:
            marks = self.marks(profile.slug, topology, base)
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
            place_of=_first_places(topology, 2 * len(self.graph)),
            usable=np.isfinite(costs.inner[0::2]) | np.isfinite(costs.inner[1::2]),
            overlay=CLEAR,
            part=parts_of(topology, base),
        )

    def marks(self, name: str, topology: Topology, base: Array) -> Array:
        """Return the costs from and to each landmark, read from beside the graph when they were computed before."""
        landmarks = _spread_out(self.graph, parts_of(topology, base)[: self.graph.ends])
        crc = zlib.crc32(np.array(landmarks, np.int64).tobytes(), zlib.crc32(base.tobytes()))
        file = f"marks-{name}-{crc:08x}.npy"
        kept = self.folder / file if self.folder else None
        if kept is not None and kept.exists():
            return np.asarray(np.load(kept, mmap_mode="r"))
        count = len(topology.place)
        marks = np.full((count, 2 * len(landmarks)), np.inf, np.float32)
        way = _backwards(topology)
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
        found = self.nearest(lon, lat, layer.usable, reach_m=reach_m)
        if found is None:
            raise OffTheStreets(
                "aucune rue praticable à moins de {reach} m de ce lieu ({lon:.5f}, {lat:.5f})",
                where=where,
                remedy="choisissez un lieu dans la commune, près d'une rue",
                reach=int(reach_m),
                lon=lon,
                lat=lat,
            )
        return found

    def nearest(self, lon: float, lat: float, usable: Array, *, reach_m: float) -> Spot | None:
        """Return the nearest of the `usable` segments, None when none is within `reach_m`."""
        x, y = self.graph.metres(lon, lat)
        grid = self.graph.about["grid"]
        segment, away, along = search_module().nearest(
            float(x), float(y), self.graph.cell_first, self.graph.cell_segments, grid["west"], grid["south"],
            grid["columns"], grid["rows"], grid["cell_m"], self.flat, self.graph.offset, usable, reach_m,
        )  # fmt: skip
        if segment < 0:
            return None
        share = min(1.0, max(0.0, along / float(self.graph.length_m[segment])))
        at = self.place(segment, share)
        return Spot(int(segment), share, float(away), *at)

    def nearest_each(
        self, lon: Array, lat: Array, usable: Array, *, reach_m: float = SNAP_M
    ) -> tuple[Array, Array, Array]:
        """Return, for each place, the nearest of the `usable` segments (-1 beyond `reach_m`), where along it (share of
        its length), and how far (metres)."""
        x, y = self.graph.metres(np.asarray(lon, np.float64), np.asarray(lat, np.float64))
        grid = self.graph.about["grid"]
        segment, away, along = np.empty(len(x), np.int32), np.empty(len(x)), np.empty(len(x))
        search_module().nearest_each(
            x, y, self.graph.cell_first, self.graph.cell_segments, grid["west"], grid["south"], grid["columns"],
            grid["rows"], grid["cell_m"], self.flat, self.graph.offset, usable, reach_m, segment, away, along,
        )  # fmt: skip
        share = np.clip(along / np.asarray(self.graph.length_m)[np.maximum(segment, 0)], 0.0, 1.0)
        return segment, share, away

    def place(self, segment: int, share: float) -> tuple[float, float]:
        """Return the longitude and latitude at a share of a segment's length."""
        line = self.cut(segment, 0.0, share)
        return float(line[-1, 0]), float(line[-1, 1])

    def cut(self, segment: int, start: float, stop: float) -> Array:
        """Return the vertices of a segment between two shares of its length; backwards when `start` is the larger."""
        if start > stop:
            found: Array = self.cut(segment, stop, start)[::-1]
            return found
        low, high = self.graph.offset[segment], self.graph.offset[segment + 1]
        if start < 1e-9 and stop > 1 - 1e-9:
            whole: Array = self.graph.points[low:high]
            return whole
        flat, line = self.flat[low:high], self.graph.points[low:high]
        walked = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(flat, axis=0).T.astype(float)))])
        total = walked[-1] or 1.0
        wanted = np.array([start, stop]) * total
        ends = np.stack([np.interp(wanted, walked, line[:, axis]) for axis in (0, 1)], axis=1)
        inner = line[(walked > wanted[0] + 1e-6) & (walked < wanted[1] - 1e-6)]
        return np.concatenate([ends[:1], inner, ends[1:]])

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
        arcs = [last_arcs[rank]]
        end = int(goals[rank])
        _, by, _ = memory
        tails = self.tails_of(layer)
        while by[end] >= 0:
            place = int(by[end])
            arcs.append(layer.arc(place))
            end = int(tails[place])
        arcs.append(first_arcs[int(np.flatnonzero(seeds == end)[np.argmin(seed_costs[seeds == end])])])
        return Found(float(total), tuple(arc for arc in reversed(arcs) if arc >= 0), start, goal, opened)

    def _searched(
        self, layer: Layer, live: Array, goal: Spot, begin: tuple[Array, Array], finish: tuple[Array, Array]
    ) -> Any:
        best, by, stamp, heap = self._memory(len(layer.topology.place))
        search = search_module()
        marks = layer.marks
        used, goal_from, goal_to = _bounds(marks, begin, finish)
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
                kept[vehicle] = _backwards(layer.topology)
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


def _spread_out(graph: Graph, part: Array) -> list[int]:
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


def _backwards(topology: Topology) -> Backwards:
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
    open_to = np.isfinite(base)
    return components(tails[open_to], topology.heads[open_to], count)


def _first_places(topology: Topology, arcs: int) -> Array:
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


def _bounds(marks: Array, begin: tuple[Array, Array], finish: tuple[Array, Array]) -> tuple[Array, Array, Array]:
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


__all__ = [
    "CLEAR",
    "Barrier",
    "Found",
    "Layer",
    "NoEngine",
    "OffTheStreets",
    "Overlay",
    "Router",
    "Spot",
    "parts_of",
    "search_module",
]
