"""What people ask for and no place of a directory gives near them: service by service, from the dataset of needs."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely

from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef, DatasetSummary
from beffroi.lake.reading import GEOMETRY
from beffroi.sense.places.directory.settings import DirectorySettings

_DEGREE_M = 111_195.0
_MOST = 100_000
_SEPARATORS = re.compile(r"[;|,]")
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class MissingService:
    """A service by its code: how many asked for it, how many of them have none near, in which streets, most first."""

    code: str
    asked: int
    unmet: int
    streets: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """The services that some have asked for and do not find near, most lacked first; `met` are found by all who asked.

    `as_of` is the last change of the needs.
    """

    services: tuple[MissingService, ...]
    met: tuple[str, ...]
    within_m: float
    source: DatasetSummary
    as_of: datetime


def missing_services(viewer: Viewer, territory: str, settings: DirectorySettings) -> Missing | None:
    """Return what is asked for and absent, None where the town has no needs for this reader."""
    wanted = settings.wanted
    if wanted is None:
        return None
    try:
        needs = lake.dataset(viewer, DatasetRef(territory, wanted.dataset)).summary
    except DatasetNotFound:
        return None
    keys = {key for one in settings.facets if one.kind == "list" for key in one.columns}
    offers: dict[str, list[Point]] = defaultdict(list)
    for slug in settings.datasets:
        for key in sorted(keys):
            for text, point in _rows(viewer, DatasetRef(territory, slug), (key,)):
                for code in _codes(text[0]):
                    offers[code].append(point)
    asked: dict[str, list[tuple[str, Point]]] = defaultdict(list)
    for (text, street), point in _rows(viewer, needs.ref, (wanted.column, wanted.street)):
        for code in _codes(text):
            asked[code].append((str(street or ""), point))
    told = [_told(code, some, offers[code], wanted.within_m) for code, some in asked.items()]
    lacking = sorted((one for one in told if one.unmet), key=lambda one: (-one.unmet, one.code))
    met = tuple(sorted(one.code for one in told if not one.unmet))
    return Missing(tuple(lacking), met, wanted.within_m, needs, needs.updated_at)


def _told(code: str, asked: Sequence[tuple[str, Point]], offers: Sequence[Point], within_m: float) -> MissingService:
    unmet = [street for street, point in asked if all(metres(point, one) > within_m for one in offers)]
    counts = Counter(street for street in unmet if street)
    streets = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return MissingService(code, len(asked), len(unmet), tuple(streets))


def metres(one: Point, other: Point) -> float:
    """Return the distance of two places as the crow flies, in metres, right within 0.5 % over 20 km.

    >>> round(metres((3.0, 45.0), (3.01, 45.0)))
    786
    """
    east = (other[0] - one[0]) * math.cos(math.radians((one[1] + other[1]) / 2))
    return _DEGREE_M * math.hypot(east, other[1] - one[1])


def _codes(text: Any) -> list[str]:
    cut = (part.strip(" []'\"") for part in _SEPARATORS.split(str(text or "")))
    return [part for part in cut if part]


def _rows(viewer: Viewer, ref: DatasetRef, keys: tuple[str, ...]) -> list[tuple[tuple[Any, ...], Point]]:
    """Return these columns of the rows that are somewhere; none where the dataset or a column is not there."""
    try:
        detail = lake.dataset(viewer, ref)
    except DatasetNotFound:
        return []
    if not detail.summary.geometry_type or not set(keys) <= {column.key for column in detail.columns}:
        return []
    found = lake.rows(
        viewer, ref, columns=(*keys, GEOMETRY), version=detail.summary.version, max_rows=_MOST, timeout_s=10,
        memory_mb=256,
    ).rows  # fmt: skip
    placed = [(row[:-1], shapely.from_wkb(bytes(row[-1]))) for row in found if row[-1]]
    return [(values, (shape.centroid.x, shape.centroid.y)) for values, shape in placed]
