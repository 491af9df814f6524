"""`/agent/reservations/`: how full each day is, days closed for all, the list of the crew, figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.bookings.forms import DayChangeForm, ListForm
from beffroi.faces.backoffice.bookings.one import one
from beffroi.faces.backoffice.reports.queue import code_of
from beffroi.faces.backoffice.work import Urgency, WorkCard, work_source
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.requests import service_names
from beffroi.faces.shell.sentences import said
from beffroi.faces.shell.sheets import sheet_response
from beffroi.serve.bookings import figures as counted
from beffroi.serve.bookings import operations, queries
from beffroi.serve.bookings.definition import RESULT_TITLES, BadBooking, Result
from beffroi.serve.bookings.hours.queries import may_work_slots, open_slot_things
from beffroi.serve.bookings.queries import CrewLine

SHOWN_DAYS = 28
FIGURES_DAYS = 365
HEADS = (
    "jour", "secteur", "numero", "adresse", "objets", "reponses", "nom", "telephone", "e-mail", "resultat",
    "latitude", "longitude",
)  # fmt: skip


@work_source("bookings")
def bookings_to_mark(request: Request) -> Iterator[WorkCard]:
    """Yield, of each thing the reader's services hold, the stops of today and those of days gone by without a mark."""
    territory, at = code_of(request), timezone.now()
    for thing in queries.open_things(territory):
        if not queries.may_work(request.viewer, territory, thing):
            continue
        count, first = queries.unmarked(request.viewer, territory, thing, at=at)
        page = reverse("backoffice:booking-list", args=[thing.use_case])
        late = f"{page}?jour={first.isoformat()}" if first else page
        yield WorkCard(_("Rendez-vous passés à marquer"), count, late, Urgency.LATE, _(thing.title))
        today = queries.held_on(territory, thing.use_case, queries.today_in(territory, at))
        yield WorkCard(_("Rendez-vous du jour"), today, page, Urgency.TODAY, _(thing.title))


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def things(request: HttpRequest) -> HttpResponse:
    """List what can be booked in the town, and who holds it."""
    request = cast(Request, request)
    territory, names = code_of(request), service_names(code_of(request))
    found = [
        (thing, names.get(thing.rules.service, thing.rules.service), queries.may_work(request.viewer, territory, thing))
        for thing in queries.open_things(territory)
    ]
    slots = [
        (thing, names.get(thing.rules.service, thing.rules.service), may_work_slots(request.viewer, territory, thing))
        for thing in open_slot_things(territory)
    ]
    return render(request, "backoffice/bookings/things.html", {"things": found, "slot_things": slots})


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def loads(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show how full each coming day is, by sector; close a day or change its places, those who booked it told."""
    request, at = cast(Request, request), timezone.now()
    territory, thing = code_of(request), queries.known_thing(use_case)
    lanes, today = queries.lanes(territory, thing.rules, at=at), queries.today_in(territory, at)
    form = DayChangeForm(request.POST or None, lanes=lanes)
    status = 200
    if request.method == "POST":
        status = 400
        try:
            if request.POST.get("do") == "restore":
                day = _day(request.POST.get("jour", ""), today)
                operations.restore_day(
                    territory=territory, use_case=use_case, day=day, lane=request.POST.get("secteur", ""),
                    by=request.viewer, at=at,
                )  # fmt: skip
                messages.success(request, _("Ce jour est de nouveau comme d’habitude."))
                return redirect("backoffice:booking-loads", use_case)
            if form.is_valid():
                _change(request, territory, use_case, form)
                return redirect("backoffice:booking-loads", use_case)
        except BeffroiError as error:
            form.add_error(None, f"{said(error.what)} : {said(error.remedy)}.")
            status = error.http_status
    first = _day(request.GET.get("du", ""), today)
    last = first + timedelta(days=SHOWN_DAYS - 1)
    found = queries.days_of_lanes(territory, thing, lanes, first=first, last=last, at=at)
    names = {lane.slug: lane.name for lane in lanes}
    rows = sorted(
        ((day, names[day.lane]) for days in found.values() for day in days if day.capacity or day.taken or day.why),
        key=lambda row: (row[0].day, row[1]),
    )
    context = {
        "thing": thing,
        "rows": rows,
        "form": form,
        "works": queries.may_work(request.viewer, territory, thing),
        "changes": [(one, names.get(one.lane, "")) for one in queries.changes(territory, use_case, since=today)],
        "before": first - timedelta(days=SHOWN_DAYS),
        "after": last + timedelta(days=1),
        "today": today,
    }
    return render(request, "backoffice/bookings/loads.html", context, status=status)


def _change(request: Request, territory: str, use_case: str, form: DayChangeForm) -> None:
    values = form.cleaned_data
    changed = operations.change_day(
        territory=territory, use_case=use_case, day=values["jour"], lane=values.get("secteur", ""),
        capacity=values["places"], reason=values["motif"], by=request.viewer, at=timezone.now(),
    )  # fmt: skip
    words = [_("C’est noté.")]
    if changed.moved:
        words.append(ngettext(
            "{n} personne a une place le jour libre suivant et en est prévenue.",
            "{n} personnes ont une place un jour libre suivant et en sont prévenues.", changed.moved,
        ).format(n=changed.moved))  # fmt: skip
    if changed.asked:
        words.append(ngettext(
            "{n} personne est priée de choisir un autre jour.",
            "{n} personnes sont priées de choisir un autre jour.", changed.asked,
        ).format(n=changed.asked))  # fmt: skip
    messages.success(request, " ".join(words))


def _day(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return otherwise


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def crew(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show the list of the crew for a day; `?csv` gives it as a file."""
    request, at = cast(Request, request), timezone.now()
    territory, thing = code_of(request), queries.known_thing(use_case)
    lanes, today = queries.lanes(territory, thing.rules, at=at), queries.today_in(territory, at)
    form = ListForm(request.GET, lanes=lanes)
    values = form.cleaned_data if form.is_valid() else {}
    day, lane = values.get("jour") or today, values.get("secteur") or None
    found = queries.crew_list(request.viewer, territory, use_case, day, lane=lane, at=at)
    if "csv" in request.GET:
        return sheet_response(f"reservations-{day}.csv", HEADS, [_row(line) for line in found])
    context = {
        "thing": thing,
        "lines": found,
        "form": ListForm(initial={"jour": day, "secteur": lane or ""}, lanes=lanes) if form.is_valid() else form,
        "day": day,
        "lane": lane or "",
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "may_mark": day <= today,
        "results": [(one.value, _(RESULT_TITLES[one])) for one in Result],
        "works": queries.may_work(request.viewer, territory, thing),
        "totals": _totals(found),
        "query": urlencode({"jour": day.isoformat(), "secteur": lane or ""}),
    }
    response = render(request, "backoffice/bookings/crew.html", context, status=200 if form.is_valid() else 400)
    response.headers["Cache-Control"] = "no-store"
    return response


def _totals(lines: list[CrewLine]) -> list[tuple[str, int]]:
    """Return how many of each kind of thing a list holds: what truck to take."""
    found: dict[str, int] = {}
    for line in lines:
        for label, many in line.booking.items:
            found[label] = found.get(label, 0) + many
    return list(found.items())


def _row(line: CrewLine) -> tuple[Any, ...]:
    info = line.booking
    return (
        info.day, info.lane_name, info.number, info.address,
        ", ".join(f"{many} × {_(label)}" for label, many in info.items),
        " ; ".join(f"{question} {answer}" for question, answer in info.answers), line.name, line.phone, line.email,
        _(RESULT_TITLES[info.result]) if info.result else "", info.lat, info.lon,
    )  # fmt: skip


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def mark(request: HttpRequest, use_case: str) -> HttpResponse:
    """Say what the crew found at one stop, and go back to its place in the list."""
    request = cast(Request, request)
    number, text = request.POST.get("number", ""), request.POST.get("result", "")
    try:
        if text not in set(Result):
            raise BadBooking(gettext_noop("ce résultat n’existe pas"), remedy=gettext_noop("rechargez la liste"))
        result = Result(text)
        operations.mark_booking(
            number=number, result=result, by=request.viewer, at=timezone.now(), note=request.POST.get("note", "")
        )
        messages.success(request, _("{number} : {result}.").format(number=number, result=_(RESULT_TITLES[result])))
    except BeffroiError as error:
        messages.error(request, f"{said(error.what)} : {said(error.remedy)}.")
    query = urlencode({name: request.POST.get(name, "") for name in ("jour", "secteur")})
    return redirect(f"{reverse('backoffice:booking-list', args=[use_case])}?{query}#n-{number}")


@open_to(Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def figures(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show the figures of a year, month by month; `?csv` gives them as a file."""
    request, at = cast(Request, request), timezone.now()
    territory, thing = code_of(request), queries.known_thing(use_case)
    today = queries.today_in(territory, at)
    first = (today - timedelta(days=FIGURES_DAYS)).replace(day=1)
    last = today + timedelta(days=thing.rules.ahead_days)
    lines = counted.month_figures(territory, use_case, first=first, last=last)
    if "csv" in request.GET:
        heads = ("mois", "reserves", "annules", "enleves", "rien_depose", "autre_chose", "attente_mediane_jours")
        rows = [
            (one.month, one.booked, one.given_up, one.done, one.absent, one.different, one.wait_days) for one in lines
        ]
        return sheet_response(f"reservations-{use_case}-{today}.csv", heads, rows)
    named = [(date.fromisoformat(f"{one.month}-01"), one) for one in lines]
    context = {"thing": thing, "lines": named, "is_agent": request.viewer.has(Role.AGENT, territory)}
    return render(request, "backoffice/bookings/figures.html", context)


urlpatterns: list[URLPattern] = [
    path("reservations/", things, name="bookings"),
    path("reservations/demande/<str:number>/", one, name="booking"),
    path("reservations/<slug:use_case>/", loads, name="booking-loads"),
    path("reservations/<slug:use_case>/liste/", crew, name="booking-list"),
    path("reservations/<slug:use_case>/marquer/", mark, name="booking-mark"),
    path("reservations/<slug:use_case>/chiffres/", figures, name="booking-figures"),
]
