"""The training pages: the paths, one path and its steps."""

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
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice import training as paths
from beffroi.faces.backoffice.sandbox import OWN_ID
from beffroi.faces.shell.access import Request, open_to


def _code(request: Request) -> str:
    return request.real_commune.code if request.real_commune else ""


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def training(request: HttpRequest) -> HttpResponse:
    """List the paths with how far the reader is, and, for administrators, how many have completed each."""
    request = cast(Request, request)
    code, viewer = _code(request), request.viewer
    catalogue.count_use(OWN_ID, code, now(), audience=use_cases.audience_of(viewer, code))
    administers = request.commune is not None and viewer.has(Role.ADMINISTRATOR, request.commune.code)
    counted = paths.completions(code) if administers else {}
    rows = [{"progress": one, "completed": counted.get(one.job.slug)} for one in paths.progress(viewer.person_id)]
    return render(request, "backoffice/training/list.html", {"rows": rows, "administers": administers})


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def course(request: HttpRequest, job: str) -> HttpResponse:
    """Show one path, its steps and which are done."""
    path_shown = paths.job(job)
    mine = next(one for one in paths.progress(cast(Request, request).viewer.person_id) if one.job == path_shown)
    return render(request, "backoffice/training/course.html", {"mine": mine})


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def tick(request: HttpRequest, job: str, step: str) -> HttpResponse:
    """Tick a step as done, or take the tick back."""
    request = cast(Request, request)
    done, person = request.POST.get("fait") == "1", request.viewer.person_id
    if person is not None and paths.set_step(job, step, done=done, person=person, territory=_code(request), at=now()):
        messages.success(request, _("Parcours terminé. Bravo !"))
    return redirect("backoffice:course", job=job)


@open_to(Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def shortcuts(request: HttpRequest) -> HttpResponse:
    """List the keys of the keyboard, for who has no JavaScript to open the dialogue."""
    return render(request, "backoffice/shortcuts.html")


urlpatterns = [
    path("raccourcis/", shortcuts, name="shortcuts"),
    path("formation/", training, name="training"),
    path("formation/<slug:job>/", course, name="course"),
    path("formation/<slug:job>/<slug:step>/", tick, name="course-step"),
]
