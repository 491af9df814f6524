"""One booking, for its service: what is known of it, whom to call; write, move, give up."""

from __future__ import annotations

from datetime import date, timedelta
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.bookings.forms import MessageForm
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.requests import step_title
from beffroi.faces.shell.sentences import said
from beffroi.serve.bookings import operations, queries
from beffroi.serve.bookings.definition import RESULT_TITLES
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, number: str) -> HttpResponse:
    """Show a booking to an agent of its service, who writes, moves it or gives it up at the person's wish."""
    request, at = cast(Request, request), timezone.now()
    booked = queries.booking(request.viewer, number, at=at)
    form, status = MessageForm(), 200
    if request.method == "POST":
        do = request.POST.get("do", "")
        form = MessageForm(request.POST if do == "write" else None)
        try:
            if do == "move":
                day = date.fromisoformat(request.POST.get("jour", ""))
                operations.move_booking(number=booked.number, day=day, viewer=request.viewer, at=at)
                messages.success(request, _("La réservation a changé de jour ; la personne en est prévenue."))
                return redirect("backoffice:booking", booked.number)
            if do == "cancel":
                operations.cancel_booking(number=booked.number, viewer=request.viewer, at=at)
                messages.success(request, _("La réservation est annulée ; la personne en est prévenue."))
                return redirect("backoffice:booking", booked.number)
            if do == "write" and form.is_valid():
                text = form.cleaned_data["text"]
                cases.write_to_parties(number=booked.number, text=text, by=request.viewer, at=at)
                messages.success(request, _("Le message est parti."))
                return redirect("backoffice:booking", booked.number)
            status = 400
        except ValueError:
            form.add_error(None, _("Choisissez un jour de la liste."))
            status = 400
        except BeffroiError as error:
            messages.error(request, f"{said(error.what)} : {said(error.remedy)}.")
            status = error.http_status
    territory, thing = booked.case.territory, queries.known_thing(booked.use_case)
    lane = queries.lane_of(territory, thing.rules, booked.lane, at=at)
    first = queries.today_in(territory, at)
    days = queries.days_of(
        territory, thing, lane, first=first, last=first + timedelta(days=thing.rules.ahead_days), at=at
    )
    entries = case_queries.thread(request.viewer, booked.number)
    context = {
        "booked": booked,
        "parties": case_queries.parties(request.viewer, booked.number),
        "days": [day for day in days if day.bookable and day.day != booked.day],
        "form": form,
        "lines": [(entry, step_title(entry, for_agent=True)) for entry in entries],
        "result": _(RESULT_TITLES[booked.result]) if booked.result else "",
    }
    response = render(request, "backoffice/bookings/one.html", context, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response
