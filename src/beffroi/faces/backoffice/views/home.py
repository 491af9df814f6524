"""The agents' first page: my work today, my services, the data to look at, then where to go."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from beffroi.base.territory import queries as territory
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.doors import doors
from beffroi.faces.backoffice.freshness import late_datasets
from beffroi.faces.backoffice.training import jobs_begun
from beffroi.faces.backoffice.work import work_of_today
from beffroi.faces.shell.access import Request, open_to
from beffroi.lake import queries as lake
from beffroi.lake.queries import TilesState

SHOWN = 8


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what awaits this agent, the most pressing first, then the datasets to look at and the doors."""
    request = cast(Request, request)
    code = request.commune.code if request.commune else ""
    known = lake.datasets(request.viewer, territory=code) if code else []
    late = late_datasets(known, today=timezone.localdate())
    context = {
        "cards": work_of_today(request),
        "services": _own_services(request, code),
        "late": late[:SHOWN],
        "late_more": max(0, len(late) - SHOWN),
        "failing": [one for one in known if lake.tiles_state(request.viewer, one.ref) is TilesState.FAILED][:SHOWN],
        "datasets_count": len(known),
        "training": jobs_begun(request.viewer.person_id),
        "doors": doors(request),
    }
    return render(request, "backoffice/home.html", context)


def _own_services(request: Request, code: str) -> list[str]:
    """Return the names of the services this agent belongs to."""
    own = {slug for grant in request.viewer.grants if grant.territory == code for slug in grant.services}
    return [one.name for one in territory.services(code) if one.slug in own] if own else []
