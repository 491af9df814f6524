"""The skeleton of the town: river, roads, rings and the streets that cut it into blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import shapely

from beffroi.lake.town.plan import WEAVES, Fabric, Scale
from beffroi.lake.town.shapes import (
    Array,
    Geometries,
    Waves,
    bands,
    drawn_from,
    extents_along,
    in_threads,
    left_of,
    oriented_boxes,
    polygon_parts,
)

GRID_M = 0.01
"""Lines are noded on a centimetre grid, so that a street that ends on another touches it."""


class Way(IntEnum):
    """Rank of a street, from the widest."""

    BOULEVARD = 0
    ROAD = 1
    QUAY = 2
    AVENUE = 3
    STREET = 4
    CUL_DE_SAC = 5
    TRACK = 6


WAY_WIDTH_M = np.array([24.0, 15.0, 16.0, 13.0, 9.0, 7.5, 5.0])


@dataclass(slots=True)
class Network:
    """Streets and the cells they bound, warped to their final place.

    `streets` are whole lines (one name each); `segments` the same cut at every crossing. `cells` tile the commune.
    """

    boundary: shapely.Polygon
    river: shapely.Polygon
    river_line: shapely.LineString
    streets: Geometries
    way: Array
    width_m: Array
    fabric_of_street: Array
    segments: Geometries
    street_of_segment: Array
    cells: Geometries
    fabric: Array
    radial_streets: list[int]
    ring_streets: list[int]
    neighbours: list[shapely.Polygon]
    shape: Outline


@dataclass(frozen=True, slots=True)
class Outline:
    """How far the town reaches in each direction: a star shape about the centre."""

    amplitudes: Array
    phases: Array

    @classmethod
    def drawn(cls, rng: np.random.Generator, strength: float) -> Outline:
        """Draw an outline whose radius varies by about ±`strength`."""
        return cls(rng.uniform(0.3, 1.0, 5) * strength / np.arange(1, 6) ** 0.7, rng.uniform(0, 2 * np.pi, 5))

    def factor(self, angle: Array) -> Array:
        """Return the radius, as a share of the mean radius, in direction `angle` (radians)."""
        out = np.ones_like(angle)
        for order, (amplitude, phase) in enumerate(zip(self.amplitudes, self.phases, strict=True), start=1):
            out += amplitude * np.cos(order * angle + phase)
        return out

    def depth(self, points: Array, radius_m: float) -> Array:
        """Return how far out each point stands: 0 at the centre, 1 on the outline of mean radius `radius_m`."""
        angle = np.arctan2(points[:, 1], points[:, 0])
        return np.hypot(points[:, 0], points[:, 1]) / (radius_m * self.factor(angle))

    def ring(self, radius_m: float) -> Array:
        """Return the closed outline of mean radius `radius_m` as coordinates about every 25 m."""
        count = max(48, int(2 * np.pi * radius_m / 25))
        angle = np.linspace(0, 2 * np.pi, count + 1)
        angle[-1] = 0.0
        radius = radius_m * self.factor(angle)
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def draw_network(scale: Scale, seed: int) -> Network:
    """Draw the streets and the cells of a town of that scale."""
    rng = drawn_from(seed, "streets")
    outline = Outline.drawn(rng, 0.16)
    edge = Outline.drawn(rng, 0.10)
    boundary = shapely.Polygon(edge.ring(scale.commune_m))
    neighbours = _neighbours(edge, scale)
    lines, way, river_line = _skeleton(scale, outline, boundary, rng)
    skeleton_count = len(lines)
    quarters, more, more_way = _quarters(lines, boundary, scale, outline, rng)
    fabric = _fabrics(quarters, river_line, scale, outline, seed)
    quarters, fabric, tracks = _hamlets(quarters, fabric, rng)
    lines, way = lines + more + tracks, way + more_way + [int(Way.TRACK)] * len(tracks)
    local, local_way, local_fabric = _local_streets(quarters, fabric, rng)
    street_fabric = np.concatenate([np.full(len(lines), -1), local_fabric]).astype(int)
    streets = np.array(lines + local, dtype=object)
    ways = np.array(way + local_way)
    segments, owner = _noded(streets, boundary)
    warp = Warp.drawn(scale, outline, drawn_from(seed, "warp"))
    segments = warp.moved(segments)
    cells = np.array(list(shapely.polygonize(segments).geoms), dtype=object)
    inside = warp.moved(quarters)
    cell_fabric = _transferred(cells, inside, fabric)
    streets = warp.moved(streets)
    width = WAY_WIDTH_M[ways]
    is_local = (street_fabric >= 0) & (ways == Way.STREET)
    width[is_local] = np.array([WEAVES[Fabric(code)].street_m for code in street_fabric[is_local]])
    moved_line = warp.moved(np.array([river_line], dtype=object))[0]
    moved_boundary = shapely.coverage_union_all(cells)
    kept = owner >= 0
    return Network(
        boundary=moved_boundary,
        river=shapely.intersection(shapely.buffer(moved_line, scale.river_m / 2), moved_boundary),
        river_line=shapely.intersection(moved_line, moved_boundary),
        streets=streets,
        way=ways,
        width_m=width,
        fabric_of_street=street_fabric,
        segments=segments[kept],
        street_of_segment=owner[kept],
        cells=cells,
        fabric=cell_fabric,
        radial_streets=[i for i in range(skeleton_count) if way[i] == Way.ROAD],
        ring_streets=[i for i in range(skeleton_count) if way[i] == Way.BOULEVARD],
        neighbours=_apart(list(warp.moved(np.array(neighbours, dtype=object))), moved_boundary),
        shape=outline,
    )


def _neighbours(edge: Outline, scale: Scale) -> list[shapely.Polygon]:
    """Return two small communes beside the town, reaching into it: what overlaps is cut once all is warped."""
    ring = edge.ring(scale.commune_m)[:-1]
    count, out = len(ring), []
    for start, end in ((0.04, 0.16), (0.155, 0.30)):
        arc = ring[int(start * count) : int(end * count) + 1]
        reach = 1.0 + 0.45 * np.sin(np.linspace(0.35, np.pi - 0.35, len(arc)))
        out.append(shapely.Polygon(np.concatenate([arc * 0.97, (arc * reach[:, None])[::-1]])))
    return out


def _apart(neighbours: list[shapely.Polygon], boundary: shapely.Polygon) -> list[shapely.Polygon]:
    """Cut the neighbours along the boundary of the town and along each other: they then share their edges exactly."""
    taken, out = boundary, []
    for neighbour in neighbours:
        parts = shapely.get_parts(shapely.difference(neighbour, taken))
        kept = parts[int(np.argmax(shapely.area(parts)))]
        out.append(kept)
        taken = shapely.union(taken, kept)
    return out


def _skeleton(
    scale: Scale, outline: Outline, boundary: shapely.Polygon, rng: np.random.Generator
) -> tuple[list[shapely.LineString], list[int], shapely.LineString]:
    """Return the great lines with their rank, and the course of the river."""
    heading = rng.uniform(0, np.pi)
    along, across = np.array([np.cos(heading), np.sin(heading)]), np.array([-np.sin(heading), np.cos(heading)])
    step = np.arange(-2.2 * scale.commune_m, 2.2 * scale.commune_m, 20.0)
    meander = np.zeros(len(step))
    for length, weight in ((1.9, 0.13), (0.83, 0.06), (0.4, 0.02)):
        meander = meander + weight * scale.urban_m * np.sin(
            2 * np.pi * step / (length * scale.urban_m) + rng.uniform(0, 6)
        )
    at_centre = np.interp(0, step, meander)
    course = along * step[:, None] + across * (scale.core_m * 1.04 + meander - at_centre + scale.river_m)[:, None]
    river = shapely.LineString(course)
    lines: list[shapely.LineString] = []
    ways: list[int] = []

    def add(line: shapely.Geometry, way: Way) -> None:
        for part in shapely.get_parts(shapely.line_merge(shapely.intersection(line, boundary))):
            if shapely.get_type_id(part) == 1 and part.length > 15:
                lines.append(part)
                ways.append(int(way))

    core = shapely.Polygon(Outline.drawn(rng, 0.08).ring(scale.core_m))
    add(core.exterior, Way.BOULEVARD)
    for ring in scale.rings:
        add(shapely.LineString(outline.ring(scale.urban_m * ring)), Way.BOULEVARD)
    for side in (-1, 1):
        add(shapely.offset_curve(river, side * (scale.river_m / 2 + 12), join_style="mitre"), Way.QUAY)
    turn = rng.uniform(0, 2 * np.pi)
    angles = turn + 2 * np.pi * (np.arange(scale.radials) + rng.uniform(-0.22, 0.22, scale.radials)) / scale.radials
    gates = []
    for angle in angles:
        radius = np.arange(scale.core_m * 0.80, 1.6 * scale.commune_m, 30.0)
        bend = angle + 0.10 * np.sin(radius / scale.urban_m * 2.2 + rng.uniform(0, 6)) - 0.05
        road = shapely.LineString(np.stack([radius * np.cos(bend), radius * np.sin(bend)], axis=1))
        add(shapely.difference(road, core), Way.ROAD)
        gates.append(shapely.get_coordinates(shapely.intersection(road, core.exterior))[0])
    for first, second in ((0, scale.radials // 2), (scale.radials // 4, scale.radials // 4 + scale.radials // 2)):
        middle = rng.uniform(-0.08, 0.08, 2) * scale.core_m
        add(shapely.LineString([gates[first], middle, gates[second]]), Way.AVENUE)
    return lines, ways, river


def _quarters(
    lines: list[shapely.LineString], boundary: shapely.Polygon, scale: Scale, outline: Outline, rng: np.random.Generator
) -> tuple[Geometries, list[shapely.LineString], list[int]]:
    """Cut what the great lines bound into quarters of a few hectares; return them and the avenues between them."""
    noded = shapely.unary_union(np.array([*lines, boundary.exterior], dtype=object), grid_size=GRID_M)
    cells = np.array(list(shapely.polygonize(shapely.get_parts(noded)).geoms), dtype=object)
    cells = cells[shapely.contains(boundary.buffer(1), shapely.point_on_surface(cells))]

    def wanted(polygons: Geometries) -> Array:
        depth = outline.depth(shapely.get_coordinates(shapely.centroid(polygons)), scale.urban_m)
        area = np.interp(depth, [0, 0.3, 1.0, 1.12, 1.3], [3e4, 6e4, 1.1e5, 1.6e5, 3.4e5])
        core = np.hypot(*shapely.get_coordinates(shapely.centroid(polygons)).T) < scale.core_m
        return np.where(core, 1e12, area)

    leaves, streets, rank = split(cells, wanted, np.full(len(cells), 6.0), rng)
    depth = outline.depth(
        shapely.get_coordinates(shapely.line_interpolate_point(streets, 0.5, normalized=True)), scale.urban_m
    )
    way = np.where(depth < 1.08, int(Way.AVENUE), int(Way.TRACK))
    del rank
    return leaves, list(streets), [int(code) for code in way]


def split(
    polygons: Geometries, wanted: Callable[[Geometries], Array], angle_deg: Array, rng: np.random.Generator
) -> tuple[Geometries, Geometries, Array]:
    """Halve `polygons` across their length until each is under its wanted area.

    `wanted` gives the areas in m² of an array of polygons. Returns the leaves, the cuts as lines, and for both the
    index of the polygon they came from, leaves first.
    """
    source = np.arange(len(polygons))
    leaves, leaf_source, cuts, cut_source = [], [], [], []
    while len(polygons):
        goal = wanted(polygons) * rng.uniform(0.75, 1.45, len(polygons))
        done = shapely.area(polygons) <= goal
        leaves.append(polygons[done])
        leaf_source.append(source[done])
        polygons, source = polygons[~done], source[~done]
        if not len(polygons):
            break
        first, second, line, index = _halved(polygons, angle_deg[source], rng)
        cuts.append(line)
        cut_source.append(source[index])
        pieces, origin = polygon_parts(np.concatenate([first, second]), least_m2=40.0)
        source = np.concatenate([source, source])[origin]
        polygons = pieces
    none = np.array([], dtype=object)
    return (
        np.concatenate([none, *leaves]),
        np.concatenate([none, *cuts]),
        np.concatenate([np.array([], dtype=int), *leaf_source, *cut_source]),
    )


def _halved(
    polygons: Geometries, angle_deg: Array, rng: np.random.Generator
) -> tuple[Geometries, Geometries, Geometries, Array]:
    centre, axis, _, _ = oriented_boxes(polygons)
    turn = np.radians(rng.normal(0, 1, len(polygons)).clip(-2, 2) * angle_deg)
    axis = np.stack(
        [axis[:, 0] * np.cos(turn) - axis[:, 1] * np.sin(turn), axis[:, 0] * np.sin(turn) + axis[:, 1] * np.cos(turn)],
        axis=1,
    )
    low, high = extents_along(polygons, centre, axis)
    cut = low + (high - low) * rng.uniform(0.41, 0.59, len(polygons))
    reach = (high - low) * 4 + 50
    first = in_threads(shapely.intersection, polygons, bands(centre, axis, low - 1, cut, reach))
    second = in_threads(shapely.intersection, polygons, bands(centre, axis, cut, high + 1, reach))
    middle, side = centre + axis * cut[:, None], left_of(axis) * reach[:, None]
    lines = shapely.intersection(shapely.linestrings(np.stack([middle - side, middle + side], axis=1)), polygons)
    parts, index = shapely.get_parts(lines, return_index=True)
    keep = shapely.length(parts) > 8
    return first, second, parts[keep], index[keep]


# Chances of each fabric by distance to the centre (0 centre, 1 edge of the town).
_DEPTHS = [0.0, 0.25, 0.45, 0.7, 1.0]
_CHANCES: dict[Fabric, list[float]] = {
    Fabric.FAUBOURG: [0.5, 0.55, 0.34, 0.12, 0.05],
    Fabric.GRID: [0.5, 0.42, 0.14, 0.03, 0.005],
    Fabric.ESTATE: [0.005, 0.04, 0.17, 0.16, 0.09],
    Fabric.SUBURB: [0.005, 0.05, 0.30, 0.52, 0.58],
    Fabric.ACTIVITY: [0.001, 0.01, 0.05, 0.13, 0.19],
    Fabric.PARK: [0.01, 0.035, 0.045, 0.04, 0.03],
    Fabric.FUTURE: [0.001, 0.001, 0.002, 0.02, 0.09],
}


def _fabrics(quarters: Geometries, river: shapely.LineString, scale: Scale, outline: Outline, seed: int) -> Array:
    """Choose the fabric of each quarter: likely for its distance to the centre, and like its neighbours."""
    rng = drawn_from(seed, "fabrics")
    points = shapely.get_coordinates(shapely.point_on_surface(quarters))
    depth = outline.depth(points, scale.urban_m)
    kinds = list(_CHANCES)
    score = np.stack([np.log(np.interp(depth, _DEPTHS, _CHANCES[kind])) for kind in kinds], axis=1)
    for column in range(len(kinds)):
        score[:, column] += 1.1 * Waves.drawn(rng, wavelength_m=1_100, octaves=2).at(points)
    score += rng.gumbel(0, 0.55, score.shape)
    # Small towns had neither a planned extension nor large estates.
    size = np.log10(scale.population)
    score[:, kinds.index(Fabric.GRID)] -= np.interp(size, [3.3, 4, 5], [4.0, 1.5, 0.0])
    score[:, kinds.index(Fabric.ESTATE)] -= np.interp(size, [3.3, 4, 5], [3.0, 0.7, 0.0])
    fabric = np.array([int(kind) for kind in kinds])[score.argmax(axis=1)]
    rural = depth > 1.04
    woods = Waves.drawn(rng, wavelength_m=2_400).at(points) + 0.25 * np.sin(depth * 3)
    fabric[rural] = np.where(woods[rural] > 0.42, int(Fabric.WOOD), int(Fabric.FIELD))
    places = np.flatnonzero(rural & (depth > 1.35) & (fabric == Fabric.FIELD) & (shapely.area(quarters) < 3e5))
    fabric[rng.permutation(places)[: scale.hamlets]] = int(Fabric.HAMLET)
    fabric[np.hypot(*points.T) < scale.core_m * 0.98] = int(Fabric.CORE)
    on_river = shapely.distance(quarters, river) < 1
    core_cells = np.hypot(*points.T) < scale.core_m * 0.9
    fabric[on_river & ~core_cells & (shapely.distance(shapely.points(points), river) < scale.river_m / 2 + 12)] = int(
        Fabric.WATER
    )
    return fabric


def _hamlets(
    quarters: Geometries, fabric: Array, rng: np.random.Generator
) -> tuple[Geometries, Array, list[shapely.LineString]]:
    """Keep about three hectares of each hamlet's quarter, the rest being fields; return the tracks between."""
    chosen = fabric == Fabric.HAMLET
    pieces, tracks, source = split(
        quarters[chosen], lambda polygons: np.full(len(polygons), 3.2e4), np.full(chosen.sum(), 12.0), rng
    )
    owner = source[: len(pieces)]
    kinds = np.full(len(pieces), int(Fabric.FIELD))
    kinds[np.unique(owner, return_index=True)[1]] = int(Fabric.HAMLET)
    return np.concatenate([quarters[~chosen], pieces]), np.concatenate([fabric[~chosen], kinds]), list(tracks)


def _local_streets(
    quarters: Geometries, fabric: Array, rng: np.random.Generator
) -> tuple[list[shapely.LineString], list[int], Array]:
    """Cut each quarter into blocks by its weave; return the streets, their rank and their fabric."""
    goal = np.array([WEAVES[Fabric(code)].block_m2 for code in range(len(Fabric))])
    angle = np.array([WEAVES[Fabric(code)].angle_deg for code in range(len(Fabric))])
    lines: list[shapely.LineString] = []
    ways: list[int] = []
    owners: list[int] = []
    for code in range(len(Fabric)):
        cells = quarters[fabric == code]
        if not len(cells) or code == Fabric.WATER:
            continue
        if code == Fabric.GRID:
            leaves, streets = np.array([], dtype=object), _checkered(cells, goal[code])
        else:
            leaves, streets, _ = split(
                cells,
                _constant(float(goal[code])),
                np.full(len(cells), angle[code]),
                rng,
            )
        track = code in (Fabric.FIELD, Fabric.WOOD, Fabric.PARK, Fabric.FUTURE)
        lines += list(streets)
        ways += [int(Way.TRACK if track else Way.STREET)] * len(streets)
        owners += [code] * len(streets)
        if code in (Fabric.SUBURB, Fabric.FAUBOURG):
            deep = leaves[
                (shapely.area(leaves) > 7_000) & (rng.random(len(leaves)) < (0.75 if code == Fabric.SUBURB else 0.25))
            ]
            dead_ends = _dead_ends(deep, rng)
            lines += list(dead_ends)
            ways += [int(Way.CUL_DE_SAC)] * len(dead_ends)
            owners += [code] * len(dead_ends)
    return lines, ways, np.array(owners)


def _constant(area_m2: float) -> Callable[[Geometries], Array]:
    return lambda polygons: np.full(len(polygons), area_m2)


def _checkered(cells: Geometries, block_m2: float) -> Geometries:
    """Return the streets of a planned extension: two families of parallel lines across each cell."""
    centre, axis, long_m, short_m = oriented_boxes(cells)
    side = np.sqrt(block_m2)
    out = []
    for direction, length, pace in ((axis, long_m, side * 1.35), (left_of(axis), short_m, side * 0.74)):
        count = np.maximum(np.round(length / pace).astype(int) - 1, 0)
        owner = np.repeat(np.arange(len(cells)), count)
        rank = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count) + 1
        at = length[owner] * (rank / (count[owner] + 1) - 0.5)
        middle = centre[owner] + direction[owner] * at[:, None]
        across = left_of(direction[owner]) * (long_m[owner] + short_m[owner])[:, None]
        crossing = shapely.intersection(
            shapely.linestrings(np.stack([middle - across, middle + across], axis=1)), cells[owner]
        )
        parts = shapely.get_parts(crossing)
        out.append(parts[shapely.length(parts) > 20])
    lines: Geometries = np.concatenate(out)
    return lines


def _dead_ends(leaves: Geometries, rng: np.random.Generator) -> Geometries:
    """Return a cul-de-sac into each leaf, from the middle of a long side."""
    if not len(leaves):
        return leaves
    centre, axis, long_m, short_m = oriented_boxes(leaves)
    side = left_of(axis) * np.where(rng.random(len(leaves)) < 0.5, 1.0, -1.0)[:, None]
    centre = centre + axis * (rng.uniform(-0.1, 0.1, len(leaves)) * long_m)[:, None]
    start, end = (
        centre + side * (short_m / 2 + 15)[:, None],
        centre - side * (short_m * rng.uniform(0.05, 0.2, len(leaves)))[:, None],
    )
    bend = (start + end) / 2 + axis * rng.uniform(-7, 7, len(leaves))[:, None]
    lines = shapely.intersection(shapely.linestrings(np.stack([start, bend, end], axis=1)), leaves)
    return lines[(shapely.get_type_id(lines) == 1) & (shapely.length(lines) > 18)]


def _noded(streets: Geometries, boundary: shapely.Polygon) -> tuple[Geometries, Array]:
    """Cut the streets at every crossing; return the pieces and the street each belongs to (-1: the boundary alone)."""
    noded = shapely.get_parts(shapely.unary_union(np.append(streets, boundary.exterior), grid_size=GRID_M))
    middle = shapely.line_interpolate_point(noded, 0.5, normalized=True)
    tree = shapely.STRtree(streets)
    pairs = tree.query(middle, predicate="dwithin", distance=0.05)
    owner = np.full(len(noded), -1)
    # Lowest rank wins where two lines lie on each other: the greater street keeps its name.
    order = np.argsort(-pairs[1], kind="stable")
    owner[pairs[0][order]] = pairs[1][order]
    return noded, owner


@dataclass(frozen=True, slots=True)
class Warp:
    """The gentle deformation that bends every straight line alike: what touched still touches."""

    scale: Scale
    outline: Outline
    wide: tuple[Waves, Waves]
    fine: tuple[Waves, Waves]
    small: tuple[Waves, Waves]

    @classmethod
    def drawn(cls, scale: Scale, outline: Outline, rng: np.random.Generator) -> Warp:
        """Draw a warp; its slopes stay well under 1, so that nothing folds over."""

        def pair(wavelength_m: float) -> tuple[Waves, Waves]:
            return (
                Waves.drawn(rng, wavelength_m=wavelength_m, octaves=1),
                Waves.drawn(rng, wavelength_m=wavelength_m, octaves=1),
            )

        return cls(scale, outline, pair(1_000), pair(300), pair(130))

    def moved(self, geometries: Geometries) -> Geometries:
        """Return the geometries bent, a vertex at least every 15 m."""
        dense = shapely.segmentize(geometries, 15.0)
        moved: Geometries = shapely.transform(dense, self._shift)
        return moved

    def _shift(self, points: Array) -> Array:
        depth = self.outline.depth(points, self.scale.urban_m)
        outer = np.clip((depth - 0.35) / 0.4, 0, 1)
        inner = np.exp(-((np.hypot(*points.T) / self.scale.core_m) ** 2) / 2)
        parts = [
            22.0 * self.wide[axis].at(points)
            + 9.5 * outer * self.fine[axis].at(points)
            + 2.6 * inner * self.small[axis].at(points)
            for axis in (0, 1)
        ]
        return points + np.stack(parts, axis=1)


def _transferred(cells: Geometries, quarters: Geometries, fabric: Array) -> Array:
    """Return the fabric of the quarter each cell lies in; a cell in none takes the nearest's."""
    tree = shapely.STRtree(quarters)
    inside = shapely.point_on_surface(cells)
    nearest = tree.nearest(inside)
    out: Array = fabric[nearest]
    return out
