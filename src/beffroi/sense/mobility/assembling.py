"""Make a graph of streets: lengths, slopes from the terrain, arcs both ways, turns, a grid, landmarks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from shapely import STRtree, points

from beffroi.sense.mobility.graph import METRES_PER_DEGREE, Graph
from beffroi.sense.mobility.streets import Array, Streets
from beffroi.sense.mobility.terrain import Terrain
from beffroi.sense.mobility.vocabulary import (
    NO_INCLINE,
    NO_KERB,
    Attribute,
    Confidence,
    Kind,
    Origin,
)

CELL_M = 100.0
SAMPLE_M = 15.0
LANDMARK_M = 35.0
_FOOTED = np.array([Kind.PEDESTRIAN, Kind.FOOTWAY, Kind.PATH, Kind.CROSSING, Kind.STEPS, Kind.LIFT, Kind.ESCALATOR])


def assemble(
    streets: Streets, *, territory: str, at: datetime, version: str, terrain: Terrain | None = None, sources: Any = None
) -> Graph:
    """Make the graph of `streets`. `sources` (JSON) says what it was built from, to know whether to build it again."""
    ends = _numbered(streets)
    lon, lat = ends.places
    west, south = streets.points.min(axis=0)
    east, north = streets.points.max(axis=0)
    origin = (float(west + east) / 2, float(south + north) / 2)
    scale = np.array([METRES_PER_DEGREE * np.cos(np.radians(origin[1])), METRES_PER_DEGREE])
    flat = (streets.points - np.array(origin)) * scale
    length = _lengths(flat, streets.offset)
    slopes = _slopes(streets, flat, length, terrain, day=f"{at:%Y-%m-%d}")
    kerb, crossing, barrier = _met(streets, ends)
    walk = _leaving(ends.tail, ends.head, len(lon))
    drive = _obeying(streets, ends, walk)
    cells, grid = _grid(flat, streets.offset)
    xy = (np.stack([lon, lat], axis=1) - np.array(origin)) * scale
    names, landmark = _landmarks(streets.landmarks, xy, origin, scale)
    return Graph(
        lon=lon,
        lat=lat,
        x=xy[:, 0].astype(np.float32),
        y=xy[:, 1].astype(np.float32),
        tail=ends.tail,
        head=ends.head,
        length_m=length.astype(np.float32),
        **slopes,
        points=streets.points,
        offset=streets.offset.astype(np.int32),
        arc_kerb_cm=kerb,
        arc_crossing=crossing,
        arc_barrier=barrier,
        walk_first=walk[0],
        walk_heads=walk[1],
        walk_arcs=walk[2],
        **drive,  # type: ignore[arg-type]
        component=components(ends.tail, ends.head, len(lon)),
        landmark=landmark,
        cell_first=cells[0],
        cell_segments=cells[1],
        columns=streets.columns,
        names=tuple(streets.names),
        landmarks=names,
        about={
            "territory": territory,
            "version": version,
            "built_at": at.isoformat(),
            "bbox": [float(west), float(south), float(east), float(north)],
            "origin": list(origin),
            "grid": grid,
            "ends": len(lon),
            "segments": len(streets),
            "sources": sources or [],
        },
    )


class _Ends:
    """Ends renumbered along a space-filling curve, so that neighbours lie close in memory."""

    def __init__(self, streets: Streets) -> None:
        numbers = np.concatenate([streets.tail, streets.head])
        spots = np.concatenate([streets.offset[:-1], streets.offset[1:] - 1])
        self.old, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
        place = streets.points[spots[first]]
        order = np.argsort(_curve(place), kind="stable")
        rank = np.empty(len(order), np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        renumbered = rank[inverse]
        self.tail, self.head = renumbered[: len(streets)], renumbered[len(streets) :]
        self.places = place[order, 0].copy(), place[order, 1].copy()
        self.rank = dict(zip(self.old.tolist(), rank.tolist(), strict=True))


def _numbered(streets: Streets) -> _Ends:
    return _Ends(streets)


def _curve(place: Array) -> Array:
    """Return the rank of each place along a Morton curve over their box, 16 bits a side."""
    low, high = place.min(axis=0), place.max(axis=0)
    unit = ((place - low) / np.maximum(high - low, 1e-12) * 65_535).astype(np.uint64)
    code = np.zeros(len(place), np.uint64)
    for bit in range(16):
        for axis in (0, 1):
            code |= ((unit[:, axis] >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + axis)
    return code


def _lengths(flat: Array, offset: Array) -> Array:
    step = np.hypot(*np.diff(flat, axis=0).T)
    step = np.concatenate([step, [0.0]])
    # The step from a segment's last vertex to the next segment's first is no part of either.
    step[offset[1:] - 1] = 0.0
    # Two ends at one place would make a segment of nothing: a hand's breadth keeps times and costs above zero.
    return np.maximum(np.add.reduceat(step, offset[:-1]), 0.1)


def _slopes(streets: Streets, flat: Array, length: Array, terrain: Terrain | None, *, day: str) -> dict[str, Any]:
    """Return climbs and steepest slopes: told inclines first, else the terrain, else nothing (NaN)."""
    count = len(streets)
    climb, descent = np.zeros(count), np.zeros(count)
    up, down = np.full(count, np.nan), np.full(count, np.nan)
    origin, origins = streets.origin.copy(), list(streets.origins)
    if terrain is not None:
        climb, descent, up, down = _terrain_slopes(streets, flat, length, terrain)
        origins.append(Origin(terrain.title, day, Confidence.DEDUCED))
        known = ~np.isnan(up) & (origin[:, Attribute.SLOPE] == 0)
        origin[known, Attribute.SLOPE] = len(origins)
    told = streets.columns["incline_pct"] != NO_INCLINE
    pct = streets.columns["incline_pct"].astype(float)
    up = np.where(told, np.maximum(pct, 0), up)
    down = np.where(told, np.maximum(-pct, 0), down)
    climb = np.where(told, up * length / 100, climb)
    descent = np.where(told, down * length / 100, descent)
    return {
        "climb_m": np.nan_to_num(climb).astype(np.float32),
        "descent_m": np.nan_to_num(descent).astype(np.float32),
        "steepest_up_pct": up.astype(np.float32),
        "steepest_down_pct": down.astype(np.float32),
        "origin": origin,
        "origins": tuple(origins),
    }


def _terrain_slopes(
    streets: Streets, flat: Array, length: Array, terrain: Terrain
) -> tuple[Array, Array, Array, Array]:
    """Sample each segment about every `SAMPLE_M` and at both ends; a bridge or tunnel is straight between its ends.

    A slope is told over a cell and a half of the grid at least: under that, the model's own noise would make it.
    """
    parts = np.maximum(1, np.ceil(length / SAMPLE_M)).astype(int)
    parts[streets.columns["level"] > 0] = 1
    first = np.concatenate([[0], np.cumsum(parts + 1)])
    owner = np.repeat(np.arange(len(streets)), parts + 1)
    share = (np.arange(len(owner)) - first[owner]) / parts[owner]
    where = _along(flat, streets.offset, owner, share, streets.points)
    height = terrain.at(where[:, 0], where[:, 1])
    rise = np.diff(height, append=np.nan)
    last = first[1:] - 1
    rise[last] = 0.0
    run = length[owner] / parts[owner]
    climb = np.add.reduceat(np.maximum(rise, 0), first[:-1])
    descent = np.add.reduceat(np.maximum(-rise, 0), first[:-1])
    window = np.maximum(1, np.ceil(2 * terrain.step_m / np.maximum(run, 0.1))).astype(int)
    window = np.minimum(window, parts[owner])
    ahead = np.minimum(np.arange(len(owner)) + window, last[owner])
    over = np.maximum((ahead - np.arange(len(owner))) * run, 1.5 * terrain.step_m)
    steep = 100 * (height[ahead] - height) / over
    # The last samples look over a shorter stretch, already seen by those before them.
    steep[ahead - np.arange(len(owner)) < window] = 0.0
    up = np.maximum.reduceat(np.maximum(steep, 0), first[:-1])
    down = np.maximum.reduceat(np.maximum(-steep, 0), first[:-1])
    lost = np.isnan(climb) | np.isnan(descent)
    # 40 % is a cliff or a retaining wall beside the street, not the street.
    up, down = np.minimum(up, 40.0), np.minimum(down, 40.0)
    up[lost], down[lost] = np.nan, np.nan
    return climb, descent, up, down


def _along(flat: Array, offset: Array, owner: Array, share: Array, degrees: Array) -> Array:
    """Return the place (degrees) at `share` of the length of segment `owner`."""
    step = np.concatenate([[0.0], np.hypot(*np.diff(flat, axis=0).T)])
    step[offset[:-1]] = 0.0
    walked = np.cumsum(step)
    start, end = walked[offset[owner]], walked[offset[owner + 1] - 1]
    wanted = start + share * (end - start)
    place = np.clip(np.searchsorted(walked, wanted, side="left"), offset[owner] + 1, offset[owner + 1] - 1)
    before, after = walked[place - 1], walked[place]
    part = np.where(after > before, (wanted - before) / np.where(after > before, after - before, 1.0), 0.0)
    part = np.clip(part, 0.0, 1.0)
    found: Array = degrees[place - 1] + part[:, None] * (degrees[place] - degrees[place - 1])
    return found


def _met(streets: Streets, ends: _Ends) -> tuple[Array, Array, Array]:
    """Return what one meets at the end of each arc: a kerb, a crossing, a barrier.

    An end charges who comes by a foot way; following a street, one does not cross it where others do. A survey of
    junctions (`charged`) charges everyone; a barrier or a lift always stands in the way.
    """
    count = len(ends.places[0])
    kerb_at, cross_at = np.full(count, NO_KERB, np.int16), np.zeros(count, np.uint8)
    barrier_at, always = np.zeros(count, np.uint8), np.zeros(count, bool)
    for end, value in streets.kerb_cm.items():
        kerb_at[ends.rank[end]] = value
    for end, value in streets.crossing.items():
        cross_at[ends.rank[end]] = value
    for end, value in streets.barrier.items():
        barrier_at[ends.rank[end]] = value
    for end in streets.charged:
        always[ends.rank[end]] = True
    entry = np.empty(2 * len(streets), np.int32)
    entry[0::2], entry[1::2] = ends.head, ends.tail
    footed = np.repeat(np.isin(streets.columns["kind"], _FOOTED), 2)
    pays = footed | always[entry]
    return (
        np.where(pays, kerb_at[entry], NO_KERB).astype(np.int16),
        np.where(pays, cross_at[entry], 0).astype(np.uint8),
        barrier_at[entry],
    )


def _leaving(tail: Array, head: Array, count: int) -> tuple[Array, Array, Array]:
    leaves = np.empty(2 * len(tail), np.int32)
    enters = np.empty_like(leaves)
    leaves[0::2], leaves[1::2] = tail, head
    enters[0::2], enters[1::2] = head, tail
    return _sorted_arcs(leaves, enters, np.arange(len(leaves), dtype=np.int32), count)


def _sorted_arcs(leaves: Array, enters: Array, arcs: Array, count: int) -> tuple[Array, Array, Array]:
    order = np.argsort(leaves, kind="stable")
    first = np.zeros(count + 1, np.int32)
    np.cumsum(np.bincount(leaves, minlength=count), out=first[1:])
    return first, enters[order].astype(np.int32), arcs[order].astype(np.int32)


def _obeying(streets: Streets, ends: _Ends, walk: tuple[Array, Array, Array]) -> dict[str, Array]:
    """Return the arcs of vehicles: where a turn is forbidden, the end is doubled for who comes by that way."""
    count = len(ends.places[0])
    leaves = np.repeat(np.arange(count, dtype=np.int32), np.diff(walk[0]))
    forbidden: dict[int, set[int]] = {}
    for start, via, goal in streets.turns:
        end = ends.rank[via]
        arrives = 2 * start if ends.head[start] == end else 2 * start + 1
        departs = 2 * goal if ends.tail[goal] == end else 2 * goal + 1
        forbidden.setdefault(arrives, set()).add(departs)
    entry = np.empty(2 * len(streets), np.int32)
    entry[0::2], entry[1::2] = ends.head, ends.tail
    place = np.arange(count, dtype=np.int32)
    more_leaves, more_arcs, more_place = [], [], []
    for number, (arrives, barred) in enumerate(sorted(forbidden.items())):
        end, twin = int(entry[arrives]), count + number
        more_place.append(end)
        entry[arrives] = twin
        for arc in walk[2][walk[0][end] : walk[0][end + 1]].tolist():
            if arc not in barred:
                more_leaves.append(twin)
                more_arcs.append(arc)
    all_leaves = np.concatenate([leaves, np.array(more_leaves, np.int32)])
    all_arcs = np.concatenate([walk[2], np.array(more_arcs, np.int32)])
    total = count + len(more_place)
    first, heads, arcs = _sorted_arcs(all_leaves, entry[all_arcs], all_arcs, total)
    return {
        "drive_first": first,
        "drive_heads": heads,
        "drive_arcs": arcs,
        "drive_place": np.concatenate([place, np.array(more_place, np.int32)]),
        "drive_entry": entry,
    }


def components(tail: Array, head: Array, count: int) -> Array:
    """Return, for each end, the smallest end it is joined to, whatever the direction: label propagation by halving."""
    label = np.arange(count, dtype=np.int32)
    while True:
        low = np.minimum(label[tail], label[head])
        fresh = label.copy()
        np.minimum.at(fresh, tail, low)
        np.minimum.at(fresh, head, low)
        fresh = fresh[fresh]
        if np.array_equal(fresh, label):
            return label
        label = fresh


def _grid(flat: Array, offset: Array) -> tuple[tuple[Array, Array], dict[str, float]]:
    """Put each segment in the cells its box touches."""
    low, high = np.minimum.reduceat(flat, offset[:-1]), np.maximum.reduceat(flat, offset[:-1])
    west, south = np.floor(low.min(axis=0) / CELL_M) * CELL_M
    columns = int((high[:, 0].max() - west) / CELL_M) + 1
    rows = int((high[:, 1].max() - south) / CELL_M) + 1
    start = ((low - [west, south]) / CELL_M).astype(int)
    stop = ((high - [west, south]) / CELL_M).astype(int)
    wide, tall = (stop - start + 1).T
    times = wide * tall
    owner = np.repeat(np.arange(len(times), dtype=np.int32), times)
    inner = np.arange(len(owner)) - np.repeat(np.cumsum(times) - times, times)
    cell = (start[owner, 1] + inner // wide[owner]) * columns + start[owner, 0] + inner % wide[owner]
    order = np.argsort(cell, kind="stable")
    first = np.zeros(rows * columns + 1, np.int32)
    np.cumsum(np.bincount(cell, minlength=rows * columns), out=first[1:])
    about = {"west": float(west), "south": float(south), "columns": columns, "rows": rows, "cell_m": CELL_M}
    return (first, owner[order]), about


def _landmarks(
    known: list[tuple[float, float, str]], xy: Array, origin: tuple[float, float], scale: Array
) -> tuple[tuple[str, ...], Array]:
    """Give each end the nearest named place within `LANDMARK_M`, each place to the end nearest to it only."""
    given = np.full(len(xy), -1, np.int32)
    if not known:
        return (), given
    where = (np.array([(lon, lat) for lon, lat, _ in known]) - np.array(origin)) * scale
    tree = STRtree(points(xy))
    found, distance = tree.query_nearest(
        points(where), max_distance=LANDMARK_M, return_distance=True, all_matches=False
    )
    for rank in np.argsort(distance)[::-1].tolist():
        given[found[1, rank]] = found[0, rank]
    return tuple(name for _, _, name in known), given


def with_about(graph: Graph, **more: Any) -> Graph:
    """Return the graph with more said about it."""
    return replace(graph, about=graph.about | more)
