"""`/bornes/`: charging stations, the plug one has, and whether a point is free now; as a list and on the map."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import cos, hypot, radians
from typing import Any, cast

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.time import now
from beffroi.faces.portal.directory import count_opening, territory_of, town_datasets
from beffroi.faces.portal.hours import HoursLine, hours_lines
from beffroi.faces.portal.itinerary import PlaceField
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.addresses import Address
from beffroi.faces.shell.finding import map_url
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake.layer_settings import Settings
from beffroi.lake.queries import DatasetSummary
from beffroi.sense.mobility.charging.dynamic import State
from beffroi.sense.mobility.charging.queries import Station, stations

DATASET, MOST_LISTED = "bornes-recharge", 60
METRES_PER_DEGREE = 111_195.0
PLUGS = {
    "2": gettext_noop("Type 2"),
    "combo_ccs": gettext_noop("Combo CCS"),
    "chademo": gettext_noop("CHAdeMO"),
    "ef": gettext_noop("Prise domestique (E/F)"),
    "autre": gettext_noop("Autre prise"),
}
POWERS = {"7": gettext_noop("7 kW et plus"), "22": gettext_noop("22 kW et plus"), "50": gettext_noop("50 kW et plus"),
          "150": gettext_noop("150 kW et plus")}  # fmt: skip

OVERLAY = Overlay(
    slug="bornes-etat",
    title=gettext_noop("Bornes de recharge, maintenant"),
    address="portal:charging-geojson",
    list_address="portal:charging",
    marks=(
        Mark("libre", gettext_noop("Un point libre"), "#00734d"),
        Mark("occupe", gettext_noop("Tout est occupé"), "#b35900"),
        Mark("hors-service", gettext_noop("Hors service"), "#a31621"),
        Mark("", gettext_noop("État inconnu"), "#6b7075"),
    ),
    property="etat",
    theme="mobilites",
    is_open=lambda request: any(one.ref.slug == DATASET for one in town_datasets(request)),
    refresh_s=60,
)


def _service(request: Request) -> tuple[UseCaseView, str] | None:
    """Return the open use case of the town that tells of charging, and its dataset."""
    code = territory_of(request)
    for one in catalogue.use_cases(territory=code, states=OPEN_STATES) if code else ():
        settings = one.use_case.settings.get("layers")
        if isinstance(settings, Settings) and settings.charging:
            return one, settings.charging
    return None


class ChargingForm(forms.Form):
    """What one drives, and where one is."""

    chez = PlaceField(label=gettext_lazy("Près de quelle adresse ?"), required=False)
    prise = forms.ChoiceField(label=gettext_lazy("Ma prise"), required=False)
    puissance = forms.ChoiceField(label=gettext_lazy("Puissance"), required=False)
    libre = forms.BooleanField(label=gettext_lazy("Seulement avec un point libre maintenant"), required=False)

    def __init__(self, *args: Any, citycode: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["chez"].citycode = citycode  # type: ignore[attr-defined]
        for field, empty, among in (("prise", _("Toutes"), PLUGS), ("puissance", _("Toutes"), POWERS)):
            choices = [("", empty), *((key, _(told)) for key, told in among.items())]
            self.fields[field].choices = choices  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Line:
    """A station as it is listed."""

    station: Station
    name: str
    state: str
    kind: str
    points: tuple[str, ...]
    power: str
    plugs: str
    price: str
    hours: tuple[HoursLine, ...]
    away: str
    url: str


@open_to(EVERYONE)
@require_safe
def charging(request: HttpRequest) -> HttpResponse:
    """List the charging stations that suit a vehicle, the nearest first when one says where one is."""
    request = cast(Request, request)
    service, about = _about(request)
    at = now()
    form = ChargingForm(request.GET or None, citycode=territory_of(request))
    told: dict[str, Any] = form.cleaned_data if form.is_bound and form.is_valid() else {}
    found = stations(request.viewer, about.ref, at=at) if about else []
    place = told.get("chez") if isinstance(told.get("chez"), Address) else None
    kept = [one for one in found if _suits(one, told)]
    kept.sort(key=lambda one: (_away_m(one, place) if place else 0.0, one.name))
    count_opening(request, service)
    context: dict[str, Any] = {
        "service": service.use_case, "form": form, "about": about, "total": len(kept), "all": len(found),
        "lines": [_line(one, place, at) for one in kept[:MOST_LISTED]], "more": max(0, len(kept) - MOST_LISTED),
        "is_told": any(one.told_at is not None for one in found),
    }  # fmt: skip
    return render(request, "portal/charging.html", context, status=400 if form.errors else 200)


def _about(request: Request) -> tuple[UseCaseView, DatasetSummary | None]:
    """Return the use case and its dataset, None while the town has not published it.

    Raises:
        Http404: the town has no such service.
    """
    found = _service(request)
    if found is None:
        raise Http404
    return found[0], next((one for one in town_datasets(request) if one.ref.slug == found[1]), None)


@open_to(EVERYONE)
@require_safe
def charging_geojson(request: HttpRequest) -> JsonResponse:
    """Give the stations and the best state of their points, for the map."""
    request = cast(Request, request)
    # The map of the town may ask while the service is not open: there is nothing to draw then.
    about = _about(request)[1] if _service(request) else None
    at = now()
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(one.lon, 6), round(one.lat, 6)]},
            "properties": {"title": f"{one.name} : {state_said(one, at)}", "url": reverse("portal:charging"),
                           "etat": one.state.value},
        }
        for one in (stations(request.viewer, about.ref, at=at) if about else [])
    ]  # fmt: skip
    response = JsonResponse({"type": "FeatureCollection", "features": features})
    response.headers["Cache-Control"] = "public, max-age=30"
    return response


def _suits(one: Station, told: dict[str, Any]) -> bool:
    """Tell whether one point of a station has what is asked: the plug, the power and, if asked, is free."""
    plug, power = told.get("prise"), float(told.get("puissance") or 0)
    return any(
        (not plug or plug in point.plugs)
        and (not power or (point.power_kw or 0) >= power)
        and (not told.get("libre") or point.state is State.FREE)
        for point in one.points
    )


def _away_m(one: Station, place: Address) -> float:
    east = (one.lon - place.lon) * METRES_PER_DEGREE * cos(radians(place.lat))
    return hypot(east, (one.lat - place.lat) * METRES_PER_DEGREE)


def state_said(one: Station, at: datetime) -> str:
    """Say how many points are free now, and since when that is known; unknown where nothing lately tells it."""
    free, total = one.count(State.FREE), len(one.points)
    if one.state is State.UNKNOWN:
        return _("état inconnu")
    if one.state is State.OUT:
        told = _("hors service")
    elif free:
        told = ngettext("{free} point libre sur {total}", "{free} points libres sur {total}", free)
    else:
        told = _("aucun point libre sur {total}")
    said = told.format(free=number(free), total=number(total))
    when = one.told_at
    if when is None:
        return said
    local = when.astimezone(at.tzinfo)
    return _("{state}, dit à {hour}").format(state=said, hour=date_format(local, "H:i"))


_KINDS = {State.FREE: "good", State.BUSY: "warn", State.OUT: "bad", State.UNKNOWN: ""}


def _line(one: Station, place: Address | None, at: datetime) -> Line:
    plugs = ", ".join(_(PLUGS[plug]) for plug in one.plugs)
    metres = _away_m(one, place) if place else None
    away = ""
    if metres is not None:
        told = _("{n} km") if metres >= 1000 else _("{n} m")
        away = _("à {distance} à vol d’oiseau").format(
            distance=told.format(n=number(round(metres / 1000, 1) if metres >= 1000 else int(round(metres, -1))))
        )
    return Line(
        station=one, name=one.name or _("Station sans nom"), state=state_said(one, at), kind=_KINDS[one.state],
        points=tuple(_point_said(one, rank) for rank in range(len(one.points))),
        power="" if one.power_kw is None else _("{n} kW").format(n=number(one.power_kw)), plugs=plugs,
        price=_("gratuit") if one.is_free_of_charge else one.price, hours=hours_lines(one.hours), away=away,
        url=map_url(one.lon, one.lat),
    )  # fmt: skip


_STATES = {State.FREE: gettext_noop("libre"), State.BUSY: gettext_noop("occupé"),
           State.OUT: gettext_noop("hors service"), State.UNKNOWN: gettext_noop("état inconnu")}  # fmt: skip


def _point_said(one: Station, rank: int) -> str:
    point = one.points[rank]
    power = "" if point.power_kw is None else _("{n} kW").format(n=number(point.power_kw))
    plugs = ", ".join(_(PLUGS[plug]) for plug in point.plugs)
    return " · ".join(part for part in (power, plugs, _(_STATES[point.state])) if part)


urlpatterns: list[URLPattern] = [
    path("bornes/", charging, name="charging"),
    path("bornes/carte.geojson", charging_geojson, name="charging-geojson"),
]
