"""`/agent/tournee/`: the day of a crew on its phone, read without network; what is done is sent once, late or not."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.reports import visits as visit_pages
from beffroi.faces.backoffice.reports.orders import FinishForm, finish
from beffroi.faces.backoffice.reports.queue import code_of
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.answers import script_answer, told, writer_of
from beffroi.faces.shell.middleware import FOR_THE_DAY, KEEP_HEADER
from beffroi.serve.reports import orders, visits


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def round_of_the_day(request: HttpRequest) -> HttpResponse:
    """Show what is to be done today, late orders first, and by what each is told done; of one crew, or of all."""
    request = cast(Request, request)
    viewer, territory, today = request.viewer, code_of(request), timezone.localdate()
    crew = request.GET.get("equipe", "")
    planned = orders.work_orders(viewer, territory, state="planned", crew=crew)
    expected = visits.visits(viewer, territory, first=today, last=today, state="expected")
    context = {
        "lines": [
            (one, one.is_late(today), FinishForm(auto_id=f"o{one.id}_%s", initial={"key": secrets.token_hex(16)}))
            for one in planned
            if one.planned_on is None or one.planned_on <= today
        ],
        "visits": expected,
        "today": today,
        "crew": crew,
        "crews": orders.crews(viewer, territory),
        # Read without network, the page still says whose day it is: what is written on it is hers.
        "who": writer_of(viewer),
    }
    response = render(request, "backoffice/reports/round.html", context)
    # Taken along on purpose: kept apart from other pages, until the evening or the sign-out.
    response.headers[KEEP_HEADER] = FOR_THE_DAY
    return response


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def receive_order(request: HttpRequest, order_id: int) -> JsonResponse:
    """Take what a phone says of an order that is done, at once or from what it kept; answer once however often sent."""
    request = cast(Request, request)
    form = FinishForm(request.POST, request.FILES)
    if not form.is_valid():
        name, errors = next(iter(form.errors.items()))
        return script_answer({"title": str(errors[0]), "remedy": "", "where": name}, 400)

    def act() -> dict[str, str]:
        done = finish(order_id, form.cleaned_data, request.viewer)
        return {"number": done.number, "url": reverse("backoffice:order", args=[order_id])}

    return _answered(act)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def receive_visit(request: HttpRequest, visit_id: int) -> JsonResponse:
    """Take the proof of a visit that a phone sends, at once or from what it kept."""
    request = cast(Request, request)

    def act() -> dict[str, str]:
        proved = visit_pages.proved(request, visit_id)
        return {"number": proved.place, "url": reverse("backoffice:visits")}

    return _answered(act)


def _answered(act: Callable[[], dict[str, str]]) -> JsonResponse:
    try:
        return script_answer(act(), 201)
    except BeffroiError as fault:
        return script_answer(told(fault), fault.http_status)
