"""`/transports/`: search a stop, read its next departures, a line and its stops, and how sound the timetable is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import operations
from beffroi.base.catalogue import queries as catalogue
from beffroi.base.kernel.time import PARIS, now
from beffroi.faces.portal.directory import open_services, territory_of, town_datasets
from beffroi.faces.portal.mapping import DrawnMap, overlay_map
from beffroi.faces.portal.reports.forms import DETAIL
from beffroi.faces.portal.transit.layers import LINES
from beffroi.faces.portal.transit.wording import (
    STOP_ACCESS,
    badge,
    badges,
    kind_of,
    told_alert,
    told_alerts,
    told_groups,
    told_live,
)
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.overlays import Overlay
from beffroi.faces.shell.places import read_degrees
from beffroi.sense.mobility.transit import queries
from beffroi.sense.mobility.transit.queries import Stop
from beffroi.sense.mobility.transit.tables import part_slug
from beffroi.serve.reports.categories import ENGINE, ReportsSettings

USE_CASE, REPORTING, LINE_QUESTION = "6-09", "8-14", "ligne"
NEAR_M = 800.0
SHOWN = 20


class SearchForm(forms.Form):
    """The name of a stop, or the code written on its sign."""

    q = forms.CharField(
        label=gettext_lazy("Nom ou numéro de l’arrêt"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"type": "search"}),
    )


class WhenForm(forms.Form):
    """The moment one asks about; now when none is given."""

    quand = forms.DateTimeField(
        label=gettext_lazy("Voir à une autre heure"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": gettext_lazy("Écrivez par exemple 2026-03-29T08:30.")},
    )


@open_to(EVERYONE)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Search a stop by name or around oneself; the incidents of the moment; the lines, on a map and in a list."""
    request = cast(Request, request)
    territory, at = territory_of(request), now()
    form = SearchForm(request.GET)
    place = _place(request)
    words = form.cleaned_data["q"].strip() if form.is_valid() else ""
    asked = bool(words) or place is not None
    found = queries.stops(territory, text=words, near=place, within_m=NEAR_M, most=SHOWN) if asked else []
    feeds = queries.feeds(territory) if territory else []
    context: dict[str, Any] = {
        "form": form,
        "asked": asked,
        "around": place is not None,
        "stops": [shown_stop(one) for one in found],
        "lines": [{"line": one, "badge": badge(one), "kind": kind_of(one)} for one in queries.lines(territory)],
        "alerts": _all_alerts(territory, at),
        "feeds": feeds,
        "map": _map(request, LINES) if feeds else None,
    }
    return render(request, "portal/transit/home.html", context)


def _place(request: Request) -> tuple[float, float] | None:
    if "lon" not in request.GET or "lat" not in request.GET:
        return None
    return read_degrees(request.GET["lon"], limit=180), read_degrees(request.GET["lat"], limit=90)


def shown_stop(stop: Stop) -> dict[str, Any]:
    """Return what a list shows of a stop."""
    return {"stop": stop, "badges": badges(stop.lines), "access": _(STOP_ACCESS.get(stop.wheelchair, STOP_ACCESS[0]))}


def _all_alerts(territory: str, at: datetime) -> list[dict[str, Any]]:
    return [
        {"told": told_alert(alert, at, PARIS), "badges": badges(lines), "stops": stops}
        for alert, lines, stops in queries.alerts(territory, at=at)
    ]


def _map(request: Request, overlay: Overlay) -> DrawnMap:
    return overlay_map(request.viewer, request.commune, town_datasets(request), replace(overlay, shown=True))


@open_to(EVERYONE)
@require_safe
def stop(request: HttpRequest, feed: str, stop: str) -> HttpResponse:
    """Tell the next departures of a stop, line by line, with delays where the network tells them."""
    request = cast(Request, request)
    territory, at = territory_of(request), now()
    form = WhenForm(request.GET if "quand" in request.GET else None)
    zone = queries.zone_of(territory, feed)
    moment, chosen = at, False
    if form.is_bound and form.is_valid() and form.cleaned_data["quand"]:
        moment, chosen = _local(form.cleaned_data["quand"], zone), True
    board = queries.board(territory, feed, stop, at=moment, live_now=not chosen)
    _count(request, territory, at)
    context = {
        "board": board,
        "shown": shown_stop(board.stop),
        "groups": told_groups(board),
        "live": None if chosen else told_live(board.live, zone),
        "alerts": told_alerts(board.alerts, moment, zone),
        "form": form,
        "chosen": chosen,
        "moment": moment.astimezone(zone),
        "report_url": _reporting(request, board.stop),
    }
    return render(request, "portal/transit/stop.html", context, status=400 if form.errors else 200)


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """Read the digits of a form on the clocks of the network, whatever zone the page was shown in."""
    return moment.replace(tzinfo=zone)


def _count(request: Request, territory: str, at: datetime) -> None:
    """Count one use of 6-09 where it is open; nothing is kept of who."""
    if any(one.use_case.id == USE_CASE for one in open_services(request)):
        operations.count_use(USE_CASE, territory, at, audience=catalogue.audience_of(request.viewer, territory))


def _reporting(request: Request, stop: Stop) -> str:
    """Return where an incident at this stop is reported, the stop and its only line filled in; empty where none is."""
    found = next((one for one in open_services(request) if one.use_case.id == REPORTING), None)
    if found is None or not found.url:
        return ""
    begun = {"adresse": _("Arrêt {name}").format(name=stop.name)}
    if stop.lon is not None and stop.lat is not None:
        begun |= {"lon": f"{stop.lon:.6f}", "lat": f"{stop.lat:.6f}"}
    settings = found.use_case.settings.get(ENGINE)
    for category in settings.category if isinstance(settings, ReportsSettings) else ():
        begun["categorie"] = category.code
        if stop.row and category.object == part_slug(stop.feed, "stops"):
            begun["objet"] = f"{category.object}/{stop.row}"
        break
    if len(stop.lines) == 1:
        begun[f"{DETAIL}{LINE_QUESTION}"] = stop.lines[0].name
    return f"{found.url}?{urlencode(begun)}"


@open_to(EVERYONE)
@require_safe
def line(request: HttpRequest, feed: str, line: str) -> HttpResponse:
    """Tell a line: its incidents, then its stops in each direction."""
    request = cast(Request, request)
    territory, at = territory_of(request), now()
    zone = queries.zone_of(territory, feed)
    found, ways, alerts, live = queries.line_ways(territory, feed, line, at=at)
    context = {
        "line": found,
        "badge": badge(found),
        "kind": kind_of(found),
        "ways": [{"towards": way.towards, "stops": [shown_stop(one) for one in way.stops]} for way in ways],
        "alerts": told_alerts(alerts, at, zone),
        "live": told_live(live, zone),
    }
    return render(request, "portal/transit/line.html", context)


@open_to(EVERYONE)
@require_safe
def quality(request: HttpRequest, feed: str) -> HttpResponse:
    """Tell where a timetable comes from, which days it covers, and what its publisher should mend."""
    request = cast(Request, request)
    territory = territory_of(request)
    zone = queries.zone_of(territory, feed)
    notices = queries.report(territory, feed, on=now().astimezone(zone).date())
    info = next(one for one in queries.feeds(territory) if one.feed == feed)
    return render(request, "portal/transit/quality.html", {"info": info, "notices": notices})
