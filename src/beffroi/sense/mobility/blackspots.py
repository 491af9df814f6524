"""Where accidents gather, and what they are to the traffic that passes there. Knows neither Django nor the lake.

A spot is a circle round the accident that has the most others near it; its accidents are then set aside, and so on
until no circle holds enough. Circles do not chain along a street, as clusters do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
_Z90 = 1.6448536
DAYS = 365.25


@dataclass(frozen=True, slots=True)
class Spot:
    """A circle: the rank of its central accident, the ranks of all it holds, that one included."""

    centre: int
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """Accidents per million vehicles, and the bounds of its 90 % interval: a few accidents say little."""

    value: float
    low: float
    high: float


def spots(places: Points, weights: Sequence[float], *, within_m: float, least: int) -> list[Spot]:
    """Return the circles of `within_m` metres that hold at least `least` accidents, the fullest first.

    `places` are metres (n, 2). Of two as full, the one whose accidents weigh more comes first, then the first given.
    """
    left = np.ones(len(places), dtype=bool)
    near = [np.flatnonzero(np.hypot(*(places - one).T) <= within_m) for one in places]
    heavy = np.asarray(weights, dtype=float)
    found: list[Spot] = []
    while left.any():
        held = [(int(left[ranks].sum()), float(heavy[ranks[left[ranks]]].sum())) for ranks in near]
        centre = max(np.flatnonzero(left).tolist(), key=lambda rank: (*held[rank], -rank))
        if held[centre][0] < least:
            break
        members = near[centre][left[near[centre]]]
        found.append(Spot(centre, tuple(members.tolist())))
        left[members] = False
    return found


def poisson_bounds(count: int) -> tuple[float, float]:
    """Return the 90 % interval of the mean of a Poisson law of which `count` was seen.

    Source: Wilson and Hilferty's cube root of the chi-squared law (1931), within 1 % of the exact interval from 3 on.

    >>> low, high = poisson_bounds(10)
    >>> round(low, 1), round(high, 1)
    (5.4, 17.0)
    """
    if count == 0:
        return 0.0, -math.log(0.05)
    low = count * (1 - 1 / (9 * count) - _Z90 / (3 * math.sqrt(count))) ** 3
    more = count + 1
    return max(0.0, low), more * (1 - 1 / (9 * more) + _Z90 / (3 * math.sqrt(more))) ** 3


def rate_of(count: int, *, per_day: float, years: float) -> Rate:
    """Return the accidents per million vehicles where `per_day` pass, over `years`."""
    millions = per_day * DAYS * years / 1e6
    low, high = poisson_bounds(count)
    return Rate(count / millions, low / millions, high / millions)
