"""The buildings that water reaches, for who warns and evacuates: schools and care first, then by height of water."""

from __future__ import annotations

import json
from typing import Any, cast

import shapely
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.buildings import use_of
from beffroi.faces.portal.directory import territory_of, town_datasets
from beffroi.faces.portal.floods import named, said
from beffroi.faces.portal.sheets import name_column
from beffroi.faces.shell.access import Request, open_to
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import Floods, Settings
from beffroi.lake.queries import DatasetNotFound, DatasetRef, DatasetSummary
from beffroi.lake.reading import GEOMETRY
from beffroi.sense.twin.floods import Flood, Water, floods
from beffroi.sense.twin.queries import town_buildings

MOST = 500


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def flooded(request: HttpRequest, kind: str, scenario: str) -> HttpResponse:
    """List the places that receive the public, then the buildings, that a scenario reaches."""
    request = cast(Request, request)
    code = territory_of(request)
    service = next((one.use_case for one in catalogue.use_cases(territory=code, states=OPEN_STATES)
                    if (wanted := _wanted(one.use_case.settings)) is not None), None)  # fmt: skip
    datasets = town_datasets(request)
    wanted = _wanted(service.settings) if service else None
    found = floods(request.viewer, datasets, zones=wanted.zones) if wanted else None
    flood = next((one for one in found or () if (one.kind, one.scenario) == (kind, scenario)), None)
    if service is None or wanted is None or flood is None:
        raise Http404
    blocks = town_buildings([one for one in datasets if one.geometry_type])
    order = sorted(flood.buildings.items(), key=lambda pair: (-pair[1].least_m, pair[0]))
    context: dict[str, Any] = {
        "service": service,
        "title": named(flood),
        "public": _public(request, flood, [one for one in datasets if one.ref.slug in wanted.public]),
        "buildings": [_told(request, blocks.ref, one, water) for one, water in order[:MOST]] if blocks else [],
        "more": max(0, len(order) - MOST),
        "trail": [(service.title, f"/services/{service.id}/")],
    }
    return render(request, "portal/flooded.html", context)


def _wanted(settings: Any) -> Floods | None:
    layers: Settings | None = settings.get("layers")
    return layers.floods if layers else None


def _public(request: Request, flood: Flood, datasets: list[DatasetSummary]) -> list[dict[str, Any]]:
    """Return the places that receive the public under water, the deepest first."""
    lines = []
    for one in datasets:
        detail = lake.dataset(request.viewer, one.ref)
        column = name_column(detail.columns)
        if column is None or not one.geometry_type:
            continue
        rows = lake.rows(request.viewer, one.ref, columns=["_id", column.key, GEOMETRY], max_rows=50_000).rows
        placed = [row for row in rows if row[2] is not None]
        if not placed:
            continue
        points = shapely.point_on_surface(shapely.from_wkb([bytes(row[2]) for row in placed]))
        for row, water in zip(placed, flood.at(shapely.get_coordinates(points)), strict=True):
            if water is not None:
                lines.append({"name": row[1], "what": one.title, "ref": one.ref, "id": row[0], "water": said(water),
                              "order": -water.least_m})  # fmt: skip
    return sorted(lines, key=lambda line: (line["order"], str(line["name"])))


def _told(request: Request, ref: DatasetRef, building: str, water: Water) -> dict[str, Any]:
    try:
        use = use_of(json.loads(lake.feature(request.viewer, ref, building))["properties"])
    except DatasetNotFound:
        use = ""
    name = _("Bâtiment à usage {use}").format(use=use) if use else _("Bâtiment")
    return {"id": building, "ref": ref, "name": name, "water": said(water)}
