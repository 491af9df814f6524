"""One booking by the hour, closed times, seasons of associations, figures: for the service."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.clock import queries as clock
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.bookings.forms import MessageForm
from beffroi.faces.backoffice.reports.queue import code_of
from beffroi.faces.backoffice.slots.desk import act, desk, shown_line
from beffroi.faces.backoffice.slots.forms import SeasonForm, SpanForm
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.requests import step_title
from beffroi.faces.shell.sentences import said
from beffroi.faces.shell.sheets import sheet_response
from beffroi.serve.bookings import operations
from beffroi.serve.bookings.hours import queries
from beffroi.serve.bookings.hours.definition import DEPOSIT_AFTER, DEPOSIT_TITLES, SlotWish
from beffroi.serve.bookings.hours.news import euros
from beffroi.serve.bookings.hours.reading import DeskLine
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Requester

FIGURES_DAYS = 90


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, number: str) -> HttpResponse:
    """Show a booking to an agent of its service: whom to call, what may be done; she writes to the person."""
    request, at = cast(Request, request), timezone.now()
    booked = queries.slot_booking(request.viewer, number, at=at)
    form, status = MessageForm(request.POST or None), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            text = form.cleaned_data["text"]
            try:
                cases.write_to_parties(number=number, text=text, by=request.viewer, at=at)
            except BeffroiError as error:
                form.add_error("text", f"{said(error.what)} : {said(error.remedy)}.")
            else:
                messages.success(request, _("Votre message est envoyé."))
                return redirect("backoffice:slot", number)
    parties = case_queries.parties(request.viewer, number)
    made = next((one for one in parties if one.made_it), None)
    line = DeskLine(booked, made.name if made else "", made.phone if made else "", made.email if made else "")
    thing = queries.known_slot_thing(booked.use_case)
    context = {
        "thing": thing,
        "booked": booked,
        "shown": shown_line(line, at),
        "parties": parties,
        "lines": [(entry, step_title(entry, for_agent=True)) for entry in case_queries.thread(request.viewer, number)],
        "next_deposits": [(one.value, _(DEPOSIT_TITLES[one])) for one in DEPOSIT_AFTER[booked.deposit]],
        "works": queries.may_work_slots(request.viewer, booked.case.territory, thing),
        "form": form,
    }
    response = render(request, "backoffice/slots/one.html", context, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def closings(request: HttpRequest, use_case: str) -> HttpResponse:
    """Close a place for a time, those who had it asked to choose another; undo it."""
    request, at = cast(Request, request), timezone.now()
    territory, thing = code_of(request), queries.known_slot_thing(use_case)
    opening = request.POST.get("rouvrir", "")
    form, status = SpanForm(None if opening else request.POST or None, thing=thing), 200
    if request.method == "POST":
        status = 400
        try:
            if opening.isdigit():
                operations.open_time(
                    territory=territory, use_case=use_case, closing=int(opening), by=request.viewer, at=at
                )
                messages.success(request, _("Le créneau est rouvert."))
                return redirect("backoffice:slot-closings", use_case)
            if form.is_valid():
                starts, ends = form.span(clock.timezone_of(territory))
                asked = operations.close_time(
                    territory=territory, use_case=use_case, place=form.cleaned_data["lieu"], starts=starts, ends=ends,
                    reason=form.cleaned_data["motif"], by=request.viewer, at=at,
                )  # fmt: skip
                messages.success(request, ngettext(
                    "C’est fermé ; {n} personne est priée de choisir un autre créneau.",
                    "C’est fermé ; {n} personnes sont priées de choisir un autre créneau.", asked,
                ).format(n=asked))  # fmt: skip
                return redirect("backoffice:slot-closings", use_case)
        except BeffroiError as error:
            form.add_error(None, f"{said(error.what)} : {said(error.remedy)}.")
            status = error.http_status
    places = {place.slug: place.label for place in thing.rules.place}
    known = [(one, places.get(one.place, "")) for one in queries.closings(territory, use_case, since=at)]
    works = queries.may_work_slots(request.viewer, territory, thing)
    context = {"thing": thing, "form": form, "closings": known, "works": works}
    return render(request, "backoffice/slots/closings.html", context, status=status)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def season(request: HttpRequest, use_case: str) -> HttpResponse:
    """Book the same hours each week for an association; the dates refused are listed with their reason."""
    request, at = cast(Request, request), timezone.now()
    territory, thing = code_of(request), queries.known_slot_thing(use_case)
    form, status, done = SeasonForm(request.POST or None, thing=thing), 200, None
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                done = operations.book_season(
                    territory=territory, wish=_wish(form, territory, use_case), until=form.cleaned_data["dernier"],
                    requester=Requester(None, *(form.cleaned_data[name] for name in ("name", "email", "phone"))),
                    by=request.viewer, at=at,
                )  # fmt: skip
                status = 200
            except BeffroiError as error:
                form.add_error(None, f"{said(error.what)} : {said(error.remedy)}.")
                status = error.http_status
    works = queries.may_work_slots(request.viewer, territory, thing)
    context = {"thing": thing, "form": form, "done": done, "works": works}
    return render(request, "backoffice/slots/season.html", context, status=status)


def _wish(form: SeasonForm, territory: str, use_case: str) -> SlotWish:
    values, zone = form.cleaned_data, clock.timezone_of(territory)
    starts, ends = (datetime.combine(values["jour"], values[name], zone) for name in ("debut", "fin"))
    return SlotWish(
        use_case, values["lieu"], starts, ends if ends > starts else ends + timedelta(days=1),
        tariff=values.get("tarif", ""), group=values["association"], details=form.answers(), source="agent",
    )  # fmt: skip


@open_to(Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def figures(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show how full places are over a period, by place and by hour; `?csv` gives it as a file."""
    request, at = cast(Request, request), timezone.now()
    territory, thing = code_of(request), queries.known_slot_thing(use_case)
    today = queries.local(territory, at).date()
    first = _day(request.GET.get("du", ""), today - timedelta(days=FIGURES_DAYS))
    last = min(_day(request.GET.get("au", ""), today), first + timedelta(days=366))
    told = queries.slot_figures(territory, thing, first=min(first, last), last=last)
    if "csv" in request.GET:
        rows = [
            (kind, line.name, round(line.open_hours, 2), round(line.taken_hours, 2))
            for kind, lines in (("lieu", told.places), ("heure", told.hours))
            for line in lines
        ]
        return sheet_response(f"occupation-{use_case}-{last}.csv", ("genre", "nom", "h_ouvertes", "h_prises"), rows)
    context = {
        "thing": thing,
        "told": told,
        "paid": euros(told.paid_cents),
        "first": first,
        "last": last,
        "tables": [(_("Par lieu"), told.places), (_("Par heure du jour"), told.hours)],
        "is_agent": request.viewer.has(Role.AGENT, territory),
    }
    return render(request, "backoffice/slots/figures.html", context)


def _day(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return otherwise


urlpatterns: list[URLPattern] = [
    path("creneaux/demande/<str:number>/", one, name="slot"),
    path("creneaux/demande/<str:number>/noter/", act, name="slot-act"),
    path("creneaux/<slug:use_case>/", desk, name="slot-desk"),
    path("creneaux/<slug:use_case>/fermer/", closings, name="slot-closings"),
    path("creneaux/<slug:use_case>/saison/", season, name="slot-season"),
    path("creneaux/<slug:use_case>/chiffres/", figures, name="slot-figures"),
]
