"""Places that ask to stand in a directory, looked at: an agent of the service publishes them, or leaves them out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.work import Urgency, WorkCard, work_source
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.sentences import said
from beffroi.serve.offers import claims, proposals
from beffroi.serve.offers.engine import takes_claims, takes_proposals


def _code(request: Request) -> str:
    return request.commune.code if request.commune else ""


@work_source("proposals")
def waiting(request: Request) -> Iterator[WorkCard]:
    """Yield how many places wait to be looked at."""
    if takes_proposals() or takes_claims():
        count = len(proposals.waiting_proposals(request.viewer, _code(request)))
        count += len(claims.waiting_claims(request.viewer, _code(request))) if takes_claims() else 0
        yield WorkCard(_("Lieux à vérifier"), count, reverse("backoffice:proposals"), Urgency.TODAY)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def proposals_list(request: HttpRequest) -> HttpResponse:
    """List the places that wait, the oldest first."""
    request = cast(Request, request)
    found = proposals.waiting_proposals(request.viewer, _code(request))
    claimed = claims.waiting_claims(request.viewer, _code(request)) if takes_claims() else []
    return render(request, "backoffice/proposals.html", {"proposals": found, "claims": claimed})


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def decide(request: HttpRequest, number: int) -> HttpResponse:
    """Publish a place, or leave it out with the `reason` given."""
    request = cast(Request, request)
    try:
        if request.POST.get("do") == "accept":
            proposals.accept_proposal(request.viewer, number, at=now())
            messages.success(request, _("Le lieu est publié : il est déjà sur la carte et dans l’annuaire."))
        else:
            proposals.refuse_proposal(request.viewer, number, reason=request.POST.get("reason", ""), at=now())
            messages.success(request, _("L’inscription est refusée ; rien n’est publié."))
    except BeffroiError as error:
        messages.error(request, f"{said(error.what)} ; {said(error.remedy)}.")
    return redirect("backoffice:proposals")


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def decide_claim(request: HttpRequest, number: int) -> HttpResponse:
    """Give a sheet to who asks to keep it, or refuse with the `reason` given."""
    request = cast(Request, request)
    try:
        if request.POST.get("do") == "accept":
            claims.accept_claim(request.viewer, number, at=now())
            messages.success(request, _("La fiche est confiée à qui la demandait, qui en est prévenu."))
        else:
            claims.refuse_claim(request.viewer, number, reason=request.POST.get("reason", ""), at=now())
            messages.success(request, _("La demande est refusée ; le motif est envoyé."))
    except BeffroiError as error:
        messages.error(request, f"{said(error.what)} ; {said(error.remedy)}.")
    return redirect("backoffice:proposals")


urlpatterns: list[URLPattern] = [
    path("lieux-a-verifier/", proposals_list, name="proposals"),
    path("lieux-a-verifier/<int:number>/", decide, name="proposal-decide"),
    path("lieux-a-verifier/fiches/<int:number>/", decide_claim, name="claim-decide"),
]
