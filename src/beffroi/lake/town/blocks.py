"""Blocks and parcels: cells less their streets, then cut into rows and strips as a cadastre is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from beffroi.lake.town.plan import WEAVES, Fabric
from beffroi.lake.town.shapes import (
    Array,
    Geometries,
    drawn_from,
    in_threads,
    left_of,
    oriented_boxes,
    polygon_parts,
    slices,
    to_the_millimetre,
    without_in_turn,
)
from beffroi.lake.town.streets import Network, Way


@dataclass(slots=True)
class Blocks:
    """Islands of private land between streets; `cell` is the index of the cell each stands in."""

    shape: Geometries
    cell: Array
    fabric: Array
    program: Array


@dataclass(frozen=True, slots=True)
class Program:
    """A whole block given to one public thing: one per so many inhabitants, in these fabrics, of that size (m²)."""

    kind: str
    per: int
    fabrics: tuple[Fabric, ...]
    least_m2: float
    most_m2: float
    least: int = 1


_TOWN = (Fabric.GRID, Fabric.FAUBOURG, Fabric.SUBURB)
PROGRAMS: tuple[Program, ...] = (
    Program("mairie", 1_000_000, (Fabric.CORE,), 1_200, 6_000),
    Program("eglise", 7_000, (Fabric.CORE, Fabric.FAUBOURG, Fabric.GRID), 900, 7_000),
    Program("place", 2_500, (Fabric.CORE, Fabric.GRID, Fabric.FAUBOURG), 700, 8_000, 2),
    Program("marche", 60_000, (Fabric.CORE,), 1_000, 5_000, 0),
    Program("college", 11_000, _TOWN, 8_000, 22_000),
    Program("lycee", 28_000, _TOWN, 8_000, 30_000, 0),
    Program("ecole", 1_900, _TOWN, 3_500, 13_000),
    Program("hopital", 90_000, (*_TOWN, Fabric.ESTATE), 9_000, 60_000, 0),
    Program("maison_de_retraite", 9_000, (*_TOWN, Fabric.ESTATE), 4_000, 16_000),
    Program("stade", 6_000, (*_TOWN, Fabric.ESTATE), 9_000, 60_000),
    Program("piscine", 25_000, _TOWN, 6_000, 30_000, 0),
    Program("cimetiere", 18_000, (Fabric.SUBURB, Fabric.FAUBOURG), 6_000, 40_000),
    Program("square", 2_200, _TOWN, 2_000, 14_000),
    Program("salle_polyvalente", 14_000, _TOWN, 3_500, 16_000),
    Program("mediatheque", 20_000, (Fabric.CORE, *_TOWN), 1_200, 12_000),
    Program("dechetterie", 35_000, (Fabric.ACTIVITY,), 5_000, 90_000),
    Program("parking", 8_000, (Fabric.CORE, *_TOWN), 900, 9_000),
)


def _programmed(shape: Geometries, fabric: Array, population: int, rng: np.random.Generator) -> Array:
    """Give whole blocks to public things; the town hall, the market and the first church stand nearest the centre."""
    area = shapely.area(shape)
    centre_m = shapely.distance(shape, shapely.Point(0, 0))
    compact = area / (np.pi * shapely.minimum_bounding_radius(shape) ** 2) > 0.38
    program = np.full(len(shape), "", dtype="U20")
    for wish in PROGRAMS:
        count = max(wish.least, round(population / wish.per))
        fits = (
            (program == "") & np.isin(fabric, wish.fabrics) & (area > wish.least_m2) & (area < wish.most_m2) & compact
        )
        candidates = np.flatnonzero(fits)
        if wish.kind in ("mairie", "marche"):
            order = np.argsort(centre_m[candidates], kind="stable")
        else:
            order = rng.permutation(len(candidates))
        program[candidates[order[: min(count, len(candidates) // 2 + 1)]]] = wish.kind
    return program


@dataclass(slots=True)
class Parcels:
    """Parcels tile the blocks. `row_axis` runs along the street the parcel was cut from."""

    shape: Geometries
    block: Array
    fabric: Array
    row_axis: Array
    program: Array


def draw_blocks(network: Network, *, ponds: Geometries, population: int, seed: int) -> Blocks:
    """Take the streets, the river and the ponds off the cells."""
    local = np.array([WEAVES[Fabric(code)].street_m / 2 for code in range(len(Fabric))])[network.fabric]
    shrunk = in_threads(
        lambda cells, widths: shapely.buffer(cells, -widths, join_style="mitre", quad_segs=2), network.cells, local
    )
    half = network.width_m[network.street_of_segment] / 2
    way = network.way[network.street_of_segment]
    wide = np.flatnonzero((half > 4.6) & (way != Way.TRACK) | (way == Way.CUL_DE_SAC))
    roads = shapely.buffer(network.segments[wide], half[wide], quad_segs=2, cap_style="round")
    dead = way[wide] == Way.CUL_DE_SAC
    ends = shapely.buffer(shapely.get_point(network.segments[wide[dead]], -1), 8.5, quad_segs=4)
    starts = shapely.buffer(shapely.get_point(network.segments[wide[dead]], 0), 8.5, quad_segs=4)
    cutters = np.concatenate([roads, ends, starts, np.array([network.river], dtype=object), ponds])
    tree = shapely.STRtree(cutters)
    pairs = tree.query(shrunk, predicate="intersects")
    shapes, cell = polygon_parts(without_in_turn(shrunk, cutters, pairs), least_m2=90.0)
    fabric = network.fabric[cell]
    program = _programmed(shapes, fabric, population, drawn_from(seed, "program"))
    return Blocks(shape=shapes, cell=cell, fabric=fabric, program=program)


def draw_parcels(blocks: Blocks, seed: int) -> Parcels:
    """Cut the blocks into rows of one parcel's depth along their length, then the rows into strips."""
    rng = drawn_from(seed, "parcels")
    depth = np.array([WEAVES[Fabric(code)].depth_m for code in range(len(Fabric))])[blocks.fabric]
    _, axis, _, short_m = oriented_boxes(blocks.shape)
    rows = np.clip(np.round(short_m / (depth * 1.25)), 1, None).astype(int)
    rows = np.where(short_m > 1.35 * depth, np.maximum(rows, 2), rows)
    rows[blocks.program != ""] = 1
    row_shape, row_block = slices(blocks.shape, left_of(axis), rows, rng, jitter=0.10, least_m2=35.0)
    fabric = blocks.fabric[row_block]
    centre, row_axis, long_m, row_short_m = oriented_boxes(row_shape)
    # A row is cut across its length; a stub shorter than deep keeps the direction of its block.
    stub = long_m < 1.15 * row_short_m
    row_axis[stub] = axis[row_block[stub]]
    del centre
    front = np.array([WEAVES[Fabric(code)].front_m for code in range(len(Fabric))])[fabric] * rng.uniform(
        0.85, 1.2, len(fabric)
    )
    strips = np.clip(np.round(long_m / front), 1, None).astype(int)
    strips[blocks.program[row_block] != ""] = 1
    shape, source = slices(row_shape, row_axis, strips, rng, jitter=0.22, least_m2=25.0)
    block = row_block[source]
    shape = to_the_millimetre(shape)
    return Parcels(
        shape=shape, block=block, fabric=fabric[source], row_axis=row_axis[source], program=blocks.program[block]
    )
