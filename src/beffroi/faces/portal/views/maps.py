"""The map of the town, the same content as a list, the map for other sites, and the sheet of each thing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from beffroi.base.catalogue.definition import UseCaseNotFound
from beffroi.base.territory.viewer import ANONYMOUS, Role, Viewer
from beffroi.faces.portal.buildings import Story, building_title, is_building, story_of
from beffroi.faces.portal.directories.finding import directory_links
from beffroi.faces.portal.directory import public_service, territory_of, town_datasets
from beffroi.faces.portal.energy import energy_url
from beffroi.faces.portal.layers import told_by
from beffroi.faces.portal.mapping import base_layers, map_of_town, shown_title
from beffroi.faces.portal.painting import asked_painting
from beffroi.faces.portal.reports.offering import acts_on
from beffroi.faces.portal.sheets import UNTOLD, Sheet, first_told, name_column, read_sheet
from beffroi.faces.portal.showing import (
    THEME_FOLDERS,
    Asked,
    asked_box,
    asked_of_map,
    by_theme,
    days_of_change,
    known_on,
    shown_first,
    themes_of_map,
)
from beffroi.faces.portal.tables import AskedTable, asked_table
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.middleware import CONTENT_SECURITY_POLICY
from beffroi.faces.shell.overlays import open_overlays, overlay_config
from beffroi.faces.shell.things import column_words
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetDetail, DatasetRef

IN_BOX = 50
EMBEDDED_POLICY = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")


@open_to(EVERYONE)
@require_safe
def town_map(request: HttpRequest) -> HttpResponse:
    """Show the map of the town with a panel of layers; the panel is a list of links without JavaScript.

    `theme` opens it on a theme, `date` shows what was known at the end of a day.
    """
    request = cast(Request, request)
    asked = asked_of_map(request.GET)
    return render(request, "portal/map.html", _map_context(request, request.viewer, asked))


@open_to(EVERYONE)
@require_safe
@xframe_options_exempt
def embedded_map(request: HttpRequest) -> HttpResponse:
    """Show the map alone, for the pages of other sites: what is public, whoever looks."""
    request = cast(Request, request)
    context = _map_context(request, ANONYMOUS, asked_of_map(request.GET))
    response = render(request, "portal/map_embedded.html", context)
    response.headers["Content-Security-Policy"] = EMBEDDED_POLICY
    return response


def _map_context(request: Request, viewer: Viewer, asked: Asked) -> dict[str, Any]:
    code = territory_of(request)
    known = lake.datasets(viewer, territory=code) if code else []
    mapped = [one for one in known if one.geometry_type]
    old, later = frozenset[str](), 0
    days = days_of_change(viewer, mapped, timezone=request.commune.timezone) if request.commune else []
    if asked.day is not None and request.commune:
        mapped, old, later = known_on(viewer, mapped, asked.day, timezone=request.commune.timezone)
    base = {summary.ref.slug for summary in base_layers(mapped).values()}
    layers = [one for one in mapped if one.ref.slug not in base]
    overlays = open_overlays(request) if viewer == request.viewer and asked.day is None else ()
    shown = shown_first(asked, layers)
    painted = None
    if request.GET.get("batiments"):
        unplaced = [one for one in known if not one.geometry_type]
        painted = asked_painting(viewer, [*mapped, *unplaced], request.GET["batiments"])
    drawn = map_of_town(viewer, request.commune, mapped, overlays=overlays, shown=shown, old=old,
                        paint=painted.config() if painted else None)  # fmt: skip
    kept = {
        "theme": asked.theme,
        "date": asked.day.isoformat() if asked.day else "",
        "batiments": painted.asked if painted else "",
    }
    query = urlencode({key: value for key, value in kept.items() if value})
    theirs = [one for one in layers if one.theme.replace("-", "_") in asked.folders]
    return {
        "config": drawn.config,
        "still": drawn.still,
        "asked": asked,
        "painted": painted,
        "themes": _themes(layers),
        "query": query,
        "embedded": request.build_absolute_uri(reverse("portal:map-embedded") + (f"?{query}" if query else "")),
        "groups": _titled(by_theme(theirs)),
        "other_groups": _titled(by_theme([one for one in layers if one not in theirs])),
        "base_groups": [(one, shown_title(one)) for one in mapped if one.ref.slug in base],
        "overlays": [overlay_config(one) for one in overlays],
        "terrain": lake.relief(code) if code else None,
        "later": later,
        # One day alone is no history.
        "days": [day.isoformat() for day in days] if len(days) > 1 else [],
        "count": len(mapped),
    }


def _themes(layers: list[lake.DatasetSummary]) -> list[tuple[str, str, bool]]:
    """Return the slug and title of each theme, and whether it has a layer for this reader."""
    held = {one.theme.replace("-", "_") for one in layers}
    return [(slug, title, bool(held & THEME_FOLDERS[slug])) for slug, title in themes_of_map()]


def _titled(groups: list[Any]) -> list[Any]:
    return [(theme, [(one, shown_title(one)) for one in layers]) for theme, layers in groups]


@open_to(EVERYONE)
@require_safe
def town_list(request: HttpRequest) -> HttpResponse:
    """Give the content of the map as lists: the layers, then the things of the layer `couche`, in `bbox` if given."""
    request = cast(Request, request)
    mapped = [one for one in town_datasets(request) if one.geometry_type]
    slug, box = request.GET.get("couche", ""), asked_box(request.GET.get("bbox", ""))
    context: dict[str, object] = {"groups": by_theme(mapped), "count": len(mapped), "chosen": None, "box": box}
    if slug:
        ref = DatasetRef(territory_of(request), slug)
        detail = lake.dataset(request.viewer, ref)
        context["chosen"] = detail.summary
        if box is None:
            named = name_column(detail.columns)
            asked = asked_table(request.viewer, ref, detail, request.GET)
            context |= {"asked": asked, "items": _items(asked, named.key if named else "")}
        else:
            page = lake.features(request.viewer, ref, bbox=box, limit=IN_BOX, after=request.GET.get("apres") or None)
            context |= {"items": _items_in_box(page.features, detail), "next": page.next_cursor}
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
        told_of = [
            (column_words(column), f"{value.text} {column.unit or ''}".rstrip())
            for column, value in zip(asked.columns, cells, strict=True)
            if value.text != "–" and column.key != name_key and not UNTOLD.search(column.key)
        ]
        items.append({"id": feature_id, "name": named, "facts": told_of[:3]})
    return items


def _items_in_box(features: tuple[bytes, ...], detail: DatasetDetail) -> list[dict[str, object]]:
    named = name_column(detail.columns)
    items: list[dict[str, object]] = []
    for body in features:
        feature = json.loads(body)
        values = feature["properties"]
        facts = first_told(values, detail.columns, named)
        name = str(values.get(named.key) or "") if named else ""
        number = str(feature["id"])
        items.append({"id": number, "name": name or _("Élément {n}").format(n=number), "facts": facts})
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
    told_of = read_sheet(feature, detail, feature_id=feature_id)
    name, sentence = _told_by_service(request, detail, feature)
    if name:
        told_of = replace(told_of, title=name)
    building = is_building(detail.summary)
    if building and told_of.nameless:
        told_of = titled_building(told_of, feature)
    context = {
        "detail": detail,
        "summary": detail.summary,
        "sheet": told_of,
        "sentence": sentence,
        "story": story_shown(request, detail, feature, told_of) if building else None,
        "is_agent": building and any(request.viewer.has(role, territory) for role in (Role.AGENT, Role.ADMINISTRATOR)),
        "energy_url": energy_url(request, ref, feature_id) if building else "",
        "fragment": "fragment" in request.GET,
        "acts": [
            *directory_links(request, ref, feature_id, told_of.title),
            *acts_on(request, ref, feature_id, told_of),
        ],
        "feature_id": feature_id,
        "may_edit": version is None and lake.may_be_edited(request.viewer, ref),
        "trail": [
            (_("Données"), reverse("portal:datasets")),
            (detail.summary.title, reverse("portal:dataset", args=[territory, slug])),
        ],
    }
    template = "portal/sheet_fragment.html" if "fragment" in request.GET else "portal/sheet.html"
    return render(request, template, context)


def _told_by_service(request: Request, detail: DatasetDetail, feature: bytes) -> tuple[str, str]:
    """Return how the service that the reader comes from (`usage`) names a thing and tells it, empty if not."""
    asked = request.GET.get("usage", "")
    if not asked:
        return "", ""
    try:
        service = public_service(request, asked)
    except UseCaseNotFound:
        return "", ""
    properties = json.loads(feature).get("properties") or {}
    return told_by(service.use_case, detail.summary.ref.slug, properties, detail.columns)


def titled_building(told_of: Sheet, feature: bytes) -> Sheet:
    """Name a building by its use: its number tells nobody which it is, and stands among the facts."""
    return replace(told_of, title=building_title(json.loads(feature)["properties"]))


def story_shown(request: Request, detail: DatasetDetail, feature: bytes, told_of: Sheet) -> Story:
    """Tell the building with what else the lake knows of it."""
    territory = detail.summary.ref.territory
    altitude = None
    if told_of.lon is not None and told_of.lat is not None:
        altitude = lake.altitude_m(territory, lon=told_of.lon, lat=told_of.lat)
    datasets = lake.datasets(request.viewer, territory=territory)
    return story_of(request.viewer, detail, json.loads(feature)["properties"], datasets, altitude_m=altitude)
