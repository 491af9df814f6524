"""Districts, IRIS, polling stations and planning zones: cells of the town put together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from beffroi.lake.town.plan import WEAVES, Fabric
from beffroi.lake.town.shapes import Array, Geometries
from beffroi.lake.town.streets import Network


@dataclass(slots=True)
class Zoning:
    """A division of the commune: `of_cell` is the zone of each cell, `shape` the zones; they tile the commune."""

    of_cell: Array
    shape: Geometries


def balanced(network: Network, weights: Array, count: int) -> Zoning:
    """Divide the cells into `count` compact zones of about the same weight (halving along the longer side)."""
    points = shapely.get_coordinates(shapely.centroid(network.cells))
    weight = weights + shapely.area(network.cells) * 1e-7
    of_cell = np.zeros(len(points), dtype=int)
    pending = [(np.arange(len(points)), count)]
    done = 0
    while pending:
        members, share = pending.pop()
        if share <= 1 or len(members) < 2:
            of_cell[members] = done
            done += 1
            continue
        spread = np.ptp(points[members], axis=0)
        order = members[np.argsort(points[members, int(spread[1] > spread[0])], kind="stable")]
        total = np.cumsum(weight[order])
        cut = int(np.clip(np.searchsorted(total, total[-1] * (share // 2) / share), 1, len(order) - 1))
        pending += [(order[cut:], share - share // 2), (order[:cut], share // 2)]
    return Zoning(of_cell, united(network.cells, of_cell, done))


def united(shapes: Geometries, group: Array, count: int) -> Geometries:
    """Return the union of the shapes of each group; shapes share their edges exactly."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(count + 1))
    out = np.empty(count, dtype=object)
    for index in range(count):
        members = shapes[order[starts[index] : starts[index + 1]]]
        out[index] = shapely.make_valid(shapely.coverage_union_all(members))
    return out


def planning_zones(network: Network) -> tuple[Geometries, Array, Array]:
    """Return the zones of the local plan, one polygon each, with their label (UA, 1AU…) and fabric."""
    labels = np.array([WEAVES[Fabric(code)].zone for code in range(len(Fabric))])[network.fabric]
    kinds, group = np.unique(labels, return_inverse=True)
    shapes = united(network.cells, group, len(kinds))
    parts, index = shapely.get_parts(shapes, return_index=True)
    return parts, kinds[index], group
