"""How large a town of so many inhabitants is, and the kinds of fabric it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from beffroi.base.kernel.errors import BeffroiError

INSEE = "00001"
NAME = "Valbruyère-sur-Onde"
POSTCODE = "00100"
NEIGHBOURS = (("00002", "Saint-Aubépin-la-Lande"), ("00003", "Port-Mirail"))
GROUPING_NAME = "Communauté de communes de l'Onde"
DEPARTMENT = "00"
YEAR = 2026
"""Year the data of the town are made for: nothing depends on the clock."""
LICENCE = "Licence Ouverte 2.0 (ville fictive)"
WARNING = "Ville fictive : données engendrées par Beffroi, qui ne décrivent aucun lieu ni aucune personne."

LEAST, MOST = 2_000, 1_000_000


class BadPopulation(BeffroiError):
    """The town cannot be drawn for that number of inhabitants."""


class Fabric(IntEnum):
    """What a piece of town is made of."""

    CORE = 0
    FAUBOURG = 1
    GRID = 2
    ESTATE = 3
    SUBURB = 4
    ACTIVITY = 5
    PARK = 6
    FUTURE = 7
    FIELD = 8
    WOOD = 9
    WATER = 10
    HAMLET = 11


BUILT = (Fabric.CORE, Fabric.FAUBOURG, Fabric.GRID, Fabric.ESTATE, Fabric.SUBURB, Fabric.ACTIVITY, Fabric.HAMLET)


@dataclass(frozen=True, slots=True)
class Weave:
    """How a fabric is cut: areas in m², lengths in m, angles in degrees.

    `depth_m` and `front_m` are the usual parcel; `street_m` the width of its local streets.
    """

    block_m2: float
    angle_deg: float
    street_m: float
    depth_m: float
    front_m: float
    zone: str


WEAVES: dict[Fabric, Weave] = {
    Fabric.CORE: Weave(3_800, 13, 6.5, 21, 9, "UA"),
    Fabric.FAUBOURG: Weave(13_000, 7, 9, 34, 12, "UB"),
    Fabric.GRID: Weave(9_500, 2, 12, 30, 15, "UB"),
    Fabric.ESTATE: Weave(26_000, 3, 12, 400, 400, "UC"),
    Fabric.SUBURB: Weave(13_500, 8, 9.5, 30, 20, "UC"),
    Fabric.ACTIVITY: Weave(42_000, 3, 14, 85, 60, "UE"),
    Fabric.PARK: Weave(60_000, 10, 8, 900, 900, "N"),
    Fabric.FUTURE: Weave(50_000, 6, 8, 90, 70, "1AU"),
    Fabric.FIELD: Weave(260_000, 11, 5, 170, 110, "A"),
    Fabric.WOOD: Weave(400_000, 14, 4, 300, 220, "N"),
    Fabric.WATER: Weave(1e12, 0, 4, 900, 900, "N"),
    Fabric.HAMLET: Weave(7_000, 14, 7, 34, 24, "UC"),
}


@dataclass(frozen=True, slots=True)
class Scale:
    """The lengths a population commands, in metres, and its counts."""

    population: int
    urban_m: float
    commune_m: float
    core_m: float
    river_m: float
    radials: int
    rings: tuple[float, ...]
    hamlets: int

    @classmethod
    def of(cls, population: int) -> Scale:
        """Return the scale of a town of `population` inhabitants.

        Raises:
            BadPopulation: fewer than 2,000 or more than 1,000,000.
        """
        if not LEAST <= population <= MOST:
            raise BadPopulation(
                "population « {population} » hors limites",
                where="population",
                remedy="donnez un nombre entre 2 000 et 1 000 000",
                population=population,
            )
        sizes = [2_000, 10_000, 100_000, 1_000_000]

        def at(*values: float) -> float:
            return float(np.interp(np.log10(population), np.log10(sizes), values))

        urban_m = float(np.sqrt(population / at(24, 44, 61, 75) * 1e4 / np.pi))
        rings = (
            (0.55,) if population < 30_000 else (0.33, 0.62, 0.97) if population < 300_000 else (0.2, 0.4, 0.62, 0.97)
        )
        return cls(
            population=population,
            urban_m=urban_m,
            commune_m=urban_m * at(2.9, 2.3, 1.8, 1.45),
            core_m=at(110, 190, 380, 800),
            river_m=at(9, 13, 34, 90),
            radials=round(at(5, 6, 8, 12)),
            rings=rings,
            hamlets=round(at(3, 6, 14, 30)),
        )
