"""What one may ask of flows: every place of a town, what passes there at an hour, and the modal share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import cos, radians
from zoneinfo import ZoneInfo

import shapely

from beffroi.lake.queries import DatasetSummary
from beffroi.sense.mobility.flows import reading
from beffroi.sense.mobility.flows.counting import NOON, Values
from beffroi.sense.mobility.flows.estimating import LEAST_COUNTERS, Profile, error_of, profiles, shared_out
from beffroi.sense.mobility.flows.modes import MOTORS, Mode, Nature
from beffroi.sense.mobility.flows.settings import FlowsSettings
from beffroi.sense.mobility.flows.shares import Missing, Share, share_of, together
from beffroi.sense.mobility.hours.profiles import Day
from beffroi.sense.mobility.hours.reading import places_of

__all__ = [
    "LEAST_COUNTERS",
    "MOTORS",
    "Day",
    "Flow",
    "Missing",
    "Mode",
    "Nature",
    "Place",
    "Share",
    "Town",
    "share_at",
    "together",
    "town",
]

SAME_STREET_M = 30.0
METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True)
class Flow:
    """What passes of one mode at a place, by kind of day and hour from midnight; None: unknown, which is not zero.

    `low`, `high` bound an estimate. `failed` are dates left out because the counter was out of order; `used` how many
    dates the means are of; `first`, `last` the period. `least`: of a sample, cells under it are not told.
    """

    mode: Mode
    nature: Nature
    days: Mapping[Day, Values]
    low: Mapping[Day, Values] | None = None
    high: Mapping[Day, Values] | None = None
    failed: tuple[date, ...] = ()
    used: Mapping[Day, int] | None = None
    first: date | None = None
    last: date | None = None

    def at(self, day: Day, hour: int) -> float | None:
        """Return what passes in an hour of a kind of day, None when nobody knows."""
        return self.days[day][hour] if day in self.days else None

    def between(self, day: Day, hour: int) -> tuple[float, float] | None:
        """Return the bounds of an estimate, None when it has none."""
        low, high = ((one or {}).get(day) for one in (self.low, self.high))
        ends = (low[hour], high[hour]) if low and high else (None, None)
        return (ends[0], ends[1]) if ends[0] is not None and ends[1] is not None else None


@dataclass(frozen=True, slots=True)
class Place:
    """A point or a street where something passes; `shape` in degrees (CRS84)."""

    key: str
    name: str
    shape: shapely.Geometry
    flows: tuple[Flow, ...]

    @property
    def is_counted(self) -> bool:
        """Tell whether counters stand there: what they count may be shared out by mode."""
        return any(one.nature == Nature.MEASURED for one in self.flows)


@dataclass(frozen=True, slots=True)
class Town:
    """All the places, those with counters first; `errors`: the median error of an estimate by mode, on counted places.

    `counters`: how many tell the profile by which the hours of a mode are estimated, by mode and kind of day.
    """

    places: tuple[Place, ...]
    sources: tuple[DatasetSummary, ...]
    errors: Mapping[Mode, float]
    counters: Mapping[tuple[Mode, Day], int]


_READ: dict[tuple[str, str], tuple[tuple[str, ...], Town]] = {}


def town(territory: str, settings: FlowsSettings, *, zone: ZoneInfo) -> Town:
    """Return what passes in a town, as everyone may know it; read again when a dataset has a new version.

    Raises:
        BadQuery, QueryTooCostly: more rows than can be read.
    """
    sources = _sources(territory, settings)
    versions = tuple(one.version for one in sources)
    key = (territory, settings.model_dump_json())
    found = _READ.get(key)
    if found is None or found[0] != versions:
        found = _READ[key] = (versions, _read(territory, settings, sources, zone))
    return found[1]


def _sources(territory: str, settings: FlowsSettings) -> tuple[DatasetSummary, ...]:
    counters, daily, sample = settings.counters, settings.daily, settings.sample
    slugs = [
        *((counters.sites, counters.channels, counters.measures) if counters else ()),
        *(one.dataset for one in settings.hourly),
        *((daily.dataset,) if daily else ()),
        *((sample.dataset, sample.streets) if sample else ()),
    ]
    found = (reading.known(territory, slug) for slug in slugs)
    return tuple(one for one in found if one is not None)


def _read(territory: str, settings: FlowsSettings, sources: tuple[DatasetSummary, ...], zone: ZoneInfo) -> Town:
    counted = [*_sites(territory, settings, zone), *_hourly(territory, settings)]
    by_mode = {mode: [flow.days for place, whole in counted for flow in place.flows
                      if flow.mode == mode and not whole.get(mode) and flow.days] for mode in Mode}  # fmt: skip
    known = {mode: profiles(those) for mode, those in by_mode.items()}
    places = [_completed(place, whole, known) for place, whole in counted]
    points = [one.shape for one in places if any(flow.mode in MOTORS for flow in one.flows)]
    places += _streets(territory, settings, known.get(Mode.MOTOR, {}), points)
    places += _samples(territory, settings)
    errors = {mode: gap for mode, those in by_mode.items() if (gap := error_of(those, Day.WEEKDAY)) is not None}
    counters = {(mode, day): made.counters for mode, by_day in known.items() for day, made in by_day.items()}
    return Town(tuple(places), sources, errors, counters)


Whole = Mapping[Mode, Mapping[Day, float]]
"""The totals of days whose hours were not counted, by mode."""


def _sites(territory: str, settings: FlowsSettings, zone: ZoneInfo) -> list[tuple[Place, Whole]]:
    if settings.counters is None:
        return []
    found: list[tuple[Place, Whole]] = []
    for site in reading.sites(territory, settings.counters, zone=zone):
        flows = tuple(
            Flow(mode, Nature.MEASURED, told.days, failed=told.failed, used=told.used, first=told.first, last=told.last)
            for mode, told in sorted(site.modes.items())
        )
        whole = {mode: told.whole for mode, told in site.modes.items() if told.whole and not told.days}
        found.append((Place(f"site/{site.key}", site.name, shapely.Point(site.lon, site.lat), flows), whole))
    return found


def _hourly(territory: str, settings: FlowsSettings) -> list[tuple[Place, Whole]]:
    """Return the streets whose motor vehicles are told as mean days by hour; one with a noon of zeros is unknown."""
    found: list[tuple[Place, Whole]] = []
    for read in settings.hourly:
        for one in places_of(territory, read):
            if one.lon is None or one.lat is None:
                continue
            days = {day: told.values for day, told in one.days.items()}
            # One mean day has no date to name: the whole of it is unknown.
            days = {day: values for day, values in days.items() if any(values[hour] != 0 for hour in NOON)}
            dates = list(one.days.values())
            used = {day: told.days for day, told in one.days.items() if told.days is not None}
            first, last = ([end for told in dates if (end := getattr(told, name))] for name in ("first", "last"))
            flow = Flow(Mode.MOTOR, Nature.MEASURED, days, used=used, first=min(first, default=None),
                        last=max(last, default=None))  # fmt: skip
            found.append((Place(f"rue/{one.key}", one.name, shapely.Point(one.lon, one.lat), (flow,)), {}))
    return found


def _completed(place: Place, whole: Whole, known: Mapping[Mode, Mapping[Day, Profile]]) -> Place:
    """Return a place where the days counted as a whole are shared out by hour: estimates, told as such."""
    if not whole:
        return place
    flows = tuple(
        _estimated(one.mode, whole[one.mode], known.get(one.mode, {}), of_kind=True, like=one)
        if one.mode in whole else one
        for one in place.flows
    )  # fmt: skip
    return Place(place.key, place.name, place.shape, flows)


def _estimated(
    mode: Mode, totals: Mapping[Day, float], known: Mapping[Day, Profile], *, of_kind: bool, like: Flow | None = None
) -> Flow:
    made = {day: one for day, total in totals.items()
            if day in known and (one := shared_out(total, known[day], of_kind=of_kind)) is not None}  # fmt: skip
    return Flow(
        mode, Nature.ESTIMATED, {day: one.mean for day, one in made.items()},
        {day: one.low for day, one in made.items()}, {day: one.high for day, one in made.items()},
        used=like.used if like else None, first=like.first if like else None, last=like.last if like else None,
    )  # fmt: skip


def _streets(
    territory: str, settings: FlowsSettings, known: Mapping[Day, Profile], counted: Sequence[shapely.Geometry]
) -> list[Place]:
    """Return the streets estimated from the traffic of a mean day, those a counter stands on left out."""
    if settings.daily is None:
        return []
    found = reading.streets(territory, settings.daily)
    if not found:
        return []
    lat = found[0].line.centroid.y
    tree = shapely.STRtree([_metres(one, lat) for one in counted])
    return [
        Place(f"tmja/{one.key}", one.name, one.line,
              (_estimated(Mode.MOTOR, dict.fromkeys(Day, one.per_day), known, of_kind=False),))
        for one in found
        if not len(tree.query(_metres(one.line, lat), predicate="dwithin", distance=SAME_STREET_M))
    ]  # fmt: skip


def _samples(territory: str, settings: FlowsSettings) -> list[Place]:
    if settings.sample is None:
        return []
    return [
        Place(f"trace/{one.key}", one.name, one.line, (Flow(one.mode, Nature.SAMPLE, one.days),))
        for one in reading.sampled(territory, settings.sample)
    ]


def _metres(shape: shapely.Geometry, lat: float) -> shapely.Geometry:
    scale = [METRES_PER_DEGREE * cos(radians(lat)), METRES_PER_DEGREE]
    return shapely.transform(shape, lambda points: points * scale)


def share_at(place: Place, day: Day, hour: int) -> Share:
    """Return the modal share of a place at an hour: of what was counted there then, which an estimate was not."""
    return share_of({one.mode: one.at(day, hour) if one.nature == Nature.MEASURED else None for one in place.flows})
