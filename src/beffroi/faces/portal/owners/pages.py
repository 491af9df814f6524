"""Owners of premises: say why, search an address, read a record (it is logged); the log, for who answers for it."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.directory import count_opening, service_showing, territory_of
from beffroi.faces.portal.premises import words
from beffroi.faces.portal.unfit.words import day, names_of
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.answers import private
from beffroi.lake.layer_settings import Owners
from beffroi.sense.twin.owners import operations, queries

AGENTS = (Role.AGENT, Role.ADMINISTRATOR)


class WorkForm(forms.Form):
    """Why owners are read."""

    reason = forms.CharField(
        label=gettext_lazy("Pourquoi consultez-vous ces données ?"),
        help_text=gettext_lazy("Une fois par séance de travail. Votre motif est gardé avec chaque local consulté."),
        min_length=operations.LEAST_REASON,
        max_length=500,
    )


class SearchForm(forms.Form):
    """Which premises are looked for."""

    q = forms.CharField(label=gettext_lazy("Adresse du local"), max_length=120, required=False)


class LogForm(forms.Form):
    """Which part of the log is read."""

    local = forms.CharField(label=gettext_lazy("Identifiant d’un local"), max_length=40, required=False)
    debut = forms.IntegerField(required=False, min_value=0, max_value=10_000_000, widget=forms.HiddenInput)


@open_to(*AGENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def owners(request: HttpRequest) -> HttpResponse:
    """Ask why, then give a search of premises by their address, without owners."""
    request = cast(Request, request)
    service, wanted = service_showing(request, "owners", Owners)
    code, at = territory_of(request), now()
    work = queries.work_in_course(request.viewer, code, wanted, at=at)
    form = WorkForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        operations.begin_work(request.viewer, code, wanted, reason=form.cleaned_data["reason"], at=at)
        return redirect("portal:owners")
    if request.method == "GET":
        count_opening(request, service)
    search = SearchForm(request.GET)
    text = search.cleaned_data["q"] if search.is_valid() else ""
    found = queries.found_lots(request.viewer, code, wanted, text=text) if work else []
    context = {
        "service": service.use_case, "wanted": wanted, "work": work, "form": form, "search": search, "asked": text,
        "lots": [(one, words.use_name(one.use)) for one in found],
        "full": len(found) == queries.MOST_FOUND,
    }  # fmt: skip
    return private(render(request, "portal/owners/search.html", context, status=400 if form.errors else 200))


@open_to(*AGENTS)
@require_POST
def owners_end(request: HttpRequest) -> HttpResponse:
    """End the session of work."""
    request = cast(Request, request)
    _service, wanted = service_showing(request, "owners", Owners)
    operations.end_work(request.viewer, territory_of(request), wanted, at=now())
    messages.success(request, _("La séance est finie. Le motif sera redemandé."))
    return redirect("portal:owners")


@open_to(*AGENTS)
@require_safe
def owners_record(request: HttpRequest, number: str) -> HttpResponse:
    """Show the record of premises, logged first; without a session of work, ask why."""
    request = cast(Request, request)
    service, wanted = service_showing(request, "owners", Owners)
    code, at = territory_of(request), now()
    work = queries.work_in_course(request.viewer, code, wanted, at=at)
    if work is None:
        messages.info(request, _("Dites d’abord pourquoi vous consultez ces données."))
        return redirect("portal:owners")
    found = operations.consult(request.viewer, code, wanted, number, at=at)
    context = {
        "service": service.use_case, "one": found, "line": words.lot_line(found.lot), "work": work,
        "transfers": [(one, day(one.day)) for one in found.transfers],
    }  # fmt: skip
    return private(render(request, "portal/owners/record.html", context))


@open_to(Role.ADMINISTRATOR)
@require_safe
def owners_log(request: HttpRequest) -> HttpResponse:
    """Show who read what, when and why, to the administrator who answers for it."""
    request = cast(Request, request)
    service, _wanted = service_showing(request, "owners", Owners)
    code, form = territory_of(request), LogForm(request.GET)
    told: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    start = told.get("debut") or 0
    rows, total = queries.readings(request.viewer, code, lot=told.get("local") or "", start=start)
    names = names_of((one.person for one in rows), code)
    context = {
        "service": service.use_case, "form": form, "total": total, "first": start + 1, "last": start + len(rows),
        "size": queries.PAGE, "rows": [(one, names.get(one.person or 0, "–")) for one in rows],
    }  # fmt: skip
    return private(render(request, "portal/owners/log.html", context, status=400 if form.errors else 200))


urlpatterns: list[URLPattern] = [
    path("proprietaires-locaux/", owners, name="owners"),
    path("proprietaires-locaux/finir/", owners_end, name="owners-end"),
    path("proprietaires-locaux/consultations/", owners_log, name="owners-log"),
    path("proprietaires-locaux/local/<str:number>/", owners_record, name="owners-record"),
]
