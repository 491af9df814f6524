"""Who answers for each dataset: the list, and the page where an agent names someone."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.kernel.errors import Refused
from beffroi.base.kernel.words import folded
from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request, open_to
from beffroi.lake import owners as lake_owners
from beffroi.lake import queries
from beffroi.lake.quality import days_late


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def owners(request: HttpRequest) -> HttpResponse:
    """List the datasets with who answers for each, the rhythm it promises and whether it keeps it."""
    request = cast(Request, request)
    code = request.commune.code if request.commune else ""
    today, found = timezone.localdate(), lake_owners.Owners(code, at=timezone.now())
    lines = [
        (one, found.of_summary(one), days_late(one.rhythm, one.updated_at.date(), today=today))
        for one in queries.datasets(request.viewer, territory=code)
    ]
    return render(request, "backoffice/owners.html", {"lines": sorted(lines, key=lambda line: folded(line[0].title))})


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def owner(request: HttpRequest, slug: str) -> HttpResponse:
    """Show who answers for a dataset; `owner` names a service (``service:<slug>``), a person, or nobody (empty)."""
    request = cast(Request, request)
    code = request.commune.code if request.commune else ""
    ref = queries.DatasetRef(code, slug)
    summary = queries.dataset(request.viewer, ref).summary
    answers = lake_owners.owner_of(summary, at=timezone.now())
    choices = _choices(request, answers)
    if request.method == "POST":
        _name(request, ref, request.POST.get("owner", ""), {value for value, _label in choices})
        messages.success(request, _("C’est noté : il sera prévenu quand ces données seront en retard."))
        return redirect("backoffice:owners")
    chosen = ""
    if answers.is_chosen:
        chosen = f"service:{answers.service}" if answers.service else f"person:{answers.person}"
    context = {"summary": summary, "answers": answers, "chosen": chosen, "choices": choices}
    return render(request, "backoffice/owner.html", context)


def _name(request: Request, ref: queries.DatasetRef, chosen: str, offered: set[str]) -> None:
    if chosen and chosen not in offered:
        raise Refused("ce responsable n’est pas proposé", where="owner", remedy="choisissez-en un dans la liste")
    kind, _colon, named = chosen.partition(":")
    service, person = (named, None) if kind == "service" else ("", int(named) if named else None)
    lake_owners.set_owner(request.viewer, ref, service=service, person=person, at=timezone.now())


def _choices(request: Request, answers: lake_owners.Owner) -> list[tuple[str, str]]:
    """Return the services, then the people the reader may name: all for who administers, else herself."""
    code = request.commune.code if request.commune else ""
    found = [(f"service:{one.slug}", one.name) for one in territories.services(code)]
    everyone = request.viewer.has(Role.ADMINISTRATOR, code)
    people = [
        (f"person:{one.id}", one.name or one.email)
        for one in territories.staff_of(code, at=timezone.now())
        if everyone or one.id in (request.viewer.person_id, answers.person)
    ]
    return found + people


urlpatterns: list[URLPattern | URLResolver] = [
    path("responsables/", owners, name="owners"),
    path("responsables/<str:slug>/", owner, name="owner"),
]
