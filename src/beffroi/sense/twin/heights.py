"""How tall a building is, from what its data say: a measured height, else storeys, else a height that is supposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HEIGHTS = ("hauteur", "hauteur_m", "height", "height_m", "haut", "hauteur_max")
STOREYS = ("nb_etages", "nombre_d_etages", "etages", "niveaux", "floors")
GROUNDS = ("altitude_sol", "z_min_sol", "altitude_minimale_sol", "alti_sol")
STOREY_M, DEFAULT_M = 3, 6
"""As the map draws a building whose height is not known (`web/src/map/style.ts`)."""


@dataclass(frozen=True, slots=True)
class Height:
    """A height in metres; `is_supposed` when nothing measured says it."""

    metres: float
    is_supposed: bool


def height_of(values: Mapping[str, Any]) -> Height:
    """Return the height of a building from its attributes.

    >>> height_of({"hauteur": 12.5}), height_of({"nb_etages": 3}).metres, height_of({}).metres
    (Height(metres=12.5, is_supposed=False), 9.0, 6.0)
    """
    measured = number_of(values, HEIGHTS)
    if measured and measured > 0:
        return Height(measured, is_supposed=False)
    storeys = number_of(values, STOREYS)
    return Height(float(storeys * STOREY_M if storeys else DEFAULT_M), is_supposed=True)


def number_of(values: Mapping[str, Any], keys: Sequence[str]) -> float | None:
    """Return the first number that one of `keys` holds, None when none does."""
    found = (values.get(key) for key in keys)
    return next((float(one) for one in found if isinstance(one, int | float) and not isinstance(one, bool)), None)
