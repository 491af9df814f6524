"""What lots add up to: vacancy of those whose state is known, uses by surface, whether a building is mixed.

To who may not read each lot, a figure is told only where enough lots stand behind it, and none can be found by taking
those told away from the whole: where one district alone would be hushed, the smallest of the others is hushed too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from beffroi.sense.twin.premises.lots import USES, Lot


@dataclass(frozen=True, slots=True)
class Occupation:
    """Lots of a place or of a use. `vacant` is None when it is not told: too few lots stand behind it."""

    name: str
    lots: int
    known: int
    vacant: int | None
    surface_m2: float

    @property
    def rate(self) -> float | None:
        """Return the share vacant of those whose state is known, None without any, or when it is not told."""
        return self.vacant / self.known if self.known and self.vacant is not None else None

    @property
    def unknown(self) -> int:
        """Return how many lots nobody says anything of: counted neither as occupied nor as vacant."""
        return self.lots - self.known


def occupation(name: str, lots: Iterable[Lot]) -> Occupation:
    """Count lots."""
    found = list(lots)
    known = [one for one in found if one.vacant is not None]
    surface = sum(one.surface_m2 or 0.0 for one in found)
    return Occupation(name, len(found), len(known), sum(one.vacant is True for one in known), surface)


def hushed(rows: Sequence[Occupation], least: int) -> tuple[Occupation, ...]:
    """Return rows without the figures of fewer than `least` lots, known, vacant or occupied, nor what gives them away.

    The whole is told beside them: one row alone hushed would be found by subtraction, so another goes with it.
    """
    quiet = {rank for rank, one in enumerate(rows) if _is_small(one, least)}
    if len(quiet) == 1:
        others = [rank for rank in range(len(rows)) if rank not in quiet and rows[rank].known]
        quiet |= set(sorted(others, key=lambda rank: (rows[rank].vacant or 0, rows[rank].known))[:1])
    return tuple(replace(one, vacant=None) if rank in quiet else one for rank, one in enumerate(rows))


def _is_small(one: Occupation, least: int) -> bool:
    vacant = one.vacant or 0
    return bool(one.known) and any(0 < count < least for count in (one.known, vacant, one.known - vacant))


@dataclass(frozen=True, slots=True)
class Mix:
    """The uses of a building by surface: `shares` sum to one, the largest first.

    `unmeasured` lots have no surface: they are in no share, and the answer is only of the others.
    """

    shares: Mapping[str, float]
    surface_m2: float
    unmeasured: int
    least_uses: int
    most_share: float

    @property
    def mixed(self) -> bool:
        """Tell whether enough uses are there, none of them too large."""
        return len(self.shares) >= self.least_uses and max(self.shares.values()) <= self.most_share

    @property
    def largest(self) -> str:
        """Return the use that takes the most surface, empty when nothing is measured."""
        return next(iter(self.shares), "")


def mix(lots: Iterable[Lot], *, least_uses: int, most_share: float) -> Mix:
    """Return the uses of the lots of a building by surface; outbuildings count for none."""
    sums: dict[str, float] = defaultdict(float)
    unmeasured = 0
    for one in lots:
        if one.use not in USES:
            continue
        if one.surface_m2:
            sums[one.use] += one.surface_m2
        else:
            unmeasured += 1
    total = sum(sums.values())
    order = sorted(sums, key=lambda use: (-sums[use], use))
    return Mix({use: sums[use] / total for use in order}, total, unmeasured, least_uses, most_share)


def uses_of(lots: Iterable[Lot]) -> Counter[str]:
    """Count lots by use."""
    return Counter(one.use for one in lots)
