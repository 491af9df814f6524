"""What lamps light: illuminance on the ground of each sample, shares of the public space, stretches left dark.

The rule is the simplest that keeps the light of a lamp whole: its flux goes evenly to all directions below it, so its
intensity is flux / 2π, and the illuminance on the ground, at a distance d of a lamp of height h, intensity × h / d³
(inverse square and cosine laws). Walls, trees and what fronts send back are not counted, nor the shape of each
luminaire: it tells where light lacks, it does not stand for a study.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from beffroi.sense.twin.lighting.space import PART_RANK, PROFILE_RANK, Samples
from beffroi.sense.twin.lighting.standards import CLASSES, MAINTENANCE, PARTS, REACH_M

LEAST_GAP_M = 20.0
LEAST_DARK_SHARE = 0.5
"""A square or a garden is listed when at least this share of it is dark."""


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """Which lamp lights which sample, and how many lux each lumen of it gives there."""

    sample: NDArray[np.intp]
    lamp: NDArray[np.intp]
    lx_per_lm: NDArray[np.float64]

    def lux(self, flux_lm: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
        """Return the illuminance on each sample, from the flux of each lamp."""
        weights = self.lx_per_lm * flux_lm[self.lamp]
        lux: NDArray[np.float64] = np.bincount(self.sample, weights=weights, minlength=samples).astype(float)
        return lux


def linked(places: NDArray[np.float64], lamps: NDArray[np.float64], height_m: NDArray[np.float64]) -> Links:
    """Link samples and lamps (metres) that are near enough to count."""
    if not len(places) or not len(lamps):
        none = np.array([], dtype=np.intp)
        return Links(none, none, np.array([], dtype=float))
    lamp, sample = STRtree(shapely.points(places)).query(shapely.points(lamps), predicate="dwithin", distance=REACH_M)
    gap = places[sample] - lamps[lamp]
    height = height_m[lamp]
    away = np.sqrt((gap**2).sum(axis=1) + height**2)
    return Links(sample, lamp, MAINTENANCE / (2 * pi) * height / away**3)


@dataclass(frozen=True, slots=True)
class Cover:
    """How a part of the public space is lit: its area, its class, and of it the shares that reach the class's least.

    `evening` while every lamp of the evening burns, `night` in the middle of the night; `mean_lx` in the evening.
    """

    part: str
    area_m2: float
    wanted: str
    mean_lx: float
    evening: float
    night: float


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch, or a square, left dark: where its middle is (metres), how long it is, what of it is dark.

    `length_m` is 0 for a square, whose `area_m2` is dark. `side_only`: the carriageway is lit, not what is beside it.
    """

    place: str
    part: str
    profile: str
    x: float
    y: float
    length_m: float
    area_m2: float
    side_only: bool


def least_lx(samples: Samples, wanted: Mapping[str, str]) -> NDArray[np.float64]:
    """Return the least illuminance asked for on each sample, by the class its part is wanted in."""
    return np.array([CLASSES[wanted[part]].least_lx for part in PARTS])[samples.part]


def covers(
    samples: Samples, evening: NDArray[np.float64], night: NDArray[np.float64], wanted: Mapping[str, str]
) -> list[Cover]:
    """Return how each part of the public space that the town has is lit."""
    least = least_lx(samples, wanted)
    found = []
    for part, rank in PART_RANK.items():
        mine = samples.part == rank
        area = samples.area_m2[mine]
        whole = float(area.sum())
        if whole > 0:
            shares = [float(area[lux[mine] >= least[mine]].sum() / whole) for lux in (evening, night)]
            mean = float((area * evening[mine]).sum() / whole)
            found.append(Cover(part, whole, wanted[part], mean, *shares))
    return found


def profile_shares(
    samples: Samples, lux: NDArray[np.float64], wanted: Mapping[str, str]
) -> dict[str, tuple[float, float | None, float | None]]:
    """Return, by profile, the area of public space, then the shares lit of the carriageway and of all the rest."""
    lit = lux >= least_lx(samples, wanted)
    road = samples.part == PART_RANK["carriageway"]
    return {
        name: (
            float(samples.area_m2[samples.profile == rank].sum()),
            _share(samples, lit, (samples.profile == rank) & road),
            _share(samples, lit, (samples.profile == rank) & ~road),
        )
        for name, rank in PROFILE_RANK.items()
    }


def _share(samples: Samples, lit: NDArray[np.bool_], mine: NDArray[np.bool_]) -> float | None:
    area = samples.area_m2[mine]
    return float(area[lit[mine]].sum() / area.sum()) if area.sum() > 0 else None


def gaps(samples: Samples, lux: NDArray[np.float64], wanted: Mapping[str, str]) -> list[Gap]:
    """Return what is left dark, the longest stretches first, then the largest squares."""
    dark = lux < least_lx(samples, wanted)
    order = np.lexsort((samples.section, samples.place))
    bounds = np.flatnonzero(np.diff(samples.place[order])) + 1
    stretches: list[Gap] = []
    squares: list[Gap] = []
    for mine in np.split(order, bounds):
        if not len(mine) or not dark[mine].any():
            continue
        if samples.section[mine[0]] < 0:
            squares += _square(samples, dark, mine)
        else:
            stretches += _stretches(samples, dark, mine)
    stretches.sort(key=lambda one: -one.length_m)
    return stretches + sorted(squares, key=lambda one: -one.area_m2)


def _square(samples: Samples, dark: NDArray[np.bool_], mine: NDArray[np.intp]) -> list[Gap]:
    area = samples.area_m2[mine]
    lacking = float(area[dark[mine]].sum())
    if lacking < LEAST_DARK_SHARE * float(area.sum()):
        return []
    at = samples.at[mine[dark[mine]]].mean(axis=0)
    return [_gap(samples, mine[0], at, 0.0, lacking, side_only=False)]


def _stretches(samples: Samples, dark: NDArray[np.bool_], mine: NDArray[np.intp]) -> list[Gap]:
    """Return the runs of sections with something dark along one stretch of street."""
    sections, inverse = np.unique(samples.section[mine], return_inverse=True)
    on_road = samples.part[mine] != PART_RANK["side"]
    lacks, road_lacks = np.zeros(len(sections), dtype=bool), np.zeros(len(sections), dtype=bool)
    np.logical_or.at(lacks, inverse, dark[mine])
    np.logical_or.at(road_lacks, inverse, dark[mine] & on_road)
    # Cuts where the runs start and end: those of the road apart from those of the sides alone.
    state = lacks.astype(int) + road_lacks
    edges = np.flatnonzero(np.diff(state)) + 1
    found = []
    for run in np.split(np.arange(len(sections)), edges):
        length = len(run) * samples.every_m
        if not state[run[0]] or length < LEAST_GAP_M:
            continue
        inside = mine[np.isin(inverse, run) & dark[mine]]
        centre = samples.at[mine[inverse == run[len(run) // 2]]].mean(axis=0)
        found.append(_gap(samples, inside[0], centre, length, float(samples.area_m2[inside].sum()),
                          side_only=bool(state[run[0]] == 1)))  # fmt: skip
    return found


def _gap(
    samples: Samples, one: np.intp, at: NDArray[np.float64], length: float, area: float, *, side_only: bool
) -> Gap:
    parts, profiles = list(PART_RANK), list(PROFILE_RANK)
    part = "side" if side_only else parts[samples.part[one]]
    return Gap(
        place=samples.places[samples.place[one]], part=part, profile=profiles[samples.profile[one]],
        x=float(at[0]), y=float(at[1]), length_m=length, area_m2=area, side_only=side_only,
    )  # fmt: skip
