"""Grams of CO2 and euros of a kilometre, by mode: ``mobility/emissions.toml``, with where each figure comes from."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

from beffroi.base.kernel.resources import shipped_folder

BY_GTFS = {0: "tram", 1: "metro", 2: "train", 5: "tram", 12: "tram"}
"""The mode of a GTFS `route_type`; a bus otherwise."""


@dataclass(frozen=True, slots=True)
class Factors:
    """Grams of CO2 equivalent a kilometre by mode, euros a kilometre of car, and where both come from."""

    co2_g_km: dict[str, float]
    car_eur_km: float
    co2_source: str
    cost_source: str


@lru_cache(maxsize=1)
def factors() -> Factors:
    """Return the figures that ship with Beffroi."""
    table = tomllib.loads((shipped_folder("mobility") / "emissions.toml").read_text(encoding="utf-8"))
    cost = table["cost_eur_km"]
    return Factors(dict(table["co2_g_km"]), float(cost["car"]), table["source"], cost["source"])


def mode_of_line(route_type: int) -> str:
    """Return the mode of a line, extended types of GTFS included (100 to 1700).

    >>> [mode_of_line(one) for one in (0, 3, 109, 401, 704, 900)]
    ['tram', 'bus', 'train', 'metro', 'bus', 'tram']
    """
    wide = {1: "train", 4: "metro", 9: "tram"}
    return wide.get(route_type // 100, "bus") if route_type >= 100 else BY_GTFS.get(route_type, "bus")
