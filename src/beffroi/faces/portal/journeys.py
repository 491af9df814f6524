"""`/trajets/`: on foot, by bicycle, by bus, by car alone or shared, side by side, with time, cost and CO2."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from beffroi.base.clock.queries import timezone_of
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.faces.portal.directory import count_opening, service_of_engine, territory_of
from beffroi.faces.portal.itinerary import PlaceField, distance, duration, place_of
from beffroi.faces.portal.transit.wording import badge
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.journeys import comparing
from beffroi.sense.mobility.journeys.comparing import Comparison, Leg, Option, compare
from beffroi.sense.mobility.journeys.engine import Settings
from beffroi.sense.mobility.shared import queries as shared
from beffroi.sense.mobility.shared.queries import Fleet, Ride

ENGINE = "journeys"
MODES = {
    comparing.FOOT: gettext_lazy("À pied"),
    comparing.BICYCLE: gettext_lazy("À vélo"),
    comparing.SHARED: gettext_lazy("À vélo partagé"),
    comparing.TRANSIT: gettext_lazy("En transport"),
    comparing.PARK: gettext_lazy("En voiture puis en transport (parc relais)"),
    comparing.CARPOOL: gettext_lazy("En voiture, à deux (covoiturage)"),
    comparing.CAR: gettext_lazy("En voiture, seul"),
}


class JourneysForm(forms.Form):
    """From where, to where, when."""

    de = PlaceField(label=gettext_lazy("Départ"), help_text=gettext_lazy("Une adresse, ou longitude et latitude."))
    vers = PlaceField(label=gettext_lazy("Arrivée"), help_text=gettext_lazy("Une adresse, ou longitude et latitude."))
    depart = forms.DateTimeField(
        label=gettext_lazy("Moment du départ"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M"],
        help_text=gettext_lazy("Maintenant, si vous n’en dites pas."),
        error_messages={"invalid": gettext_lazy("Écrivez par exemple 2026-03-29T08:30.")},
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, *args: Any, citycode: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("de", "vers"):
            self.fields[name].citycode = citycode  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class ToldOption:
    """A way in words; `steps` are those by transit, `link` leads to the way on the streets."""

    mode: str
    time: str
    length: str
    cost: str
    co2: str
    hours: str
    steps: tuple[tuple[str, Any], ...]
    link: str


@open_to(EVERYONE)
@require_safe
def journeys(request: HttpRequest, use_case: str = "") -> HttpResponse:
    """Compare the ways of going from one place to another; all is in the address, nothing is kept."""
    request = cast(Request, request)
    territory = territory_of(request)
    service = service_of_engine(request, use_case, ENGINE)
    asked = any(key in request.GET for key in ("de", "vers"))
    form = JourneysForm(request.GET if asked else None, citycode=territory)
    context: dict[str, Any] = {
        "form": form, "service": service.use_case if service else None, "ready": mobility.has_graph(territory),
    }  # fmt: skip
    status = 200
    if context["ready"] and form.is_bound:
        count_opening(request, service)
        status = _answer(form, territory, service.use_case.settings[ENGINE] if service else Settings(), context)
    return render(request, "portal/journeys.html", context, status=status)


def _answer(form: JourneysForm, territory: str, settings: Settings, context: dict[str, Any]) -> int:
    """Put the answer to the form in the context; return the status of the page."""
    if not form.is_valid():
        return 400
    data = form.cleaned_data
    try:
        found = compare(
            territory, start=place_of(data["de"]), goal=place_of(data["vers"]), at=now(),
            leaving=_local(data["depart"], territory), ticket_eur=settings.ticket_eur, shared_eur=settings.shared_eur,
        )  # fmt: skip
    except BeffroiError as error:
        context["problem"] = error
        return error.http_status
    context |= {"found": found, "options": [_told(one, found, form, territory) for one in found.options]}
    context["fleets"] = [_fleet(one, place_of(data["de"]), at=now()) for one in found.fleets]
    context["lightest"] = min(found.options, key=lambda one: one.co2_g).mode if found.options else ""
    return 200


def _local(moment: datetime | None, territory: str) -> datetime | None:
    """Return a moment written in a form as the clocks of the town tell it."""
    return None if moment is None else moment.replace(tzinfo=timezone_of(territory))


def _told(one: Option, found: Comparison, form: JourneysForm, territory: str) -> ToldOption:
    zone = timezone_of(territory)
    hours = ""
    if one.leaves_at is not None and one.arrives_at is not None:
        hours = _("partir à {leaves}, arriver à {arrives}").format(
            leaves=date_format(one.leaves_at.astimezone(zone), "G:i"),
            arrives=date_format(one.arrives_at.astimezone(zone), "G:i"),
        )
    if one.ride is not None and one.ride.fleet.told_at is not None:
        hours = _("d’après les vélos et les places {ago}").format(ago=_ago(one.ride.fleet.told_at, found.at))
    link = ""
    if one.profile:
        asked = {"de": form["de"].value(), "vers": form["vers"].value(), "profil": one.profile}
        link = f"{reverse('portal:itinerary')}?{urlencode(asked)}"
    return ToldOption(
        mode=str(MODES[one.mode]),
        time=duration(one.seconds),
        length=distance(one.length_m),
        cost=_("inconnu") if one.cost_eur is None else euros(one.cost_eur),
        co2=grams(one.co2_g),
        hours=hours,
        steps=_steps(one, zone),
        link=link,
    )


def _steps(one: Option, zone: Any) -> tuple[tuple[str, Any], ...]:
    if one.ride is not None:
        return _shared_steps(one.ride)
    told = [
        _step(leg, zone, between=0 < rank < len(one.legs) - 1)
        for rank, leg in enumerate(one.legs)
        if leg.line is not None or leg.seconds >= 30
    ]
    if one.park is not None:
        count = one.park.park.places
        places = ngettext("{n} place de parc relais", "{n} places de parc relais", count).format(n=count)
        drive = _("{time} en voiture jusqu’au parc « {park} » ({places} ; celles qui restent ne sont pas connues)")
        said = drive.format(time=duration(one.park.drive_s), park=one.park.park.name, places=places)
        told.insert(0, (said, None))
    return tuple(told)


def _step(leg: Leg, zone: Any, *, between: bool) -> tuple[str, Any]:
    if leg.line is None or leg.boarded is None or leg.left is None or leg.leaves_at is None or leg.arrives_at is None:
        said = _("{time} pour changer") if between else _("{time} à pied")
        return said.format(time=duration(leg.seconds)), None
    text = _("{boarded} à {leaves}, vers {destination} ; descendre à {left} à {arrives} ({stops})").format(
        boarded=leg.boarded.name, leaves=date_format(leg.leaves_at.astimezone(zone), "G:i"),
        destination=leg.destination, left=leg.left.name, arrives=date_format(leg.arrives_at.astimezone(zone), "G:i"),
        stops=ngettext("{n} arrêt", "{n} arrêts", leg.stops).format(n=leg.stops),
    )  # fmt: skip
    return text, badge(leg.line)


def _shared_steps(ride: Ride) -> tuple[tuple[str, None], ...]:
    """Return the three steps of a way by a shared bicycle, what each station has now told."""
    free, docks = ride.taken.vehicles or 0, ride.left.docks or 0
    bicycles = ngettext("{n} vélo", "{n} vélos", free).format(n=free)
    places = ngettext("{n} place libre", "{n} places libres", docks).format(n=docks)
    said = (
        _("{time} à pied jusqu’à la station « {station} » ({what})").format(
            time=duration(ride.walk_first_s), station=ride.taken.name, what=bicycles
        ),
        _("{time} à vélo jusqu’à la station « {station} » ({what})").format(
            time=duration(ride.ride_s), station=ride.left.name, what=places
        ),
        _("{time} à pied").format(time=duration(ride.walk_last_s)),
    )
    return tuple((one, None) for one in said)


def _ago(told_at: datetime, at: datetime) -> str:
    """Return the age of a figure, by the minute."""
    minutes = max(0, round((at - told_at).total_seconds() / 60))
    if minutes < 1:
        return _("de l’instant")
    return _("d’il y a {time}").format(time=duration(60 * minutes))


def _fleet(fleet: Fleet, place: tuple[float, float], *, at: datetime) -> dict[str, Any]:
    """Return what a system of shared vehicles has near a place, and the age of that."""
    return {
        "name": fleet.system.name,
        "ago": _ago(fleet.told_at, at) if fleet.told_at else "",
        "fresh": fleet.fresh,
        "rows": [(distance(away), one) for away, one in shared.near(fleet, place)],
        "loose": shared.vehicles_near(fleet, place),
    }


def euros(value: float) -> str:
    """Return a price as one says it."""
    return _("gratuit") if value < 0.005 else _("{euros} €").format(euros=f"{value:.2f}".replace(".", _(",")))


def grams(value: float) -> str:
    """Return grams of CO2 as one says them: by ten, then in kilograms."""
    if value < 1000:
        return _("{g} g").format(g=int(round(value, -1)) if value >= 20 else round(value))
    return _("{kg} kg").format(kg=f"{value / 1000:.1f}".replace(".", _(",")))
