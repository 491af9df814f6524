"""The zones that requests take, over the map: those of the reader's services, asked for or granted, not over yet."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from shapely.geometry import mapping

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.serve.procedures import queries

OVERLAY = Overlay(
    slug="chantiers",
    title=gettext_noop("Chantiers demandés"),
    address="backoffice:sites-geojson",
    list_address="backoffice:procedures",
    property="etat",
    marks=(
        Mark("accorde", gettext_noop("Accordé"), "#1f4e79"),
        Mark("", gettext_noop("Demandé"), "#b3261e"),
    ),
    roles=frozenset({Role.AGENT}),
)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def sites_geojson(request: HttpRequest) -> JsonResponse:
    """Give the zones of the requests of the reader's services as GeoJSON."""
    request = cast(Request, request)
    code = request.commune.code if request.commune else ""
    features = [
        {
            "type": "Feature",
            "geometry": mapping(one.place.zone),
            "properties": {
                "title": _("{what}, {street}, du {first} au {last}").format(
                    what=_(one.title), street=one.place.street, first=date_format(one.place.first, "j F"),
                    last=date_format(one.place.last, "j F Y"),
                ),
                "url": reverse("backoffice:procedure", args=[one.number]),
                "etat": "accorde" if one.is_granted else "demande",
            },
        }
        for one in (queries.sites(request.viewer, code, today=timezone.localdate()) if code else ())
    ]  # fmt: skip
    return JsonResponse({"type": "FeatureCollection", "features": features})
