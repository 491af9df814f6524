"""A layer by district: a map in five classes or two maps of two days, and the table they are drawn from."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.faces.portal.directory import town_datasets
from beffroi.faces.portal.mapping import base_layers, shown_title, synthesis_map
from beffroi.faces.portal.showing import asked_day, by_theme
from beffroi.faces.portal.synthesis import NoSynthesis, Synthesis, drawn, measures_of, overlay_of, synthesis
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetSummary

_ASKED = ("couche", "mesure", "date", "avant")


def _asked(request: Request, mapped: list[DatasetSummary]) -> Synthesis:
    return synthesis(
        request,
        mapped,
        slug=request.GET.get("couche", ""),
        measure=request.GET.get("mesure", "") or "nombre",
        day=asked_day(request.GET.get("date", "")),
        before=asked_day(request.GET.get("avant", "")),
    )


@open_to(EVERYONE)
@require_safe
def synthesis_page(request: HttpRequest) -> HttpResponse:
    """Sum up the layer `couche` by district (`mesure`), on `date`, beside `avant` when an earlier day is given."""
    request = cast(Request, request)
    mapped = [one for one in town_datasets(request) if one.geometry_type]
    districts = base_layers(mapped).get("districts")
    layers = [one for one in mapped if one != districts]
    context: dict[str, Any] = {
        "groups": [(theme, [(one, shown_title(one)) for one in group]) for theme, group in by_theme(layers)],
        "asked": {name: request.GET.get(name, "") for name in _ASKED},
        "has_districts": districts is not None,
        "told": None,
    }
    if request.GET.get("couche"):
        context |= _told(request, mapped, districts)
    return render(request, "portal/synthesis.html", context)


def _told(request: Request, mapped: list[DatasetSummary], districts: DatasetSummary | None) -> dict[str, Any]:
    told = _asked(request, mapped)
    query = {name: request.GET[name] for name in _ASKED if request.GET.get(name)}
    moments = [True, False] if told.before else [False]
    maps = []
    for earlier in moments:
        day = told.before if earlier else told.day
        named = _("Carte des quartiers, {day}.").format(day=date_format(day, "j F Y") if day else _("aujourd’hui"))
        overlay = overlay_of(told, query, earlier=earlier)
        maps.append((day, synthesis_map(request.viewer, mapped, districts, overlays=[overlay], named=named)))
    detail = lake.dataset(request.viewer, told.layer.ref, version=told.layer.version)
    return {"told": told, "maps": maps, "measures": measures_of(detail)}


@open_to(EVERYONE)
@require_safe
def synthesis_geojson(request: HttpRequest) -> JsonResponse:
    """Answer the districts of a synthesis with their classes; `jour=avant` for the earlier day."""
    request = cast(Request, request)
    mapped = [one for one in town_datasets(request) if one.geometry_type]
    told, districts = _asked(request, mapped), base_layers(mapped).get("districts")
    if districts is None:
        raise NoSynthesis("la commune n’a pas de quartiers", remedy="importez leurs contours")
    payload = drawn(request, told, districts, earlier=request.GET.get("jour") == "avant")
    return JsonResponse(payload, json_dumps_params={"ensure_ascii": False}, content_type="application/geo+json")
