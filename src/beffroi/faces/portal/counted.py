"""A service whose data are reserved: what the public is told is counts by cell; those entitled see the points too."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import shapely
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from beffroi.base.catalogue.definition import UseCase
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.words import folded
from beffroi.faces.portal.directory import town_datasets
from beffroi.faces.portal.mapping import base_layers, shown_title, synthesis_map
from beffroi.faces.portal.sheets import name_column, told
from beffroi.faces.portal.still import Still, still_of
from beffroi.faces.portal.synthesis import CLASSES, bounds_of, ranges
from beffroi.faces.shell.access import Request
from beffroi.faces.shell.overlays import Mark
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake import queries as lake
from beffroi.lake.aggregating import UNTOLD, period_end
from beffroi.lake.cql import AllOf, Between, Compare, Condition, Property
from beffroi.lake.public_view import PublicView, view_options
from beffroi.lake.queries import DatasetDetail, DatasetSummary
from beffroi.lake.reading import GEOMETRY

ENGINE, PERIOD = "layers", "periode"
MOST_POINTS, MOST_LISTED = 5_000, 100
POINT_COLOUR = "#8a1c1c"
_PLACED = frozenset({"longitude", "latitude", "lon", "lat", "x", "y"})


class NotOffered(BeffroiError):
    """The address asks for a value that is not among those offered."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing the reader chooses by: its values, and the one chosen (empty for all)."""

    key: str
    title: str
    values: tuple[str, ...]
    chosen: str


@dataclass(frozen=True, slots=True)
class CellFigure:
    """One cell: where it is, how many were counted, and what is told apart of them, by period."""

    code: str
    sector: str
    count: int
    periods: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    shape: bytes

    @property
    def name(self) -> str:
        """Return the cell as a list names it."""
        return _("{sector}, carreau {code}").format(sector=self.sector, code=self.code) if self.sector else self.code


@dataclass(frozen=True, slots=True)
class ListedPoint:
    """One thing that only those entitled see."""

    id: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ShownCounts:
    """What the page of the service shows; `points` is None for those who may not see them."""

    summary: DatasetSummary
    title: str
    view: PublicView
    choices: tuple[Choice, ...]
    cells: tuple[CellFigure, ...]
    untold: int
    marks: tuple[Mark, ...]
    map: str
    still: Still | None
    points: DatasetSummary | None = None
    listed: tuple[ListedPoint, ...] = ()
    points_count: int = 0

    @property
    def point_colour(self) -> str:
        """Return the colour of the points on the map."""
        return POINT_COLOUR

    @property
    def total(self) -> int:
        """Return how many were counted in the cells shown."""
        return sum(one.count for one in self.cells)


@dataclass(frozen=True, slots=True)
class _Told:
    summary: DatasetSummary
    view: PublicView
    choices: tuple[Choice, ...]
    rows: tuple[Mapping[str, Any], ...]
    untold: int
    start: date | None


def shown_counts(request: Request, use_case: UseCase) -> ShownCounts | None:
    """Return what a use case tells of reserved data, None when it has no counted view or none has appeared yet.

    Raises:
        NotOffered: the address asks for a value that nobody offers.
    """
    known = town_datasets(request)
    read = _told(request, use_case, known)
    if read is None:
        return None
    cells = _cells(request, read, known)
    points = points_of(request, use_case, known)
    query = {one.key: one.chosen for one in read.choices if one.chosen}
    marks = ranges(_bounds(cells))
    overlays = [_cells_overlay(use_case, query, marks)]
    listed: tuple[ListedPoint, ...] = ()
    count = 0
    if points is not None:
        overlays.append(_points_overlay(use_case, query, points))
        listed, count = _listed(request, points, read)
    mapped = [one for one in known if one.geometry_type]
    named = _("Carte des nombres par carreau.")
    drawn = synthesis_map(request.viewer, mapped, read.summary, overlays=overlays, named=named)
    still = still_of(request.viewer, base_layers(mapped), [read.summary], read.summary.bbox)
    return ShownCounts(
        read.summary, shown_title(read.summary), read.view, read.choices, cells, read.untold, marks, drawn, still,
        points, listed, count,
    )  # fmt: skip


def points_of(request: Request, use_case: UseCase, known: list[DatasetSummary]) -> DatasetSummary | None:
    """Return the reserved dataset itself, None for those who may not read it."""
    slug = use_case.settings[ENGINE].datasets[0]
    return next((one for one in known if one.ref.slug == slug), None)


def _told(request: Request, use_case: UseCase, known: list[DatasetSummary]) -> _Told | None:
    settings = use_case.settings.get(ENGINE)
    slug = settings.counted if settings is not None else ""
    summary = next((one for one in known if one.ref.slug == slug), None) if slug else None
    if summary is None:
        return None
    detail = lake.dataset(request.viewer, summary.ref)
    view = view_options(detail.definition.get("public_view"))
    if view is None:
        return None
    keys = ("carreau", PERIOD, "debut", *view.by, "nombre", GEOMETRY)
    found = lake.rows(request.viewer, summary.ref, columns=keys)
    rows = [dict(zip(keys, row, strict=True)) for row in found.rows]
    choices = _choices(request, detail, view, rows)
    chosen = {one.key: one.chosen for one in choices if one.chosen}
    in_period = [row for row in rows if chosen.get(PERIOD) in (None, row[PERIOD])]
    kept = [row for row in in_period if all(row[key] == value for key, value in chosen.items())]
    by_column = [key for key in view.by if key in chosen]
    untold = sum(row["nombre"] for row in in_period if any(row[key] == UNTOLD for key in by_column))
    start = next((row["debut"] for row in rows if row[PERIOD] == chosen.get(PERIOD)), None)
    return _Told(summary, view, choices, tuple(kept), untold, start)


def _choices(
    request: Request, detail: DatasetDetail, view: PublicView, rows: list[dict[str, Any]]
) -> tuple[Choice, ...]:
    titles = {column.key: column.title for column in detail.columns}
    offered = []
    for key in (PERIOD, *view.by):
        values = sorted({row[key] for row in rows} - {UNTOLD}, key=folded, reverse=key == PERIOD)
        chosen = request.GET.get(key, "")
        if chosen and chosen not in values:
            raise NotOffered(
                gettext_noop("« {value} » n’est pas proposé"),
                where=key,
                remedy=gettext_noop("choisissez dans la liste"),
                value=chosen[:60],
            )
        offered.append(Choice(key, titles[key], tuple(values), chosen))
    return tuple(offered)


def _cells(request: Request, read: _Told, known: list[DatasetSummary]) -> tuple[CellFigure, ...]:
    sums: Counter[str] = Counter()
    parts: dict[str, dict[str, Counter[str]]] = {}
    shapes: dict[str, bytes] = {}
    for row in read.rows:
        code = row["carreau"]
        sums[code] += row["nombre"]
        said = ", ".join(row[key] for key in read.view.by if row[key] != UNTOLD) or _("sans détail")
        parts.setdefault(code, {}).setdefault(row[PERIOD], Counter())[said] += row["nombre"]
        shapes[code] = row[GEOMETRY]
    sectors = _sectors(request, shapes, known)
    return tuple(
        CellFigure(code, sectors.get(code, ""), count, _by_period(parts[code]), shapes[code])
        for code, count in sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    )


def _by_period(parts: Mapping[str, Counter[str]]) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    return tuple((period, tuple(parts[period].most_common())) for period in sorted(parts, reverse=True))


def _bounds(cells: tuple[CellFigure, ...]) -> tuple[float, ...]:
    """Return where the classes end, in whole numbers: things are counted."""
    return tuple(sorted({float(int(bound)) for bound in bounds_of([one.count for one in cells])}))


def _sectors(request: Request, shapes: Mapping[str, bytes], known: list[DatasetSummary]) -> dict[str, str]:
    """Return the name of the district that holds the middle of each cell, where there is one."""
    districts = base_layers([one for one in known if one.geometry_type]).get("districts")
    if districts is None or not shapes:
        return {}
    named = name_column(lake.dataset(request.viewer, districts.ref).columns)
    page = lake.features(request.viewer, districts.ref, limit=1_000)
    read = [one for one in map(json.loads, page.features) if named is not None and one["geometry"]]
    areas = [shapely.geometry.shape(one["geometry"]) for one in read]
    middles = shapely.centroid(shapely.from_wkb(list(shapes.values())))
    inside, holding = shapely.STRtree(areas).query(middles, predicate="within") if areas else ((), ())
    codes = list(shapes)
    key = named.key if named else ""
    return {codes[at]: str(read[area]["properties"].get(key) or "") for at, area in zip(inside, holding, strict=True)}


def _condition(read: _Told) -> Condition | None:
    """Return what the points must meet, as the choices say."""
    parts: list[Condition] = [
        Compare("=", Property(one.key), one.chosen) for one in read.choices if one.chosen and one.key != PERIOD
    ]
    if read.start is not None:
        last = date.fromordinal(period_end(read.start, read.view.period).toordinal() - 1)
        parts.append(Between(Property(read.view.date), read.start.isoformat(), last.isoformat()))
    return AllOf(tuple(parts)) if len(parts) > 1 else parts[0] if parts else None


def _points(request: Request, points: DatasetSummary, read: _Told, most: int) -> tuple[list[dict[str, Any]], int]:
    found = lake.found_features(lake.seen_dataset(request.viewer, points.ref), where=_condition(read), limit=most)
    return json.loads(b"[" + found.joined + b"]"), found.matched


def _listed(request: Request, points: DatasetSummary, read: _Told) -> tuple[tuple[ListedPoint, ...], int]:
    columns = [
        one for one in lake.dataset(request.viewer, points.ref).columns if one.key not in ("longitude", "latitude")
    ]
    found, count = _points(request, points, read, MOST_LISTED)
    listed = [
        ListedPoint(str(one["id"]), tuple((c.title, told(one["properties"].get(c.key), c).text) for c in columns))
        for one in found
    ]
    return tuple(listed), count


def cells_drawn(request: Request, use_case: UseCase) -> dict[str, Any]:
    """Return the cells as GeoJSON, each with its class and its number written on it."""
    known = town_datasets(request)
    read = _told(request, use_case, known)
    cells = _cells(request, read, known) if read is not None else ()
    bounds = _bounds(cells)
    features = [
        {
            "type": "Feature",
            "id": one.code,
            "geometry": json.loads(shapely.to_geojson(shapely.from_wkb(one.shape))),
            "properties": {
                "classe": str(sum(one.count > bound for bound in bounds)),
                "title": f"{one.name} : {number(one.count)}",
                "label": number(one.count),
                "url": f"#carreau-{one.code}",
            },
        }
        for one in cells
    ]
    return {"type": "FeatureCollection", "features": features}


def points_drawn(request: Request, use_case: UseCase) -> dict[str, Any]:
    """Return the points as GeoJSON to those who may read them, nothing to others."""
    known = town_datasets(request)
    points, read = points_of(request, use_case, known), _told(request, use_case, known)
    features = []
    if points is not None and read is not None:
        for one in _points(request, points, read, MOST_POINTS)[0]:
            said = [str(one["properties"].get(key) or "") for key in (*read.view.by, read.view.date)]
            one["properties"] = {
                "title": ", ".join(text for text in said if text),
                "url": reverse("portal:sheet", args=[points.ref.territory, points.ref.slug, one["id"]]),
            }
            features.append(one)
    return {"type": "FeatureCollection", "features": features}


def _cells_overlay(use_case: UseCase, query: Mapping[str, str], marks: tuple[Mark, ...]) -> dict[str, Any]:
    return _overlay("comptes", _("Nombres par carreau"), "portal:counts-geojson", use_case, query, "#liste") | {
        "property": "classe",
        "marks": [[mark.value, mark.label, mark.colour] for mark in marks] or [["", "", CLASSES[0]]],
    }


def _points_overlay(use_case: UseCase, query: Mapping[str, str], points: DatasetSummary) -> dict[str, Any]:
    title = shown_title(points)
    return _overlay("points", title, "portal:counts-points", use_case, query, "#points") | {
        "property": "",
        "marks": [["", title, POINT_COLOUR]],
    }


def _overlay(
    slug: str, title: str, address: str, use_case: UseCase, query: Mapping[str, str], listed: str
) -> dict[str, Any]:
    url = reverse(address, args=[use_case.id])
    return {
        "id": slug,
        "title": title,
        "url": f"{url}?{urlencode(query)}" if query else url,
        "list": listed,
        "byBox": False,
        "refreshS": 0,
        "shown": True,
    }
