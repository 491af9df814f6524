"""What carrying goods takes, leg by leg: by road all the way, or by another mode between two lorries.

Knows neither the lake nor Django. Every figure is a pair: the least and the most its source says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import ceil

from beffroi.lake.freight_settings import Freight, FreightMode


class Way(StrEnum):
    """A way to carry goods."""

    ROAD = "road"
    RIVER = "river"
    RAIL = "rail"


class Known(StrEnum):
    """How a distance is known: along a network, by the streets of the town, or a straight line and a detour."""

    NETWORK = "network"
    STREETS = "streets"
    STRAIGHT = "straight"


Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Leg:
    """One part of the way: by what, from where to where, how many kilometres and how they are known."""

    way: Way
    start: str
    goal: str
    km: float
    known: Known


@dataclass(frozen=True, slots=True)
class Carried:
    """What a chain of legs takes for all the tonnes of a year; hours are of one load, from door to door.

    `lorries`, `lorry_km`: loads by road in a year, and the kilometres they run loaded; returns are not counted.
    """

    way: Way
    legs: tuple[Leg, ...]
    km: float
    cost_eur: Bounds
    co2_t: Bounds
    hours: float
    loads: int
    lorries: int
    lorry_km: float


def carried(way: Way, legs: Sequence[Leg], *, tonnes: float, wanted: Freight) -> Carried:
    """Return what a chain takes. Each lorry leg makes its own lorries; handling counts at each change of mode."""
    of = modes(wanted)
    changes = sum(before.way != after.way for before, after in pairwise(legs))
    handling = changes * wanted.handling_eur_t * tonnes
    cost = [sum(of[leg.way].cost_eur_tkm[end] * leg.km * tonnes for leg in legs) + handling for end in (0, 1)]
    co2 = [sum(of[leg.way].co2_g_tkm[end] * leg.km * tonnes for leg in legs) / 1e6 for end in (0, 1)]
    by_road = [leg for leg in legs if leg.way == Way.ROAD]
    lorries = ceil(tonnes / of[Way.ROAD].payload_t)
    return Carried(
        way, tuple(legs), sum(leg.km for leg in legs), (cost[0], cost[1]), (co2[0], co2[1]),
        sum(leg.km / of[leg.way].speed_kmh for leg in legs) + changes * wanted.handling_h,
        ceil(tonnes / of[way].payload_t), lorries * len(by_road), lorries * sum(leg.km for leg in by_road),
    )  # fmt: skip


def modes(wanted: Freight) -> Mapping[Way, FreightMode]:
    """Return the figures of each way to carry."""
    return {Way.ROAD: wanted.road, Way.RIVER: wanted.river, Way.RAIL: wanted.rail}


@dataclass(frozen=True, slots=True)
class Difference:
    """What another way changes, against the road: below zero is less."""

    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        """Tell whether both ends have the same sign."""
        return self.low * self.high > 0


def difference(other: Bounds, road: Bounds) -> Difference:
    """Return the least and the most that `other` adds to `road`.

    >>> difference((10.0, 20.0), (30.0, 40.0))
    Difference(low=-30.0, high=-10.0)
    """
    return Difference(other[0] - road[1], other[1] - road[0])
