"""`/accueil-accompagne/`: how to have something filed without account or telephone, for the helped and the helper."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.territory.viewer import AGENTS
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.reports.listing import has_reports
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.serve.bookings import queries as bookings
from beffroi.serve.bookings.hours.queries import open_slot_things
from beffroi.serve.procedures.queries import open_procedures
from beffroi.serve.reports.categories import ENGINE, ReportsSettings

# Where each tool of a use case that has no category of its own is used.
TOOLS = {
    "counter": "portal:assisted",
    "triage": "backoffice:reports",
    "work-orders": "backoffice:orders",
    "visits": "backoffice:visits",
}


def page_of_tools(territory: str, use_case: str) -> str:
    """Return the address where an open use case without category is used, "" when it has none."""
    for view in catalogue.use_cases(territory=territory, engine_name=ENGINE, states=OPEN_STATES):
        settings = view.use_case.settings.get(ENGINE)
        if view.use_case.id == use_case and isinstance(settings, ReportsSettings) and not settings.category:
            try:
                return reverse(TOOLS[settings.tools[0]])
            except NoReverseMatch:
                return ""
    return ""


@open_to(EVERYONE)
@require_safe
def assisted(request: HttpRequest) -> HttpResponse:
    """Tell the three ways: at the town hall, by somebody one mandates, on paper; lead the helper to the form."""
    request = cast(Request, request)
    territory = territory_of(request)
    context = {
        "is_agent": AGENTS in request.viewer.clearances(territory),
        "signed_in": request.viewer.person_id is not None,
        "may_report": has_reports(request),
        "may_book": bool(bookings.open_things(territory) or open_slot_things(territory)),
        "may_ask": request.viewer.person_id is not None and bool(open_procedures(territory)),
    }
    return render(request, "portal/reports/assisted.html", context)
