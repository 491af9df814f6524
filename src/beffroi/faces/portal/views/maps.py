"""The map of the town, the same content as a list, and the sheet of each thing."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.kernel.words import folded
from beffroi.faces.portal.directory import territory_of, town_datasets
from beffroi.faces.portal.mapping import base_layers, shown_title, town_map_config
from beffroi.faces.portal.sheets import name_column, read_sheet
from beffroi.faces.portal.tables import AskedTable, asked_table
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.overlays import open_overlays, overlay_config
from beffroi.faces.shell.themes import Theme, theme
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef, DatasetSummary

# Coordinates, internal numbers and dates of handling tell nobody what a thing is.
UNTOLD = re.compile(
    r"^(?:x|y|z|id|fid|gid|objectid)$|(?:^|_)(?:lon|lat|long|coor\w*|xy|id|uuid|maj|shape|geom)(?:_|\d*$)"
)


def _by_theme(datasets: list[DatasetSummary]) -> list[tuple[Theme, list[DatasetSummary]]]:
    groups: dict[str, list[DatasetSummary]] = defaultdict(list)
    for one in datasets:
        groups[one.theme].append(one)
    return sorted(((theme(slug), group) for slug, group in groups.items()), key=lambda pair: folded(pair[0].title))


@open_to(EVERYONE)
@require_safe
def town_map(request: HttpRequest) -> HttpResponse:
    """Show the map of the town with a panel of layers; the panel is a list of links without JavaScript."""
    request = cast(Request, request)
    mapped = [one for one in town_datasets(request) if one.geometry_type]
    base = {summary.ref.slug for summary in base_layers(mapped).values()}
    overlays = open_overlays(request)
    context = {
        "config": town_map_config(request.viewer, request.commune, mapped, overlays=overlays),
        "overlays": [overlay_config(one) for one in overlays],
        "groups": _by_theme([one for one in mapped if one.ref.slug not in base]),
        "base_groups": [(one, shown_title(one)) for one in mapped if one.ref.slug in base],
        "count": len(mapped),
    }
    return render(request, "portal/map.html", context)


@open_to(EVERYONE)
@require_safe
def town_list(request: HttpRequest) -> HttpResponse:
    """Give the content of the map as lists: the layers, then the things of the layer `couche`."""
    request = cast(Request, request)
    mapped = [one for one in town_datasets(request) if one.geometry_type]
    slug = request.GET.get("couche", "")
    context: dict[str, object] = {"groups": _by_theme(mapped), "count": len(mapped), "chosen": None}
    if slug:
        ref = DatasetRef(territory_of(request), slug)
        detail = lake.dataset(request.viewer, ref)
        named = name_column(detail.columns)
        asked = asked_table(request.viewer, ref, detail, request.GET)
        context |= {"chosen": detail.summary, "asked": asked, "items": _items(asked, named.key if named else "")}
    return render(request, "portal/map_list.html", context)


def _items(asked: AskedTable, name_key: str) -> list[dict[str, object]]:
    """Return each row as a name and two or three particulars."""
    keys = [column.key for column in asked.columns]
    place = keys.index(name_key) if name_key in keys else None
    items: list[dict[str, object]] = []
    for number, (feature_id, cells) in enumerate(asked.rows, start=asked.first):
        named = (
            cells[place].text if place is not None and cells[place].text != "–" else _("Élément {n}").format(n=number)
        )
        told = [
            (column.title, value.text)
            for column, value in zip(asked.columns, cells, strict=True)
            if value.text != "–" and column.key != name_key and not UNTOLD.search(column.key)
        ]
        items.append({"id": feature_id, "name": named, "facts": told[:3]})
    return items


@open_to(EVERYONE)
@require_safe
def sheet(request: HttpRequest, territory: str, slug: str, feature_id: str) -> HttpResponse:
    """Tell all that the lake knows of one thing; `fragment` asks for the sheet alone, for the panel of the map."""
    request = cast(Request, request)
    ref = DatasetRef(territory, slug)
    version = request.GET.get("version") or None
    detail = lake.dataset(request.viewer, ref, version=version)
    feature = lake.feature(request.viewer, ref, feature_id, version=version)
    context = {
        "detail": detail,
        "summary": detail.summary,
        "sheet": read_sheet(feature, detail, feature_id=feature_id),
        "feature_id": feature_id,
        "trail": [
            (_("Données"), reverse("portal:datasets")),
            (detail.summary.title, reverse("portal:dataset", args=[territory, slug])),
        ],
    }
    template = "portal/sheet_fragment.html" if "fragment" in request.GET else "portal/sheet.html"
    return render(request, template, context)
