"""Rounds of the agent's services: the list, a new one, its sheet mended by hand, the paper of each vehicle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.catalogue import operations as catalogue_operations
from beffroi.base.catalogue import queries as catalogue
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.numbers import whole_number
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.listing import Line, Listing, listing_page
from beffroi.faces.backoffice.reports.queue import code_of
from beffroi.faces.backoffice.rounds.forms import RoundForm, as_day, plan_of, vehicle_forms
from beffroi.faces.backoffice.rounds.papers import features_of, gpx_of, plan_of_round, streets_told
from beffroi.faces.backoffice.rounds.wording import (
    STATES,
    change_told,
    gains,
    left_out_told,
    told_lines,
    vehicle_told,
)
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.faces.shell.requests import service_names
from beffroi.faces.shell.sentences import said
from beffroi.sense.mobility.rounds import operations, queries
from beffroi.sense.mobility.rounds.operations import Change
from beffroi.sense.mobility.rounds.queries import RoundSheet, RoundSummary

USE_CASE = "1-09"
_LISTING = Listing(
    title=gettext_lazy("Tournées"),
    lead=gettext_lazy(
        "Des arrêts partagés entre des véhicules, sur les rues où ils passent, hors des heures chargées ; le gain est "
        "chiffré sur la tournée actuelle."
    ),
    icon="transport",
    new_url="backoffice:round-new",
    new_label=gettext_lazy("Calculer une tournée"),
    not_ready=gettext_lazy("Pas encore de tournées ici"),
    empty=gettext_lazy("Aucune tournée"),
    empty_text=gettext_lazy(
        "Donnez des arrêts (une liste, un fichier, un jeu de données, des signalements) et des véhicules."
    ),
)
OVERLAY = Overlay(
    slug="tournees",
    title=gettext_noop("Tournées du jour"),
    address="backoffice:rounds-geojson",
    list_address="backoffice:rounds",
    marks=(Mark("", gettext_noop("Chemin d’un véhicule"), "#5b2a86"),),
    roles=frozenset({Role.AGENT}),
)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def rounds(request: HttpRequest) -> HttpResponse:
    """List the rounds of the reader's services."""
    request = cast(Request, request)
    territory = code_of(request)
    names = service_names(territory)
    found = queries.rounds(request.viewer, territory)
    return listing_page(request, _LISTING, [_line(one, names.get(one.service, one.service)) for one in found])


def _line(one: RoundSummary, service: str) -> Line:
    stops = ngettext("{n} arrêt", "{n} arrêts", one.stops).format(n=one.stops)
    vehicles = ngettext("{n} véhicule", "{n} véhicules", one.vehicles).format(n=one.vehicles)
    meta = " · ".join((date_format(one.day, "l j F Y"), service, stops, vehicles))
    return Line(one.title, reverse("backoffice:round-sheet", args=[one.id]), meta, *STATES[one.state])


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def new_round(request: HttpRequest) -> HttpResponse:
    """Ask for a round."""
    request = cast(Request, request)
    territory, sent = code_of(request), request.method == "POST"
    form = RoundForm(
        request.POST if sent else None, request.FILES if sent else None, viewer=request.viewer, territory=territory,
        initial={"day": as_day(timezone.now())},
    )  # fmt: skip
    vehicles = vehicle_forms(request.POST if sent else None, territory)
    # Every form is read, so that every mistake is told at once.
    valid = sent and sum(not one.is_valid() for one in (form, *vehicles)) == 0
    if valid:
        data = form.cleaned_data
        try:
            number = operations.ask_round(
                territory=territory, service=data["service"], title=data["title"], day=data["day"],
                plan=plan_of(form, vehicles), stops=data["stops"], by=request.viewer, at=timezone.now(),
            )  # fmt: skip
        except BeffroiError as fault:
            form.add_error(None, f"{said(fault.what)} ; {said(fault.remedy)}.")
        else:
            _count(request, territory)
            return redirect("backoffice:round-sheet", number)
    wrong = bool(form.errors) or any(one.is_bound and one.errors for one in vehicles)
    context = {"form": form, "vehicles": vehicles}
    return render(request, "backoffice/rounds/new.html", context, status=400 if wrong else 200)


def _count(request: Request, territory: str) -> None:
    audience = catalogue.audience_of(request.viewer, territory)
    catalogue_operations.count_use(USE_CASE, territory, timezone.now(), audience=audience)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def round_page(request: HttpRequest, round_id: int) -> HttpResponse:
    """Show a round: where its computing stands, then who goes where, what it gains, who is left out."""
    request = cast(Request, request)
    viewer, territory = request.viewer, code_of(request)
    summary = queries.round_summary(viewer, territory, round_id)
    label, kind = STATES[summary.state]
    context: dict[str, Any] = {
        "round": summary,
        "state": label,
        "kind": kind,
        "waits": summary.state in ("waiting", "computing"),
    }
    if summary.state == "ready":
        context |= _told(queries.round_sheet(viewer, territory, round_id))
    return render(request, "backoffice/rounds/sheet.html", context)


def _told(sheet: RoundSheet) -> dict[str, Any]:
    out = [
        (rank, one, vehicle_told(one), told_lines(sheet, one))
        for rank, one in enumerate(sheet.timelines, start=1)
        if one.lines
    ]
    return {
        "sheet": sheet,
        "vehicles": out,
        "names": [one.name for one in sheet.plan.vehicles],
        "idle": [one.vehicle for one in sheet.timelines if not one.lines],
        "gains": gains(sheet.totals, sheet.current_totals, teams=sheet.plan.teams),
        "left_out": [(one, sheet.stops[one.stop].name, left_out_told(one)) for one in sheet.left_out],
        "obstacles": _obstacles(sheet),
        "drawing": plan_of_round(sheet),
    }


def _obstacles(sheet: RoundSheet) -> list[str]:
    """Name what stands in the streets that day; works of many stretches once."""
    return list(
        dict.fromkeys(f"{_(one.title)} : {one.label}" if one.label else _(one.title) for one in sheet.obstacles)
    )


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def act(request: HttpRequest, round_id: int) -> HttpResponse:
    """Do one thing to a round, and say what it costs."""
    request = cast(Request, request)
    chosen = ACTS.get(request.POST.get("geste", ""))
    if chosen is None:
        raise Http404
    use_case = queries.round_summary(request.viewer, code_of(request), round_id).use_case
    try:
        anchor = chosen(request, code_of(request), round_id)
    except BeffroiError as fault:
        if fault.http_status == 404:
            raise
        messages.error(request, f"{said(fault.what)} ; {said(fault.remedy)}.")
        anchor = ""
    if anchor is None:
        return redirect("backoffice:outreach", use_case) if use_case else redirect("backoffice:rounds")
    return redirect(reverse("backoffice:round-sheet", args=[round_id]) + anchor)


def _move(request: Request, territory: str, round_id: int) -> str:
    index, to = _index(request), request.POST.get("vers", "")
    vehicle = request.POST.get("vehicule", "")
    change = operations.move_item(
        request.viewer, territory, round_id, vehicle=vehicle, index=index, to=to, at=timezone.now()
    )
    _say(request, _("Déplacé"), change)
    if to in (operations.UP, operations.DOWN):
        index += 1 if to == operations.DOWN else -1
        return f"#{slugify(vehicle)}-{index}"
    return f"#{slugify(to)}" if to != operations.OUT else "#restent"


def _tip(request: Request, territory: str, round_id: int) -> str:
    vehicle, index = request.POST.get("vehicule", ""), _index(request)
    change = operations.add_tip(request.viewer, territory, round_id, vehicle=vehicle, index=index, at=timezone.now())
    _say(request, _("Vidage ajouté"), change)
    return f"#{slugify(vehicle)}-{index}"


def _index(request: Request) -> int:
    index = whole_number(request.POST.get("rang", ""))
    return -1 if index is None else index


def _undo(request: Request, territory: str, round_id: int) -> str:
    _say(request, _("Annulé"), operations.undo(request.viewer, territory, round_id, at=timezone.now()))
    return "#tournee"


def _again(request: Request, territory: str, round_id: int) -> str:
    operations.compute_again(request.viewer, territory, round_id, at=timezone.now())
    return ""


def _delete(request: Request, territory: str, round_id: int) -> None:
    operations.delete_round(request.viewer, territory, round_id, at=timezone.now())
    messages.success(request, _("La tournée est supprimée."))


def _say(request: Request, what: str, change: Change) -> None:
    level = messages.WARNING if change.wrong > 0 else messages.SUCCESS
    messages.add_message(request, level, _("{what} : {cost}").format(what=what, cost=change_told(change)))


ACTS: dict[str, Callable[[Request, str, int], str | None]] = {
    "deplacer": _move,
    "vidage": _tip,
    "annuler": _undo,
    "recalculer": _again,
    "supprimer": _delete,
}


def _one(request: Request, round_id: int, rank: int) -> tuple[RoundSheet, str]:
    sheet = queries.round_sheet(request.viewer, code_of(request), round_id)
    if not 1 <= rank <= len(sheet.timelines) or not sheet.timelines[rank - 1].lines:
        raise Http404
    return sheet, sheet.timelines[rank - 1].vehicle


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def vehicle_sheet(request: HttpRequest, round_id: int, rank: int) -> HttpResponse:
    """Give the sheet of one vehicle, street by street, to print."""
    sheet, vehicle = _one(cast(Request, request), round_id, rank)
    timeline = sheet.timelines[rank - 1]
    ways = queries.legs(sheet, vehicle)
    context = {
        "round": sheet.summary,
        "vehicle": vehicle,
        "rank": rank,
        "told": vehicle_told(timeline),
        "lines": [(line, streets_told(ways.get(place))) for place, line in enumerate(told_lines(sheet, timeline))],
        "drawing": plan_of_round(sheet, only=vehicle),
        "obstacles": _obstacles(sheet),
    }
    return render(request, "backoffice/rounds/vehicle.html", context)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def vehicle_gpx(request: HttpRequest, round_id: int, rank: int) -> HttpResponse:
    """Give the way of one vehicle as a GPX file."""
    sheet, vehicle = _one(cast(Request, request), round_id, rank)
    response = HttpResponse(gpx_of(sheet, vehicle), content_type="application/gpx+xml")
    response.headers["Content-Disposition"] = f'attachment; filename="tournee-{round_id}-{rank}.gpx"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def rounds_geojson(request: HttpRequest) -> JsonResponse:
    """Give the ways of the rounds of the day, for the map of the town."""
    request = cast(Request, request)
    territory = code_of(request)
    features: list[dict[str, Any]] = []
    for number in queries.rounds_of_day(request.viewer, territory, timezone.localdate()):
        url = reverse("backoffice:round-sheet", args=[number])
        features += features_of(queries.round_sheet(request.viewer, territory, number), url)
    body = {"type": "FeatureCollection", "features": features}
    response = JsonResponse(body, json_dumps_params={"ensure_ascii": False, "separators": (",", ":")})
    response.headers["Cache-Control"] = "private, no-store"
    return response
