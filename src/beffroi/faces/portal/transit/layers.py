"""The lines of the network on the map of the town, and the vehicles where the network tells where they are."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.time import now
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.transit.wording import PLAIN, kind_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.colours import contrast, mixed
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.sense.mobility.transit import queries

GROUND_LIGHT, GROUND_DARK = "#f4f0e7", "#1c2226"
LEAST = 3.0
"""Contrast of a line with the ground of the map: WCAG 2.2, §1.4.11."""


def has_lines(request: Request) -> bool:
    """Tell whether the town of the page has a network."""
    code = territory_of(request)
    return bool(code) and queries.has_transit(code)


LINES = Overlay(
    slug="lignes",
    title=gettext_noop("Lignes de bus et de tram"),
    address="portal:transit-lines-geojson",
    list_address="portal:transit",
    # Lines bear their own colours; this one is that of those the network gives none.
    marks=(Mark("", gettext_noop("Chaque ligne dans sa couleur"), PLAIN),),
    theme="mobilites",
    is_open=has_lines,
)
VEHICLES = Overlay(
    slug="vehicules",
    title=gettext_noop("Bus et trams en ce moment"),
    address="portal:transit-vehicles-geojson",
    list_address="portal:transit",
    marks=(Mark("", gettext_noop("Véhicule"), "#b3261e"),),
    theme="mobilites",
    is_open=lambda request: has_lines(request) and queries.tells_vehicles(territory_of(request)),
    refresh_s=20,
)


def on_ground(colour: str) -> tuple[str, str]:
    """Return a colour darkened until it stands out on the light map, and lightened on the dark one.

    >>> on_ground("#005ca9")[0], contrast(on_ground("#ffb900")[0], GROUND_LIGHT) >= LEAST
    ('#005ca9', True)
    """
    found = []
    for ground, towards in ((GROUND_LIGHT, "#000000"), (GROUND_DARK, "#ffffff")):
        tried = (mixed(colour, towards, step / 50) for step in range(51))
        found.append(next(one for one in tried if contrast(one, ground) >= LEAST))
    return found[0], found[1]


@open_to(EVERYONE)
@require_safe
def lines_geojson(request: HttpRequest) -> JsonResponse:
    """Give each line as its courses, in its own colour where it stands out."""
    request = cast(Request, request)
    features = []
    drawn = [(line, course) for line, courses in queries.line_shapes(territory_of(request)) for course in courses]
    for line, course in drawn:
        light, dark = on_ground(line.colour or PLAIN)
        features.append({
            "type": "Feature",
            "geometry": {"type": "LineString", "coordinates": course},
            "properties": {
                "title": f"{kind_of(line)} {line.name}",
                "url": reverse("portal:transit-line", args=[line.feed, line.id]),
                "colour": light,
                "colour_dark": dark,
            },
        })  # fmt: skip
    return _collection(features, seconds=300)


@open_to(EVERYONE)
@require_safe
def vehicles_geojson(request: HttpRequest) -> JsonResponse:
    """Give where vehicles are, as the network told it less than five minutes ago."""
    request = cast(Request, request)
    features = []
    for vehicle, line in queries.vehicles(territory_of(request), at=now()):
        properties = {"title": f"{kind_of(line)} {line.name}" if line else _("Véhicule")}
        if line is not None:
            properties["url"] = reverse("portal:transit-line", args=[line.feed, line.id])
        features.append({
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [vehicle.lon, vehicle.lat]},
            "properties": properties,
        })  # fmt: skip
    return _collection(features, seconds=10)


def _collection(features: list[dict[str, Any]], *, seconds: int) -> JsonResponse:
    body = {"type": "FeatureCollection", "features": features}
    response = JsonResponse(body, json_dumps_params={"ensure_ascii": False, "separators": (",", ":")})
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    return response
