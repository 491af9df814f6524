"""Gaps between the cycle ways of a commune and its neighbours': one ends at the border, another goes on farther.

What a neighbour publishes is read when this installation holds it; a neighbour that publishes none is told apart, for
nobody knows whether its ways go on.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from datetime import datetime
from math import atan2, hypot

import numpy as np
import shapely

from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.graph import Graph
from beffroi.sense.mobility.ground import OffTheStreets
from beffroi.sense.mobility.journeys.cycleways import (
    JOINED_M,
    CycleWays,
    Tip,
    cycle_ways,
    flat,
    tips,
    turn_deg,
    version_of,
)
from beffroi.sense.mobility.layers import CLEAR, Layer, laid
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.routes import Piece, pieces_of
from beffroi.sense.mobility.store import router_of
from beffroi.sense.mobility.works.trips import Sample, sample_of

BORDER_M = 500.0
"""An end is at the border when the neighbour is that near."""
MOST_M = 1_500.0
"""Farther, what the neighbour has is no continuation."""
AXIS_DEG = 60.0
"""How much the way to the other side may turn from the axis of the one that ends."""
ALONG_M, LEAST_M = 15.0, 1.0
"""A street has a cycle way where one is that near: half a wide road, and the error of surveys."""
SNAP_M, MOST_TRIED = 60.0, 4
Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A commune that touches this one; `told_at` is when its cycle ways came, None when it publishes none here."""

    code: str
    name: str
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class End:
    """A cycle way that ends at the border: its street, the commune beyond, where (degrees, CRS84)."""

    name: str
    neighbour: Neighbour
    place: Place


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without a cycle way between the end of one and the nearest beyond the border (street `beyond`).

    `missing_m` counts the streets of the way that have none, drawn by `lines`. `share` is the part of the sampled trips
    that follow one of them by bicycle, None when the streets known here do not join both: it is then a straight line.
    """

    end: End
    beyond: str
    missing_m: float
    share: float | None
    lines: tuple[tuple[Place, ...], ...]
    segments: frozenset[int] = frozenset()

    @property
    def worth(self) -> float:
        """Return the trips in a thousand, by hundred metres that miss."""
        return 0.0 if self.share is None else 1000 * self.share / (self.missing_m / 100)


@dataclass(frozen=True, slots=True)
class CycleGaps:
    """The gaps, the most trips by metre first, then those nobody counts, the shortest first.

    `told_at`: when this commune's cycle ways came, None when it publishes none. `unknown`: ends whose neighbour
    publishes nothing; `alone`: ends that nothing answers ahead; `joined`: how many go on; `trips`: how many sampled.
    """

    told_at: datetime | None
    neighbours: tuple[Neighbour, ...]
    gaps: tuple[Gap, ...] = ()
    unknown: tuple[End, ...] = ()
    alone: tuple[End, ...] = ()
    joined: int = 0
    trips: int = 0


_KEPT: dict[str, tuple[object, CycleGaps]] = {}


def cycle_gaps(territory: str) -> CycleGaps:
    """Return the cycle gaps at the borders of a commune, computed once for each version of what they are read from.

    Raises:
        NoGraph, NoEngine: see `queries.route`.
    """
    router = router_of(territory)
    around = _around(territory, router.graph)
    known = [(one.ref.slug, one.version) for one in lake.datasets(ANONYMOUS, territory=territory)]
    beyond = [(code, name, version_of(code), zlib.crc32(shape.wkb)) for code, name, shape in around]
    key = (router.graph.version, known, beyond)
    kept = _KEPT.get(territory)
    if kept is None or kept[0] != key:
        kept = _KEPT[territory] = (key, _computed(territory, router, around))
    return kept[1]


def _around(territory: str, graph: Graph) -> list[tuple[str, str, shapely.Geometry]]:
    """Return the code, the name and the shape (metres) of the communes that touch this one."""
    own = territories.contour(territory)
    if own is None:
        return []
    shape = flat(graph, shapely.from_wkb(own))
    found = []
    for one in territories.communes():
        other = territories.contour(one.code) if one.code != territory else None
        if other is not None:
            beyond = flat(graph, shapely.from_wkb(other))
            if beyond.distance(shape) <= JOINED_M:
                found.append((one.code, one.name, beyond))
    return found


def _computed(territory: str, router: Router, around: list[tuple[str, str, shapely.Geometry]]) -> CycleGaps:
    own = cycle_ways(territory, router.graph)
    others = [cycle_ways(code, router.graph) for code, _name, _shape in around]
    neighbours = tuple(
        Neighbour(code, name, ways.at if ways else None)
        for (code, name, _shape), ways in zip(around, others, strict=True)
    )
    if own is None:
        return CycleGaps(None, neighbours)
    shapes = [shape for _code, _name, shape in around]
    border = _Border(router, laid(router.layer(mobility.profile("velo")), CLEAR), own)
    for tip in tips(own, shapes, within_m=BORDER_M):
        for one, shape, ways in zip(neighbours, shapes, others, strict=True):
            if _goes_to(tip, shape):
                border.meet(tip, one, ways)
    gaps, trips = border.apart(), 0
    if gaps:
        sample = sample_of(router, territory)
        gaps, trips = border.weighed(gaps, sample), len(sample.trips)
    ranked = sorted(gaps, key=lambda one: (-one.worth, one.missing_m))
    return CycleGaps(
        own.at, neighbours, tuple(ranked), tuple(border.unknown), tuple(border.alone), border.joined, trips
    )


def _goes_to(tip: Tip, shape: shapely.Geometry) -> bool:
    """Tell whether a cycle way ends near a commune, going to it and not away from it."""
    (x, y), (there_x, there_y) = shapely.get_coordinates(shapely.shortest_line(shapely.Point(tip.x, tip.y), shape))
    away = hypot(there_x - x, there_y - y)
    return away <= JOINED_M or (away <= BORDER_M and turn_deg(atan2(there_y - y, there_x - x), tip.ahead) < 90)


class _Border:
    """What becomes of the ends met one after the other: a gap, going on, alone, or unknown."""

    def __init__(self, router: Router, layer: Layer, own: CycleWays) -> None:
        self.router, self.layer, self.own = router, layer, own
        self.gaps: list[Gap] = []
        self.unknown: list[End] = []
        self.alone: list[End] = []
        self.joined = 0

    def meet(self, tip: Tip, neighbour: Neighbour, ways: CycleWays | None) -> None:
        """Tell what an end finds beyond the border."""
        end = End(tip.name, neighbour, self._degrees(tip.x, tip.y))
        if ways is None:
            self.unknown.append(end)
            return
        found = None if ways.away_m(tip.x, tip.y) <= JOINED_M else self._gap(tip, end, ways)
        if found is not None and found.missing_m > JOINED_M:
            self.gaps.append(found)
        elif found is not None or ways.away_m(tip.x, tip.y) <= JOINED_M:
            self.joined += 1
        else:
            self.alone.append(end)

    def _gap(self, tip: Tip, end: End, ways: CycleWays) -> Gap | None:
        """Return what misses before the cycle way that goes on ahead, None when none does."""
        at = shapely.Point(tip.x, tip.y)
        ahead: list[tuple[float, Place, str]] = []
        for rank in ways.tree.query(at, predicate="dwithin", distance=MOST_M).tolist():
            x, y = shapely.get_coordinates(shapely.shortest_line(ways.lines[rank], at))[0].tolist()
            if turn_deg(atan2(y - tip.y, x - tip.x), tip.ahead) <= AXIS_DEG:
                ahead.append((hypot(x - tip.x, y - tip.y), self._degrees(x, y), ways.names[rank]))
        found = [self._measured(end, *one, ways) for one in sorted(ahead)[:MOST_TRIED]]
        within = [one for one in found if one.missing_m <= MOST_M]
        # A straight line is what is left when no street joins them: a way goes before it.
        return min(within, key=lambda one: (one.share is None, one.missing_m), default=None)

    def _measured(self, end: End, away_m: float, goal: Place, beyond: str, ways: CycleWays) -> Gap:
        straight = Gap(end, beyond, away_m, None, ((end.place, goal),))
        router, layer = self.router, self.layer
        try:
            spots = router.spot(*end.place, layer, reach_m=SNAP_M), router.spot(*goal, layer, reach_m=SNAP_M)
        except OffTheStreets:
            return straight
        path = router.path(layer, *spots)
        if path is None:
            return straight
        bare = [(piece.segment, part) for piece in pieces_of(path) for part in self._bare(piece, ways)]
        merged = shapely.get_parts(shapely.line_merge(shapely.union_all([part for _segment, part in bare])))
        lines = tuple(
            tuple(self._degrees(x, y) for x, y in shapely.get_coordinates(one).tolist()) for one in merged.tolist()
        )
        length = sum(part.length for _segment, part in bare)
        return Gap(end, beyond, length, 0.0, lines, frozenset(segment for segment, _part in bare))

    def _bare(self, piece: Piece, ways: CycleWays) -> list[shapely.LineString]:
        """Return the parts (metres) of a stretch of street along which neither commune has a cycle way."""
        line = flat(self.router.graph, shapely.linestrings(self.router.cut(piece.segment, piece.start, piece.stop)))
        for one in (self.own, ways):
            near = one.lines[one.tree.query(line, predicate="dwithin", distance=ALONG_M)]
            # A flat end: what lies farther on than a cycle way is not along it.
            line = line.difference(shapely.union_all(shapely.buffer(near, ALONG_M, cap_style="flat")))
        return [part for part in shapely.get_parts(line).tolist() if part.length > LEAST_M]

    def apart(self) -> list[Gap]:
        """Return the shortest of the gaps that share a street: they are one, met from several ends."""
        kept: list[Gap] = []
        for one in sorted(self.gaps, key=lambda gap: gap.missing_m):
            if not any(one.segments & other.segments for other in kept):
                kept.append(one)
        return kept

    def weighed(self, gaps: list[Gap], sample: Sample) -> list[Gap]:
        """Return the gaps with the part of the sampled trips whose best way by bicycle follows them."""
        passing, total = np.zeros(len(gaps)), 0.0
        for trip in sample.trips:
            try:
                spots = self.router.spot(*trip.start, self.layer), self.router.spot(*trip.goal, self.layer)
            except OffTheStreets:
                continue
            path = self.router.path(self.layer, *spots)
            if path is not None:
                total += trip.weight
                met = {one.segment for one in pieces_of(path)}
                passing += [trip.weight * bool(met & gap.segments) for gap in gaps]
        shares = (passing / total if total else passing).tolist()
        return [
            gap if gap.share is None else replace(gap, share=share) for gap, share in zip(gaps, shares, strict=True)
        ]

    def _degrees(self, x: float, y: float) -> Place:
        lon, lat = self.router.graph.degrees(x, y)
        return float(lon), float(lat)
