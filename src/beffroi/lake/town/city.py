"""The whole town in memory, before it is written: layers that refer to each other by index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely

from beffroi.lake.town.addresses import Addresses, number_addresses
from beffroi.lake.town.blocks import Blocks, Parcels, draw_blocks, draw_parcels
from beffroi.lake.town.buildings import Buildings, Frontage, draw_buildings, find_frontages
from beffroi.lake.town.names import street_names
from beffroi.lake.town.plan import INSEE, Fabric, Scale
from beffroi.lake.town.shapes import Array, Geometries, drawn_from
from beffroi.lake.town.streets import Network, draw_network
from beffroi.lake.town.terrain import Terrain
from beffroi.lake.town.zones import Zoning, balanced

Progress = Callable[[str, float], None]
"""Called as the town grows: what is being drawn or written (in French), and the share done (0…1)."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_RNB = np.array(list("123456789ABCDEFGHJKMNPQRSTVWXYZ"))


@dataclass(slots=True)
class City:
    """Every layer of the town, in local metres."""

    scale: Scale
    seed: int
    network: Network
    terrain: Terrain
    ponds: Geometries
    blocks: Blocks
    parcels: Parcels
    frontage: Frontage
    buildings: Buildings
    addresses: Addresses
    street_name: Array
    street_code: Array
    parcel_id: Array
    building_id: Array
    districts: Zoning
    iris: Zoning
    polling: Zoning

    def rng(self, topic: str) -> np.random.Generator:
        """Return the random stream of a topic."""
        return drawn_from(self.seed, topic)

    @property
    def cell_of_parcel(self) -> Array:
        """Return the cell each parcel stands in."""
        cells: Array = self.blocks.cell[self.parcels.block]
        return cells

    def address_text(self, address: Array) -> Array:
        """Return "12 Rue des Lilas" for indexes of addresses; "" for -1."""
        known = address >= 0
        number = self.addresses.number[address].astype(str)
        text = np.char.add(np.char.add(number, " "), self.street_name[self.addresses.street[address]])
        out: Array = np.where(known, text, "")
        return out


def draw_city(population: int, seed: int, progress: Progress) -> City:
    """Draw a town of `population` inhabitants; the same seed gives the same town."""
    scale = Scale.of(population)
    progress("Rues et îlots", 0.02)
    network = draw_network(scale, seed)
    terrain = Terrain.drawn(network.river_line, urban_m=scale.urban_m, seed=seed)
    ponds = _ponds(network, seed)
    blocks = draw_blocks(network, ponds=ponds, population=population, seed=seed)
    progress("Parcelles", 0.12)
    parcels = draw_parcels(blocks, seed)
    frontage = find_frontages(network, parcels)
    progress("Bâtiments", 0.22)
    buildings = draw_buildings(blocks, parcels, frontage, population=population, ground=terrain.at, seed=seed)
    progress("Adresses et quartiers", 0.28)
    names = np.array(street_names(network.way, network.fabric_of_street, drawn_from(seed, "names")))
    codes = _street_codes(len(names))
    addresses = number_addresses(network, parcels, frontage, buildings, street_codes=codes)
    people = np.bincount(
        blocks.cell[parcels.block[buildings.parcel]], weights=buildings.people, minlength=len(network.cells)
    )
    return City(
        scale=scale,
        seed=seed,
        network=network,
        terrain=terrain,
        ponds=ponds,
        blocks=blocks,
        parcels=parcels,
        frontage=frontage,
        buildings=buildings,
        addresses=addresses,
        street_name=names,
        street_code=codes,
        parcel_id=_parcel_ids(network, blocks, parcels),
        building_id=_building_ids(len(buildings.shape), drawn_from(seed, "rnb")),
        districts=balanced(network, people, int(np.clip(round(population / 4_500), 3, 40))),
        iris=balanced(network, people, max(1, round(population / 2_400))),
        polling=balanced(network, people, max(2, round(population / 1_250))),
    )


def _ponds(network: Network, seed: int) -> Geometries:
    """Return a few ponds in parks and woods."""
    rng = drawn_from(seed, "ponds")
    where = np.flatnonzero(
        np.isin(network.fabric, (Fabric.PARK, Fabric.WOOD, Fabric.FIELD)) & (shapely.area(network.cells) > 2e4)
    )
    chosen = np.sort(rng.permutation(where)[: max(2, len(where) // 8)])
    centre = shapely.get_coordinates(shapely.point_on_surface(network.cells[chosen]))
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    size = rng.uniform(14, 42, len(chosen))
    wobble = (
        1
        + 0.28 * np.sin(2 * angle[None, :] + rng.uniform(0, 6, (len(chosen), 1)))
        + 0.1 * np.sin(5 * angle[None, :] + rng.uniform(0, 6, (len(chosen), 1)))
    )
    radius = size[:, None] * wobble
    ring = centre[:, None, :] + np.stack([radius * np.cos(angle), 0.7 * radius * np.sin(angle)], axis=-1)
    inside = shapely.intersection(shapely.polygons(ring), shapely.buffer(network.cells[chosen], -6))
    keep: Geometries = inside[(shapely.get_type_id(inside) == 3) & (shapely.area(inside) > 150)]
    return keep


def _street_codes(count: int) -> Array:
    """Return four characters a street, digits first (FANTOIR-like), base 36 from A000 once digits run out."""
    digits = "0123456789" + _LETTERS
    codes = []
    for index in range(count):
        if count < 10_000:
            codes.append(f"{index + 1:04d}")
            continue
        value, text = index, ""
        for _ in range(3):
            value, rest = divmod(value, 36)
            text = digits[rest] + text
        codes.append(_LETTERS[value] + text)
    return np.array(codes)


def _parcel_ids(network: Network, blocks: Blocks, parcels: Parcels) -> Array:
    """Return cadastral ids (00001000AB0123): sections follow compact groups of blocks, numbers restart in each."""
    count = len(parcels.shape)
    per_cell = np.bincount(blocks.cell[parcels.block], minlength=len(network.cells)).astype(float)
    sections = int(np.clip(np.ceil(count / 320), 1, 600))
    section = balanced(network, per_cell, sections).of_cell[blocks.cell[parcels.block]]
    order = np.argsort(section, kind="stable")
    number = np.empty(count, dtype=int)
    number[order] = np.arange(count) - np.searchsorted(section[order], section[order]) + 1
    letters = np.array([_LETTERS[index // 26] + _LETTERS[index % 26] for index in range(26 * 26)])
    return np.char.add(np.char.add(f"{INSEE}000", letters[section]), np.char.zfill(number.astype(str), 4))


def _building_ids(count: int, rng: np.random.Generator) -> Array:
    """Return distinct RNB-like ids of twelve characters."""
    ids = np.unique(_RNB[rng.integers(0, len(_RNB), (count + 64, 12))].view("U12").ravel())
    out: Array = rng.permutation(ids)[:count]
    return out
