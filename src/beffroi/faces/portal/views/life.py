"""The life of buildings, for agents: those that are followed, and one of them from its permit to its maintenance."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue import queries as use_cases
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.numbers import row_key
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.building_life import ReadingForm, WorkForm, as_csv, curves, timeline
from beffroi.faces.portal.buildings import Story, is_building
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.sheets import Sheet, read_sheet
from beffroi.faces.portal.views.maps import story_shown, titled_building
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.sentences import said
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetDetail, DatasetRef
from beffroi.sense.twin import life as lives
from beffroi.sense.twin import operations
from beffroi.sense.twin.condition import COMPONENTS, GRADES, WORKS_NEEDED
from beffroi.sense.twin.life import BuildingRef

OWN_ID = "7-02"


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def buildings(request: HttpRequest) -> HttpResponse:
    """List the buildings that are followed, those that need works soonest first."""
    request = cast(Request, request)
    code = territory_of(request)
    catalogue.count_use(OWN_ID, code, now(), audience=use_cases.audience_of(request.viewer, code))
    found = lives.followed(request.viewer, code, today=timezone.localdate())
    rows = [(one, _(COMPONENTS[one.worst.component]) if one.worst else "") for one in found]
    return render(request, "portal/life/list.html", {"rows": rows, "threshold": WORKS_NEEDED})


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def building(request: HttpRequest, territory: str, slug: str, feature_id: str) -> HttpResponse:
    """Show the life of a building; agents add to it, and withdraw what was a mistake."""
    request = cast(Request, request)
    shown, story, detail = _building(request, territory, slug, feature_id)
    ref = BuildingRef(territory, slug, feature_id, shown.title, story.rnb)
    forms = {"work": WorkForm(), "reading": ReadingForm(initial={"day": timezone.localdate()})}
    status = 200
    if request.method == "POST":
        asked = request.POST.get("act", "")
        if asked in forms:
            forms[asked] = type(forms[asked])(request.POST)
        if _done(request, ref, asked, forms):
            return redirect("portal:building", territory=territory, slug=slug, feature_id=feature_id)
        status = 400
    today = timezone.localdate()
    life = lives.life_of(request.viewer, ref, today=today)
    context: dict[str, Any] = {
        "sheet": shown,
        "story": story,
        "summary": detail.summary,
        "feature_id": feature_id,
        "life": life,
        "happenings": timeline(story, life, today=today),
        "curves": curves(life),
        "grades": [(grade, _(told)) for grade, told in GRADES.items()],
        "work_form": forms["work"],
        "reading_form": forms["reading"],
        "trail": [(_("Vie des bâtiments"), reverse("portal:buildings"))],
    }
    return render(request, "portal/life/building.html", context, status=status)


def _building(request: Request, territory: str, slug: str, feature_id: str) -> tuple[Sheet, Story, DatasetDetail]:
    """Return the sheet and the story of a building.

    Raises:
        DatasetNotFound: no such thing, or it is not a building.
    """
    ref = DatasetRef(territory, slug)
    detail = lake.dataset(request.viewer, ref)
    feature = lake.feature(request.viewer, ref, feature_id)
    if not is_building(detail.summary):
        raise lake.DatasetNotFound(
            "« {slug} » n’est pas un jeu de bâtiments",
            where=str(ref),
            remedy="ouvrez la fiche d’un bâtiment depuis la carte",
            slug=slug,
        )
    shown = read_sheet(feature, detail, feature_id=feature_id)
    if shown.nameless:
        shown = titled_building(shown, feature)
    return shown, story_shown(request, detail, feature, shown), detail


def _done(request: Request, ref: BuildingRef, asked: str, forms: dict[str, Any]) -> bool:
    """Do what a form asks; tell whether it is done."""
    at, viewer = now(), request.viewer
    try:
        if asked == "withdraw":
            number = row_key(request.POST.get("number", ""))
            operations.withdraw(viewer, ref, what=request.POST.get("what", ""), number=number, at=at)
            messages.success(request, _("La note est retirée. Le journal garde qu’elle a existé."))
            return True
        form = forms.get(asked)
        if form is None or not form.is_valid():
            return False
        if asked == "work":
            operations.note_work(viewer, ref, at=at, **form.cleaned_data)
        else:
            operations.read_condition(viewer, ref, at=at, **form.cleaned_data)
    except BeffroiError as fault:
        if asked in forms and fault.where in forms[asked].fields:
            forms[asked].add_error(fault.where, f"{said(fault.what)} ; {said(fault.remedy)}")
            return False
        raise
    messages.success(request, _("C’est noté."))
    return True


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def building_csv(request: HttpRequest, territory: str, slug: str, feature_id: str) -> HttpResponse:
    """Give the life of a building as a file."""
    request = cast(Request, request)
    shown, story, _detail = _building(request, territory, slug, feature_id)
    ref = BuildingRef(territory, slug, feature_id, shown.title, story.rnb)
    today = timezone.localdate()
    found = timeline(story, lives.life_of(request.viewer, ref, today=today), today=today)
    response = HttpResponse(as_csv(found), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="vie-du-batiment.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response
