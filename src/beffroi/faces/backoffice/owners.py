"""Who answers for each dataset and how often it comes: the list, and the page where an agent says both."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.kernel.errors import Refused
from beffroi.base.kernel.words import folded
from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request, open_to
from beffroi.lake import governing, queries
from beffroi.lake import owners as lake_owners
from beffroi.lake.rhythms import RHYTHMS, Origin, days_late

BEFORE = "governed_before"


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
    """Show who answers for a dataset and how often it comes; both are said in one form.

    `owner` names a service (``service:<slug>``), a person, or nobody (empty); `rhythm` is one of the list, or empty.
    """
    request = cast(Request, request)
    ref = queries.DatasetRef(request.commune.code if request.commune else "", slug)
    summary = queries.dataset(request.viewer, ref).summary
    answers = lake_owners.owner_of(summary, at=timezone.now())
    rhythm, unchosen = governing.current_rhythm(request.viewer, ref)
    choices, chosen = _choices(request, answers), _value(answers)
    said = rhythm.words if rhythm.origin is Origin.CHOSEN else ""
    if request.method == "POST":
        asked = request.POST.get("owner", "")
        if asked and asked not in {value for value, _label in choices}:
            raise Refused("ce responsable n’est pas proposé", where="owner", remedy="choisissez-en un dans la liste")
        _govern(request, ref, asked, request.POST.get("rhythm", ""))
        request.session[BEFORE] = {"dataset": str(ref), "owner": chosen, "rhythm": said}
        messages.success(request, _("C’est noté : le responsable sera prévenu quand ces données seront en retard."))
        return redirect("backoffice:owner", slug)
    before = request.session.get(BEFORE) or {}
    context = {
        "summary": summary,
        "answers": answers,
        "chosen": chosen,
        "choices": choices,
        "said": said,
        "unchosen": unchosen,
        "rhythms": RHYTHMS,
        "days_late": days_late(rhythm.words, summary.updated_at.date(), today=timezone.localdate()),
        "undoable": before.get("dataset") == str(ref),
    }
    return render(request, "backoffice/owner.html", context)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def undo(request: HttpRequest, slug: str) -> HttpResponse:
    """Give a dataset the owner and the rhythm it had before the last change made in this session."""
    request = cast(Request, request)
    ref = queries.DatasetRef(request.commune.code if request.commune else "", slug)
    before = request.session.pop(BEFORE, None) or {}
    if before.get("dataset") != str(ref):
        messages.error(request, _("Rien à annuler : ce changement n’est plus le dernier que vous avez fait ici."))
    else:
        _govern(request, ref, before["owner"], before["rhythm"])
        messages.success(request, _("Le changement est annulé."))
    return redirect("backoffice:owner", slug)


def _govern(request: Request, ref: queries.DatasetRef, chosen: str, rhythm: str) -> None:
    """Say who answers and how often the data come; what does not change is not said again."""
    at, summary = timezone.now(), queries.dataset(request.viewer, ref).summary
    governing.set_rhythm(request.viewer, ref, rhythm, at=at)
    if chosen == _value(lake_owners.owner_of(summary, at=at)):
        return
    kind, _colon, named = chosen.partition(":")
    service, person = (named, None) if kind == "service" else ("", int(named) if named else None)
    lake_owners.set_owner(request.viewer, ref, service=service, person=person, at=at)


def _value(answers: lake_owners.Owner) -> str:
    """Return what the form says of who answers: empty while nobody chose."""
    if not answers.is_chosen:
        return ""
    return f"service:{answers.service}" if answers.service else f"person:{answers.person}"


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
    path("responsables/<str:slug>/annuler/", undo, name="owner-undo"),
]
