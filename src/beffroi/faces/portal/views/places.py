"""What is known at a place: around a point and in a zone, as a page that needs no map; JSON for the maps of forms."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.faces.portal.around import inside, near_things
from beffroi.faces.portal.directory import town_datasets
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.places import PlaceForm, read_degrees

NEAR_M, HERE_M = 40.0, 25.0
MOST_NEAR = 8


class HereForm(PlaceForm):
    """The place one asks about: a point, a zone, or both."""

    place_object = None


@open_to(EVERYONE)
@require_safe
def here(request: HttpRequest) -> HttpResponse:
    """Tell all that the lake knows within 25 m of a point, nearest first, and how much of what is in a zone."""
    request = cast(Request, request)
    box = request.commune.bbox if request.commune else None
    asked = "lat" in request.GET or "lon" in request.GET
    form = HereForm(request.GET if asked else None, within=box)
    form.place_required = not request.GET.get("zone", "").strip()
    context: dict[str, object] = {"form": form, "radius_m": int(HERE_M)}
    if asked and form.is_valid():
        lon, lat, zone = (form.cleaned_data[name] for name in ("lon", "lat", "zone"))
        datasets = town_datasets(request)
        if lon is not None:
            context["things"] = near_things(request.viewer, datasets, lon=lon, lat=lat, radius_m=HERE_M)
        if zone is not None:
            context["inside"] = inside(request.viewer, datasets, zone)
            context["zone_box"] = ",".join(f"{value:.6f}" for value in zone.bounds)
    return render(request, "portal/here.html", context, status=400 if asked and form.errors else 200)


@open_to(EVERYONE)
@require_safe
def near(request: HttpRequest) -> JsonResponse:
    """Answer the things of the datasets `jeux` (separated by commas) within 40 m of `lon`, `lat`, nearest first."""
    request = cast(Request, request)
    lon = read_degrees(request.GET.get("lon", ""), limit=180)
    lat = read_degrees(request.GET.get("lat", ""), limit=89)
    wanted = set(request.GET.get("jeux", "").split(","))
    datasets = [one for one in town_datasets(request) if one.ref.slug in wanted]
    found = near_things(request.viewer, datasets, lon=lon, lat=lat, radius_m=NEAR_M)
    things = [
        {
            "key": one.key,
            "layer": one.layer,
            "name": one.name,
            "said": _("{layer} : {name}, à {n} m").format(layer=one.layer, name=one.name, n=round(one.distance_m)),
            "lon": round(one.lon, 7),
            "lat": round(one.lat, 7),
        }
        for one in found[:MOST_NEAR]
    ]
    return JsonResponse({"things": things}, json_dumps_params={"ensure_ascii": False})
