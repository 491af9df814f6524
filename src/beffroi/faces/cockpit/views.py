"""The front page of elected officials: printable, on one sheet."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES, Audience
from beffroi.base.territory.viewer import Role
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
    return render(request, "cockpit/home.html", {"figures": figures, "today": timezone.localdate()})
