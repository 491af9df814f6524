"""What a refresh brought and does not put in service by itself: an agent looks, then says yes or no."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request, open_to
from beffroi.lake import operations, queries


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def held(request: HttpRequest) -> HttpResponse:
    """List the versions that wait, with what they would lose."""
    request = cast(Request, request)
    code = request.commune.code if request.commune else ""
    return render(request, "backoffice/held.html", {"held": queries.held(request.viewer, territory=code)})


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def release(request: HttpRequest, territory: str, slug: str) -> HttpResponse:
    """Put a version that waits in service."""
    ref = queries.DatasetRef(territory, slug)
    operations.release_held(cast(Request, request).viewer, ref, at=timezone.now())
    messages.success(request, _("La nouvelle version est en service ; sa carte se prépare."))
    return redirect("backoffice:held")


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def refuse(request: HttpRequest, territory: str, slug: str) -> HttpResponse:
    """Leave a version that waits out of service."""
    operations.refuse_held(cast(Request, request).viewer, queries.DatasetRef(territory, slug))
    messages.success(request, _("La version en service le reste. L’autre est dans l’historique."))
    return redirect("backoffice:held")


urlpatterns: list[URLPattern | URLResolver] = [
    path("retenues/", held, name="held"),
    path("retenues/<str:territory>/<str:slug>/approuver/", release, name="held-release"),
    path("retenues/<str:territory>/<str:slug>/refuser/", refuse, name="held-refuse"),
]
