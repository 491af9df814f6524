"""The page of routes: a form, the answer in words first, then drawn."""

from __future__ import annotations

import json
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.faces.portal.directory import count_opening, service_of_engine, town_datasets
from beffroi.faces.portal.itinerary import (
    ItineraryForm,
    api_address,
    arrival_told,
    asked_route,
    gpx_of,
    no_way_told,
    place_of,
    told_routes,
    why_told,
)
from beffroi.faces.portal.mapping import picker_map, terrain_config
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.sense.mobility import queries


def _form(request: Request, profile: str = "a-pied") -> ItineraryForm:
    asked = any(key in request.GET for key in ("de", "vers"))
    initial = {"profil": request.GET.get("profil", profile)}
    code = request.commune.code if request.commune else ""
    data = request.GET if asked else None
    return ItineraryForm(data, profiles=queries.profiles(), citycode=code, initial=initial)


@open_to(EVERYONE)
@require_safe
def itinerary(request: HttpRequest, use_case: str = "") -> HttpResponse:
    """Find a way that suits the person; all is in the address, nothing is kept. A use case chooses a profile first."""
    request = cast(Request, request)
    territory = request.commune.code if request.commune else ""
    found = service_of_engine(request, use_case, "mobility")
    form = _form(request, found.use_case.settings["mobility"].profile) if found else _form(request)
    context: dict[str, Any] = {"form": form, "ready": queries.has_graph(territory)}
    context["service"] = found.use_case if found else None
    if form.is_bound:
        count_opening(request, found)
    status = 200
    if context["ready"]:
        context["graph"] = queries.graph_info(territory)
    if context["ready"] and form.is_bound:
        status = _answer(request, form, territory, context)
    raised = found is not None and found.use_case.settings["mobility"].raised
    context["config"] = _map(request, context, raised=raised) if context["ready"] else ""
    return render(request, "portal/itinerary.html", context, status=status)


def _answer(request: Request, form: ItineraryForm, territory: str, context: dict[str, Any]) -> int:
    """Put the answer to the form in the context; return the status of the page."""
    if not form.is_valid():
        return 400
    try:
        answer = asked_route(form, territory, now())
    except BeffroiError as error:
        context["problem"] = error
        return error.http_status
    context |= {
        "answer": answer,
        "routes": told_routes(answer),
        "why": why_told(answer),
        "no_way": no_way_told(answer),
        "arrival": arrival_told(queries.arrival(territory, place_of(form.cleaned_data["vers"]))),
        "route_url": api_address(form, answer),
        "far": [
            (title, round(spot.away_m))
            for title, spot in ((_("Départ"), answer.start), (_("Arrivée"), answer.goal))
            if spot.away_m > 50
        ],
    }
    return 200


def _map(request: Request, context: dict[str, Any], *, raised: bool) -> str:
    datasets = [one for one in town_datasets(request) if one.geometry_type]
    config = picker_map(request.viewer, request.commune, datasets)
    config["route"] = context.get("route_url", "")
    config["terrain"] = terrain_config(request.commune.code) if request.commune else None
    config["raised"] = raised
    context["relief"] = config["terrain"] is not None
    config["words"] |= {
        "from": _("Départ posé. Touchez maintenant l’arrivée."),
        "to": _("Arrivée posée. Lancez la recherche."),
        "start": _("Départ"),
        "goal": _("Arrivée"),
        "along": _("À {metres} m du départ : hauteur {height} m, pente {slope} %."),
    }
    return json.dumps(config, ensure_ascii=False, separators=(",", ":"))


@open_to(EVERYONE)
@require_safe
def gpx(request: HttpRequest, rank: int) -> HttpResponse:
    """Give one of the routes as a GPX file, for a device."""
    request = cast(Request, request)
    form = _form(request)
    if not form.is_bound or not form.is_valid():
        return itinerary(request)
    answer = asked_route(form, request.commune.code if request.commune else "", now())
    if not 1 <= rank <= len(answer.routes):
        return itinerary(request)
    response = HttpResponse(gpx_of(answer, rank - 1), content_type="application/gpx+xml")
    response.headers["Content-Disposition"] = 'attachment; filename="itineraire.gpx"'
    response.headers["Cache-Control"] = "no-store"
    return response
