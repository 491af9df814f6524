"""The sandbox of the agents: go in, come out, start again; nothing done there is real."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue import queries as use_cases
from beffroi.base.kernel.errors import NotFound
from beffroi.base.kernel.time import now
from beffroi.base.territory import operations, queries
from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.middleware import SANDBOX_COOKIE

OWN_ID = "G-09"


def _real(request: Request) -> str:
    if request.real_commune is None or request.real_commune.kind != "commune":
        raise NotFound("le bac à sable est celui d’une commune", remedy="ouvrez le domaine de la commune")
    return request.real_commune.code


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def sandbox(request: HttpRequest) -> HttpResponse:
    """Say what the sandbox is, whether one is in it, and offer to go in, come out or start again."""
    request = cast(Request, request)
    inside = request.commune is not None and bool(request.commune.sandbox_of)
    known = request.commune if inside else queries.sandbox_of(_real(request))
    return render(request, "backoffice/sandbox.html", {"inside": inside, "known": known})


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def enter(request: HttpRequest) -> HttpResponse:
    """Go into the sandbox, made on the first visit."""
    request = cast(Request, request)
    code, at = _real(request), now()
    if queries.sandbox_of(code) is None:
        operations.reset_sandbox(of=code, by=request.viewer, at=at)
    catalogue.count_use(OWN_ID, code, at, audience=use_cases.audience_of(request.viewer, code))
    messages.success(request, _("Vous êtes dans le bac à sable : essayez, rien n’est réel."))
    response = redirect("backoffice:home")
    # Ends with the browser: nobody comes back to work the next day and finds herself in the sandbox.
    response.set_cookie(SANDBOX_COOKIE, "1", samesite="Lax", httponly=True, secure=request.is_secure())
    return response


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Come back to the real commune."""
    messages.success(request, _("Vous êtes revenu à la commune : ce que vous faites compte."))
    response = redirect("backoffice:home")
    response.delete_cookie(SANDBOX_COOKIE, samesite="Lax")
    return response


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def reset(request: HttpRequest) -> HttpResponse:
    """Empty the sandbox and put its samples back."""
    request = cast(Request, request)
    operations.reset_sandbox(of=_real(request), by=request.viewer, at=now())
    messages.success(request, _("Le bac à sable est comme neuf."))
    return redirect("backoffice:sandbox")


urlpatterns = [
    path("bac-a-sable/", sandbox, name="sandbox"),
    path("bac-a-sable/entrer/", enter, name="sandbox-enter"),
    path("bac-a-sable/quitter/", leave, name="sandbox-leave"),
    path("bac-a-sable/remettre-a-zero/", reset, name="sandbox-reset"),
]
