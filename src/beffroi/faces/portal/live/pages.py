"""The pages of sensors: all of them as a list and on the map, one of them, a use case now and next, the files."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.time import PARIS, now
from beffroi.faces.portal.directory import count_opening, service_of_engine, territory_of, town_datasets
from beffroi.faces.portal.live import words
from beffroi.faces.portal.mapping import overlay_map
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.faces.shell.sheets import sheet_response
from beffroi.sense.live import queries
from beffroi.sense.live.queries import StreamInfo, ThingInfo

MOST_READINGS = 50_000
READINGS_BACK = timedelta(days=31)
ALERT, SILENT = "alerte", "muet"

OVERLAY = Overlay(
    slug="capteurs",
    title=gettext_noop("Capteurs, maintenant"),
    address="portal:sensors-geojson",
    list_address="portal:sensors",
    marks=(
        Mark("", gettext_noop("Mesure du moment"), "#0b5fa5"),
        Mark(ALERT, gettext_noop("Seuil d’alerte franchi"), "#a31621"),
        Mark(SILENT, gettext_noop("Muet ou suspendu"), "#6b7075"),
    ),
    property="etat",
    theme="plateforme",
    is_open=lambda request: queries.has_things(territory_of(request)),
    refresh_s=120,
)


def _zone(request: Request) -> ZoneInfo:
    return ZoneInfo(request.commune.timezone) if request.commune else PARIS


def _sorted_out(found: list[ThingInfo], wanted: str) -> tuple[list[ThingInfo], list[tuple[str, str]]]:
    """Return the things that have a property, and the properties there are, by name."""
    known = {stream.observes: stream.property_name for one in found for stream in one.streams}
    kept = [one for one in found if not wanted or any(stream.observes == wanted for stream in one.streams)]
    return kept, sorted(known.items(), key=lambda item: item[1])


@open_to(EVERYONE)
@require_safe
def sensors(request: HttpRequest) -> HttpResponse:
    """List the sensors of the town with their last word, by what they measure."""
    request = cast(Request, request)
    at, zone, wanted = now(), _zone(request), request.GET.get("mesure", "")[:60]
    found, properties = _sorted_out(queries.things(request.viewer, territory_of(request), at=at), wanted)
    lines = [(one, [words.told(stream, at, zone, active=one.active) for stream in one.streams]) for one in found]
    context: dict[str, Any] = {"lines": lines, "properties": properties, "wanted": wanted, "marks": OVERLAY.marks}
    if found:
        shown = replace(OVERLAY, shown=True)
        context["map"] = overlay_map(request.viewer, request.commune, town_datasets(request), shown)
    return render(request, "portal/live/sensors.html", context)


@open_to(EVERYONE)
@require_safe
def sensors_geojson(request: HttpRequest) -> JsonResponse:
    """Give the sensors this reader may see and what they read now, for the map."""
    request = cast(Request, request)
    at, zone = now(), _zone(request)
    features = [_feature(one, at, zone) for one in queries.things(request.viewer, territory_of(request), at=at)]
    response = JsonResponse({"type": "FeatureCollection", "features": features})
    anonymous = request.viewer.person_id is None and request.viewer.scopes is None
    response.headers["Cache-Control"] = "public, max-age=60" if anonymous else "no-store"
    response.headers["Vary"] = "Cookie, Authorization"
    return response


def _feature(one: ThingInfo, at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    said = [words.told(stream, at, zone, active=one.active) for stream in one.streams]
    title = " · ".join([one.name, *(f"{told.value}, {told.fresh}" for told in said[:3])])
    state = ALERT if any(told.kind == "bad" for told in said) else "" if any(told.is_now for told in said) else SILENT
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [round(one.lon, 6), round(one.lat, 6)]},
        "properties": {"title": title, "url": reverse("portal:sensor", args=[one.id]), "etat": state},
    }


@open_to(EVERYONE)
@require_safe
def sensor(request: HttpRequest, number: int) -> HttpResponse:
    """Show one thing: what each of its series reads, the last day and week, its thresholds, its files."""
    request = cast(Request, request)
    at, zone = now(), _zone(request)
    one = queries.thing(request.viewer, number, at=at, territory=territory_of(request))
    series = [_series(stream, one, at, zone) for stream in one.streams]
    context = {"thing": one, "series": series, "service": _open_service(one)}
    return render(request, "portal/live/sensor.html", context)


def _open_service(one: ThingInfo) -> UseCaseView | None:
    """Return the use case a thing serves, None when the town has it not open."""
    known = catalogue.use_cases(territory=one.territory, engine_name="live", states=OPEN_STATES)
    return next((view for view in known if view.use_case.id == one.use_case), None)


def _series(stream: StreamInfo, one: ThingInfo, at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    hours = queries.spans(stream, queries.HOUR, at - words.WEEK, at)
    return {
        "told": words.told(stream, at, zone, active=one.active),
        "charts": words.drawn(stream, hours, at, zone),
        "levels": stream.rule.level if stream.rule is not None else (),
        "level_unit": "%" if stream.rule is not None and stream.rule.of_capacity else stream.unit,
        "hysteresis": stream.rule.hysteresis if stream.rule is not None else 0,
        "minutes": stream.rule.minutes if stream.rule is not None else 0,
    }


@open_to(EVERYONE)
@require_safe
def sensor_csv(request: HttpRequest, number: int, stream: int) -> HttpResponse:
    """Give the hours of a series, its days (`pas=jour`), or its readings of the last month (`pas=mesure`)."""
    request = cast(Request, request)
    at, zone, step = now(), _zone(request), request.GET.get("pas", "heure")
    one = queries.thing(request.viewer, number, at=at, territory=territory_of(request))
    found = next((series for series in one.streams if series.id == stream), None)
    if found is None or step not in ("heure", "jour", "mesure"):
        raise Http404
    name = f"capteur-{number}-{stream}-{step}.csv"
    if step == "mesure":
        points = queries.readings(found, at - READINGS_BACK, at + timedelta(hours=1), most=MOST_READINGS)
        rows = [(_stamp(p.at, zone), p.result, found.unit, _("oui") if p.marked else "") for p in points]
        return sheet_response(name, (_("Instant"), _("Mesure"), _("Unité"), _("Hors de sa plage")), rows)
    span = queries.HOUR if step == "heure" else queries.DAY
    heads = (_("Début"), _("Moyenne"), _("Plus petit"), _("Plus grand"), _("p95"), _("Unité"), _("Mesures"),
             _("Hors de la plage"))  # fmt: skip
    first = datetime(2000, 1, 1, tzinfo=zone)
    lines = (
        (_stamp(s.start, zone), _short(s.mean), s.low, s.high, _short(s.p95), found.unit, s.count, s.marked)
        for s in queries.each_span(found, span, first, at)
    )
    return sheet_response(name, heads, lines)


def _stamp(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


@open_to(EVERYONE)
@require_safe
def live(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show the facilities of a use case: how full they are now, as usual, and in the hours that come."""
    request = cast(Request, request)
    service = service_of_engine(request, use_case, "live")
    if service is None:
        raise Http404
    at, zone = now(), _zone(request)
    found = queries.attendances(request.viewer, territory_of(request), use_case, at=at)
    count_opening(request, service)
    context = {"service": service.use_case, "places": [words.place(one, at, zone) for one in found]}
    return render(request, "portal/live/live.html", context)


urlpatterns: list[URLPattern] = [
    path("capteurs/", sensors, name="sensors"),
    path("capteurs/carte.geojson", sensors_geojson, name="sensors-geojson"),
    path("capteurs/<int:number>/", sensor, name="sensor"),
    path("capteurs/<int:number>/<int:stream>.csv", sensor_csv, name="sensor-csv"),
    path("en-direct/<slug:use_case>/", live, name="live"),
]
