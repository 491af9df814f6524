"""`/agent/accueil/`: what an agent files for somebody at the counter, by telephone or by letter, and what she filed."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.requests import age, state_kind, state_of
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import MANDATE_TITLES, MandateKind
from beffroi.serve.procedures import queries as procedures
from beffroi.serve.reports import queries


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def counter(request: HttpRequest) -> HttpResponse:
    """Lead to what may be filed for somebody, and list what this agent filed, with each receipt."""
    request = cast(Request, request)
    at, me = timezone.now(), request.viewer.person_id
    filed = [
        (info, party, _(MANDATE_TITLES[MandateKind(party.mandate)]), state_of(info.case), state_kind(info.case))
        for info, party in queries.own_reports(request.viewer)
        if party.mandate and party.filed_by == me
    ]
    asked = case_queries.own_cases(request.viewer, kind=procedures.KIND)
    titles = procedures.headings(case for case, _party in asked)
    context = {
        "filed": [(*one, age(one[0].case.opened_at, at)) for one in filed],
        "asked": [
            (_(titles[case.id]), case, party, state_of(case), state_kind(case), age(case.opened_at, at))
            for case, party in asked
            if party.mandate and party.filed_by == me
        ],
        "may_ask": bool(procedures.open_procedures(request.commune.code if request.commune else "")),
    }
    return render(request, "backoffice/reports/counter.html", context)
