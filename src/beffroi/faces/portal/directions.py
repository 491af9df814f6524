"""`/sens-de-circulation/`: changes of direction proposed, and what each would do, read before one gives an opinion."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from beffroi.faces.portal.directory import territory_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.directions import compared, limits
from beffroi.faces.shell.works import days_told, plan_of_works, who_told
from beffroi.sense.mobility.works import queries
from beffroi.sense.mobility.works.plan import Scenario
from beffroi.sense.mobility.works.queries import WorksInfo


def _phases(scenario: Scenario) -> list[tuple[str, str, list[str]]]:
    """Return the days, the direction and the streets of each phase."""
    return [
        (days_told(phase), who_told(phase), list(dict.fromkeys(one.name for one in phase.stretches if one.name)))
        for phase in scenario.phases
    ]


@open_to(EVERYONE)
@require_safe
def directions(request: HttpRequest) -> HttpResponse:
    """List the changes of direction proposed."""
    territory = territory_of(cast(Request, request))
    found = queries.proposed_directions(territory) if territory else []
    context = {"proposals": [(one, _phases(one.scenarios[max(0, one.chosen)])) for one in found]}
    return render(request, "portal/directions.html", context)


@open_to(EVERYONE)
@require_safe
def direction(request: HttpRequest, works_id: int) -> HttpResponse:
    """Show a change of direction: its scenarios beside today, the streets that change load, who gains, who loses."""
    info = queries.proposed_direction(territory_of(cast(Request, request)), works_id)
    context = {
        "info": info,
        "scenarios": [_scenario(info, rank) for rank in range(len(info.scenarios))],
        "compared": compared(info),
        "limits": limits(info),
    }
    return render(request, "portal/direction.html", context)


def _scenario(info: WorksInfo, rank: int) -> dict[str, Any]:
    scenario = info.scenarios[rank]
    flat = [one for phase in info.effects[rank] for one in phase] if info.effects else []
    return {
        "rank": rank,
        "title": scenario.title,
        "phases": _phases(scenario),
        "chosen": rank == info.chosen,
        "drawing": plan_of_works(info.territory, scenario.phases, flat),
    }
