"""Three ready views of the same layers (G-02): the resident's, the technician's, the official's.

The queries cut what each reader receives; these views only choose what to show first. Whoever opens another's view
without the right is stopped at the door, and no view holds more than its reader may read elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import cast

import shapely
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import operations, queries
from beffroi.base.kernel.time import PARIS
from beffroi.base.territory import queries as territory
from beffroi.base.territory.queries import ZoneInfo
from beffroi.base.territory.viewer import Role, Viewer
from beffroi.faces.portal.directory import territory_of, town_datasets
from beffroi.faces.portal.finding import folded
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.themes import Theme, theme
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef, DatasetSummary, QueryTooCostly, TilesState
from beffroi.lake.reading import GEOMETRY

OWN_ID = "G-02"
DISTRICTS = ("quartier", "quartiers")
MOST_LAYERS = 8
MOST_ROWS = 60_000


@dataclass(frozen=True, slots=True)
class TechnicianLayer:
    """A layer as who works on it looks at it: what is reserved in it, how old it is, whether its map is ready."""

    summary: DatasetSummary
    reserved: tuple[str, ...]
    days: int
    is_ready: bool


@dataclass(frozen=True, slots=True)
class DistrictLine:
    """One district and how many things of each layer stand in it, in the order of the layers."""

    name: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The town by district (macro); each column opens its own table (micro)."""

    layers: tuple[DatasetSummary, ...]
    districts: tuple[DistrictLine, ...]
    elsewhere: tuple[int, ...]

    @property
    def totals(self) -> tuple[int, ...]:
        """Return the total of each layer."""
        return tuple(one.rows for one in self.layers)


def _placed(request: Request) -> list[DatasetSummary]:
    return [one for one in town_datasets(request) if one.geometry_type]


def _counted(request: Request) -> None:
    code = territory_of(request)
    if code:
        audience = queries.audience_of(request.viewer, code)
        operations.count_use(OWN_ID, code, timezone.now(), audience=audience)


@open_to(EVERYONE)
@require_safe
def views(request: HttpRequest) -> HttpResponse:
    """Show the three views and which of them this reader may open."""
    request = cast(Request, request)
    code = territory_of(request)
    _counted(request)
    staff = any(request.viewer.has(role, code) for role in (Role.AGENT, Role.ADMINISTRATOR))
    officials = any(request.viewer.has(role, code) for role in (Role.ELECTED, Role.ADMINISTRATOR))
    return render(request, "portal/views/list.html", {"staff": staff, "officials": officials})


@open_to(EVERYONE)
@require_safe
def resident(request: HttpRequest) -> HttpResponse:
    """Show the public layers by theme, in plain words, each on the map and as a list."""
    request = cast(Request, request)
    _counted(request)
    groups: dict[Theme, list[DatasetSummary]] = {}
    for one in _placed(request):
        if one.access == "public":
            groups.setdefault(theme(one.theme), []).append(one)
    ordered = sorted(groups.items(), key=lambda item: folded(item[0].title))
    return render(request, "portal/views/resident.html", {"groups": ordered})


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def technician(request: HttpRequest) -> HttpResponse:
    """Show every layer the agent may read, the stalest first, with what in it is reserved."""
    request = cast(Request, request)
    _counted(request)
    today = timezone.localdate()
    layers = [_worked_on(request.viewer, one, today) for one in _placed(request)]
    layers.sort(key=lambda one: (one.is_ready, -one.days, folded(one.summary.title)))
    return render(request, "portal/views/technician.html", {"layers": layers, "at": timezone.now()})


def _worked_on(viewer: Viewer, one: DatasetSummary, today: date) -> TechnicianLayer:
    columns = lake.dataset(viewer, one.ref).columns
    reserved = tuple(column.title or column.key for column in columns if column.access != "public")
    age = (today - one.updated_at.astimezone(PARIS).date()).days
    return TechnicianLayer(one, reserved, max(0, age), lake.tiles_state(viewer, one.ref) is TilesState.READY)


@open_to(Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def official(request: HttpRequest) -> HttpResponse:
    """Show the town by district, and lead from each column to the places behind it."""
    request = cast(Request, request)
    _counted(request)
    code = territory_of(request)
    zones = [zone for kind in DISTRICTS for zone in territory.zones(code, kind)] if code else []
    points = [one for one in _placed(request) if one.geometry_type == "Point"]
    layers = sorted(points, key=lambda one: -one.rows)[:MOST_LAYERS]
    summary = _by_district(request.viewer, layers, zones) if zones else None
    return render(request, "portal/views/official.html", {"summary": summary, "layers": layers})


def _by_district(viewer: Viewer, layers: Sequence[DatasetSummary], zones: Sequence[ZoneInfo]) -> Summary:
    shapes = tuple(zone.shape for zone in zones)
    shown, columns = [], []
    for one in layers:
        try:
            counts = _counts(viewer, one.ref, one.version, shapes)
        except (QueryTooCostly, lake.BadQuery):
            # More points than a page may read: the column is left out rather than guessed.
            continue
        shown.append(one)
        columns.append(counts)
    lines = [DistrictLine(zone.name, tuple(column[row] for column in columns)) for row, zone in enumerate(zones)]
    elsewhere = tuple(max(0, one.rows - sum(column)) for one, column in zip(shown, columns, strict=True))
    return Summary(tuple(shown), tuple(sorted(lines, key=lambda line: folded(line.name))), elsewhere)


@lru_cache(maxsize=128)
def _counts(viewer: Viewer, ref: DatasetRef, version: str, shapes: tuple[bytes, ...]) -> tuple[int, ...]:
    """Return how many points of a version stand in each shape; an immutable version is counted once per reader."""
    found = lake.rows(viewer, ref, columns=[GEOMETRY], version=version, max_rows=MOST_ROWS)
    points = shapely.from_wkb([row[0] for row in found.rows if row[0] is not None])
    tree = shapely.STRtree(points)
    return tuple(len(tree.query(shapely.from_wkb(shape), predicate="covers")) for shape in shapes)


def titles() -> dict[str, str]:
    """Return the three views and what each is called, for the menus of other pages."""
    return {
        "portal:view-resident": _("Vue habitant"),
        "portal:view-technician": _("Vue technicien"),
        "portal:view-official": _("Vue élu"),
    }
