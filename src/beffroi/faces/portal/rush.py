"""`/heures/`: how busy each hour is at a place or along a trip, when it is better, and a sheet for employers."""

from __future__ import annotations

from datetime import time
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.faces.portal.directory import count_opening, service_of_engine, territory_of
from beffroi.faces.portal.itinerary import PlaceField, place_of
from beffroi.faces.portal.rush_words import DAYS, glance_rows, told_place, told_site, told_way
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.hours import queries
from beffroi.sense.mobility.hours.queries import Day
from beffroi.sense.mobility.hours.settings import HoursSettings

ENGINE = "hours"
_DAYS = [(day.value, name) for day, name in DAYS.items()]
_PLACE_HELP = gettext_lazy("Une adresse, ou longitude et latitude.")


class PlaceForm(forms.Form):
    """A place measured, and a kind of day."""

    lieu = forms.ChoiceField(label=gettext_lazy("Axe ou lieu"))
    jour = forms.ChoiceField(label=gettext_lazy("Genre de jour"), choices=_DAYS)

    def __init__(self, *args: Any, places: tuple[queries.Place, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups: dict[str, list[tuple[str, str]]] = {}
        for one in places:
            groups.setdefault(one.source.title, []).append((one.key, one.name))
        cast(forms.ChoiceField, self.fields["lieu"]).choices = list(groups.items())


class TripForm(forms.Form):
    """From where, to where, and a kind of day."""

    prefix = "t"
    de = PlaceField(label=gettext_lazy("Départ"), help_text=_PLACE_HELP)
    vers = PlaceField(label=gettext_lazy("Arrivée"), help_text=_PLACE_HELP)
    jour = forms.ChoiceField(label=gettext_lazy("Genre de jour"), choices=_DAYS)

    def __init__(self, *args: Any, citycode: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("de", "vers"):
            self.fields[name].citycode = citycode  # type: ignore[attr-defined]


class SiteForm(forms.Form):
    """The site of an employer and the hours one starts and ends there."""

    site = PlaceField(label=gettext_lazy("Lieu de travail"), help_text=_PLACE_HELP)
    nom = forms.CharField(label=gettext_lazy("Nom à écrire sur la fiche"), max_length=80, required=False)
    debut = forms.TimeField(
        label=gettext_lazy("Début du travail"),
        initial=time(9),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    fin = forms.TimeField(
        label=gettext_lazy("Fin du travail"),
        initial=time(17, 30),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )

    def __init__(self, *args: Any, citycode: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["site"].citycode = citycode  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuse a day that ends before it starts."""
        data = super().clean() or {}
        if data.get("debut") and data.get("fin") and data["debut"] >= data["fin"]:
            raise ValidationError(
                gettext_lazy("La fin du travail vient après son début : corrigez l’une des deux heures.")
            )
        return data


@open_to(EVERYONE)
@require_safe
def hours(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show a place or a trip hour by hour; all is in the address, nothing is kept."""
    request = cast(Request, request)
    territory, service = territory_of(request), _service(request, use_case)
    settings = _settings(service)
    known = queries.places(territory, settings)
    one = PlaceForm(request.GET if "lieu" in request.GET else None, places=known)
    trip = TripForm(request.GET if "t-de" in request.GET else None, citycode=territory)
    context: dict[str, Any] = {
        "service": service.use_case, "one": one, "trip": trip, "known": known, "ready": mobility.has_graph(territory),
    }  # fmt: skip
    status = 200
    try:
        if one.is_bound:
            status = 200 if one.is_valid() else 400
            if one.is_valid():
                place = queries.place(territory, settings, one.cleaned_data["lieu"])
                context["told"] = told_place(place, Day(one.cleaned_data["jour"]), settings)
        elif trip.is_bound:
            status = 200 if trip.is_valid() else 400
            if trip.is_valid():
                context["way"] = _trip(trip, territory, settings)
    except BeffroiError as error:
        context["problem"], status = error, error.http_status
    if "told" in context or "way" in context:
        count_opening(request, service)
    else:
        context["glance"] = glance_rows(known, settings)
    return render(request, "portal/rush.html", context, status=status)


@open_to(EVERYONE)
@require_safe
def employers(request: HttpRequest, use_case: str) -> HttpResponse:
    """Make the sheet that an employer prints: the peak about the site, and what other hours change."""
    request = cast(Request, request)
    territory, service = territory_of(request), _service(request, use_case)
    settings = _settings(service)
    form = SiteForm(request.GET if "site" in request.GET else None, citycode=territory)
    context: dict[str, Any] = {"service": service.use_case, "form": form}
    status = 200
    if form.is_bound and not form.is_valid():
        status = 400
    elif form.is_bound:
        data = form.cleaned_data
        lon, lat = place_of(data["site"])
        start, end = (60 * data[name].hour + data[name].minute for name in ("debut", "fin"))
        found = queries.site(territory, settings, lon=lon, lat=lat, start_min=start, end_min=end, at=now())
        context["told"] = told_site(found, start_min=start, end_min=end, settings=settings)
        context["name"] = data["nom"] or data["site"].label
        count_opening(request, service)
    return render(request, "portal/rush_employers.html", context, status=status)


def _service(request: Request, use_case: str) -> UseCaseView:
    found = service_of_engine(request, use_case, ENGINE)
    if found is None:
        raise Http404
    return found


def _settings(service: UseCaseView) -> HoursSettings:
    return cast(HoursSettings, service.use_case.settings[ENGINE])


def _trip(form: TripForm, territory: str, settings: HoursSettings) -> dict[str, Any]:
    data = form.cleaned_data
    day = Day(data["jour"])
    found = queries.way(territory, settings, start=place_of(data["de"]), goal=place_of(data["vers"]), day=day, at=now())
    asked = {"de": form["de"].value(), "vers": form["vers"].value()}
    return told_way(found, day, settings) | {"compare": f"{reverse('portal:journeys')}?{urlencode(asked)}"}
