"""The front page of elected officials, and the same on one sheet of paper."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import operations
from beffroi.base.catalogue import queries as catalogue
from beffroi.base.territory.viewer import Role
from beffroi.faces.cockpit.communes import USE_CASE, fresh_days, groupings_shown, side_by_side
from beffroi.faces.cockpit.figures import Asked, town_figures
from beffroi.faces.shell.access import Request, open_to
from beffroi.lake.crossing import queries as crossing
from beffroi.sense.indicators.queries import open_indicators
from beffroi.sense.mobility.rounds.kinds import kinds


def _context(request: Request) -> dict[str, Any]:
    today = timezone.localdate()
    figures = town_figures(Asked(request.viewer, request.commune, today)) if request.commune else []
    return {"figures": figures, "today": today}


def _further(request: Request) -> list[tuple[str, str]]:
    """Return the pages that tell officials more than seven figures, those that have something to tell here."""
    commune, viewer = request.commune, request.viewer
    if commune is None:
        return []
    declared = [
        (_(one.use_case.title), reverse("portal:declared", args=[one.use_case.id]))
        for one in open_indicators(viewer, commune.code)
    ]
    kept = any(one.kind == "indicator" for one in crossing.saved_crossings(viewer, commune.code))
    pages = (
        (_("La ville par quartier, en nombres"), "portal:view-official", True),
        (_("Une couche par quartier, avant et après, sur la carte"), "portal:synthesis", True),
        (_("Les signalements en chiffres"), "backoffice:figures", True),
        (_("L’état des données de la commune"), "cockpit:data", True),
        (_("Ce que cela demande"), "cockpit:needs", True),
        (_("Les indicateurs gardés par les agents"), "portal:indicators", kept),
        (_("Les maraudes en chiffres"), "backoffice:outreach-figures", bool(kinds(commune.code))),
        (_("Les communes du groupement, côte à côte"), "cockpit:communes", bool(groupings_shown(commune))),
    )
    return [*declared, *((title, reverse(name)) for title, name, shown in pages if shown)]


@open_to(Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show at most seven figures, each with its trend, its comparison, its source, its date and the page behind it."""
    request = cast(Request, request)
    return render(request, "cockpit/home.html", {**_context(request), "further": _further(request)})


@open_to(Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def brief(request: HttpRequest) -> HttpResponse:
    """Show the same figures on one sheet, to print or to hand round."""
    return render(request, "cockpit/brief.html", _context(cast(Request, request)))


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
