"""`/signaler/`: where, what, check and send. Each step is a form that works alone; a script makes one page of them."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.reports.assisted import page_of_tools
from beffroi.faces.portal.reports.draft import Draft, read_draft
from beffroi.faces.portal.reports.screens import PLACES, Screen, context_of, first_wrong, refused, similar_to
from beffroi.faces.portal.reports.sending import all_photos, device_of, filed, remember_device
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.serve.cases import operations as cases
from beffroi.serve.reports import queries
from beffroi.serve.reports.categories import OpenCategory


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, use_case: str = "") -> HttpResponseBase:
    """Take a report in three steps; nothing typed is lost on an error or on going back."""
    request = cast(Request, request)
    territory = territory_of(request)
    draft = read_draft(request, request.viewer, territory)
    offered = queries.categories_for(request.viewer, territory, use_case=use_case)
    if use_case and not offered:
        if page := page_of_tools(territory, use_case):
            return redirect(page)
        raise NotFound(
            gettext_noop("rien ne se signale sous ce service"),
            remedy=gettext_noop("la liste de ce qui se signale est à l’adresse /signaler/"),
        )
    if request.method != "POST":
        if use_case and draft.chosen is None and len(offered) == 1:
            # There is nothing to choose.
            draft = read_draft(request, request.viewer, territory, category=offered[0].category.code)
        return _shown(request, draft, offered, Screen("where"))
    return _advanced(request, draft, offered)


def _advanced(request: Request, draft: Draft, offered: list[OpenCategory]) -> HttpResponseBase:
    """Answer a step that was sent: the next one, the one before, or the same with what is wrong."""
    step, go = request.POST.get("step", "where"), request.POST.get("go", "next")
    step = step if step in PLACES else "where"
    if draft.lost is not None:
        return _shown(request, draft, offered, refused(draft.lost, "details"))
    if go in PLACES:
        return _shown(request, draft, offered, Screen(go))
    try:
        if step == "details" and draft.chosen is not None:
            draft.held = cases.hold_files(all_photos(request, draft))
    except BeffroiError as error:
        return _shown(request, draft, offered, refused(error, step))
    if go == "search" or (step == "what" and draft.chosen is None):
        problem = "" if go == "search" else _("Choisissez ce que vous voyez dans la liste.")
        return _shown(request, draft, offered, Screen("what", problem, q=request.POST.get("q", "")[:100]))
    wrong = first_wrong(draft, until=step)
    if wrong:
        missing = _("Choisissez ce que vous voyez dans la liste.") if wrong == "what" else ""
        return _shown(request, draft, offered, Screen(wrong, missing, is_wrong=True))
    if step != "check":
        following = {"where": "details" if draft.chosen else "what", "what": "details", "details": "check"}[step]
        return _shown(request, draft, offered, Screen(following))
    return _sent(request, draft, offered)


def _sent(request: Request, draft: Draft, offered: list[OpenCategory]) -> HttpResponseBase:
    device = device_of(request)
    try:
        token = filed(request, draft, device)
    except BeffroiError as error:
        return _shown(request, draft, offered, refused(error, "check"), status=error.http_status)
    response = redirect("portal:followed-report", token=token)
    response["Location"] += "?merci"
    remember_device(response, device)
    return response


def _shown(
    request: Request, draft: Draft, offered: list[OpenCategory], screen: Screen, *, status: int = 0
) -> HttpResponse:
    if screen.step in ("details", "check") and draft.chosen is None:
        screen = Screen("what", screen.problem, is_wrong=screen.is_wrong)
    if screen.step == "check" and not first_wrong(draft, until="details"):
        screen.similar = similar_to(request, draft)
    context = context_of(request, draft, offered, screen)
    status = status or (400 if screen.problem or screen.is_wrong else 200)
    response = render(request, "portal/reports/report.html", context, status=status)
    if request.method == "POST" or context["discreet"]:
        response.headers["Cache-Control"] = "no-store"
    return response
