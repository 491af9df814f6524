"""`/obstacles/`: what stands in the streets at this moment, as a list and as a layer of the map."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.time import now
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.sense.mobility import queries
from beffroi.sense.mobility.obstacles import ObstacleInfo


def has_streets(request: Request) -> bool:
    """Tell whether routes, which obstacles change, can be asked in the town of the page."""
    code = territory_of(request)
    return bool(code) and queries.has_graph(code)


OVERLAY = Overlay(
    slug="obstacles",
    title=gettext_noop("Obstacles du moment"),
    address="portal:obstacles-geojson",
    list_address="portal:obstacles",
    marks=(Mark("", gettext_noop("Obstacle ou travaux"), "#b3261e"),),
    theme="mobilites",
    is_open=has_streets,
    refresh_s=60,
)


def told(one: ObstacleInfo) -> str:
    """Name an obstacle."""
    return f"{_(one.title)} : {one.label}" if one.label else _(one.title)


@open_to(EVERYONE)
@require_safe
def obstacles(request: HttpRequest) -> HttpResponse:
    """List the obstacles that routes go round at this moment, each with its end when it is known."""
    territory = territory_of(cast(Request, request))
    found = queries.obstacles(territory, now()) if territory else []
    # Works close many stretches: told once, at the first.
    once = {(told(one), one.until): one for one in reversed(found)}
    shown = [(one, told(one)) for one in sorted(once.values(), key=lambda one: one.id)]
    return render(request, "portal/obstacles.html", {"obstacles": shown})


@open_to(EVERYONE)
@require_safe
def obstacles_geojson(request: HttpRequest) -> JsonResponse:
    """Give the obstacles of this moment, for the map."""
    territory = territory_of(cast(Request, request))
    features: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [one.lon, one.lat]},
            "properties": {"title": told(one), "url": reverse("portal:obstacles")},
        }
        for one in (queries.obstacles(territory, now()) if territory else [])
    ]
    body = {"type": "FeatureCollection", "features": features}
    response = JsonResponse(body, json_dumps_params={"ensure_ascii": False, "separators": (",", ":")})
    response.headers["Cache-Control"] = "public, max-age=10"
    return response
