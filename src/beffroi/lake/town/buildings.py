"""Buildings on their parcels: terraces around courtyards, houses behind a front garden, slabs and towers, sheds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely

from beffroi.lake.town.blocks import Blocks, Parcels
from beffroi.lake.town.plan import YEAR, Fabric
from beffroi.lake.town.shapes import (
    Array,
    Geometries,
    drawn_from,
    extents_along,
    in_threads,
    left_of,
    oriented_boxes,
    polygon_parts,
    rectangles,
    unit,
)
from beffroi.lake.town.streets import Network, Way


@dataclass(slots=True)
class Frontage:
    """Where each parcel meets its street: the segment, the point on its axis, the gate on the parcel's edge.

    `open` is False for land without a street.
    """

    segment: Array
    street: Array
    on_street: Array
    gate: Array
    open: Array


@dataclass(slots=True)
class Buildings:
    """One row per building. Heights and ground in m; `people` live there; `main` is False for sheds and garages."""

    shape: Geometries
    parcel: Array
    fabric: Array
    program: Array
    main: Array
    floors: Array
    height_m: Array
    year: Array
    dwellings: Array
    people: Array
    use: Array
    walls: Array
    roof: Array
    energy: Array
    ground_m: Array


def find_frontages(network: Network, parcels: Parcels) -> Frontage:
    """Find the nearest street of each parcel and the gate that gives on it."""
    centre = shapely.point_on_surface(parcels.shape)
    way = network.way[network.street_of_segment]
    tree = shapely.STRtree(network.segments)
    pairs = tree.query_nearest(parcels.shape, all_matches=False)
    segment = np.zeros(len(centre), dtype=int)
    segment[pairs[0]] = pairs[1]
    line = network.segments[segment]
    # A parcel takes the street its middle faces: of the segments that touch it, the nearest to its centre.
    half = network.width_m[network.street_of_segment] / 2
    near = tree.query(parcels.shape, predicate="dwithin", distance=12.5)
    offset = shapely.distance(parcels.shape[near[0]], network.segments[near[1]]) - half[near[1]]
    middle = shapely.distance(centre[near[0]], network.segments[near[1]])
    middle = middle + np.where(way[near[1]] == Way.TRACK, 1e4, 0.0) + np.where(offset > 2.0, 1e5, 0.0)
    order = np.lexsort((middle, near[0]))
    first = order[np.unique(near[0][order], return_index=True)[1]]
    segment[near[0][first]] = near[1][first]
    line = network.segments[segment]
    on_street = shapely.line_interpolate_point(line, shapely.line_locate_point(line, centre))
    gap = shapely.shortest_line(on_street, shapely.get_exterior_ring(parcels.shape))
    gate = shapely.get_coordinates(shapely.get_point(gap, 1))
    return Frontage(
        segment=segment,
        street=network.street_of_segment[segment],
        on_street=shapely.get_coordinates(on_street),
        gate=gate,
        open=shapely.distance(parcels.shape, line) < half[segment] + 3.5,
    )


def draw_buildings(
    blocks: Blocks,
    parcels: Parcels,
    frontage: Frontage,
    *,
    population: int,
    ground: Callable[[Array], Array],
    seed: int,
) -> Buildings:
    """Build every parcel by its fabric; `ground` gives the height of the land at points (n, 2)."""
    rng = drawn_from(seed, "buildings")
    parts = [
        _terraces(blocks, parcels, rng),
        _houses(parcels, frontage, rng),
        _slabs(parcels, rng),
        _sheds(parcels, frontage, rng),
        _public(parcels, rng),
    ]
    shape = np.concatenate([part[0] for part in parts])
    parcel = np.concatenate([part[1] for part in parts])
    main = np.concatenate([part[2] for part in parts])
    order = np.argsort(parcel, kind="stable")
    shape, parcel, main = shape[order], parcel[order], main[order]
    fabric, program = parcels.fabric[parcel], parcels.program[parcel]
    point = shapely.get_coordinates(shapely.point_on_surface(shape))
    area = shapely.area(shape)
    floors = _floors(fabric, program, main, area, point, population, rng)
    year = _years(fabric, program, rng)
    use = _uses(fabric, program, main, rng)
    dwellings = _dwellings(fabric, use, main, area, floors)
    height = np.round(
        np.where(use == "Commercial et services", 1.15, 1.0) * (floors * 2.9 + rng.uniform(0.6, 2.8, len(shape))), 1
    )
    height = np.where(main, height, np.round(rng.uniform(2.4, 3.4, len(shape)), 1))
    height = np.where(program == "eglise", np.round(rng.uniform(16, 30, len(shape)), 1), height)
    old = np.clip((YEAR - year) / 130, 0, 1)
    label = np.clip(np.round(rng.normal(1.6 + 3.6 * old, 1.15)), 0, 6).astype(int)
    stone = rng.random(len(shape)) < old * 0.8
    return Buildings(
        shape=shape,
        parcel=parcel,
        fabric=fabric,
        program=program,
        main=main,
        floors=floors,
        height_m=height,
        year=year,
        dwellings=dwellings,
        people=shared_out(population, dwellings * rng.uniform(0.55, 1.45, len(shape))),
        use=use,
        walls=np.where(
            stone, "1", np.where(fabric == Fabric.ACTIVITY, "4", np.where(rng.random(len(shape)) < 0.3, "3", "2"))
        ),
        roof=np.where(
            np.isin(fabric, (Fabric.ESTATE, Fabric.ACTIVITY)), "3", np.where(rng.random(len(shape)) < 0.6, "1", "2")
        ),
        energy=np.array(list("ABCDEFG"))[label],
        ground_m=np.round(ground(point), 1),
    )


def shared_out(total: int, weights: Array) -> Array:
    """Share `total` in whole numbers in proportion to `weights`; the sum is exact (largest remainders)."""
    exact = weights / weights.sum() * total
    share = np.floor(exact).astype(int)
    left = total - int(share.sum())
    share[np.argsort(-(exact - share), kind="stable")[:left]] += 1
    return share


_Part = tuple[Geometries, Array, Array]


def _terraces(blocks: Blocks, parcels: Parcels, rng: np.random.Generator) -> _Part:
    """Build along the street from party wall to party wall and leave the heart of the block open."""
    kinds = {Fabric.CORE: (0.0, 11.5), Fabric.GRID: (0.0, 13.0), Fabric.FAUBOURG: (0.0, 10.5)}
    setback = np.zeros(len(blocks.shape))
    depth = np.zeros(len(blocks.shape))
    for kind, (_, depth_m) in kinds.items():
        depth[blocks.fabric == kind] = depth_m
    garden = (blocks.fabric == Fabric.FAUBOURG) & (rng.random(len(blocks.shape)) < 0.55)
    setback[garden] = rng.uniform(2.5, 5.0, garden.sum())
    inner = [
        in_threads(
            lambda shape, size: shapely.buffer(shape, -size, join_style="mitre"), blocks.shape, setback + depth * share
        )
        for share in (0.86, 1.0, 1.22)
    ]
    front = in_threads(lambda shape, size: shapely.buffer(shape, -size, join_style="mitre"), blocks.shape, setback)
    chosen = np.flatnonzero(
        (depth[parcels.block] > 0)
        & (parcels.program == "")
        & (rng.random(len(parcels.shape)) < np.where(parcels.fabric == Fabric.FAUBOURG, 0.93, 0.97))
    )
    block = parcels.block[chosen]
    variant = rng.choice(3, len(chosen), p=[0.3, 0.4, 0.3])
    hole = np.stack(inner)[variant, block]
    shape = in_threads(shapely.difference, parcels.shape[chosen], hole)
    behind = setback[block] > 0
    shape[behind] = in_threads(shapely.intersection, shape[behind], front[block[behind]])
    # Some terraced houses leave a passage along one party wall.
    gap = (parcels.fabric[chosen] == Fabric.FAUBOURG) & (rng.random(len(chosen)) < 0.35)
    shape[gap] = in_threads(
        shapely.intersection, shape[gap], shapely.buffer(parcels.shape[chosen[gap]], -1.4, join_style="mitre")
    )
    parts, index = polygon_parts(shape, least_m2=24.0)
    area = shapely.area(parts)
    # The widest piece of a parcel is the house, the others its outbuildings.
    rank = np.lexsort((-area, index))
    main = np.zeros(len(parts), dtype=bool)
    main[rank[np.unique(index[rank], return_index=True)[1]]] = True
    return parts, chosen[index], main


def _fitted(
    parcels: Parcels, which: Array, centre: Array, axis: Array, length_m: Array, width_m: Array, margin_m: float
) -> _Part:
    """Return the rectangles that stand inside their parcel, smaller and nearer its middle when need be."""
    room = in_threads(lambda shape: shapely.buffer(shape, -margin_m, join_style="mitre"), parcels.shape[which])
    middle = shapely.get_coordinates(shapely.point_on_surface(parcels.shape[which]))
    kept_shape, kept_parcel = [], []
    todo = np.arange(len(which))
    for pull, size in ((0.0, 1.0), (0.5, 0.9), (1.0, 0.78), (1.0, 0.58)):
        if not len(todo):
            break
        place = centre[todo] * (1 - pull) + middle[todo] * pull
        tried = rectangles(place, axis[todo], length_m[todo] * size, width_m[todo] * size)
        good = shapely.contains_properly(room[todo], tried)
        kept_shape.append(tried[good])
        kept_parcel.append(which[todo[good]])
        todo = todo[~good]
    none = np.array([], dtype=object)
    shape = np.concatenate([none, *kept_shape])
    parcel = np.concatenate([np.array([], dtype=int), *kept_parcel])
    return shape, parcel, np.ones(len(shape), dtype=bool)


def _houses(parcels: Parcels, frontage: Frontage, rng: np.random.Generator) -> _Part:
    """Stand a house behind a front garden, parallel to its street, and often a garage."""
    detached = np.isin(parcels.fabric, (Fabric.SUBURB, Fabric.HAMLET)) & (parcels.program == "")
    farm = (parcels.fabric == Fabric.FIELD) & (rng.random(len(parcels.shape)) < 0.035)
    taken = rng.random(len(parcels.shape)) < np.where(parcels.fabric == Fabric.HAMLET, 0.55, 0.95)
    area = shapely.area(parcels.shape)
    which = np.flatnonzero(((detached & taken) | farm) & frontage.open & (area > 130))
    axis = parcels.row_axis[which]
    inward = left_of(axis)
    middle = shapely.get_coordinates(shapely.point_on_surface(parcels.shape[which]))
    facing = ((middle - frontage.on_street[which]) * inward).sum(axis=1)
    # On a corner the street may run along the side: the house then turns.
    side = ((middle - frontage.on_street[which]) * axis).sum(axis=1)
    turned = np.abs(side) > np.abs(facing) * 1.4
    axis = np.where(turned[:, None], inward, axis)
    inward = left_of(axis)
    inward = inward * np.sign(((middle - frontage.on_street[which]) * inward).sum(axis=1))[:, None]
    low, high = extents_along(parcels.shape[which], middle, inward)
    left, right = extents_along(parcels.shape[which], middle, axis)
    width = np.minimum(rng.uniform(9.5, 14.5, len(which)), (right - left) * rng.uniform(0.55, 0.78, len(which)))
    depth = np.minimum(rng.uniform(7.5, 10.5, len(which)), (high - low) * 0.5)
    setback = np.minimum(rng.uniform(3.5, 7.5, len(which)), (high - low) * 0.28)
    centre = (
        middle
        + inward * (low + setback + depth / 2)[:, None]
        + axis * ((left + right) / 2 + rng.uniform(-1, 1, len(which)))[:, None]
    )
    house, parcel, main = _fitted(parcels, which, centre, axis, width, depth, 0.6)
    has = rng.random(len(which)) < 0.5
    back = middle + inward * (high - rng.uniform(3.5, 6, len(which)))[:, None] + axis * (left + 3.6)[:, None]
    shed, shed_parcel, _ = _fitted(
        parcels, which[has], back[has], axis[has], np.full(has.sum(), 3.4), rng.uniform(4.5, 6.5, has.sum()), 0.4
    )
    free = ~_touching(shed, house)
    shed, shed_parcel = shed[free], shed_parcel[free]
    return (
        np.concatenate([house, shed]),
        np.concatenate([parcel, shed_parcel]),
        np.concatenate([main, np.zeros(len(shed), dtype=bool)]),
    )


def _touching(shapes: Geometries, others: Geometries) -> Array:
    out = np.zeros(len(shapes), dtype=bool)
    if len(shapes) and len(others):
        out[shapely.STRtree(others).query(shapes, predicate="dwithin", distance=1.0)[0]] = True
    return out


def _slabs(parcels: Parcels, rng: np.random.Generator) -> _Part:
    """Set out slabs in rows and towers on a grid over the lawns of an estate."""
    which = np.flatnonzero((parcels.fabric == Fabric.ESTATE) & (parcels.program == ""))
    none = np.array([], dtype=object)
    if not len(which):
        return none, np.array([], dtype=int), np.array([], dtype=bool)
    centre, axis, long_m, short_m = oriented_boxes(parcels.shape[which])
    towers = rng.random(len(which)) < 0.35
    across = np.clip(np.round(short_m / np.where(towers, 62, 46)), 1, None).astype(int)
    along = np.clip(np.round(long_m / np.where(towers, 66, 92)), 1, None).astype(int)
    count = across * along
    owner = np.repeat(np.arange(len(which)), count)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    row, column = rank // along[owner], rank % along[owner]
    place = centre[owner]
    place = place + axis[owner] * (long_m[owner] * ((column + 0.5) / along[owner] - 0.5))[:, None]
    place = place + left_of(axis[owner]) * (short_m[owner] * ((row + 0.5) / across[owner] - 0.5))[:, None]
    tower = towers[owner]
    length = np.where(tower, 23.0, np.minimum(rng.uniform(48, 78, len(owner)), long_m[owner] / along[owner] - 14))
    width = np.where(tower, 20.0, 12.5)
    quarter = (~tower) & (rng.random(len(owner)) < 0.22)
    direction = np.where(quarter[:, None], left_of(axis[owner]), axis[owner])
    length = np.where(quarter, np.minimum(length, short_m[owner] / across[owner] - 10), length)
    good = length > 18
    shape = rectangles(place[good], direction[good], length[good], width[good])
    parcel = which[owner[good]]
    inside = shapely.contains_properly(shapely.buffer(parcels.shape[parcel], -4.0, join_style="mitre"), shape)
    apart = inside & ~_overlapped(shape)
    return shape[apart], parcel[apart], np.ones(apart.sum(), dtype=bool)


def _overlapped(shapes: Geometries) -> Array:
    """Tell which shapes come within 4 m of an earlier one."""
    pairs = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=4.0)
    out = np.zeros(len(shapes), dtype=bool)
    out[pairs[0][pairs[0] > pairs[1]]] = True
    return out


def _sheds(parcels: Parcels, frontage: Frontage, rng: np.random.Generator) -> _Part:
    """Stand a workshop or a store in the middle of its yard."""
    which = np.flatnonzero(
        (parcels.fabric == Fabric.ACTIVITY) & (parcels.program == "") & (rng.random(len(parcels.shape)) < 0.9)
    )
    if not len(which):
        return np.array([], dtype=object), which, np.array([], dtype=bool)
    centre, axis, long_m, short_m = oriented_boxes(parcels.shape[which])
    return _fitted(
        parcels,
        which,
        centre,
        axis,
        long_m * rng.uniform(0.45, 0.7, len(which)),
        short_m * rng.uniform(0.4, 0.62, len(which)),
        3.0,
    )


_NO_BUILDING = ("place", "square", "cimetiere", "parking", "stade")


def _public(parcels: Parcels, rng: np.random.Generator) -> _Part:
    """Stand an L-shaped public building on its block; squares, car parks and graveyards keep none."""
    which = np.flatnonzero((parcels.program != "") & ~np.isin(parcels.program, _NO_BUILDING))
    if not len(which):
        return np.array([], dtype=object), which, np.array([], dtype=bool)
    _, axis, long_m, short_m = oriented_boxes(parcels.shape[which])
    centre = shapely.get_coordinates(shapely.point_on_surface(parcels.shape[which]))
    church = parcels.program[which] == "eglise"
    length = np.where(church, np.minimum(38, long_m * 0.7), np.minimum(long_m * 0.62, 75)) * rng.uniform(
        0.85, 1, len(which)
    )
    width = np.where(church, np.minimum(16, short_m * 0.5), np.minimum(short_m * 0.5, 15))
    body = rectangles(centre, axis, length, width)
    arm_place = centre + axis * np.where(church, length * 0.15, -length / 2 + width / 2)[:, None]
    arm_place = arm_place + left_of(axis) * np.where(church, 0.0, width / 2 + 6)[:, None]
    wing = rectangles(arm_place, left_of(axis), np.where(church, 30.0, 28.0), np.where(church, 9.0, width))
    shape = shapely.intersection(
        shapely.union(body, wing), shapely.buffer(parcels.shape[which], -1.5, join_style="mitre")
    )
    parts, index = polygon_parts(shape, least_m2=60.0)
    return parts, which[index], np.ones(len(parts), dtype=bool)


def _floors(
    fabric: Array, program: Array, main: Array, area: Array, point: Array, population: int, rng: np.random.Generator
) -> Array:
    big = np.interp(np.log10(population), [3.3, 4, 5, 6], [0, 0.4, 1.3, 2.2])
    mean = np.select(
        [fabric == Fabric.CORE, fabric == Fabric.GRID, fabric == Fabric.FAUBOURG, fabric == Fabric.ESTATE],
        [2.8 + big * 0.9, 2.6 + big, 1.9 + big * 0.45, 5.0 + big],
        1.45,
    )
    floors = np.clip(np.round(rng.normal(mean, 0.55)), 1, None)
    tower = (fabric == Fabric.ESTATE) & (area < 520) & (program == "")
    floors = np.where(tower, rng.integers(8, 14, len(fabric)), floors)
    floors = np.where(np.isin(fabric, (Fabric.SUBURB, Fabric.HAMLET, Fabric.FIELD)), np.minimum(floors, 2), floors)
    floors = np.where(program != "", np.clip(floors, 1, 3), floors)
    floors = np.where(fabric == Fabric.ACTIVITY, rng.integers(1, 3, len(fabric)), floors)
    return np.where(main, floors, 1).astype(int)


def _years(fabric: Array, program: Array, rng: np.random.Generator) -> Array:
    spans = {
        Fabric.CORE: (1640, 1880),
        Fabric.GRID: (1850, 1935),
        Fabric.FAUBOURG: (1810, 1950),
        Fabric.ESTATE: (1956, 1979),
        Fabric.SUBURB: (1958, 2024),
        Fabric.ACTIVITY: (1968, 2023),
        Fabric.HAMLET: (1780, 2010),
        Fabric.FIELD: (1820, 2005),
    }
    low, high = np.full(len(fabric), 1950), np.full(len(fabric), 2010)
    for kind, (first, last) in spans.items():
        low[fabric == kind], high[fabric == kind] = first, last
    year = rng.integers(low, high + 1)
    rebuilt = rng.random(len(fabric)) < np.where(
        np.isin(fabric, (Fabric.CORE, Fabric.GRID, Fabric.FAUBOURG)), 0.12, 0.03
    )
    return np.where(rebuilt, rng.integers(1985, YEAR - 1, len(fabric)), year)


def _uses(fabric: Array, program: Array, main: Array, rng: np.random.Generator) -> Array:
    draw = rng.random(len(fabric))
    use = np.full(len(fabric), "Résidentiel", dtype="U24")
    use[fabric == Fabric.ACTIVITY] = np.where(
        draw[fabric == Fabric.ACTIVITY] < 0.45, "Industriel", "Commercial et services"
    )
    use[(fabric == Fabric.FIELD)] = "Agricole"
    central = np.isin(fabric, (Fabric.CORE, Fabric.GRID)) & (draw < 0.07)
    use[central] = "Commercial et services"
    use[program != ""] = "Commercial et services"
    use[program == "eglise"] = "Religieux"
    use[np.isin(program, ("stade", "piscine"))] = "Sportif"
    use[~main] = "Annexe"
    return use


def _dwellings(fabric: Array, use: Array, main: Array, area: Array, floors: Array) -> Array:
    flats = np.isin(fabric, (Fabric.CORE, Fabric.GRID, Fabric.ESTATE)) | ((fabric == Fabric.FAUBOURG) & (floors >= 3))
    many = np.maximum(1, np.floor(area * floors * 0.78 / 76)).astype(int)
    town_house = 1 + (area * floors > 260).astype(int)
    count = np.where(flats, many, np.where(fabric == Fabric.FAUBOURG, town_house, 1))
    return np.where((use == "Résidentiel") & main, count, 0).astype(int)


def inward(points: Array, towards: Array, step_m: float) -> Array:
    """Return `points` moved by `step_m` towards other points."""
    return points + unit(towards - points) * step_m
