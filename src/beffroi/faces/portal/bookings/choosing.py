"""`/reserver/`: what can be booked; then one thing: where, which of the free days, what, and send."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import AGENTS
from beffroi.faces.portal.bookings.forms import BookForm
from beffroi.faces.portal.bookings.months import free_days, month_of
from beffroi.faces.portal.directory import count_opening, public_service, territory_of
from beffroi.faces.portal.reports.draft import FOR_ANOTHER
from beffroi.faces.portal.reports.forms import MandateForm
from beffroi.faces.portal.reports.sending import address_of
from beffroi.faces.portal.rules import RulesForm
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.addresses import Address, AddressField, nearest_label
from beffroi.faces.shell.requests import service_names
from beffroi.faces.shell.sentences import said
from beffroi.serve.bookings import operations, queries
from beffroi.serve.bookings.definition import Wish
from beffroi.serve.bookings.hours.queries import open_slot_things
from beffroi.serve.bookings.queries import Day, Lane, Thing
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Mandate, MandateKind, Requester


def has_bookings(request: Request) -> bool:
    """Tell whether something can be booked in the town of the page; one query."""
    return bool(queries.open_things(territory_of(request)))


@open_to(EVERYONE)
@require_safe
def bookables(request: HttpRequest) -> HttpResponse:
    """List what can be booked in the town."""
    territory = territory_of(cast(Request, request))
    context = {"things": queries.open_things(territory), "slot_things": open_slot_things(territory)}
    return render(request, "portal/bookings/list.html", context)


@dataclass(frozen=True, slots=True)
class Where:
    """Where it is to be served: the place (CRS84 degrees) as the reader names it, the lane that serves it, its days."""

    lon: float
    lat: float
    label: str
    lane: Lane
    days: tuple[Day, ...]


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def bookable(request: HttpRequest, use_case: str) -> HttpResponseBase:
    """Show the free days of a thing at a place, and take a booking; nothing typed is lost when it is refused."""
    request = cast(Request, request)
    service, territory, at = public_service(request, use_case), territory_of(request), timezone.now()
    thing = queries.open_thing(territory, use_case)
    data = request.POST if request.method == "POST" else request.GET
    asked = any(data.get(name, "").strip() for name in ("adresse", "lat", "lon"))
    where_form = _where_form(request, data if asked else None)
    context = _context(request, thing, where_form)
    try:
        where = _where(territory, thing, where_form, at) if asked and where_form.is_valid() else None
    except BeffroiError as error:
        where = None
        where_form.add_error("adresse", _told(error))
    if where is None:
        status = 400 if asked else 200
        return render(request, "portal/bookings/where.html", context, status=status)
    context |= _days_context(request, thing, where, data)
    another = data.get("pour") == FOR_ANOTHER and request.viewer.person_id is not None
    posted = request.POST if request.method == "POST" else None
    form = BookForm(
        thing, posted, days=free_days(where.days), for_another=another, initial={"jour": data.get("jour", "")}
    )
    is_agent = AGENTS in request.viewer.clearances(territory)
    mandate = MandateForm(posted, for_agent=is_agent) if another else None
    context |= {"form": form, "mandate": mandate, "key": data.get("key") or secrets.token_hex(16)}
    if posted is None:
        return _private(render(request, "portal/bookings/choose.html", context))
    # Each says what is wrong, not only the first.
    if all([form.is_valid(), mandate is None or mandate.is_valid()]):
        try:
            token = _booked(request, thing, where, form, mandate, at)
        except BeffroiError as error:
            context |= _days_context(request, thing, _where(territory, thing, where_form, at), data)
            context["problem"] = _told(error)
            return _private(render(request, "portal/bookings/choose.html", context, status=error.http_status))
        count_opening(request, service)
        return redirect(reverse("portal:followed-booking", args=[token]) + "?merci")
    return _private(render(request, "portal/bookings/choose.html", context, status=400))


def _where_form(request: Request, data: QueryDict | None) -> RulesForm:
    form = RulesForm(data, within=request.commune.bbox if request.commune else None)
    cast(AddressField, form.fields["adresse"]).citycode = territory_of(request)
    form.place_required = data is None or not data.get("adresse", "").strip()
    return form


def _where(territory: str, thing: Thing, form: RulesForm, at: datetime) -> Where:
    values = form.cleaned_data
    lon, lat, address = values["lon"], values["lat"], values.get("adresse")
    lane, place, _district = queries.lane_at(territory, thing.rules, lon, lat, at=at)
    first = queries.today_in(territory, at)
    last = first + timedelta(days=thing.rules.ahead_days)
    days = queries.days_of(territory, thing, lane, first=first, last=last, at=at)
    label = address.label if isinstance(address, Address) else nearest_label(lon, lat)
    return Where(place.lon, place.lat, label, lane, tuple(days))


def _context(request: Request, thing: Thing, where_form: RulesForm) -> dict[str, Any]:
    names = service_names(territory_of(request))
    return {
        "thing": thing,
        "rules": thing.rules,
        "service": names.get(thing.rules.service, thing.rules.service),
        "where_form": where_form,
        "for_another": request.GET.get("pour", request.POST.get("pour")) == FOR_ANOTHER,
        "signed_in": request.viewer.person_id is not None,
    }


def _days_context(request: Request, thing: Thing, where: Where, data: QueryDict) -> dict[str, Any]:
    """Return what shows the days: a month as a table, its neighbours, and the same page with another choice."""
    place = {"adresse": where.label, "lat": f"{where.lat:.6f}", "lon": f"{where.lon:.6f}"}
    if data.get("pour") == FOR_ANOTHER:
        place["pour"] = FOR_ANOTHER
    month = month_of(where.days, data.get("mois", "") or data.get("jour", "")[:7])
    weekdays = sorted(where.lane.weekdays)
    monday = where.days[0].day - timedelta(days=where.days[0].day.weekday())
    return {
        "where": where,
        "place": place,
        "query": urlencode(place),
        "month": month,
        "weekdays": [monday + timedelta(days=rank) for rank in range(7)],
        "usual": [monday + timedelta(days=rank) for rank in weekdays],
        "chosen": data.get("jour", ""),
        "none_free": not any(one.bookable for one in where.days),
    }


def _booked(
    request: Request, thing: Thing, where: Where, form: BookForm, mandate: MandateForm | None, at: datetime
) -> str:
    """Take the place and return its follow-up token."""
    values, language = form.cleaned_data, get_language() or "fr"
    by: Mandate | None = None
    requester = Requester(
        request.viewer.person_id, values.get("name", ""), values["email"], values.get("phone", ""), language
    )
    if mandate is not None:
        given = mandate.cleaned_data
        requester = Requester(None, given["name"], values["email"], given["phone"], language)
        kind = MandateKind(given["mandate"])
        by = cases.mandate_of(request.viewer, territory_of(request), kind, reference=given["reference"])
    wish = Wish(
        use_case=thing.use_case, day=form.day, lon=where.lon, lat=where.lat, address=where.label, items=form.items(),
        details=form.answers(), idempotency_key=request.POST.get("key", ""),
    )  # fmt: skip
    return operations.book(
        territory=territory_of(request), wish=wish, requester=requester, viewer=request.viewer, at=at,
        network=address_of(request), mandate=by,
    ).token  # fmt: skip


def _told(error: BeffroiError) -> str:
    told = f"{said(error.what)} : {said(error.remedy)}."
    return told[:1].upper() + told[1:]


def _private(response: HttpResponse) -> HttpResponse:
    """Let no cache keep free days that are gone, nor an address."""
    response.headers["Cache-Control"] = "no-store"
    return response
