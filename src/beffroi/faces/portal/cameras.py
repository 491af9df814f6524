"""`/videoprotection/`: what cameras see, and what happens that none sees; for the police, not for the public."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import shapely
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.directory import territory_of, town_datasets
from beffroi.faces.portal.mapping import overlay_map
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.answers import private
from beffroi.faces.shell.finding import map_url
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.lake.layer_settings import Settings, Watched
from beffroi.sense.twin.cameras import Watch, watch

MOST_LISTED = 40


def _wanted(request: Request) -> Watched | None:
    """Return what the open use case of the town says of its cameras, None when there is none."""
    code = territory_of(request)
    for one in catalogue.use_cases(territory=code, states=OPEN_STATES) if code else ():
        settings = one.use_case.settings.get("layers")
        if isinstance(settings, Settings) and settings.watched is not None:
            return settings.watched
    return None


def _watch(request: Request) -> tuple[Watched, bool, Watch | None]:
    """Return what is asked, whether cameras are published, and what they see; None to who may not read where they look.

    Raises:
        Http404: the town has no such service.
    """
    wanted = _wanted(request)
    if wanted is None:
        raise Http404
    known = town_datasets(request)
    refs = {one.ref.slug: one.ref for one in known}
    if wanted.dataset not in refs:
        return wanted, False, None
    return wanted, True, watch(
        request.viewer, known, cameras=refs[wanted.dataset], incidents=refs.get(wanted.incidents),
        cell_m=wanted.cell_m, least=wanted.least,
    )  # fmt: skip


OVERLAY = Overlay(
    slug="champs-cameras",
    title=gettext_noop("Champs des caméras"),
    address="portal:cameras-geojson",
    list_address="portal:cameras",
    marks=(
        Mark("", gettext_noop("Champ d’une caméra"), "#0b5fa5"),
        Mark("hors", gettext_noop("Faits hors de tout champ"), "#a31621"),
    ),
    property="genre",
    theme="securite",
    roles=frozenset({Role.AGENT}),
)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def cameras(request: HttpRequest) -> HttpResponse:
    """Show the fields of the cameras, where what happens is seen by none, and which camera sees little."""
    request = cast(Request, request)
    wanted, known, found = _watch(request)
    context: dict[str, Any] = {"watched": wanted, "known": known, "watch": found}
    if found is not None:
        context |= {
            "map": overlay_map(request.viewer, request.commune, town_datasets(request), replace(OVERLAY, shown=True)),
            "unseen": [(one, map_url(one.lon, one.lat)) for one in found.unseen[:MOST_LISTED]],
            "cameras": [(one, map_url(one.lon, one.lat)) for one in found.cameras[:MOST_LISTED]],
        }
    return private(render(request, "portal/cameras.html", context))


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def cameras_geojson(request: HttpRequest) -> JsonResponse:
    """Give the fields of the cameras and the squares seen by none, for the map; nothing to who may not read them."""
    _wanted_here, _known, found = _watch(cast(Request, request))
    page = reverse("portal:cameras")
    features: list[dict[str, Any]] = []
    for camera in found.cameras if found else ():
        told = {"title": camera.name, "url": page, "genre": "champ"}
        features.append(
            {"type": "Feature", "geometry": json.loads(shapely.to_geojson(camera.field)), "properties": told}
        )
    # The same as the list says, no more: all of them would hide the fields.
    for square in found.unseen[:MOST_LISTED] if found else ():
        title = ngettext("{n} fait hors de tout champ", "{n} faits hors de tout champ", square.incidents)
        told = {"title": title.format(n=square.incidents), "url": page, "genre": "hors"}
        point = {"type": "Point", "coordinates": [square.lon, square.lat]}
        features.append({"type": "Feature", "geometry": point, "properties": told})
    return private(JsonResponse({"type": "FeatureCollection", "features": features}))


urlpatterns: list[URLPattern] = [
    path("videoprotection/", cameras, name="cameras"),
    path("videoprotection/champs.geojson", cameras_geojson, name="cameras-geojson"),
]
