"""The needs of a service and what is drawn over them: the list, a call, a need and its passages, tonight's round."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.catalogue import operations as catalogue_operations
from beffroi.base.catalogue import queries as catalogue
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.outreach.forms import NeedForm, TeamForm
from beffroi.faces.backoffice.outreach.going import going, plan_of_needs, stops_for
from beffroi.faces.backoffice.reports.queue import code_of
from beffroi.faces.backoffice.rounds.forms import as_day, site
from beffroi.faces.backoffice.rounds.wording import STATES
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.sentences import said
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.rounds import needs, operations, passages, queries
from beffroi.sense.mobility.rounds.kinds import Kind, kind_for
from beffroi.sense.mobility.rounds.passages import THRESHOLD, Figures, PassageInfo

MOST_ROUNDS = 20


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def outreach(request: HttpRequest, use_case: str) -> HttpResponse:
    """List the needs still open and the last rounds, to the agents of the service."""
    request = cast(Request, request)
    viewer, territory = request.viewer, code_of(request)
    kind = kind_for(viewer, territory, use_case)
    found = going(viewer, territory, kind, at=timezone.now())
    before = passages.passages_at(viewer, territory, use_case, [one.source for one in found])
    last = queries.rounds(viewer, territory, use_case=use_case, most=MOST_ROUNDS)
    audience = catalogue.audience_of(viewer, territory)
    catalogue_operations.count_use(use_case, territory, timezone.now(), audience=audience)
    context = {
        "outreach": kind,
        "found": [(one, told(kind, before.get(one.source, [])[:1])) for one in found],
        "drawing": plan_of_needs(territory, found),
        "rounds": [(one, *STATES[one.state]) for one in last],
        "ready": mobility.has_graph(territory),
    }
    return render(request, "backoffice/outreach/home.html", context)


def told(kind: Kind, found: list[PassageInfo]) -> list[dict[str, Any]]:
    """Return passages in words, the note as it is: None when its key is lost."""
    lines = []
    for one in found:
        outcome = kind.settings.outcome_named(one.outcome)
        label = _(outcome.label) if outcome else one.outcome
        lines.append({"outcome": label, "at": one.at, "note": one.note, "round": one.round_number})
    return lines


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def new_need(request: HttpRequest, use_case: str) -> HttpResponse:
    """Note a call, or a usual place."""
    request = cast(Request, request)
    territory, sent = code_of(request), request.method == "POST"
    kind = kind_for(request.viewer, territory, use_case)
    form = NeedForm(request.POST if sent else None, territory=territory)
    if sent and form.is_valid():
        data = form.cleaned_data
        try:
            needs.note_need(
                request.viewer, territory, use_case, place=site(data["place"]), words=data["words"],
                urgency=data["urgency"], usual=data["usual"], at=timezone.now(),
            )  # fmt: skip
        except BeffroiError as fault:
            form.add_error(None, f"{said(fault.what)} ; {said(fault.remedy)}.")
        else:
            messages.success(request, _("C’est noté, et chiffré."))
            return redirect("backoffice:outreach", use_case)
    context = {"outreach": kind, "form": form}
    return render(request, "backoffice/outreach/need_new.html", context, status=400 if form.errors else 200)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def need_page(request: HttpRequest, use_case: str, need_id: int) -> HttpResponse:
    """Show one need and its passages; a POST closes it."""
    request = cast(Request, request)
    viewer, territory = request.viewer, code_of(request)
    kind = kind_for(viewer, territory, use_case)
    if request.method == "POST":
        needs.close_need(viewer, territory, use_case, need_id, at=timezone.now())
        messages.success(request, _("On n’y passera plus."))
        return redirect("backoffice:outreach", use_case)
    info = needs.need(viewer, territory, use_case, need_id)
    before = passages.passages_at(viewer, territory, use_case, [info.source])
    context = {"outreach": kind, "need": info, "passages": told(kind, before.get(info.source, []))}
    return render(request, "backoffice/outreach/need.html", context)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def new_round(request: HttpRequest, use_case: str) -> HttpResponse:
    """Draw tonight's round over the needs chosen."""
    request = cast(Request, request)
    viewer, territory, sent = request.viewer, code_of(request), request.method == "POST"
    kind = kind_for(viewer, territory, use_case)
    at = timezone.now()
    found = going(viewer, territory, kind, at=at)
    start = {"day": as_day(at), "title": _("Maraude du {day}").format(day=date_format(timezone.localdate(), "j F")),
             "team": _("Équipe"), "leaves": "20:00", "ends": "23:30"}  # fmt: skip
    form = TeamForm(request.POST if sent else None, territory=territory, found=found, initial=start)
    if sent and form.is_valid():
        data = form.cleaned_data
        chosen = [one for one in found if one.source in set(data["wanted"])]
        try:
            number = operations.ask_round(
                territory=territory, service=kind.settings.service, title=data["title"], day=data["day"],
                plan=form.plan(), stops=stops_for(chosen, minutes=data["minutes"]), by=viewer, at=at,
                use_case=use_case,
            )  # fmt: skip
        except BeffroiError as fault:
            form.add_error(None, f"{said(fault.what)} ; {said(fault.remedy)}.")
        else:
            return redirect("backoffice:round-sheet", number)
    context = {"outreach": kind, "form": form, "nothing": not form.fields["wanted"].initial}
    return render(request, "backoffice/outreach/new.html", context, status=400 if form.errors else 200)


@open_to(Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """Count rounds and passages by month and by district: never a note, never a place."""
    request = cast(Request, request)
    territory = code_of(request)
    names = {zone.slug: zone.name for zone in territories.zones(territory, needs.DISTRICT_KIND)}
    found = passages.figures(request.viewer, territory, at=timezone.now())
    context = {"kinds": [_counted(one, names) for one in found], "threshold": THRESHOLD}
    return render(request, "backoffice/outreach/figures.html", context)


def _counted(one: Figures, names: dict[str, str]) -> dict[str, Any]:
    outcomes = one.kind.settings.outcome
    months = [
        (_month(month), rounds, [one.by_month.get(month, {}).get(outcome.code) for outcome in outcomes])
        for month, rounds in one.rounds.items()
    ]
    districts = [
        (names.get(slug, slug) or _("Hors des quartiers"), [counts.get(outcome.code) for outcome in outcomes])
        for slug, counts in one.by_district.items()
    ]
    return {"title": one.kind.title, "outcomes": [_(outcome.label) for outcome in outcomes], "months": months,
            "districts": districts}  # fmt: skip


def _month(key: str) -> str:

    return date_format(date.fromisoformat(f"{key}-01"), "F Y")
