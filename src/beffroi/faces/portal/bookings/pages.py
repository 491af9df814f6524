"""The page of one's booking, by its token: what, when, the receipt, the calendar file; to move it, to give it up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.bookings.forms import DayForm
from beffroi.faces.portal.bookings.months import free_days, ics_of, month_of
from beffroi.faces.portal.reports.wording import history
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.requests import service_names
from beffroi.faces.shell.sentences import said
from beffroi.serve.bookings import operations, queries
from beffroi.serve.bookings.definition import RESULT_TITLES, BookingInfo
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Outcome, Status
from beffroi.serve.cases.queries import CaseInfo


class MessageForm(forms.Form):
    """A word to the service."""

    text = forms.CharField(
        label=gettext_lazy("Votre message au service"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def followed(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show a booking to the one who holds its link; she writes to the service, or gives it up."""
    request, at = cast(Request, request), timezone.now()
    booked, party = queries.followed_booking(token, at=at)
    form, problem, status = MessageForm(auto_id="ecrire_%s"), "", 200
    if request.method == "POST":
        do = request.POST.get("do", "")
        form = MessageForm(request.POST if do == "write" else None, auto_id="ecrire_%s")
        try:
            if do == "cancel":
                operations.cancel_booking(number=booked.number, viewer=Viewer(), token=token, at=at)
                messages.success(request, _("Votre réservation est annulée : la place est rendue."))
                return redirect("portal:followed-booking", token)
            if do == "write" and form.is_valid():
                cases.write_to_service(
                    number=booked.number, text=form.cleaned_data["text"], viewer=Viewer(), token=token, at=at
                )
                messages.success(request, _("Votre message est envoyé au service."))
                return redirect("portal:followed-booking", token)
            status = 400
        except BeffroiError as error:
            problem, status = _told(error), error.http_status
    names = service_names(booked.case.territory)
    context = {
        "booked": booked,
        "rules": queries.known_thing(booked.use_case).rules,
        "party": party,
        "token": token,
        "state": state_of_booking(booked.case, booked),
        "service": names.get(booked.case.service, booked.case.service),
        "lines": history(case_queries.thread(Viewer(), booked.number, token=token)),
        "may_change": booked.may_change(at),
        "form": form,
        "problem": problem,
        "thanks": "merci" in request.GET,
        "absolute_url": request.build_absolute_uri(reverse("portal:followed-booking", args=[token])),
        "result": _(RESULT_TITLES[booked.result]) if booked.result else "",
    }
    return _private(render(request, "portal/bookings/booking.html", context, status=status))


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show the other free days, and give the booking the one that is chosen, in one go."""
    request, at = cast(Request, request), timezone.now()
    booked, _party = queries.followed_booking(token, at=at)
    territory, thing = booked.case.territory, queries.known_thing(booked.use_case)
    lane = queries.lane_of(territory, thing.rules, booked.lane, at=at)
    first = queries.today_in(territory, at)
    last = first + timedelta(days=thing.rules.ahead_days)
    found = queries.days_of(territory, thing, lane, first=first, last=last, at=at)
    days = [one for one in found if not (one.bookable and one.day == booked.day and booked.holds)]
    form = DayForm(request.POST or None, days=free_days(days), initial={"jour": request.GET.get("jour", "")})
    problem, status = "", 400 if request.method == "POST" else 200
    if form.is_valid():
        try:
            operations.move_booking(number=booked.number, day=form.day, viewer=Viewer(), token=token, at=at)
        except BeffroiError as error:
            problem, status = _told(error), error.http_status
        else:
            messages.success(request, _("C’est fait : votre réservation a changé de jour."))
            return redirect("portal:followed-booking", token)
    monday = first - timedelta(days=first.weekday())
    context = {
        "booked": booked,
        "token": token,
        "form": form,
        "problem": problem,
        "month": month_of(days, request.GET.get("mois", "") or str(form["jour"].value() or "")[:7]),
        "weekdays": [monday + timedelta(days=rank) for rank in range(7)],
        "chosen": str(form["jour"].value() or ""),
        "may_change": booked.may_change(at),
        "none_free": not form.days,
    }
    return _private(render(request, "portal/bookings/move.html", context, status=status))


@open_to(EVERYONE)
@require_safe
def calendar_file(request: HttpRequest, token: str) -> HttpResponse:
    """Give a booking as a calendar file (iCalendar)."""
    request, at = cast(Request, request), timezone.now()
    booked, _party = queries.followed_booking(token, at=at)
    url = request.build_absolute_uri(reverse("portal:followed-booking", args=[token]))
    notice = queries.known_thing(booked.use_case).rules.instructions
    text = ics_of(booked, url=url, host=request.get_host().partition(":")[0], notice=_(notice) if notice else "", at=at)
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="reservation-{booked.number}.ics"'
    return _private(response)


def state_of_booking(case: CaseInfo, booked: BookingInfo | None = None) -> tuple[str, str]:
    """Return where a booking stands, in words, and the kind of its tag (`status.html`)."""
    if booked is not None and booked.result:
        return _(RESULT_TITLES[booked.result]), "good" if case.outcome is Outcome.DONE else "bad"
    if case.outcome is Outcome.WITHDRAWN:
        return _("Annulée"), "done"
    if case.status is Status.CLOSED:
        return (_("Honorée"), "good") if case.outcome is Outcome.DONE else (_("Non honorée"), "bad")
    if case.status is Status.WAITING:
        return _("À reporter : choisissez un jour"), "warn"
    return _("Réservée"), "wait"


def _told(error: BeffroiError) -> str:
    told = f"{said(error.what)} : {said(error.remedy)}."
    return told[:1].upper() + told[1:]


def _private(response: Any) -> Any:
    """Keep no copy of a page that a token opened."""
    response.headers["Cache-Control"] = "no-store"
    return response
