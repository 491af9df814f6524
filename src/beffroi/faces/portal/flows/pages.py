"""`/flux/<use case>/`: what passes by mode at an hour of a kind of day, as a map, lists and a file."""

from __future__ import annotations

from typing import Any, cast
from zoneinfo import ZoneInfo

import shapely
from django import forms
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.http import require_safe

from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.faces.portal.directory import count_opening, service_of_engine, territory_of, town_datasets
from beffroi.faces.portal.flows import words
from beffroi.faces.portal.mapping import overlay_map
from beffroi.faces.portal.rush_words import DAYS
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.overlays import Mark
from beffroi.faces.shell.sheets import sheet_response
from beffroi.sense.mobility.flows import queries
from beffroi.sense.mobility.flows.queries import Day, Mode, Town
from beffroi.sense.mobility.flows.settings import FlowsSettings

ENGINE, OVERLAY = "flows", "flux"
FIRST_HOUR = 8
MARKS = (
    Mark(Mode.WALK, gettext_noop("Piétons"), "#0b5fa5"),
    Mark(Mode.BIKE, gettext_noop("Vélos"), "#00734d"),
    Mark(Mode.SCOOTER, gettext_noop("Trottinettes"), "#b3308c"),
    Mark(Mode.MOTORBIKE, gettext_noop("Deux-roues à moteur"), "#8a6d00"),
    Mark(Mode.CAR, gettext_noop("Voitures et fourgonnettes"), "#b35900"),
    Mark(Mode.LORRY, gettext_noop("Poids lourds"), "#7a1f1f"),
    Mark(Mode.BUS, gettext_noop("Autobus et cars"), "#5b3fa0"),
    Mark(Mode.MOTOR, gettext_noop("Véhicules à moteur, tous ensemble"), "#4b3a2f"),
    Mark(Mode.MIXED, gettext_noop("Plusieurs modes comptés ensemble"), "#2f5d62"),
    Mark(words.UNKNOWN, gettext_noop("Inconnu : pas compté, ou compteur en panne"), "#6b7075"),
)


class HourForm(forms.Form):
    """A kind of day, an hour, and a mode."""

    jour = forms.ChoiceField(label=gettext_lazy("Genre de jour"))
    mode = forms.ChoiceField(label=gettext_lazy("Mode"), required=False)
    heure = forms.IntegerField(
        label=gettext_lazy("Heure"), min_value=0, max_value=23,
        widget=forms.NumberInput(attrs={"type": "range", "min": 0, "max": 23, "step": 1}),
    )  # fmt: skip

    def __init__(self, asked: dict[str, Any], *, modes: list[Mode]) -> None:
        told = {"jour": Day.WEEKDAY.value, "mode": "", "heure": FIRST_HOUR}
        super().__init__({name: asked.get(name, usual) for name, usual in told.items()})
        choices = [("", _("Tous")), *((mode.value, _(words.MODES[mode])) for mode in modes)]
        self.fields["mode"].choices = choices  # type: ignore[attr-defined]
        self.fields["jour"].choices = [(day.value, name) for day, name in DAYS.items()]  # type: ignore[attr-defined]


@open_to(EVERYONE)
@require_safe
def flows(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show what passes at an hour; all is in the address, nothing is kept. `?csv` gives the hour as a file."""
    request = cast(Request, request)
    service = _service(request, use_case)
    context: dict[str, Any] = {"service": service.use_case}
    try:
        town, form = _asked(request, service)
    except BeffroiError as error:
        return render(request, "portal/flows/town.html", context | {"problem": error}, status=error.http_status)
    context |= {"form": form, "known": town.places}
    if not form.is_valid() or not town.places:
        return render(request, "portal/flows/town.html", context, status=200 if form.is_valid() else 400)
    day, hour, mode = _told(form)
    if "csv" in request.GET:
        lines = words.lines_of(town, day, hour, mode)
        return sheet_response("flux-par-mode.csv", _heads(), (_row(one) for one in lines))
    count_opening(request, service)
    asked = urlencode({"jour": day.value, "mode": mode or "", "heure": hour})
    address = f"{reverse('portal:flows-geojson', args=[service.use_case.id])}?{asked}"
    used = {flow.mode.value for place in town.places for flow in place.flows} | {words.UNKNOWN}
    context |= {
        "day": DAYS[day], "hour": hour, "told": words.told_hour(town, day, hour, mode), "asked": asked,
        "address": address, "overlay": OVERLAY, "errors": words.errors(town), "sources": town.sources,
        "least": queries.LEAST_COUNTERS, "before": _other(asked, hour, -1), "after": _other(asked, hour, 1),
        "marks": [(_(mark.label), mark.colour) for mark in MARKS if mark.value in used],
        "map": overlay_map(request.viewer, request.commune, town_datasets(request), _overlay(address),
                           frame=_frame(town)),
    }  # fmt: skip
    return render(request, "portal/flows/town.html", context)


@open_to(EVERYONE)
@require_safe
def flows_geojson(request: HttpRequest, use_case: str) -> JsonResponse:
    """Give what passes at an hour, for the map: the same as the lists say."""
    request = cast(Request, request)
    town, form = _asked(request, _service(request, use_case))
    found = words.features(words.lines_of(town, *_told(form))) if form.is_valid() else []
    response = JsonResponse({"type": "FeatureCollection", "features": found}, status=200 if form.is_valid() else 400)
    response["Cache-Control"] = "no-store"
    return response


def _service(request: Request, use_case: str) -> UseCaseView:
    found = service_of_engine(request, use_case, ENGINE)
    if found is None:
        raise Http404
    return found


def _asked(request: Request, service: UseCaseView) -> tuple[Town, HourForm]:
    settings = cast(FlowsSettings, service.use_case.settings[ENGINE])
    if request.commune is None:
        raise Http404
    town = queries.town(territory_of(request), settings, zone=ZoneInfo(request.commune.timezone))
    known = {flow.mode for place in town.places for flow in place.flows}
    return town, HourForm(request.GET.dict(), modes=[mode for mode in Mode if mode in known])


def _told(form: HourForm) -> tuple[Day, int, Mode | None]:
    data = form.cleaned_data
    return Day(data["jour"]), int(data["heure"]), Mode(data["mode"]) if data["mode"] else None


def _frame(town: Town) -> BBox | None:
    """Return the box of what is counted, None when nothing is: the map looks there."""
    counted = [place.shape for place in town.places if place.is_counted]
    return BBox(*shapely.total_bounds(counted).tolist()) if counted else None


def _other(asked: str, hour: int, step: int) -> str:
    """Return the address of another hour of the same day, empty past its ends."""
    other = hour + step
    return asked.replace(f"heure={hour}", f"heure={other}") if 0 <= other < 24 else ""


def _overlay(address: str) -> dict[str, Any]:
    """Return the layer of the hour, as the map reads it."""
    marks = [[str(mark.value), _(mark.label), mark.colour] for mark in MARKS]
    return {"id": OVERLAY, "title": _("Flux par mode"), "url": address, "list": "#contenu", "property": "mode",
            "marks": marks, "byBox": False, "refreshS": 0, "deep": False, "shown": True}  # fmt: skip


def _heads() -> list[str]:
    return [_("lieu"), _("mode"), _("passages de l’heure"), _("nature"), _("au moins"), _("au plus"),
            _("jours laissés de côté, en panne"), _("longitude"), _("latitude")]  # fmt: skip


def _row(line: words.Line) -> list[object]:
    lon, lat = line.where
    ends = (None, None)
    return [line.place.name, line.mode, None if line.value is None else round(line.value, 1),
            _(words.NATURES[line.flow.nature]), *(line.bounds or ends), len(line.flow.failed), round(lon, 6),
            round(lat, 6)]  # fmt: skip


urlpatterns: list[URLPattern] = [
    path("flux/<slug:use_case>/", flows, name="flows-for"),
    path("flux/<slug:use_case>/carte.geojson", flows_geojson, name="flows-geojson"),
]
