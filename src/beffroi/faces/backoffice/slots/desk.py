"""The day and the week of what is booked by the hour: who comes, what waits for a yes, what deposit is still here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.reports.queue import code_of
from beffroi.faces.backoffice.slots.forms import DeskForm
from beffroi.faces.backoffice.work import Urgency, WorkCard, work_source
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.sentences import said
from beffroi.faces.shell.sheets import sheet_response
from beffroi.faces.shell.slots import state_of_slot
from beffroi.serve.bookings import operations
from beffroi.serve.bookings.definition import BadBooking
from beffroi.serve.bookings.hours import queries
from beffroi.serve.bookings.hours.definition import DEPOSIT_TITLES, MODE_TITLES, Deposit, Presence
from beffroi.serve.bookings.hours.news import euros
from beffroi.serve.bookings.hours.reading import DeskLine

HEADS = (
    "jour", "debut", "fin", "lieu", "numero", "etat", "nom", "telephone", "e-mail", "association", "personnes",
    "comment", "prix_euros", "regle", "caution_euros", "caution", "reponses",
)  # fmt: skip


@work_source("slots")
def slots_to_decide(request: Request) -> Iterator[WorkCard]:
    """Yield, of each thing booked by the hour that the reader's services hold, what waits for a yes or a no."""
    territory, at = code_of(request), timezone.now()
    for thing in queries.open_slot_things(territory):
        if thing.rules.validation != "agent" or not queries.may_work_slots(request.viewer, territory, thing):
            continue
        count, late = queries.counts_to_validate(territory, thing.use_case, at=at)
        page = reverse("backoffice:slot-desk", args=[thing.use_case])
        urgency = Urgency.LATE if late else Urgency.SOON
        yield WorkCard(_("Réservations à valider"), count, page, urgency, _(thing.title))


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def desk(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show a day, or seven, by hour; `?csv` gives it as a file. To the agents of the service only."""
    request, at = cast(Request, request), timezone.now()
    territory, thing = code_of(request), queries.known_slot_thing(use_case)
    form = DeskForm(request.GET, thing=thing)
    values = form.cleaned_data if form.is_valid() else {}
    day = values.get("jour") or queries.local(territory, at).date()
    is_week, place = values.get("vue") == "semaine", values.get("lieu") or ""
    last = day + timedelta(days=6 if is_week else 0)
    found = queries.desk_lines(request.viewer, territory, thing, first=day, last=last, place=place, at=at)
    if "csv" in request.GET:
        return sheet_response(f"creneaux-{day}.csv", HEADS, [_row(line) for line in found])
    step = 7 if is_week else 1
    kept = {"lieu": place, "vue": "semaine" if is_week else ""}
    context = {
        "thing": thing,
        "form": DeskForm(initial={"jour": day, **kept}, thing=thing) if form.is_valid() else form,
        "works": queries.may_work_slots(request.viewer, territory, thing),
        "lines": [shown_line(line, at) for line in found],
        "waiting": [shown_line(line, at) for line in queries.to_validate(request.viewer, territory, thing, at=at)],
        "deposits": [shown_line(line, at) for line in queries.deposits_out(request.viewer, territory, thing, at=at)],
        "day": day,
        "last": last,
        "is_week": is_week,
        "before": urlencode({"jour": (day - timedelta(days=step)).isoformat(), **kept}),
        "after": urlencode({"jour": (day + timedelta(days=step)).isoformat(), **kept}),
        "query": urlencode({"jour": day.isoformat(), **kept}),
        "here": request.get_full_path(),
    }
    response = render(request, "backoffice/slots/desk.html", context, status=200 if form.is_valid() else 400)
    response.headers["Cache-Control"] = "no-store"
    return response


def shown_line(line: DeskLine, at: Any) -> dict[str, Any]:
    """Return a booking as the pages of agents show it: its words, and what may be done with it now."""
    slot = line.slot
    return {
        "slot": slot,
        "line": line,
        "state": state_of_slot(slot),
        "mode": _(MODE_TITLES[slot.mode]) if slot.mode else "",
        "price": euros(slot.price_cents) if slot.price_cents else "",
        "deposit": _(DEPOSIT_TITLES[slot.deposit]) if slot.deposit else "",
        "deposit_amount": euros(slot.deposit_cents),
        "may_mark": slot.starts <= at and slot.stage in ("confirmed", "over"),
        "late": slot.decide_by is not None and slot.decide_by < at,
    }


def _row(line: DeskLine) -> tuple[Any, ...]:
    slot = line.slot
    return (
        slot.starts.date(), f"{slot.starts:%H:%M}", f"{slot.ends:%H:%M}", slot.place_name, slot.number,
        state_of_slot(slot)[0], line.name, line.phone, line.email, slot.group, slot.people,
        _(MODE_TITLES[slot.mode]) if slot.mode else "", slot.price_cents / 100, _("oui") if slot.paid else "",
        slot.deposit_cents / 100, _(DEPOSIT_TITLES[slot.deposit]) if slot.deposit else "",
        " ; ".join(f"{question} {answer}" for question, answer in slot.answers),
    )  # fmt: skip


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def act(request: HttpRequest, number: str) -> HttpResponse:
    """Do one thing with a booking (yes, no, came, deposit, paid, give up), say so, and go back to where one was."""
    request, at = cast(Request, request), timezone.now()
    do, by = request.POST.get("do", ""), request.viewer
    reason = request.POST.get("raison", "")
    try:
        if do in ("accept", "refuse"):
            operations.validate_slot(number=number, accept=do == "accept", by=by, at=at, reason=reason)
        elif do in set(Presence):
            operations.mark_slot(number=number, result=Presence(do), by=by, at=at)
        elif do in ("paid", "unpaid"):
            operations.set_paid(number=number, paid=do == "paid", by=by, at=at)
        elif do == "cancel":
            operations.cancel_slot(number=number, viewer=by, at=at, reason=reason)
        elif do in set(Deposit) - {Deposit.NONE}:
            operations.set_deposit(number=number, deposit=Deposit(do), by=by, at=at, note=reason)
        else:
            raise _unknown_act()
        messages.success(request, _("C’est noté : {number}.").format(number=number))
    except BeffroiError as error:
        messages.error(request, f"{said(error.what)} : {said(error.remedy)}.")
    back = request.POST.get("retour", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = reverse("backoffice:slot", args=[number])
    return redirect(back)


def _unknown_act() -> BadBooking:
    return BadBooking(gettext_noop("cet acte n’existe pas"), where="do", remedy=gettext_noop("rechargez la page"))
