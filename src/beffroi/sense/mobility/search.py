"""The search itself: compiled loops over the arrays of a graph, and nothing else. Needs numba (the extra `mobility`).

A* with a lower bound that is the larger of two: the straight line at the best pace of the profile, and the triangle
inequality over landmarks (ALT: Goldberg and Harrelson, 2005). Both hold when costs only grow, which is what an
obstacle does: nothing is computed again when one appears. The bound may be a hair inconsistent (float32): an end
whose cost falls is opened again, so that the answer stays the shortest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

INFINITE = np.inf


@njit(cache=True, nogil=True, inline="always")
def _push(keys: Any, values: Any, costs: Any, size: int, key: float, value: int, cost: float) -> int:
    place = size
    while place > 0:
        above = (place - 1) >> 2
        if keys[above] <= key:
            break
        keys[place] = keys[above]
        values[place] = values[above]
        costs[place] = costs[above]
        place = above
    keys[place] = key
    values[place] = value
    costs[place] = cost
    return size + 1


@njit(cache=True, nogil=True, inline="always")
def _pop(keys: Any, values: Any, costs: Any, size: int) -> int:
    size -= 1
    key, value, cost = keys[size], values[size], costs[size]
    place = 0
    while True:
        child = (place << 2) + 1
        if child >= size:
            break
        best = child
        for other in range(child + 1, min(child + 4, size)):
            if keys[other] < keys[best]:
                best = other
        if keys[best] >= key:
            break
        keys[place] = keys[best]
        values[place] = values[best]
        costs[place] = costs[best]
        place = best
    keys[place] = key
    values[place] = value
    costs[place] = cost
    return size


@njit(cache=True, nogil=True)
def shortest(
    first: Any,
    heads: Any,
    cost: Any,
    x: Any,
    y: Any,
    marks: Any,
    marked: Any,
    pace: float,
    goal_x: float,
    goal_y: float,
    goal_from: Any,
    goal_to: Any,
    seeds: Any,
    seed_costs: Any,
    goals: Any,
    goal_costs: Any,
    best: Any,
    by: Any,
    stamp: Any,
    turn: int,
    keys: Any,
    values: Any,
    costs: Any,
) -> Any:
    """Search from `seeds` to `goals` (ends, each with a cost of its own); return (cost, goal reached or -1, opened).

    `marks` (n, 2k) float32: the cost from each of k landmarks, then to it; `goal_from`, `goal_to` (k): the least of
    ``marks[goal] + goal cost`` and of ``goal cost - marks[goal]``; `marked` tells the landmarks to use. `best`, `by`,
    `stamp` (n) are working memory, valid where `stamp` equals `turn`; `by` is the place in `heads` of the arc one
    came by, -1 at a seed. The heap grows in `keys`, `values`, `costs`; -2 as goal says that it was too small.
    """
    size, opened = 0, 0
    found, total = -1, INFINITE
    room = len(keys)
    for rank in range(len(seeds)):
        end, start = seeds[rank], seed_costs[rank]
        if start < INFINITE and (stamp[end] != turn or start < best[end]):
            stamp[end] = turn
            best[end] = start
            by[end] = -1
            size = _push(keys, values, costs, size, start, end, start)
    used = len(marked)
    while size > 0:
        key, end, reached = keys[0], values[0], costs[0]
        size = _pop(keys, values, costs, size)
        if key >= total:
            break
        if reached > best[end]:
            continue
        opened += 1
        for rank in range(len(goals)):
            if goals[rank] == end and reached + goal_costs[rank] < total:
                total = reached + goal_costs[rank]
                found = rank
        for place in range(first[end], first[end + 1]):
            step = reached + cost[place]
            head = heads[place]
            if step >= total or (stamp[head] == turn and step >= best[head]):
                continue
            stamp[head] = turn
            best[head] = step
            by[head] = place
            bound = pace * np.sqrt((x[head] - goal_x) ** 2 + (y[head] - goal_y) ** 2) - 0.01
            for rank in range(used):
                mark = marked[rank]
                ahead = goal_from[mark] - marks[head, 2 * mark]
                if ahead > bound:
                    bound = ahead
                behind = goal_to[mark] + marks[head, 2 * mark + 1]
                if behind > bound:
                    bound = behind
            if step + bound < total:
                if size >= room - 1:
                    return INFINITE, -2, opened
                size = _push(keys, values, costs, size, step + max(bound, 0.0), head, step)
    return total, found, opened


@njit(cache=True, nogil=True)
def traced(by: Any, tails: Any, end: int) -> Any:
    """Return the places of the arcs one came by to `end`, from the first, and the end one began at."""
    count, one = 0, end
    while by[one] >= 0:
        count += 1
        one = tails[by[one]]
    begin, one = one, end
    found = np.empty(count, np.int64)
    for rank in range(count - 1, -1, -1):
        found[rank] = by[one]
        one = tails[by[one]]
    return found, begin


@njit(cache=True, nogil=True)
def spread(
    first: Any, heads: Any, cost: Any, seeds: Any, seed_costs: Any, limit: float, best: Any, by: Any, keys: Any,
    values: Any, costs: Any,
) -> int:  # fmt: skip
    """Give `best` (n, float64, infinite at first) the cost of every end within `limit`, and `by` the arc to it.

    Returns how many ends were reached, -1 when the heap was too small.
    """
    size, reached_ends = 0, 0
    room = len(keys)
    for rank in range(len(seeds)):
        if seed_costs[rank] < best[seeds[rank]]:
            best[seeds[rank]] = seed_costs[rank]
            by[seeds[rank]] = -1
            size = _push(keys, values, costs, size, seed_costs[rank], seeds[rank], seed_costs[rank])
    while size > 0:
        end, reached = values[0], costs[0]
        size = _pop(keys, values, costs, size)
        if reached > best[end]:
            continue
        reached_ends += 1
        for place in range(first[end], first[end + 1]):
            step = reached + cost[place]
            head = heads[place]
            if step < best[head] and step <= limit:
                best[head] = step
                by[head] = place
                if size >= room - 1:
                    return -1
                size = _push(keys, values, costs, size, step, head, step)
    return reached_ends


@njit(cache=True, nogil=True)
def summed(by: Any, tails: Any, arcs: Any, times: Any, lengths: Any, ends: Any) -> Any:
    """Return the time and length of the whole arcs that lead to each of `ends` after a `spread`, and where they begin.

    `by` is what `spread` wrote; `times` is by arc, `lengths` by segment.
    """
    count = len(ends)
    spent, gone, begun = np.zeros(count), np.zeros(count), np.empty(count, np.int64)
    for rank in range(count):
        end = ends[rank]
        while by[end] >= 0:
            place = by[end]
            spent[rank] += times[arcs[place]]
            gone[rank] += lengths[arcs[place] >> 1]
            end = tails[place]
        begun[rank] = end
    return spent, gone, begun


@njit(cache=True, nogil=True)
def nearest(
    px: float, py: float, cell_first: Any, cell_segments: Any, west: float, south: float, columns: int, rows: int,
    cell_m: float, flat: Any, offset: Any, usable: Any, reach_m: float,
) -> Any:  # fmt: skip
    """Return the usable segment nearest to a place, how far it is and how far along it, in metres; -1 beyond reach.

    Cells are looked at ring by ring until none can hold a nearer segment.
    """
    column, row = int((px - west) // cell_m), int((py - south) // cell_m)
    found, distance, along = -1, reach_m, 0.0
    ring = 0
    while (ring - 1) * cell_m <= distance:
        for r in range(row - ring, row + ring + 1):
            if r < 0 or r >= rows:
                continue
            edge = r in (row - ring, row + ring)
            step = 1 if edge or ring == 0 else 2 * ring
            for c in range(column - ring, column + ring + 1, step):
                if c < 0 or c >= columns:
                    continue
                cell = r * columns + c
                for k in range(cell_first[cell], cell_first[cell + 1]):
                    segment = cell_segments[k]
                    if not usable[segment]:
                        continue
                    walked = 0.0
                    for i in range(offset[segment], offset[segment + 1] - 1):
                        ax, ay = flat[i, 0], flat[i, 1]
                        dx, dy = flat[i + 1, 0] - ax, flat[i + 1, 1] - ay
                        square = dx * dx + dy * dy
                        t = 0.0
                        if square > 0:
                            t = min(1.0, max(0.0, ((px - ax) * dx + (py - ay) * dy) / square))
                        d = np.sqrt((ax + t * dx - px) ** 2 + (ay + t * dy - py) ** 2)
                        length = np.sqrt(square)
                        if d < distance:
                            found, distance, along = segment, d, walked + t * length
                        walked += length
        ring += 1
    return found, distance, along


@njit(cache=True, nogil=True)
def nearest_each(
    x: Any, y: Any, cell_first: Any, cell_segments: Any, west: float, south: float, columns: int, rows: int,
    cell_m: float, flat: Any, offset: Any, usable: Any, reach_m: float, segment: Any, away: Any, along: Any,
) -> None:  # fmt: skip
    """Do as `nearest` for each place of `x`, `y`, into `segment`, `away` and `along`."""
    for rank in range(len(x)):
        segment[rank], away[rank], along[rank] = nearest(
            x[rank], y[rank], cell_first, cell_segments, west, south, columns, rows, cell_m, flat, offset, usable,
            reach_m,
        )  # fmt: skip


@njit(cache=True, nogil=True)
def carry(order: Any, by: Any, parents: Any, steps: Any, seconds: Any, owner: Any) -> None:
    """Give each end of `order` (by growing cost) the time and the owner that come down the tree `by` from its seed.

    `parents` and `steps`: the end each place of the arcs is left from, and the time along it.
    """
    for end in order:
        place = by[end]
        if place >= 0:
            seconds[end] = seconds[parents[place]] + steps[place]
            owner[end] = owner[parents[place]]


@njit(cache=True, nogil=True)
def joined(tails: Any, heads: Any, cost: Any, label: Any) -> None:
    """Give each end in `label` (n, each its own number at first) the smallest end that arcs of finite cost join it to.

    Union of sets with paths halved (Tarjan and van Leeuwen, 1984), whatever the direction of the arcs.
    """
    for place in range(len(heads)):
        if cost[place] < INFINITE:
            one, other = tails[place], heads[place]
            while label[one] != one:
                label[one] = label[label[one]]
                one = label[one]
            while label[other] != other:
                label[other] = label[label[other]]
                other = label[other]
            if one < other:
                label[other] = one
            elif other < one:
                label[one] = other
    # The smallest is first met: every end before has its own already.
    for end in range(len(label)):
        label[end] = label[label[end]]
