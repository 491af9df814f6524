"""`/creneaux/<usage>/reserver/`: what a booking asks, on one page; nothing typed is lost when it is refused."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import AGENTS
from beffroi.faces.portal.directory import count_opening, public_service, territory_of
from beffroi.faces.portal.reports.draft import FOR_ANOTHER
from beffroi.faces.portal.reports.forms import MandateForm
from beffroi.faces.portal.reports.sending import address_of
from beffroi.faces.portal.slots.forms import SlotForm, tariff_words
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.requests import service_names
from beffroi.faces.shell.sentences import said
from beffroi.serve.bookings import operations
from beffroi.serve.bookings.hours import queries
from beffroi.serve.bookings.hours.definition import SlotWish
from beffroi.serve.bookings.hours.queries import SlotThing, Time
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Mandate, MandateKind, Requester


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def take(request: HttpRequest, use_case: str) -> HttpResponseBase:
    """Take a time, or a place on its waiting list."""
    request, at = cast(Request, request), timezone.now()
    service, territory = public_service(request, use_case), territory_of(request)
    thing = queries.open_slot_thing(territory, use_case)
    data = request.POST if request.method == "POST" else request.GET
    time = time_of(territory, thing, data)
    if time is None:
        return redirect("portal:slots", use_case)
    ends = queries.free_ends(territory, thing, time, at=at)
    another = data.get("pour") == FOR_ANOTHER and request.viewer.person_id is not None
    posted = request.POST if request.method == "POST" else None
    form = SlotForm(thing, time, ends, posted, for_another=another)
    is_agent = AGENTS in request.viewer.clearances(territory)
    mandate = MandateForm(posted, for_agent=is_agent) if another else None
    context = _context(request, thing, time, ends, at) | {
        "form": form, "mandate": mandate, "key": data.get("key") or secrets.token_hex(16), "for_another": another,
    }  # fmt: skip
    status = 200 if posted is None else 400
    if posted is not None and all([form.is_valid(), mandate is None or mandate.is_valid()]):
        try:
            token = _taken(request, thing, time, form, mandate, at)
        except BeffroiError as error:
            context["problem"], status = told(error), error.http_status
        else:
            count_opening(request, service)
            return redirect(reverse("portal:followed-slot", args=[token]) + "?merci")
    return _private(render(request, "portal/slots/take.html", context, status=status))


def time_of(territory: str, thing: SlotThing, data: Any) -> Time | None:
    """Return the time a link or a form names, None when the rules know none such."""
    end = data.get("fin_au_moins") or data.get("fin") or ""
    try:
        starts, ends = (datetime.fromisoformat(text.replace(" ", "+")) for text in (data.get("debut", ""), end))
    except ValueError:
        return None
    if starts.tzinfo is None or ends.tzinfo is None:
        return None
    return queries.asked_time(territory, thing, data.get("lieu", ""), starts, ends)


def _context(request: Request, thing: SlotThing, time: Time, ends: list[datetime], at: datetime) -> dict[str, Any]:
    names = service_names(territory_of(request))
    tariffs = thing.rules.tariffs_on(time.starts.date())
    return {
        "thing": thing,
        "rules": thing.rules,
        "time": time,
        "place": thing.rules.place_of(time.place),
        "hidden": {"lieu": time.place, "debut": time.starts.isoformat(), "fin_au_moins": time.ends.isoformat()},
        "fixed_end": len(ends) < 2,
        "waits": not ends or not _is_free(request, thing, time, at),
        "may_wait": queries.may_wait(thing, time, at),
        "only_tariff": tariff_words(tariffs[0], time, by_hour=thing.rules.unit == "free") if len(tariffs) == 1 else "",
        "proofs": [(one.label, one.on_paper) for one in tariffs if one.on_paper],
        "service": names.get(thing.rules.service, thing.rules.service),
        "signed_in": request.viewer.person_id is not None,
    }


def _is_free(request: Request, thing: SlotThing, time: Time, at: datetime) -> bool:
    return queries.is_free(territory_of(request), thing, time, at=at)


def _taken(
    request: Request, thing: SlotThing, time: Time, form: SlotForm, mandate: MandateForm | None, at: datetime
) -> str:
    """Take the time and return its follow-up token."""
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
    modes = thing.rules.modes
    wish = SlotWish(
        use_case=thing.use_case, place=time.place, starts=time.starts,
        ends=datetime.fromisoformat(values["fin"]) if values.get("fin") else time.ends,
        tariff=values.get("tarif", ""), people=values.get("personnes") or 1,
        mode=values.get("mode") or (modes[0] if modes else ""), group=values.get("association", ""),
        household=values.get("adresse", ""), details=form.answers(), wait="attendre" in request.POST,
        idempotency_key=request.POST.get("key", ""),
    )  # fmt: skip
    return operations.book_slot(
        territory=territory_of(request), wish=wish, requester=requester, viewer=request.viewer, at=at,
        network=address_of(request), mandate=by,
    ).token  # fmt: skip


def told(error: BeffroiError) -> str:
    """Return what went wrong and how to mend it, as a sentence."""
    words = f"{said(error.what)} : {said(error.remedy)}."
    return words[:1].upper() + words[1:]


def _private(response: HttpResponse) -> HttpResponse:
    """Let no cache keep what somebody typed."""
    response.headers["Cache-Control"] = "no-store"
    return response
