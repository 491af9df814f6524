"""The front page of elected officials: printable, on one sheet."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import operations
from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES, Audience
from beffroi.base.territory.viewer import Role
from beffroi.faces.cockpit.communes import USE_CASE, fresh_days, groupings_shown, side_by_side
from beffroi.faces.cockpit.figures import town_figures
from beffroi.faces.shell.access import Request, open_to
from beffroi.lake import queries as lake


@open_to(Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show at most seven figures, each with its source, its date and the page behind it."""
    request = cast(Request, request)
    figures = []
    if request.commune:
        code = request.commune.code
        datasets = lake.datasets(request.viewer, territory=code)
        services = catalogue.use_cases(territory=code, audience=Audience.RESIDENT, states=OPEN_STATES)
        figures = town_figures(request.commune, datasets, services, today=timezone.localdate())
    grouped = request.commune is not None and bool(groupings_shown(request.commune))
    context = {"figures": figures, "today": timezone.localdate(), "has_grouping": grouped}
    return render(request, "cockpit/home.html", context)


@open_to(Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def communes(request: HttpRequest) -> HttpResponse:
    """Show the communes of the grouping side by side, each figure with its source and its date."""
    request = cast(Request, request)
    here, at = request.commune, timezone.now()
    groups = side_by_side(request.viewer, here, today=timezone.localdate()) if here else []
    if here:
        operations.count_use(USE_CASE, here.code, at, audience=catalogue.audience_of(request.viewer, here.code))
    context = {"groups": groups, "today": timezone.localdate(), "fresh_days": fresh_days()}
    return render(request, "cockpit/communes.html", context)
