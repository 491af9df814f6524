"""What a dataset file says of the version the public gets of data that are not its own to read. Knows no Django."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

PERIODS = {"mois": 1, "trimestre": 3, "semestre": 6, "annee": 12}
"""The periods counts are made by, in months: each begins where the civil year divides."""

NEEDED = ("slug", "title", "k", "cell_m", "date")


class Fault(NamedTuple):
    """A key whose value does not suit, and what would."""

    key: str
    value: object
    expected: str


@dataclass(frozen=True, slots=True)
class PublicView:
    """Counts by cell and period, none below `k`, published as the dataset `slug` (see `aggregating`).

    `cell_m` is the side of the cells (legal projection, metres), `date` the column that dates a row, `by` the columns
    whose values are told apart where none of them is rare, the one that matters most first.
    """

    slug: str
    title: str
    k: int
    cell_m: int
    date: str
    period: str = "trimestre"
    by: tuple[str, ...] = ()

    def fault(self) -> Fault | None:
        """Return what does not suit, None when all does."""
        if not 3 <= self.k <= 1_000:
            # Below three, how finely a cell is told would give its rare values away.
            return Fault("k", self.k, "un seuil de 3 à 1 000")
        if not 100 <= self.cell_m <= 20_000:
            return Fault("cell_m", self.cell_m, "un côté de 100 à 20 000 mètres")
        if self.period not in PERIODS:
            return Fault("period", self.period, ", ".join(PERIODS))
        if len({*self.by, self.date}) != len(self.by) + 1 or len(self.by) > 3:
            return Fault("by", ", ".join(self.by), "trois colonnes au plus, toutes différentes")
        return None


def view_options(payload: Mapping[str, Any] | None) -> PublicView | None:
    """Return the public view of a dataset, from its definition as `Definition.as_json` wrote it."""
    return None if payload is None else PublicView(**{**payload, "by": tuple(payload["by"])})
