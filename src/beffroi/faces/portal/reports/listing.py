"""`/signalements/`: what others reported and what came of it, as a list, a map and live points; the same for all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES, UseCase
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.numbers import whole_number
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.faces.portal.directory import territory_of, town_datasets
from beffroi.faces.portal.mapping import overlay_map
from beffroi.faces.portal.reports.wording import age, state_of, tone_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.faces.shell.places import BadPlace, read_degrees
from beffroi.serve.cases.definition import OPEN
from beffroi.serve.reports import queries
from beffroi.serve.reports.categories import ENGINE, ReportsSettings
from beffroi.serve.reports.queries import ReportFilter, ReportInfo

PAGE_SIZE = 20
NEAR_M = 500.0
METRES_PER_DEGREE = 111_195.0
AGES = ((7, gettext_lazy("Une semaine")), (30, gettext_lazy("Un mois")), (365, gettext_lazy("Un an")))
STATES = (("open", gettext_lazy("En cours")), ("closed", gettext_lazy("Clos")))


def offer_reports(services: Iterable[UseCaseView]) -> bool:
    """Tell whether something may be reported by one of these services."""
    return any(_reports(one.use_case) for one in services)


def _reports(one: UseCase) -> bool:
    settings = one.settings.get(ENGINE)
    return isinstance(settings, ReportsSettings) and bool(settings.category)


def has_reports(request: Request) -> bool:
    """Tell whether anything may be reported in the town of the page; one query."""
    code = territory_of(request)
    return bool(code) and offer_reports(catalogue.use_cases(territory=code, engine_name=ENGINE, states=OPEN_STATES))


def knows_reports(request: Request) -> bool:
    """Tell whether the files of this installation open anything to report: the map asks the registry for nothing more.

    In a town that has retired it all, the layer shows what was reported before, and its list says so.
    """
    known = catalogue.catalogue().use_cases.values()
    return bool(territory_of(request)) and any(one.state in OPEN_STATES and _reports(one) for one in known)


OVERLAY = Overlay(
    slug="signalements",
    title=gettext_noop("Signalements"),
    address="portal:reports-geojson",
    list_address="portal:reports",
    property="etat",
    marks=(Mark("en-cours", gettext_noop("En cours"), "#b3261e"), Mark("clos", gettext_noop("Clos"), "#17613a")),
    is_open=knows_reports,
    by_box=True,
)


class FilterForm(forms.Form):
    """What the list may be narrowed to."""

    etat = forms.ChoiceField(label=gettext_lazy("État"), required=False)
    categorie = forms.ChoiceField(label=gettext_lazy("Catégorie"), required=False)
    quartier = forms.ChoiceField(label=gettext_lazy("Quartier"), required=False)
    age = forms.ChoiceField(label=gettext_lazy("Depuis"), required=False)
    q = forms.CharField(
        label=gettext_lazy("Rue, mot ou numéro"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search"}),
    )

    def __init__(self, *args: Any, territory: str, at: datetime, **kwargs: Any) -> None:
        kwargs["auto_id"] = "filtre_%s"
        super().__init__(*args, **kwargs)
        everything = ("", _("Tous"))
        names = {zone.slug: zone.name for zone in territory_queries.zones(territory, "quartier")}
        known = [one.category for one in queries.categories_for(ANONYMOUS, territory) if not one.category.restricted]
        choices: dict[str, list[tuple[str, Any]]] = {
            "etat": [everything, *STATES],
            "categorie": [("", _("Toutes")), *((one.code, _(one.label)) for one in known if one.access == "public")],
            "quartier": [everything, *((slug, names.get(slug, slug)) for slug in queries.districts(territory, at=at))],
            "age": [("", _("Toujours")), *((str(days), title) for days, title in AGES)],
        }
        for name, values in choices.items():
            cast(forms.ChoiceField, self.fields[name]).choices = values
        if len(choices["quartier"]) == 1:
            del self.fields["quartier"]

    def criteria(self, at: datetime) -> ReportFilter:
        """Return the criteria of a valid form."""
        values = self.cleaned_data
        return ReportFilter(
            statuses=tuple(filter(None, (values["etat"],))),
            categories=tuple(filter(None, (values["categorie"],))),
            districts=tuple(filter(None, (values.get("quartier", ""),))),
            since=at - timedelta(days=int(values["age"])) if values["age"] else None,
            text=values["q"],
        )


@open_to(EVERYONE)
@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """List the public reports of the town, the last first, with a map of them."""
    request = cast(Request, request)
    territory, at = territory_of(request), timezone.now()
    form = FilterForm(request.GET, territory=territory, at=at)
    around = around_of(request.GET)
    wanted = form.criteria(at) if form.is_valid() else ReportFilter()
    page = queries.public_reports(
        territory,
        replace(wanted, bbox=around),
        at=at,
        page=_page_number(request),
        size=PAGE_SIZE,
    )
    context = {
        "form": form,
        "page": page,
        "first": (page.page - 1) * page.size + 1,
        "last": min(page.page * page.size, page.total),
        "shown": [told(one, at) for one in page.items],
        "around": around is not None,
        "map": overlay_map(request.viewer, request.commune, town_datasets(request), replace(OVERLAY, shown=True)),
        "may_report": has_reports(request),
        "feed": feed_of(replace(wanted, bbox=around)),
        "same_wanted": same_wanted(wanted, request, around),
    }
    return render(request, "portal/reports/reports.html", context, status=400 if form.errors else 200)


def feed_of(wanted: ReportFilter) -> str:
    """Return the address of the Atom feed of what a list shows; a feed has no age: what changed comes first."""
    query = {
        "categorie": ",".join(wanted.categories),
        "etat": ",".join(wanted.statuses),
        "quartier": ",".join(wanted.districts),
        "q": wanted.text,
        "bbox": ",".join(f"{degrees:.5f}" for degrees in wanted.bbox) if wanted.bbox else "",
    }
    return _with(reverse("report-feed"), query)


def same_wanted(wanted: ReportFilter, request: Request, around: BBox | None) -> str:
    """Return the address where one subscribes to what a list shows."""
    query = {"categorie": "".join(wanted.categories), "quartier": "".join(wanted.districts), "rue": wanted.text}
    if around is not None:
        query |= {"lon": request.GET["lon"], "lat": request.GET["lat"], "around": f"{NEAR_M:.0f}"}
    return _with(reverse("portal:subscribe"), query)


def _with(address: str, query: dict[str, str]) -> str:
    given = urlencode({name: value for name, value in query.items() if value})
    return f"{address}?{given}" if given else address


def told(info: ReportInfo, at: datetime) -> dict[str, Any]:
    """Return what a list tells of a report."""
    case = info.case
    return {
        "report": info,
        "label": _(info.label),
        "place": info.street or info.address,
        "state": state_of(case),
        "tone": tone_of(case),
        "age": age(case.opened_at, at),
        "photo": info.photos[0] if info.photos else None,
    }


def _page_number(request: Request) -> int:
    number = whole_number(request.GET.get("page", "1"), digits=5)
    return 1 if number is None else min(number, 500)


def around_of(asked: Mapping[str, str]) -> BBox | None:
    """Return the box of 500 m around the place asked for, None when none is, or none that can be read."""
    try:
        lon = read_degrees(asked.get("lon", ""), limit=180)
        lat = read_degrees(asked.get("lat", ""), limit=85)
    except BadPlace:
        return None
    high = NEAR_M / METRES_PER_DEGREE
    wide = high / math.cos(math.radians(lat))
    return BBox(lon - wide, lat - high, lon + wide, lat + high)


@open_to(EVERYONE)
@require_safe
def reports_geojson(request: HttpRequest) -> JsonResponse:
    """Give the public reports of a box as points: one for everybody, whoever asks."""
    request = cast(Request, request)
    territory, at = territory_of(request), timezone.now()
    wanted = ReportFilter(bbox=_asked_box(request.GET.get("bbox", "")))
    labels = {one.category.code: _(one.category.label) for one in queries.categories_for(ANONYMOUS, territory)}
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(point.lon, 6), round(point.lat, 6)]},
            "properties": {
                "title": f"{labels.get(point.category, point.category)} · {age(point.opened_at, at)}",
                "url": reverse("portal:public-report", args=[point.number]),
                "etat": "en-cours" if point.status in OPEN else "clos",
            },
        }
        for point in queries.map_points(ANONYMOUS, territory, wanted, at=at)
    ]
    response = JsonResponse(
        {"type": "FeatureCollection", "features": features}, json_dumps_params={"ensure_ascii": False}
    )
    response.headers["Cache-Control"] = "public, max-age=30"
    return response


def _asked_box(text: str) -> BBox | None:
    if not text:
        return None
    parts = text.split(",")
    if len(parts) != 4:
        raise BadPlace(
            gettext_noop("« {text} » n’est pas un cadre"),
            where="bbox",
            remedy=gettext_noop("donnez ouest,sud,est,nord en degrés"),
            text=text[:60],
        )
    west, south, east, north = (
        read_degrees(one, limit=limit) for one, limit in zip(parts, (180, 90, 180, 90), strict=True)
    )
    return BBox(west, south, east, north)
