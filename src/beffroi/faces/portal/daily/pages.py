"""Every day at an address: which bin goes out, what the canteen serves, what is open; sectors on the map, iCalendar."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from shapely.geometry import mapping

from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.time import now
from beffroi.faces.portal.directory import count_opening, service_of_engine, territory_of, town_datasets
from beffroi.faces.portal.hours import HoursLine, hours_lines
from beffroi.faces.portal.itinerary import PlaceField
from beffroi.faces.portal.layer_asked import Moment, moment
from beffroi.faces.portal.layer_near import Away, nearest_of
from beffroi.faces.portal.mapping import overlay_map
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.addresses import Address
from beffroi.faces.shell.calendars import Event, calendar_response
from beffroi.sense.places.daily import queries
from beffroi.sense.places.daily.queries import Bin, Collected, DailySettings, OpenPlace

WHERE, SECTOR = "ou", "secteur"
MENU_DAYS = 7
CALENDAR_DAYS = 366
NEAREST_EACH = 2
EVENING = timedelta(hours=5)
"""Of a day that begins at midnight, seven o'clock the evening before."""

PIN = "#12495a"


class WhereForm(forms.Form):
    """The address one asks for."""

    ou = PlaceField(
        label=gettext_lazy("Votre adresse"), required=False,
        help_text=gettext_lazy("Par exemple : 12 rue du Lavoir. L’adresse n’est pas gardée."),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BinTold:
    """One sort of waste: its bin, its next day, the following ones."""

    one: Bin
    next: Collected | None
    later: tuple[Collected, ...]


@dataclass(frozen=True, slots=True)
class PlaceTold:
    """A place and its hours, whether it is open, how far it is."""

    one: OpenPlace
    url: str
    is_open: bool | None
    hours: tuple[HoursLine, ...]
    away: Away | None


@dataclass(frozen=True, slots=True)
class _Asked:
    service: UseCaseView
    settings: DailySettings
    territory: str
    hour: Moment

    @property
    def today(self) -> date:
        return self.hour.at.date()


def _asked(request: Request, use_case: str) -> _Asked:
    service = service_of_engine(request, use_case, queries.ENGINE)
    if service is None or not service.is_open:
        raise Http404
    code = territory_of(request)
    zone = request.commune.timezone if request.commune else "Europe/Paris"
    return _Asked(service, service.use_case.settings[queries.ENGINE], code, moment(code, zone, now()))


@open_to(EVERYONE)
@require_safe
def daily(request: HttpRequest, use_case: str) -> HttpResponse:
    """Tell of an address, or of a sector: its bins; and of the town: the menu, what is open near."""
    request = cast(Request, request)
    asked = _asked(request, use_case)
    count_opening(request, asked.service)
    form = WhereForm(request.GET if WHERE in request.GET else None, label_suffix="")
    cast(PlaceField, form.fields[WHERE]).citycode = asked.territory
    near = form.cleaned_data.get(WHERE) if form.is_bound and form.is_valid() else None
    bins = _bins(request, asked, near)
    sectors = queries.sectors(request.viewer, asked.territory, asked.settings)
    meals = queries.meals(
        request.viewer, asked.territory, asked.settings, asked.today, asked.today + timedelta(days=MENU_DAYS)
    )
    told = _told(asked, bins)
    sector = bins[0].sector if bins else ""
    context = {
        "service": asked.service.use_case,
        "settings": asked.settings,
        "form": form,
        "near": near,
        "sector": sector,
        "bins": told,
        "tonight": [one.one for one in told if one.next and one.next.day == asked.today + timedelta(days=1)],
        "today": asked.today,
        "sectors": [(name, f"?{urlencode({SECTOR: name})}", _told(asked, some)) for name, _shape, some in sectors],
        "calendar": f"{reverse('portal:daily-calendar', args=[use_case])}?{urlencode({SECTOR: sector})}",
        "meals": [one for one in meals if one.day == asked.today],
        "coming": [one for one in meals if one.day != asked.today],
        "places": _places(request, asked, near),
        "summaries": [one for slug in dict.fromkeys(asked.settings.datasets)
                      if (one := queries.summary_of(request.viewer, asked.territory, slug))],
        "map": _map(request, asked) if sectors else None,
    }  # fmt: skip
    return render(request, "portal/daily/page.html", context)


def _bins(request: Request, asked: _Asked, near: Address | None) -> list[Bin]:
    if near is not None:
        return queries.bins_at(request.viewer, asked.territory, asked.settings, near.lon, near.lat)
    name = request.GET.get(SECTOR, "")[:120]
    return queries.bins_of_sector(request.viewer, asked.territory, asked.settings, name) if name else []


def _told(asked: _Asked, bins: list[Bin]) -> list[BinTold]:
    last = asked.today + timedelta(days=asked.settings.days)
    days: dict[str, list[Collected]] = defaultdict(list)
    is_holiday = queries.is_holiday_in(asked.territory)
    for day, one in queries.collections(bins, asked.today, last, is_holiday=is_holiday):
        days[one.id].append(day)
    told = [BinTold(one, next(iter(days[one.id]), None), tuple(days[one.id][1:])) for one in bins]
    return sorted(told, key=lambda one: (one.next.day if one.next else date.max, one.one.flow))


def _places(request: Request, asked: _Asked, near: Address | None) -> list[PlaceTold]:
    """Return the nearest places of each kind, or all of them by kind when one does not say where she is."""
    found = queries.open_places(request.viewer, asked.territory, asked.settings)
    away: dict[int, Away] = {}
    if near is not None:
        away = nearest_of(asked.territory, near, [(one.lon, one.lat) for one in found], most=len(found))
        kept: list[OpenPlace] = []
        ranks: list[int] = []
        for rank in away:
            if sum(one.kind == found[rank].kind for one in kept) < NEAREST_EACH:
                kept.append(found[rank])
                ranks.append(rank)
    else:
        ranks = sorted(range(len(found)), key=lambda rank: (found[rank].kind, found[rank].title))
    return [_place(asked, found[rank], away.get(rank)) for rank in ranks]


def _place(asked: _Asked, one: OpenPlace, away: Away | None) -> PlaceTold:
    url = reverse("portal:sheet", args=[one.ref.territory, one.ref.slug, one.id])
    return PlaceTold(one, url, asked.hour.is_open(one.hours), hours_lines(one.hours), away)


def _map(request: Request, asked: _Asked) -> Any:
    title = _("Secteurs de collecte")
    use_case = asked.service.use_case.id
    layer = {
        "id": f"collecte-{use_case}", "title": title, "url": reverse("portal:daily-geojson", args=[use_case]),
        "list": f"{reverse('portal:daily', args=[use_case])}#secteurs", "property": "", "marks": [["", title, PIN]],
        "byBox": False, "refreshS": 0, "shown": True,
    }  # fmt: skip
    return overlay_map(request.viewer, request.commune, town_datasets(request), layer)


@open_to(EVERYONE)
@require_safe
def daily_geojson(request: HttpRequest, use_case: str) -> JsonResponse:
    """Give the sectors of collection for the map, each with the page of its days."""
    request = cast(Request, request)
    asked = _asked(request, use_case)
    page = reverse("portal:daily", args=[use_case])
    features = [
        {"type": "Feature", "geometry": mapping(shape),
         "properties": {"title": name, "url": f"{page}?{urlencode({SECTOR: name})}"}}
        for name, shape, _bins in queries.sectors(request.viewer, asked.territory, asked.settings)
        if not shape.is_empty
    ]  # fmt: skip
    return JsonResponse({"type": "FeatureCollection", "features": features})


@open_to(EVERYONE)
@require_safe
def daily_calendar(request: HttpRequest, use_case: str) -> HttpResponse:
    """Give a year of collections of a sector, each with its alarm the evening before: a sector leads to nobody."""
    request = cast(Request, request)
    asked = _asked(request, use_case)
    name = request.GET.get(SECTOR, "")[:120]
    bins = queries.bins_of_sector(request.viewer, asked.territory, asked.settings, name)
    if not bins:
        raise Http404
    last = asked.today + timedelta(days=CALENDAR_DAYS)
    found = queries.collections(bins, asked.today, last, is_holiday=queries.is_holiday_in(asked.territory))
    page = request.build_absolute_uri(f"{reverse('portal:daily', args=[use_case])}?{urlencode({SECTOR: name})}")
    events = [
        Event(f"{slugify(one.id)}-{day.day:%Y%m%d}", day.day, None,
              _("Bac : {flow}").format(flow=one.flow), description=f"{one.bin} · {one.out}".strip(" ·"), url=page,
              alarm=EVENING)
        for day, one in found
    ]  # fmt: skip
    title = _("Collecte, {sector}").format(sector=name)
    return calendar_response(title, f"collecte-{slugify(name)}", events, host=request.get_host(), at=now())


_ONE = "au-quotidien/<slug:use_case>/"
urlpatterns: list[URLPattern] = [
    path(_ONE, daily, name="daily"),
    path(f"{_ONE}secteurs.geojson", daily_geojson, name="daily-geojson"),
    path(f"{_ONE}collecte.ics", daily_calendar, name="daily-calendar"),
]
