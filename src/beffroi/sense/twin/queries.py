"""The buildings of a town in three dimensions, as a reader may see them, in a zone and on a day.

A building comes from a dataset that gives its real surfaces (level of detail 2: CityGML, CityJSON, IFC), else from the
town's footprints, raised to their height. Rights are those of the lake: what the reader may not read is not here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef, DatasetSummary
from beffroi.lake.reading import SURFACES
from beffroi.lake.volumes import Volume, read
from beffroi.sense.twin.blocks import raised
from beffroi.sense.twin.heights import GROUNDS, height_of, number_of

MOST_BUILDINGS = 20_000
_PAGE = 5_000
SAME = 0.5
"""Share of a footprint that a detailed building must cover to stand in its place."""

_BUILDINGS = re.compile(r"(?:^|-)(?:batiments?|bati|buildings?)(?:-|$)")
_THEME = "batiments"


class ZoneTooLarge(BeffroiError):
    """More buildings than one answer holds."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """A building as the lake serves it: `values` are the attributes the reader may see, `shape` its footprint."""

    ref: DatasetRef
    id: str
    values: dict[str, Any]
    shape: BaseGeometry
    surfaces: str | None

    @property
    def key(self) -> str:
        """Return the name of the building among all those of the territory."""
        return f"{self.ref.slug}.{self.id}"


@dataclass(frozen=True, slots=True)
class Building:
    """A building in space; `is_block` when it is a footprint raised, `is_supposed` when its height is not measured."""

    footprint: Footprint
    volume: Volume
    is_block: bool
    is_supposed: bool


@dataclass(frozen=True, slots=True)
class Sources:
    """The datasets a town's model is made of: those with real surfaces, and the one that covers the town."""

    detailed: tuple[DatasetSummary, ...]
    footprints: DatasetSummary | None

    @property
    def all(self) -> tuple[DatasetSummary, ...]:
        """Return every dataset, each once."""
        own = self.footprints
        return self.detailed if own is None or own in self.detailed else (*self.detailed, own)

    @property
    def bbox(self) -> BBox | None:
        """Return the box of all of them, None when none is located."""
        boxes = [one.bbox for one in self.all if one.bbox]
        if not boxes:
            return None
        wests, souths, easts, norths = zip(*boxes, strict=True)
        return BBox(min(wests), min(souths), max(easts), max(norths))


def sources(viewer: Viewer, territory: str, *, at: datetime | None = None) -> Sources:
    """Return what the model of a territory is made of today, or as it was known at a moment."""
    known = [one for one in lake.datasets(viewer, territory=territory) if one.geometry_type]
    if at is not None:
        known = [past for one in known if (past := _known_at(viewer, one, at)) is not None]
    return Sources(tuple(one for one in known if one.has_volumes), town_buildings(known))


def is_in_model(viewer: Viewer, summary: DatasetSummary) -> bool:
    """Tell whether the model of its territory is made of this dataset, with others or not."""
    return any(one.ref == summary.ref for one in sources(viewer, summary.ref.territory).all)


def town_buildings(datasets: Iterable[DatasetSummary]) -> DatasetSummary | None:
    """Return the dataset of the town's buildings: one of their theme first, not the cadastre's (it knows no height),
    then the one with the most rows.
    """
    able = [one for one in datasets if names_buildings(one.ref.slug) and _is_areas(one)]
    return max(
        able, key=lambda one: (one.theme == _THEME, "cadastre" not in one.ref.slug, one.rows, one.ref), default=None
    )


def names_buildings(slug: str) -> bool:
    """Tell whether a dataset of this name is one of buildings."""
    return _BUILDINGS.search(slug) is not None


def _is_areas(summary: DatasetSummary) -> bool:
    return (summary.geometry_type or "").removeprefix("Multi") == "Polygon"


def _known_at(viewer: Viewer, summary: DatasetSummary, at: datetime) -> DatasetSummary | None:
    found = next((past for past in lake.versions(viewer, summary.ref) if past.created_at <= at), None)
    if found is None or found.is_current:
        return summary if found else None
    return lake.dataset(viewer, summary.ref, version=found.version).summary


def buildings(viewer: Viewer, known: Sources, bbox: BBox) -> list[Building]:
    """Return the buildings whose box meets `bbox`: each detailed one, and blocks where there is none.

    Raises:
        ZoneTooLarge: more than `MOST_BUILDINGS`.
    """
    found = [one for summary in known.detailed for one in detailed(viewer, summary, bbox)]
    if known.footprints is not None and known.footprints not in known.detailed:
        others = footprints(viewer, known.footprints, bbox)
        hidden = stands_for([one.footprint for one in found], others)
        found += [_block(one, known.footprints.ref.territory) for one in others if one.id not in hidden]
    if len(found) > MOST_BUILDINGS:
        raise _too_many()
    return found


def detailed(viewer: Viewer, summary: DatasetSummary, bbox: BBox) -> list[Building]:
    """Return the buildings of one dataset that have their real surfaces and whose box meets `bbox`.

    Raises:
        ZoneTooLarge: more than `MOST_BUILDINGS`.
    """
    found = footprints(viewer, summary, bbox)
    return [Building(one, read(one.surfaces), is_block=False, is_supposed=False) for one in found if one.surfaces]


def replaced(viewer: Viewer, found: Sequence[Building], blocks: DatasetSummary) -> list[str]:
    """Return the ids of the buildings of `blocks` that those of `found` stand in place of, in order."""
    if not found:
        return []
    west, south, east, north = shapely.total_bounds([one.footprint.shape for one in found]).tolist()
    others = footprints(viewer, blocks, BBox(west, south, east, north))
    return sorted(stands_for([one.footprint for one in found], others))


def footprints(viewer: Viewer, summary: DatasetSummary, bbox: BBox) -> list[Footprint]:
    """Return the footprints of one dataset whose box meets `bbox`.

    Raises:
        ZoneTooLarge: more than `MOST_BUILDINGS`.
    """
    found: list[Footprint] = []
    after: str | None = None
    while True:
        page = lake.features(viewer, summary.ref, version=summary.version, bbox=bbox, limit=_PAGE, after=after)
        found += [one for body in page.features if (one := footprint_of(summary.ref, body)) is not None]
        after = page.next_cursor
        if len(found) > MOST_BUILDINGS:
            raise _too_many()
        if after is None:
            return found


def footprint_of(ref: DatasetRef, body: bytes) -> Footprint | None:
    """Return the building of a GeoJSON feature, None when it has no area."""
    feature = json.loads(body)
    if not feature["geometry"] or "Polygon" not in feature["geometry"]["type"]:
        return None
    values: dict[str, Any] = feature["properties"]
    return Footprint(ref, str(feature["id"]), values, shape(feature["geometry"]), values.pop(SURFACES, None))


def stands_for(detailed: Sequence[Footprint], others: Sequence[Footprint]) -> set[str]:
    """Return the ids of the `others` that a detailed building stands in place of: it covers `SAME` of them at least.

    Areas are compared in degrees: only their ratio counts, and it is the same in metres.
    """
    if not detailed or not others:
        return set()
    shapes = shapely.make_valid([one.shape for one in detailed])
    tree = shapely.STRtree(shapes)
    mine = shapely.make_valid([one.shape for one in others])
    found: set[str] = set()
    for number, near in zip(*tree.query(mine, predicate="intersects"), strict=True):
        whole = mine[number].area
        if whole and shapely.intersection(mine[number], shapes[near]).area >= SAME * whole:
            found.add(others[number].id)
    return found


def _block(one: Footprint, territory: str) -> Building:
    height = height_of(one.values)
    base = number_of(one.values, GROUNDS)
    if base is None:
        at = one.shape.representative_point()
        base = lake.altitude_m(territory, lon=at.x, lat=at.y) or 0.0
    volume = raised(one.shape, base_m=base, height_m=height.metres)
    return Building(one, volume, is_block=True, is_supposed=height.is_supposed)


def centred_in(found: Iterable[Building], bbox: BBox) -> list[Building]:
    """Return the buildings whose box has its middle in `bbox` (its north and east sides left out): each in one tile."""
    return [one for one in found if _middle_in(one.footprint.shape, bbox)]


def _middle_in(form: BaseGeometry, bbox: BBox) -> bool:
    west, south, east, north = form.bounds
    lon, lat = (west + east) / 2, (south + north) / 2
    return bbox.west <= lon < bbox.east and bbox.south < lat <= bbox.north


def _too_many() -> ZoneTooLarge:
    return ZoneTooLarge(
        "plus de {limit} bâtiments dans cette zone",
        where="bbox",
        remedy="demandez une zone plus petite, ou les tuiles 3D de toute la commune",
        limit=MOST_BUILDINGS,
    )


__all__ = [
    "MOST_BUILDINGS",
    "Building",
    "Footprint",
    "Sources",
    "ZoneTooLarge",
    "buildings",
    "centred_in",
    "detailed",
    "footprint_of",
    "footprints",
    "replaced",
    "sources",
    "stands_for",
    "town_buildings",
]
