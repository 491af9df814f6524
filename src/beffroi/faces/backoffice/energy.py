"""What owners propose to say of the energy of their buildings: an agent reads, approves or refuses, takes it back."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.proposals import proposal_line
from beffroi.sense.twin import proposals


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def energy(request: HttpRequest) -> HttpResponse:
    """List the proposals that wait, then those decided."""
    request = cast(Request, request)
    lines = [proposal_line(one) for one in proposals.proposals(request.viewer, _code(request))]
    waiting = [line for line in lines if line.one.state == proposals.PENDING]
    decided = [line for line in lines if line.one.state != proposals.PENDING]
    return render(request, "backoffice/energy.html", {"waiting": waiting, "decided": decided})


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def decide(request: HttpRequest, number: int) -> HttpResponse:
    """Approve (`do=approve`) a proposal, or refuse it with `answer`."""
    request = cast(Request, request)
    approve, answer = request.POST.get("do") == "approve", request.POST.get("answer", "")
    proposals.decide(request.viewer, number, territory=_code(request), approve=approve, answer=answer, at=now())
    text = (
        _("C’est approuvé, et déjà sur toutes les cartes.") if approve else _("C’est refusé ; le motif est transmis.")
    )
    messages.success(request, text)
    return redirect("backoffice:energy")


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def take_back(request: HttpRequest, number: int) -> HttpResponse:
    """Take a decision back: the proposal waits again, the data are as before."""
    request = cast(Request, request)
    proposals.take_back(request.viewer, number, territory=_code(request), at=now())
    messages.success(request, _("La décision est reprise : la proposition attend de nouveau."))
    return redirect("backoffice:energy")


def _code(request: Request) -> str:
    return request.commune.code if request.commune else ""


urlpatterns: list[URLPattern | URLResolver] = [
    path("energie/", energy, name="energy"),
    path("energie/<int:number>/decider/", decide, name="energy-decide"),
    path("energie/<int:number>/reprendre/", take_back, name="energy-take-back"),
]
