"""The datasets to look at: late, failing, awaiting a word; and the national sources, asked again by themselves."""

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
from beffroi.faces.backoffice.freshness import late_datasets
from beffroi.faces.shell.access import Request, open_to
from beffroi.lake import operations, queries


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def watched(request: HttpRequest) -> HttpResponse:
    """Show what is wrong first, then every source with its last and its next turn."""
    request = cast(Request, request)
    code = request.commune.code if request.commune else ""
    now = timezone.now()
    sources = queries.asked_sources(request.viewer, code, at=now) if code else []
    context = {
        "late": late_datasets(queries.datasets(request.viewer, territory=code), today=timezone.localdate()),
        "failing": [one for one in sources if one.fault and not one.absent],
        "held": queries.held(request.viewer, territory=code),
        "sources": [(one, one.next_at <= now) for one in sources],
    }
    return render(request, "backoffice/watched.html", context)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def ask_again(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask one source again now: the worker does it."""
    request = cast(Request, request)
    code = request.commune.code if request.commune else ""
    operations.ask_source_again(request.viewer, code, slug, at=timezone.now())
    messages.success(
        request, _("La source est demandée de nouveau ; ce qu’elle apporte paraîtra dans quelques instants.")
    )
    return redirect("backoffice:watched")


urlpatterns: list[URLPattern | URLResolver] = [
    path("donnees-a-surveiller/", watched, name="watched"),
    path("donnees-a-surveiller/<str:slug>/", ask_again, name="watched-ask"),
]
