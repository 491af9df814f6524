"""`/alertes/`: what people must know now and had to know, one alert, the zones on the map, and the town's screens."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

import shapely
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.time import now
from beffroi.faces.portal.directory import territory_of, town_datasets
from beffroi.faces.portal.mapping import overlay_map
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.alerts import received_told, told, words_of
from beffroi.faces.shell.middleware import KEEP_HEADER
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.serve.alerts import projects, queries
from beffroi.serve.alerts.cap_feeds import received
from beffroi.serve.alerts.definition import AlertInfo
from beffroi.serve.alerts.engine import is_anywhere, tells_who_drives

SCREEN_S = 30
MOST_ON_SCREEN = 4
_SENT = {
    "alert": gettext_noop("Envoyée"),
    "update": gettext_noop("Mise à jour"),
    "end": gettext_noop("Fin d’alerte"),
    "cancel": gettext_noop("Annulée : envoyée par erreur"),
}


def _knows_alerts(request: Request) -> bool:
    return bool(territory_of(request)) and is_anywhere()


OVERLAY = Overlay(
    slug="alertes",
    title=gettext_noop("Alertes en cours"),
    address="portal:alerts-geojson",
    list_address="portal:alerts",
    property="gravite",
    marks=(
        Mark("grave", gettext_noop("Alerte grave"), "#b3261e"),
        Mark("", gettext_noop("Alerte ou information"), "#8a5a00"),
    ),
    theme="securite",
    is_open=_knows_alerts,
    by_box=True,
    refresh_s=60,
)


@open_to(EVERYONE)
@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    """List the alerts in force, the last first, then those of the year that are over."""
    request = cast(Request, request)
    territory, at = territory_of(request), now()
    found = [told(one, at) for one in queries.in_force(territory, at=at)]
    zones = [one for one in found if one["lon"] is not None]
    context = {
        "alerts": found,
        "received": _received(territory, at),
        "past": [told(one, at) for one in queries.past(territory, at=at)] if territory else [],
        "drives": tells_who_drives(territory),
        "map": _map(request) if zones else None,
    }
    return _fresh(render(request, "portal/alerts/list.html", context))


def _map(request: Request) -> Any:
    shown = replace(OVERLAY, shown=True)
    return overlay_map(request.viewer, request.commune, town_datasets(request), shown)


@open_to(EVERYONE)
@require_safe
def alerts_for(request: HttpRequest, use_case: str) -> HttpResponse:
    """Lead a use case to the page of its alerts."""
    return redirect("portal:alerts")


@open_to(EVERYONE)
@require_safe
def alert(request: HttpRequest, number: int) -> HttpResponse:
    """Tell everything of one alert: what, where, until when, what to do, and what was said of it before."""
    request = cast(Request, request)
    territory, at = territory_of(request), now()
    info = queries.sent_alert(territory, number)
    sent = [
        {"label": _(_SENT[kind]), "at": when, **words_of(content, territory)}
        for _rank, kind, when, content in queries.issues(number)
    ]
    return _fresh(render(request, "portal/alerts/one.html", {"one": told(info, at), "sent": sent}))


@open_to(EVERYONE)
@require_safe
def project(request: HttpRequest, code: str) -> HttpResponse:
    """Tell what a project is, what it costs, and what was said of it; how to follow it."""
    request = cast(Request, request)
    territory, at = territory_of(request), now()
    found = projects.project(territory, code)
    said_of_it = [*queries.in_force(territory, at=at), *queries.past(territory, at=at)]
    context = {
        "project": found,
        "lines": [told(one, at) for one in said_of_it if one.content.project == code],
        "feed": f"{reverse('alert-feed')}?{urlencode({'projet': code})}",
    }
    return _fresh(render(request, "portal/alerts/project.html", context))


@open_to(EVERYONE)
@require_safe
def alerts_geojson(request: HttpRequest) -> JsonResponse:
    """Give the zones in force in a box, for the map; what is about the whole town has none."""
    request = cast(Request, request)
    text, at = request.GET.get("bbox", ""), now()
    box = BBox.parsed(text) if text else None
    found = queries.in_force(territory_of(request), at=at, bbox=box)
    features = [_feature(one) for one in found if one.content.zone]
    body = {"type": "FeatureCollection", "features": features}
    return _fresh(JsonResponse(body, json_dumps_params={"ensure_ascii": False, "separators": (",", ":")}))


def _feature(one: AlertInfo) -> dict[str, Any]:
    grave = one.content.needs_second_person and not one.content.is_message
    properties = {
        "title": one.content.title, "url": reverse("portal:alert", args=[one.id]),
        "gravite": "grave" if grave else "",
    }  # fmt: skip
    shape = shapely.from_geojson(one.content.zone)
    return {"type": "Feature", "geometry": shapely.geometry.mapping(shape), "properties": properties}


@open_to(EVERYONE)
@require_safe
def screen(request: HttpRequest) -> HttpResponse:
    """Show what is in force on a screen of the town: it reads itself again, and keeps its last content without network.

    `quartier` narrows it to what concerns one district.
    """
    request = cast(Request, request)
    territory, at = territory_of(request), now()
    if not territory:
        raise Http404
    found = _on_screen(territory, at, request.GET.get("quartier", ""))
    # What another authority says waits until the town's own extreme has left the screen.
    alone = bool(found) and found[0]["info"].content.severity == "Extreme"
    context = {"alerts": found, "received": [] if alone else _received(territory, at)[:MOST_ON_SCREEN], "at": at}
    response = render(request, "portal/alerts/screen.html", context)
    # A header, not a tag: whoever reads the page with a screen reader is not sent back to its start by its own text.
    response.headers["Refresh"] = str(SCREEN_S)
    response.headers["Cache-Control"] = "no-cache"
    response.headers[KEEP_HEADER] = "1"
    return response


def _received(territory: str, at: datetime) -> list[dict[str, Any]]:
    return [received_told(one, territory) for one in received(territory, at=at)] if territory else []


def _on_screen(territory: str, at: datetime, district: str) -> list[dict[str, Any]]:
    """Return what a screen shows: the gravest first, then the last."""
    found = queries.in_force(territory, at=at, district=district)
    order = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
    found.sort(key=lambda one: order.index(one.content.severity))
    # What is extreme has the screen for itself.
    alone = [one for one in found if one.content.severity == order[0]]
    return [told(one, at) for one in (alone or found)[:MOST_ON_SCREEN]]


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def may_i_drive(request: HttpRequest) -> HttpResponse:
    """Tell which vehicles may drive today, and answer for one plate or Crit'Air class; nothing of it is kept."""
    from beffroi.faces.portal.alerts.driving import answered

    return answered(cast(Request, request))


def _fresh(response: Any) -> Any:
    """Let no cache show an alert that is over."""
    response.headers["Cache-Control"] = "no-cache"
    return response
