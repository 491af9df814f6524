"""The known things near a point: this lamp, this tree, this building."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely
from django.urls import reverse
from shapely.geometry import Point, Polygon, shape

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.buildings import building_title, is_building
from beffroi.faces.portal.mapping import shown_title
from beffroi.faces.portal.sheets import first_told, name_column
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef, DatasetSummary

MOST_EACH = 40
MOST_INSIDE = 2_000
"""Things of a dataset counted one by one in a zone: anyone may ask, of the whole town."""

METRES_PER_DEGREE = 111_320.0
"""Of latitude, to 0.6 % anywhere: boxes to look in are taken a little wider."""


@dataclass(frozen=True, slots=True)
class NearThing:
    """A thing of the lake and how far it is, in metres; `lon`, `lat` (CRS84) is its point nearest to the asker.

    `title` names it even where its dataset does not; `facts` are its first ones, with their units; `producer` and `day`
    are those of the dataset, `layer` its title.
    """

    ref: DatasetRef
    layer: str
    id: str
    name: str
    distance_m: float
    size_m2: float
    lon: float
    lat: float
    title: str
    facts: tuple[tuple[str, str], ...]
    producer: str
    day: datetime

    @property
    def key(self) -> str:
        """Return the thing as forms name it."""
        return f"{self.ref.slug}/{self.id}"

    @property
    def page(self) -> str:
        """Return the address of its sheet."""
        return reverse("portal:sheet", args=[self.ref.territory, self.ref.slug, self.id])


def near_things(
    viewer: Viewer, datasets: Iterable[DatasetSummary], *, lon: float, lat: float, radius_m: float
) -> list[NearThing]:
    """Return what the reader may see of `datasets` within `radius_m` of a point (CRS84 degrees), nearest first.

    Of two that hold the point, the smaller comes first: the house before its district.

    Distances are taken on a plane that touches the globe at the point: within 0.3 % at such scales.
    """
    east_m = METRES_PER_DEGREE * math.cos(math.radians(lat))
    reach_lat, reach_lon = 1.01 * radius_m / METRES_PER_DEGREE, 1.01 * radius_m / max(east_m, 1.0)
    box = BBox(lon - reach_lon, lat - reach_lat, lon + reach_lon, lat + reach_lat)
    found: list[NearThing] = []
    for summary in datasets:
        if summary.geometry_type and (summary.bbox is None or _meet(summary.bbox, box)):
            found += _of_one(viewer, summary, box, lon=lon, lat=lat, east_m=east_m, radius_m=radius_m)
    return sorted(found, key=lambda one: (round(one.distance_m, 2), one.size_m2, one.key))


@dataclass(frozen=True, slots=True)
class Inside:
    """How many things of a layer meet a zone; `more` when there are too many to count one by one."""

    ref: DatasetRef
    layer: str
    count: int
    more: bool


def inside(viewer: Viewer, datasets: Iterable[DatasetSummary], zone: Polygon) -> list[Inside]:
    """Return how many things of each dataset meet a polygon (CRS84), by layer; those that have none are left out."""
    box = BBox(*zone.bounds)
    shapely.prepare(zone)
    counted = []
    for summary in datasets:
        if not summary.geometry_type or (summary.bbox is not None and not _meet(summary.bbox, box)):
            continue
        page = lake.features(viewer, summary.ref, version=summary.version, bbox=box, limit=MOST_INSIDE)
        geometries = (json.loads(body).get("geometry") for body in page.features)
        count = sum(zone.intersects(shape(one)) for one in geometries if one)
        if count:
            counted.append(Inside(summary.ref, shown_title(summary), int(count), page.next_cursor is not None))
    return counted


def _meet(one: BBox, other: BBox) -> bool:
    return one.west <= other.east and other.west <= one.east and one.south <= other.north and other.south <= one.north


def _of_one(
    viewer: Viewer, summary: DatasetSummary, box: BBox, *, lon: float, lat: float, east_m: float, radius_m: float
) -> list[NearThing]:
    page = lake.features(viewer, summary.ref, version=summary.version, bbox=box, limit=MOST_EACH)
    if not page.features:
        return []
    columns = lake.dataset(viewer, summary.ref, version=summary.version).columns
    named, layer = name_column(columns), shown_title(summary)
    things = []
    for body in page.features:
        feature = json.loads(body)
        where = _local(feature.get("geometry"), lon=lon, lat=lat, east_m=east_m)
        if where is None:
            continue
        nearest = shapely.shortest_line(Point(0, 0), where).coords[1]
        if math.hypot(*nearest[:2]) > radius_m:
            continue
        name = str(feature["properties"].get(named.key) or "") if named else ""
        things.append(
            NearThing(
                ref=summary.ref,
                layer=layer,
                id=str(feature["id"]),
                name=name or str(feature["id"]),
                distance_m=math.hypot(*nearest[:2]),
                size_m2=float(where.area),
                lon=lon + nearest[0] / east_m,
                lat=lat + nearest[1] / METRES_PER_DEGREE,
                title=name or _title(summary, feature, layer),
                facts=first_told(feature["properties"], columns, named),
                producer=summary.producer,
                day=summary.updated_at,
            )
        )
    return things


def _title(summary: DatasetSummary, feature: dict[str, Any], layer: str) -> str:
    return building_title(feature["properties"]) if is_building(summary) else f"{layer} · {feature['id']}"


def _local(geometry: dict[str, Any] | None, *, lon: float, lat: float, east_m: float) -> Any:
    """Return a GeoJSON geometry in metres east and north of the point, None when there is none."""
    if not geometry:
        return None
    read = shape(geometry)
    if read.is_empty:
        return None
    return shapely.transform(read, lambda places: (places - (lon, lat)) * (east_m, METRES_PER_DEGREE))
