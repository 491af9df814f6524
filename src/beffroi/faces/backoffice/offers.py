"""What people give each other, watched: an agent leaves what was complained of, or takes it down and says why."""

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
from beffroi.serve.offers import operations, queries


def _code(request: Request) -> str:
    return request.commune.code if request.commune else ""


@work_source("offers")
def flagged(request: Request) -> Iterator[WorkCard]:
    """Yield the offers that somebody complained of."""
    if queries.is_anywhere():
        count = queries.flagged_count(request.viewer, _code(request), at=now())
        yield WorkCard(_("Objets signalés à regarder"), count, reverse("backoffice:offers"), Urgency.TODAY)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def offers(request: HttpRequest) -> HttpResponse:
    """List what is on offer, what was complained of first."""
    request = cast(Request, request)
    found = queries.watched_offers(request.viewer, _code(request), at=now())
    return render(request, "backoffice/offers.html", {"offers": found})


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def moderate(request: HttpRequest, number: int) -> HttpResponse:
    """Take down an offer with the `reason` given, or leave it."""
    request = cast(Request, request)
    try:
        if request.POST.get("do") == "keep":
            operations.keep_thing(request.viewer, number, at=now())
            messages.success(request, _("L’offre reste sur la carte."))
        else:
            operations.remove_thing(request.viewer, number, reason=request.POST.get("reason", ""), at=now())
            messages.success(request, _("L’offre est retirée. La personne qui la proposait lit pourquoi."))
    except BeffroiError as error:
        messages.error(request, f"{said(error.what)} ; {said(error.remedy)}.")
    return redirect("backoffice:offers")


urlpatterns: list[URLPattern] = [
    path("objets/", offers, name="offers"),
    path("objets/<int:number>/", moderate, name="offer-moderate"),
]
