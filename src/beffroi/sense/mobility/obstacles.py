"""Obstacles of the moment: what each kind changes for whom, where it lies on the graph, and when it holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.resources import shipped_folder
from beffroi.sense.mobility.data_files import read_table
from beffroi.sense.mobility.layers import Overlay
from beffroi.sense.mobility.profiles import load_profiles
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.streets import Array

TOUCH_M = 25.0
"""An obstacle reported beside a street is on it when no nearer street is within this distance."""
POINT_M, SAME_SPOT_M = 5.0, 1.0
"""An obstacle no wider than `POINT_M` is on the way nearest to it: a pavement, not the one across the street. Ways no
more than `SAME_SPOT_M` farther pass by the same spot: those that meet there, or the crossing of the carriageway."""


class BadObstacle(BeffroiError):
    """An obstacle cannot be taken in: unknown kind, place off the globe, end before its start."""


@dataclass(frozen=True, slots=True)
class ObstacleKind:
    """What a kind of obstacle changes: the profiles it stops, the seconds it costs others.

    `whole_street`: it takes the street from wall to wall, both pavements with it.
    """

    slug: str
    title: str
    closes: frozenset[str]
    slows: dict[str, float]
    whole_street: bool = False


@dataclass(frozen=True, slots=True)
class ObstacleInfo:
    """One obstacle, as rooms and faces read it. `radius_m` is how far it reaches around its place."""

    id: int
    territory: str
    subject: str
    kind: str
    title: str
    label: str
    lon: float
    lat: float
    radius_m: float
    starts_at: datetime
    until: datetime | None

    def holds(self, at: datetime) -> bool:
        return self.starts_at <= at and (self.until is None or at < self.until)


@lru_cache(maxsize=1)
def obstacle_kinds() -> dict[str, ObstacleKind]:
    """Return the kinds of obstacles, by slug."""
    return read_kinds(shipped_folder("mobility") / "obstacles.toml")


def read_kinds(path: Path) -> dict[str, ObstacleKind]:
    """Read the file of kinds.

    Raises:
        BadObstacle: a profile or group is unknown, or the file does not read.
    """
    table = read_table(path, where=path.name, refused=BadObstacle)
    profiles = list(load_profiles()[0])
    groups: dict[str, list[str]] = {"*": profiles, **table.get("groups", {}), **{one: [one] for one in profiles}}

    def named(word: str, where: str) -> list[str]:
        if word not in groups:
            raise BadObstacle(
                "« {word} » n'est ni un profil ni un groupe",
                where=f"{path.name}: {where}",
                remedy="valeurs possibles : {all}",
                word=word,
                all=", ".join(groups),
            )
        return groups[word]

    kinds = {}
    for slug, one in table["kinds"].items():
        closes = {profile for word in one.get("close", []) for profile in named(word, slug)}
        slows: dict[str, float] = {}
        # A group first, then a profile by its own name, which corrects it.
        for word, seconds in sorted(one.get("slow", {}).items(), key=lambda pair: pair[0] in profiles):
            slows |= dict.fromkeys(named(word, slug), float(seconds))
        kinds[slug] = ObstacleKind(
            slug, one["title"], frozenset(closes), {k: v for k, v in slows.items() if k not in closes},
            whole_street=bool(one.get("whole_street", False)),
        )  # fmt: skip
    return kinds


@dataclass(frozen=True, slots=True)
class Standing:
    """An obstacle on the graph: the segments it touches, and where on each (share of its length)."""

    obstacle: ObstacleInfo
    touched: tuple[tuple[int, float], ...]


def standing(router: Router, obstacles: Iterable[ObstacleInfo]) -> list[Standing]:
    """Find the segments each obstacle touches: those within its radius, else the nearest within `TOUCH_M`.

    Where pavements are ways of their own, a small obstacle closes that on which it stands and leaves the other.
    """
    everything = np.ones(len(router.graph), bool)
    kinds, found = obstacle_kinds(), []
    for one in obstacles:
        kind = kinds.get(one.kind)
        alone = one.radius_m <= POINT_M and not (kind is not None and kind.whole_street)
        touched = touched_segments(router, one.lon, one.lat, one.radius_m, nearest_only=alone)
        if not touched:
            nearest = router.nearest(one.lon, one.lat, everything, reach_m=TOUCH_M)
            touched = [(nearest.segment, nearest.share)] if nearest else []
        found.append(Standing(one, tuple(touched)))
    return found


def touched_segments(
    router: Router, lon: float, lat: float, radius_m: float, *, nearest_only: bool = False
) -> list[tuple[int, float]]:
    """Return the segments that pass within `radius_m` of a place, and where each is nearest to it.

    `nearest_only` leaves out those farther than the nearest by more than `SAME_SPOT_M`.
    """
    graph = router.graph
    x, y = (float(value) for value in graph.metres(lon, lat))
    found = []
    for segment in _around(graph.about["grid"], graph.cell_first, graph.cell_segments, x, y, radius_m):
        away, share = _nearest_on(router.flat[graph.offset[segment] : graph.offset[segment + 1]], x, y)
        if away <= radius_m:
            found.append((away, int(segment), share))
    most = min((away for away, _, _ in found), default=0.0) + SAME_SPOT_M if nearest_only else radius_m
    return [(segment, share) for away, segment, share in found if away <= most]


def _around(grid: dict[str, Any], first: Array, segments: Array, x: float, y: float, radius_m: float) -> list[int]:
    cell = grid["cell_m"]
    columns = range(
        max(0, int((x - radius_m - grid["west"]) // cell)),
        min(grid["columns"] - 1, int((x + radius_m - grid["west"]) // cell)) + 1,
    )
    rows = range(
        max(0, int((y - radius_m - grid["south"]) // cell)),
        min(grid["rows"] - 1, int((y + radius_m - grid["south"]) // cell)) + 1,
    )
    found: set[int] = set()
    for row in rows:
        for column in columns:
            place = row * grid["columns"] + column
            found.update(segments[first[place] : first[place + 1]].tolist())
    return sorted(found)


def _nearest_on(line: Array, x: float, y: float) -> tuple[float, float]:
    line = line.astype(float)
    step = np.diff(line, axis=0)
    square = np.maximum((step**2).sum(axis=1), 1e-12)
    along = np.clip(((np.array([x, y]) - line[:-1]) * step).sum(axis=1) / square, 0, 1)
    away = np.hypot(*(line[:-1] + along[:, None] * step - [x, y]).T)
    best = int(np.argmin(away))
    lengths = np.sqrt(square)
    total = lengths.sum()
    return float(away[best]), float((lengths[:best].sum() + along[best] * lengths[best]) / total)


def overlays(standings: Sequence[Standing]) -> dict[str, Overlay]:
    """Return what the obstacles change, for each profile they concern."""
    kinds = obstacle_kinds()
    closed: dict[str, dict[int, list[float]]] = {}
    slowed: dict[str, dict[int, float]] = {}
    for one in standings:
        kind = kinds.get(one.obstacle.kind)
        if kind is None:
            continue
        for segment, share in one.touched:
            for profile in kind.closes:
                closed.setdefault(profile, {}).setdefault(segment, []).append(share)
            for profile, seconds in kind.slows.items():
                there = slowed.setdefault(profile, {})
                there[segment] = there.get(segment, 0.0) + seconds
    return {
        profile: Overlay(
            {segment: tuple(sorted(shares)) for segment, shares in closed.get(profile, {}).items()},
            slowed.get(profile, {}),
        )
        for profile in {*closed, *slowed}
    }
