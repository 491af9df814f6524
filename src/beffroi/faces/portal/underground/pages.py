"""Under a street, for agents: the networks below the ground on the map, the street cut across, the same as a table."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

import shapely
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.directory import territory_of, town_datasets
from beffroi.faces.portal.mapping import overlay_map
from beffroi.faces.portal.underground.words import cut_of, place_form
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.answers import private
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake.layer_settings import Settings, Underground
from beffroi.lake.queries import DatasetRef
from beffroi.sense.twin.plane import METRES_PER_DEGREE
from beffroi.sense.twin.underground import COLOURS, KINDS, pipes, section

AROUND_M, PITCH = 90.0, 60
WIDEST_DEG = 0.06
"""A box wider than this holds too much to be drawn: nothing is given until one comes near."""

OVERLAY = Overlay(
    slug="reseaux-enterres-3d",
    title=gettext_noop("Réseaux sous le sol (profondeur × 3)"),
    address="portal:underground-geojson",
    list_address="portal:underground",
    marks=tuple(Mark(kind, title, COLOURS[kind]) for kind, title in KINDS.items()),
    property="reseau",
    theme="urbanisme",
    roles=frozenset({Role.AGENT}),
    by_box=True,
    deep=True,
)


class BadBox(BeffroiError):
    """The box asked for is none."""


def _service(request: Request) -> tuple[UseCaseView, Underground]:
    """Return the use case of the town that tells of its underground.

    Raises:
        Http404: it has none.
    """
    code = territory_of(request)
    for one in catalogue.use_cases(territory=code, states=OPEN_STATES) if code else ():
        settings = one.use_case.settings.get("layers")
        if isinstance(settings, Settings) and settings.underground is not None:
            return one, settings.underground
    raise Http404


def _networks(request: Request, wanted: Underground) -> DatasetRef | None:
    return next((one.ref for one in town_datasets(request) if one.ref.slug == wanted.networks), None)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def underground(request: HttpRequest) -> HttpResponse:
    """Show what is under a street: on the map below the ground, cut across, and as a table."""
    request = cast(Request, request)
    service, wanted = _service(request)
    ref = _networks(request, wanted)
    form, place = place_form(request.GET, territory_of(request))
    context: dict[str, Any] = {"service": service.use_case, "form": form, "known": ref is not None, "place": place}
    if ref is not None:
        frame = _around(place.lon, place.lat) if place else None
        context |= {"ref": ref, "marks": OVERLAY.marks}
        context["map"] = overlay_map(
            request.viewer, request.commune, town_datasets(request), replace(OVERLAY, shown=True), pitch=PITCH,
            frame=frame,
        )  # fmt: skip
        found = section(request.viewer, ref, lon=place.lon, lat=place.lat) if place else None
        if found is not None:
            context |= {"section": found, "cut": cut_of(found)}
    return private(render(request, "portal/underground/page.html", context, status=400 if form.errors else 200))


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def underground_geojson(request: HttpRequest) -> JsonResponse:
    """Give the networks of a box with their depth, for the map; nothing when the box is too wide to be read."""
    request = cast(Request, request)
    _found, wanted = _service(request)
    ref, box = _networks(request, wanted), _box(request.GET.get("bbox", ""))
    features = []
    if ref is not None and box is not None and box.east - box.west <= WIDEST_DEG:
        for pipe in pipes(request.viewer, ref, bbox=box):
            depth = _("profondeur inconnue") if pipe.depth_m is None else _("{n} m").format(n=number(pipe.depth_m))
            told = {
                "title": f"{_(KINDS.get(pipe.kind, pipe.kind))}, {depth}", "reseau": pipe.kind, "depth_m": pipe.depth_m,
                "url": reverse("portal:sheet", args=[ref.territory, ref.slug, pipe.id]),
            }  # fmt: skip
            for line in shapely.get_parts(pipe.line):
                coordinates = [[round(x, 7), round(y, 7)] for x, y, *_z in line.coords]
                geometry = {"type": "LineString", "coordinates": coordinates}
                features.append({"type": "Feature", "geometry": geometry, "properties": told})
    return private(JsonResponse({"type": "FeatureCollection", "features": features}))


def _box(text: str) -> BBox | None:
    """Read ``west,south,east,north``.

    Raises:
        BadBox: not four numbers in order.
    """
    if not text:
        return None
    try:
        west, south, east, north = (float(one) for one in text.split(","))
    except ValueError:
        west = math.nan
    if not all(map(math.isfinite, (west,))) or not (west <= east and south <= north):
        raise BadBox(
            gettext_noop("« {text} » n’est pas une emprise"), where="bbox",
            remedy=gettext_noop("donnez ouest,sud,est,nord en degrés"), text=text[:60],
        )  # fmt: skip
    return BBox(west, south, east, north)


def _around(lon: float, lat: float) -> BBox:
    high = AROUND_M / METRES_PER_DEGREE
    wide = high / math.cos(math.radians(lat))
    return BBox(lon - wide, lat - high, lon + wide, lat + high)


urlpatterns: list[URLPattern] = [
    path("sous-sol/", underground, name="underground"),
    path("sous-sol/reseaux.geojson", underground_geojson, name="underground-geojson"),
]
