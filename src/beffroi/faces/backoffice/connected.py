"""« Brancher une source »: an agent says where data are, sees what would come, and has them come by themselves."""

from __future__ import annotations

from math import cos, radians
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.connected_forms import AddressForm, DescriptionForm
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.drawing import Drawing, Line, Point, box_of, drawn
from beffroi.faces.shell.sentences import said
from beffroi.lake.connected import operations, queries
from beffroi.lake.connected.addresses import Credential
from beffroi.lake.connected.queries import SourceInfo
from beffroi.lake.services.reading import KINDS

SHOWN_COLUMNS, SHOWN_ROWS = 12, 10


def _code(request: HttpRequest) -> str:
    commune = cast(Request, request).commune
    if commune is None:
        raise NotFound("aucune commune n'est encore créée", remedy="créez-la : beffroi territory add <code INSEE>")
    return commune.code


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def sources(request: HttpRequest) -> HttpResponse:
    """List the sources connected, with their last turn and the next one."""
    viewer, at = cast(Request, request).viewer, timezone.now()
    found = queries.connected_sources(viewer, _code(request), at=at)
    context = {
        "sources": [(one, _(KINDS[one.address.kind].label)) for one in found if one.state in ("active", "suspended")],
        "drafts": [one for one in found if one.state == "draft"],
        "removed": [one for one in found if one.state == "removed"],
        "now": at,
    }
    return render(request, "backoffice/connected/list.html", context)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest) -> HttpResponse:
    """Take the address of a source, and try it."""
    viewer, code = cast(Request, request).viewer, _code(request)
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.given or Credential()
        try:
            number = operations.begin_source(viewer, code, form.address, given, at=timezone.now())
        except BeffroiError as fault:
            _fault(form, fault)
        else:
            return redirect("backoffice:source", number)
    return render(request, "backoffice/connected/begin.html", {"form": form}, status=400 if form.errors else 200)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def source(request: HttpRequest, source_id: int) -> HttpResponse:
    """Show what a source gives, what it came to, and let an agent say what its data are."""
    viewer, at = cast(Request, request).viewer, timezone.now()
    found = queries.source_of(viewer, source_id, at=at)
    form = DescriptionForm(request.POST or None, viewer=viewer, source=found)
    if request.method == "POST" and form.is_valid():
        try:
            operations.describe_source(viewer, source_id, form.description, at=at)
        except BeffroiError as fault:
            _fault(form, fault)
        else:
            done = _("La source est branchée : ses données arrivent dans quelques instants.")
            messages.success(request, done if found.is_draft else _("C’est noté ; la source est relue."))
            return redirect("backoffice:source", source_id)
    return _shown(request, found, description=form)


def _shown(
    request: HttpRequest, found: SourceInfo, *, description: DescriptionForm | None = None,
    address: AddressForm | None = None,
) -> HttpResponse:  # fmt: skip
    viewer, at = cast(Request, request).viewer, timezone.now()
    preview = queries.source_preview(viewer, found.id, at=at)
    description = description or DescriptionForm(viewer=viewer, source=found)
    address = address or AddressForm(known=found)
    faulty = any(form.is_bound and form.errors for form in (description, address))
    context: dict[str, Any] = {
        "source": found,
        "kind": _(KINDS[found.address.kind].label),
        "trial": found.trial,
        "preview": preview,
        "address": address,
        "form": description,
        "runs": queries.runs_of(viewer, found.id, at=at),
        "may_describe": not found.is_draft or (found.trial is not None and bool(found.trial.columns)),
    }
    if preview is not None:
        context |= {
            "columns": [one.title for one in preview.columns[:SHOWN_COLUMNS]],
            "rows": [row[:SHOWN_COLUMNS] for row in preview.rows[:SHOWN_ROWS]],
            "hidden_columns": max(0, len(preview.columns) - SHOWN_COLUMNS),
            "drawing": _drawing(queries.source_places(viewer, found.id, at=at)),
        }
    return render(request, "backoffice/connected/source.html", context, status=400 if faulty else 200)


def _drawing(places: list[list[tuple[float, float]]]) -> Drawing | None:
    """Return a small map of the first things; None where nothing has a place."""
    if not places:
        return None
    west, south, east, north = box_of(place for outline in places for place in outline)
    # Wider than high: a page one scrolls shows a strip better than a square.
    lacking = max(0.0, 2.5 * (north - south) / cos(radians((south + north) / 2)) - (east - west)) / 2
    return drawn(
        (west - lacking, south, east + lacking, north),
        ground=(),
        lines=[Line(outline, "way n1") for outline in places],
        points=[Point(*outline[0], "", "n1") for outline in places if len(outline) == 1],
    )


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def elsewhere(request: HttpRequest, source_id: int) -> HttpResponse:
    """Read a source at another address, or with another key, and try it."""
    viewer, at = cast(Request, request).viewer, timezone.now()
    found = queries.source_of(viewer, source_id, at=at)
    if request.method != "POST":
        return redirect("backoffice:source", source_id)
    form = AddressForm(request.POST, known=found)
    if not form.is_valid():
        return _shown(request, found, address=form)
    try:
        operations.change_address(viewer, source_id, form.address, form.given, at=at)
    except BeffroiError as fault:
        _fault(form, fault)
        return _shown(request, found, address=form)
    return redirect("backoffice:source", source_id)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def act(request: HttpRequest, source_id: int, what: str) -> HttpResponse:
    """Do one thing to a source: the table says which."""
    viewer, at = cast(Request, request).viewer, timezone.now()
    queries.source_of(viewer, source_id, at=at)
    if what not in ACTS:
        raise NotFound("geste inconnu", where=what[:40], remedy="revenez à la source")
    operation, told = ACTS[what]
    operation(viewer, source_id, at=at)
    if told:
        messages.success(request, _(told))
    return (
        redirect("backoffice:sources")
        if what in ("retirer", "rebrancher")
        else redirect("backoffice:source", source_id)
    )


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def definition(request: HttpRequest, source_id: int) -> HttpResponse:
    """Download the dataset file that a source stands for."""
    name, text = queries.definition_text(cast(Request, request).viewer, source_id, at=timezone.now())
    answer = HttpResponse(text, content_type="application/toml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _fault(form: AddressForm | DescriptionForm, fault: BeffroiError) -> None:
    """Put a fault beside the field it is about."""
    form.add_error(fault.where if fault.where in form.fields else None, said(fault.what) + _remedy(fault))


def _remedy(fault: BeffroiError) -> str:
    return f" ; {said(fault.remedy)}" if fault.remedy.template else ""


ACTS: dict[str, tuple[Any, str]] = {
    "essayer": (operations.try_again, ""),
    "demander": (operations.ask_now, gettext_noop("La source est demandée ; ce qu’elle apporte paraîtra bientôt ici.")),
    "suspendre": (operations.suspend_source, gettext_noop("La source n’est plus demandée ; ses données restent.")),
    "reprendre": (operations.resume_source, gettext_noop("La source sera demandée cette nuit.")),
    "rebrancher": (operations.resume_source, gettext_noop("La source est de nouveau branchée, telle qu’elle était.")),
    "annuler": (operations.undo_change, gettext_noop("Le dernier changement est annulé.")),
    "retirer": (operations.remove_source, gettext_noop("La source est retirée ; ses données restent en service.")),
}  # fmt: skip

urlpatterns: list[URLPattern | URLResolver] = [
    path("sources/", sources, name="sources"),
    path("sources/brancher/", begin, name="source-begin"),
    path("sources/<int:source_id>/", source, name="source"),
    path("sources/<int:source_id>/adresse/", elsewhere, name="source-elsewhere"),
    path("sources/<int:source_id>/fichier/", definition, name="source-definition"),
    path("sources/<int:source_id>/<slug:what>/", act, name="source-act"),
]
