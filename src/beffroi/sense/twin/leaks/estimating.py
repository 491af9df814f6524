"""The energy label of a home that has none, told from like homes that have one: an interval of classes, or nothing.

Like homes are of the same kind, the same period of construction and as compact; of the same district first, else of the
whole town, else whatever their shape. The first of these three groups that holds `LEAST` labels tells; below, the label
stays unknown. The interval is the shortest run of classes that holds `COVERAGE` of the labels of the group, with one
label more (that of the home itself, as split-conformal prediction has it).

What the rule is worth is measured, not supposed: each known label is hidden in turn and estimated by the others.

Knows no Django. Source: Vovk, Gammerman, Shafer, « Algorithmic Learning in a Random World », 2005, ch. 2 (coverage of
n + 1); periods: arrêté du 31 mars 2021 relatif au DPE, annexe 1 (tables by default).
"""

from __future__ import annotations

import math
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

LETTERS = "ABCDEFG"
LEAKING = "FG"
COVERAGE = 0.8
LEAST = 30
FOLDS = 5
LEAST_HIDDEN = 10
_Z = 1.2815515655446004
"""Normal quantile of 90 %: an interval at `COVERAGE` leaves as much on each side."""
PERIODS = (1948, 1975, 1978, 1983, 1989, 2001, 2006, 2013, 2022)
"""The first year of each period but the oldest."""
COMPACT = (0.5, 0.8)
"""Bounds of the three shapes, in m² of envelope for one m³: low is compact."""

Counts = tuple[int, ...]
Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Home:
    """A building where people live. `year` of construction, `envelope` in m² a m³; None where nobody says.

    `letter` is its label, None when none is published; `is_house` is None where its dwellings are not counted.
    """

    id: str
    letter: str | None
    is_house: bool | None
    year: int | None
    envelope: float
    district: str

    @property
    def period(self) -> int | None:
        """Return the rank of the period it was built in, None when its year is not known."""
        return None if self.year is None else sum(self.year >= first for first in PERIODS)

    @property
    def shape(self) -> int:
        """Return 0 for compact, 2 for spread out."""
        return sum(self.envelope > bound for bound in COMPACT)

    @property
    def keys(self) -> tuple[Key, ...]:
        """Return the groups it is of, the most alike first; none without a year, which says most of all."""
        if self.year is None:
            return ()
        kind = (self.is_house, self.period)
        return ((*kind, self.shape, self.district), (*kind, self.shape), kind)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What like homes say: the middle class, the interval, the share of F and G among `alike` labels.

    `rung` is which group told: 0 the district, 1 the town, 2 the town whatever the shape.
    """

    letter: str
    best: str
    worst: str
    leaking: float
    alike: int
    rung: int
    key: Key


@dataclass(frozen=True, slots=True)
class Check:
    """Each known label estimated without itself: how many could be, were in the interval, were the middle class.

    `width` is the mean number of classes of an interval.
    """

    known: int
    estimated: int
    inside: int
    exact: int
    width: float

    @property
    def coverage(self) -> float | None:
        """Return the share really inside, None when nothing could be estimated."""
        return self.inside / self.estimated if self.estimated else None


@dataclass(frozen=True, slots=True)
class Share:
    """Labels and estimates of some homes; `low` and `high` bound the share of F and G of both together.

    The bounds are None when nothing is known nor estimated; `unknown` homes are in neither.
    """

    known: int
    known_leaking: int
    estimated: int
    unknown: int
    low: float | None
    high: float | None

    @property
    def homes(self) -> int:
        """Return how many homes there are in all."""
        return self.known + self.estimated + self.unknown


class Model:
    """The labels of a town by groups of like homes."""

    def __init__(self, homes: Iterable[Home]) -> None:
        counts: dict[Key, list[int]] = defaultdict(lambda: [0] * len(LETTERS))
        for home in homes:
            for key in home.keys if home.letter else ():
                counts[key][LETTERS.index(home.letter or "")] += 1
        self._counts: Mapping[Key, Counts] = {key: tuple(count) for key, count in counts.items()}
        self._said: dict[tuple[tuple[Key, ...], str | None], Estimate | None] = {}

    def estimate(self, home: Home, *, without: str | None = None) -> Estimate | None:
        """Return what like homes say of a home, `without` one label of that class; None when too few do."""
        asked = (home.keys, without)
        if asked not in self._said:
            self._said[asked] = self._told(home.keys, without)
        return self._said[asked]

    def _told(self, keys: tuple[Key, ...], without: str | None) -> Estimate | None:
        for rung, key in enumerate(keys):
            counts = list(self._counts.get(key, ()))
            if counts and without is not None:
                counts[LETTERS.index(without)] -= 1
            alike = sum(counts)
            if alike < LEAST:
                continue
            best, worst = interval(counts)
            leaking = sum(counts[LETTERS.index(one)] for one in LEAKING) / alike
            return Estimate(LETTERS[middle(counts)], LETTERS[best], LETTERS[worst], leaking, alike, rung, key)
        return None


def interval(counts: Sequence[int]) -> tuple[int, int]:
    """Return the shortest run of classes that holds the coverage; of two as short, the fuller, then the worse.

    >>> interval([0, 1, 10, 40, 30, 15, 4])
    (2, 4)
    """
    needed = math.ceil(COVERAGE * (sum(counts) + 1))
    runs = [
        (last - first, -held, -first, first, last)
        for first in range(len(counts))
        for last in range(first, len(counts))
        if (held := sum(counts[first : last + 1])) >= needed
    ]
    *_order, first, last = min(runs, default=(0, 0, 0, 0, len(counts) - 1))
    return first, last


def middle(counts: Sequence[int]) -> int:
    """Return the class of the middle label; of two in the middle, the worse.

    >>> middle([0, 0, 2, 2]), middle([3, 1, 1])
    (3, 0)
    """
    half, held = sum(counts) / 2, 0
    for rank, count in enumerate(counts):
        held += count
        if held > half:
            return rank
    return len(counts) - 1


@dataclass(frozen=True, eq=False)
class Town:
    """The homes of a town, and what can be said of each."""

    homes: tuple[Home, ...]

    @cached_property
    def model(self) -> Model:
        """Return its labels by groups."""
        return Model(self.homes)

    @cached_property
    def estimates(self) -> Mapping[str, Estimate]:
        """Return the estimates of the homes that have no label, by the id of the home."""
        told = ((home.id, self.model.estimate(home)) for home in self.homes if home.letter is None)
        return {one: estimate for one, estimate in told if estimate is not None}

    @cached_property
    def check(self) -> Check:
        """Return what the rule is worth on the labels that are known."""
        known = [home for home in self.homes if home.letter]
        pairs = [(home.letter or "", self.model.estimate(home, without=home.letter)) for home in known]
        told = [(letter, one) for letter, one in pairs if one is not None]
        widths = [LETTERS.index(one.worst) - LETTERS.index(one.best) + 1 for _letter, one in told]
        return Check(
            known=len(known),
            estimated=len(told),
            inside=sum(one.best <= letter <= one.worst for letter, one in told),
            exact=sum(one.letter == letter for letter, one in told),
            width=sum(widths) / len(widths) if widths else 0.0,
        )

    def share(self, district: str | None = None) -> Share:
        """Return labels and estimates of the homes of a district, of all without one."""
        return share_of([home for home in self.homes if district in (None, home.district)], self.model)

    @cached_property
    def checked_shares(self) -> tuple[int, int]:
        """Return how many shares of F and G fell in their interval, of how many tried.

        A fifth of the labels is hidden, five times; what is told of them by district is set beside what they are.
        """
        right = tried = 0
        for fold in range(FOLDS):
            hidden = [home for home in self.homes if home.letter and _fold(home) == fold]
            model = Model(home for home in self.homes if _fold(home) != fold)
            for name in sorted({home.district for home in hidden}):
                here = [home for home in hidden if home.district == name and model.estimate(home) is not None]
                if len(here) < LEAST_HIDDEN:
                    continue
                found = share_of([_bare(home) for home in here], model)
                truth = sum((home.letter or "") in LEAKING for home in here) / len(here)
                tried += 1
                right += found.low is not None and found.high is not None and found.low <= truth <= found.high
        return right, tried


def share_of(homes: Sequence[Home], model: Model) -> Share:
    """Return the labels, the estimates and the bounds of the share of F and G of some homes.

    Within a group, of p from n labels, the leaking among m homes spread with m p (1 − p) (they differ) and
    m² p (1 − p) / n (p is not known well); groups are taken as independent.
    """
    known = [home for home in homes if home.letter]
    leaking = sum((home.letter or "") in LEAKING for home in known)
    told = [one for home in homes if home.letter is None and (one := model.estimate(home)) is not None]
    groups: dict[Key, list[Estimate]] = defaultdict(list)
    for one in told:
        groups[one.key].append(one)
    expected, spread = 0.0, 0.0
    for some in groups.values():
        m, n = len(some), some[0].alike
        # Never sure: half a home of each kind is added to what was seen.
        p = (some[0].leaking * n + 0.5) / (n + 1)
        expected += m * p
        spread += m * p * (1 - p) * (1 + m / n)
    total = len(known) + len(told)
    reach = _Z * math.sqrt(spread)
    low = leaking + max(0.0, expected - reach)
    high = leaking + min(float(len(told)), expected + reach)
    bounds = (low / total, high / total) if total else (None, None)
    return Share(len(known), leaking, len(told), len(homes) - total, *bounds)


def _fold(home: Home) -> int:
    return zlib.crc32(home.id.encode()) % FOLDS


def _bare(home: Home) -> Home:
    return Home(home.id, None, home.is_house, home.year, home.envelope, home.district)
