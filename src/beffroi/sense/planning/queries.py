"""The rules of a town at a point, within the rights of the reader; and what nobody published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef, DatasetSummary
from beffroi.lake.reading import Column
from beffroi.sense.planning.applying import How, Place, Reach, Rule, applying, rule_of
from beffroi.sense.planning.settings import Kind, RulesSettings

__all__ = ["Applied", "How", "Kind", "Rule", "RulesHere", "RulesSettings", "rules_at"]

MOST_EACH = 500
_MARGIN = 1.5e-4
"""Degrees looked at around a point: 11 m at least, more than what is near."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A rule that reaches the point: where its row is in the lake, and how it reaches."""

    ref: DatasetRef
    id: str
    rule: Rule
    reach: Reach


@dataclass(frozen=True, slots=True)
class RulesHere:
    """What applies at a point, by kind; `sources` are the datasets looked at, `unknown` the kinds nobody published.

    `cut` tells that there was more in some dataset than is read: nothing can then be said to be absent.
    """

    found: Mapping[Kind, tuple[Applied, ...]]
    sources: Mapping[Kind, DatasetSummary]
    unknown: tuple[Kind, ...]
    cut: tuple[Kind, ...] = ()

    @property
    def height_m(self) -> float | None:
        """Return the lowest of the greatest heights written at the point, None when none is."""
        heights = [
            one.rule.height_m
            for one in self.found.get(Kind.PRESCRIPTION, ())
            if one.rule.height_m is not None and one.reach.how in (How.HERE, How.EDGE)
        ]
        return min(heights, default=None)


def rules_at(viewer: Viewer, territory: str, *, lon: float, lat: float, settings: RulesSettings) -> RulesHere:
    """Return every published rule that holds a point (degrees, OGC:CRS84), is near it, or touches its parcel."""
    parcel: BaseGeometry | None = None
    found: dict[Kind, tuple[Applied, ...]] = {}
    sources: dict[Kind, DatasetSummary] = {}
    cut: list[Kind] = []
    for kind in Kind:
        ref = DatasetRef(territory, settings.slug_of(kind))
        try:
            detail = lake.dataset(viewer, ref)
        except DatasetNotFound:
            continue
        if detail.summary.geometry_type is None:
            continue
        sources[kind] = detail.summary
        place = Place(lon, lat, parcel)
        bodies, whole = _around(viewer, ref, place)
        read = [_applied(ref, kind, body, detail.columns, place) for body in bodies]
        kept = [one for one in read if one is not None]
        if kind is Kind.PARCEL:
            kept = [one for one in kept if one[0].reach.how in (How.HERE, How.EDGE)]
            parcel = next((where for one, where in kept if one.reach.away_m == 0), None)
        found[kind] = tuple(one for one, _where in sorted(kept, key=lambda pair: _order(pair[0])))
        cut += [] if whole else [kind]
    return RulesHere(found, sources, tuple(kind for kind in Kind if kind not in sources), tuple(cut))


def _order(one: Applied) -> tuple[int, float, str]:
    return list(How).index(one.reach.how), one.reach.away_m, one.rule.name


def _around(viewer: Viewer, ref: DatasetRef, place: Place) -> tuple[Sequence[bytes], bool]:
    west, south, east, north = place.parcel.bounds if place.parcel is not None else (place.lon, place.lat) * 2
    box = BBox(
        min(west, place.lon) - _MARGIN, min(south, place.lat) - _MARGIN,
        max(east, place.lon) + _MARGIN, max(north, place.lat) + _MARGIN,
    )  # fmt: skip
    page = lake.features(viewer, ref, bbox=box, limit=MOST_EACH)
    return page.features, page.next_cursor is None


def _applied(
    ref: DatasetRef, kind: Kind, body: bytes, columns: Sequence[Column], place: Place
) -> tuple[Applied, BaseGeometry] | None:
    feature = json.loads(body)
    if not feature.get("geometry"):
        return None
    where = shape(feature["geometry"])
    reach = applying(where, place)
    if reach is None:
        return None
    said: dict[str, Any] = feature["properties"]
    labels = {column.key: text for column in columns if (text := column.label(said.get(column.key)))}
    return Applied(ref, str(feature["id"]), rule_of(kind, said, labels), reach), where
