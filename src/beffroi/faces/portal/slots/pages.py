"""The page of one's booking by the hour, by its token: when, where, the code, the calendar; to move, to give up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.bookings.pages import MessageForm
from beffroi.faces.portal.directory import public_service, territory_of
from beffroi.faces.portal.reports.wording import history
from beffroi.faces.portal.slots.calendars import own_calendar, place_calendar
from beffroi.faces.portal.slots.finding import week_context
from beffroi.faces.portal.slots.taking import time_of, told
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.requests import service_names
from beffroi.faces.shell.slots import state_of_slot
from beffroi.serve.bookings import operations
from beffroi.serve.bookings.hours import queries
from beffroi.serve.bookings.hours.definition import (
    DEPOSIT_TITLES,
    MODE_TITLES,
    SlotInfo,
)
from beffroi.serve.bookings.hours.news import euros
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries

FEED_DAYS = 90


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def followed(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show a booking to the one who holds its link; she confirms, writes to the service, or gives it up."""
    request, at = cast(Request, request), timezone.now()
    booked, party = queries.followed_slot(token, at=at)
    form, problem, status = MessageForm(auto_id="ecrire_%s"), "", 200
    if request.method == "POST":
        do = request.POST.get("do", "")
        form = MessageForm(request.POST if do == "write" else None, auto_id="ecrire_%s")
        try:
            if done := _done(request, do, booked, token, form):
                messages.success(request, done)
                return redirect("portal:followed-slot", token)
            status = 400
        except BeffroiError as error:
            problem, status = told(error), error.http_status
    names = service_names(booked.case.territory)
    rules = queries.known_slot_thing(booked.use_case).rules
    context = {
        "booked": booked,
        "rules": rules,
        "party": party,
        "token": token,
        "state": state_of_slot(booked),
        "service": names.get(booked.case.service, booked.case.service),
        "lines": history(case_queries.thread(Viewer(), booked.number, token=token)),
        "may_change": booked.may_change(at),
        "may_cancel": booked.may_cancel(at),
        "price": euros(booked.price_cents),
        "deposit": f"{euros(booked.deposit_cents)} ({_(DEPOSIT_TITLES[booked.deposit])})",
        "mode": _(MODE_TITLES[booked.mode]) if booked.mode else "",
        "form": form,
        "problem": problem,
        "thanks": "merci" in request.GET,
        "absolute_url": request.build_absolute_uri(reverse("portal:followed-slot", args=[token])),
    }
    return _private(render(request, "portal/slots/booking.html", context, status=status))


def _done(request: HttpRequest, do: str, booked: SlotInfo, token: str, form: MessageForm) -> str:
    """Do what the page asks and return what to say of it, "" when nothing could be done."""
    at = timezone.now()
    if do == "cancel":
        operations.cancel_slot(number=booked.number, viewer=Viewer(), token=token, at=at)
        return _("Votre réservation est annulée : le créneau est rendu.")
    if do == "confirm":
        operations.confirm_offer(number=booked.number, viewer=Viewer(), token=token, at=at)
        return _("C’est confirmé.")
    if do == "write" and form.is_valid():
        text = form.cleaned_data["text"]
        cases.write_to_service(number=booked.number, text=text, viewer=Viewer(), token=token, at=at)
        return _("Votre message est envoyé au service.")
    return ""


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show the other free times, and give the booking the one that is chosen, in one go."""
    request, at = cast(Request, request), timezone.now()
    booked, _party = queries.followed_slot(token, at=at)
    territory, thing = booked.case.territory, queries.known_slot_thing(booked.use_case)
    problem, status = "", 200
    chosen = time_of(territory, thing, request.POST or request.GET)
    if chosen is not None and thing.rules.unit == "free":
        # As long as the former one, when it may be.
        longer = queries.asked_time(
            territory, thing, chosen.place, chosen.starts, chosen.starts + (booked.ends - booked.starts)
        )
        chosen = longer or chosen
    if request.method == "POST" and chosen is not None:
        try:
            operations.move_slot(
                number=booked.number, place=chosen.place, starts=chosen.starts, ends=chosen.ends, viewer=Viewer(),
                token=token, at=at,
            )  # fmt: skip
        except BeffroiError as error:
            problem, status = told(error), error.http_status
        else:
            messages.success(request, _("C’est fait : votre réservation a changé de créneau."))
            return redirect("portal:followed-slot", token)
    context = week_context(territory, thing, request.GET, at=at, waiting=False)
    context |= {
        "booked": booked,
        "token": token,
        "chosen": chosen,
        "chosen_place": thing.rules.place_of(chosen.place) if chosen else None,
        "problem": problem,
        "may_change": booked.may_change(at),
        "take_url": "",
    }
    return _private(render(request, "portal/slots/move.html", context, status=status))


@open_to(EVERYONE)
@require_safe
def calendar_file(request: HttpRequest, token: str) -> HttpResponse:
    """Give a booking as a calendar file (iCalendar)."""
    at = timezone.now()
    booked, _party = queries.followed_slot(token, at=at)
    url = request.build_absolute_uri(reverse("portal:followed-slot", args=[token]))
    notice = queries.known_slot_thing(booked.use_case).rules.instructions
    host = request.get_host().partition(":")[0]
    text = own_calendar(booked, url=url, host=host, notice=_(notice) if notice else "", at=at)
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="reservation-{booked.number}.ics"'
    return _private(response)


@open_to(EVERYONE)
@require_safe
def place_feed(request: HttpRequest, use_case: str, place: str) -> HttpResponse:
    """Give what is taken of a place in the coming weeks as an iCalendar feed; nobody is named."""
    request, at = cast(Request, request), timezone.now()
    public_service(request, use_case)
    territory = territory_of(request)
    thing = queries.open_slot_thing(territory, use_case)
    known = next((one for one in thing.rules.place if one.slug == place), None)
    if known is None:
        raise Http404
    rows = queries.busy_times(territory, use_case, place, first=at, last=at + timedelta(days=FEED_DAYS))
    busy = [(row.pk, row.starts_at, row.ends_at) for row in rows]
    text = place_calendar(_(known.label), busy, host=request.get_host().partition(":")[0], at=at)
    return HttpResponse(text, content_type="text/calendar; charset=utf-8")


def _private(response: Any) -> Any:
    """Keep no copy of a page that a token opened."""
    response.headers["Cache-Control"] = "no-store"
    return response
