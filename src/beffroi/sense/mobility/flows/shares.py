"""The modal share of a place at an hour: of passages that were counted, by mode; never of estimates or samples.

Knows neither the lake nor Django.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from beffroi.sense.mobility.flows.modes import MOTORS, Mode


class Missing(StrEnum):
    """Why no share is told: one mode alone is counted, some mode was not at that hour, or several were put together."""

    ALONE = "alone"
    UNCOUNTED = "uncounted"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Share:
    """The passages of an hour by mode, and what each is of them all (`of`, 0 to 1); `missing` says why there is none.

    `is_whole`: walkers, cyclists and motors were all counted.
    """

    passages: Mapping[Mode, float]
    missing: Missing | None = None

    @property
    def total(self) -> float:
        """Return all the passages."""
        return sum(self.passages.values())

    @property
    def is_whole(self) -> bool:
        """Tell whether the three families are counted: on foot, by bicycle, by motor."""
        return {Mode.WALK, Mode.BIKE} <= set(self.passages) and bool(MOTORS & set(self.passages))

    def of(self, mode: Mode) -> float | None:
        """Return the share of a mode, None when there is none to tell."""
        total = self.total
        return self.passages[mode] / total if self.missing is None and total > 0 and mode in self.passages else None


def share_of(values: Mapping[Mode, float | None]) -> Share:
    """Return the share among the modes counted at one place; None: the mode is counted there, but not at that hour.

    >>> share_of({Mode.BIKE: 30.0, Mode.CAR: 90.0}).of(Mode.BIKE)
    0.25
    >>> share_of({Mode.BIKE: 30.0, Mode.CAR: None}).missing
    <Missing.UNCOUNTED: 'uncounted'>
    """
    known = {mode: value for mode, value in values.items() if value is not None}
    if Mode.MIXED in values:
        return Share(known, Missing.MIXED)
    if len(known) < len(values):
        return Share(known, Missing.UNCOUNTED)
    return Share(known, Missing.ALONE if len(known) < 2 else None)


def together(shares: Iterable[Share]) -> tuple[Share, int]:
    """Return the passages of all the places where the three families are counted, and how many places these are."""
    whole = [one for one in shares if one.missing is None and one.is_whole]
    total: dict[Mode, float] = {}
    for one in whole:
        for mode, value in one.passages.items():
            total[mode] = total.get(mode, 0.0) + value
    return Share(total, None if whole else Missing.UNCOUNTED), len(whole)
