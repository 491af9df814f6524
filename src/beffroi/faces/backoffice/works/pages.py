"""Works of the agent's services: described, their streets chosen, scenarios compared side by side, one published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.catalogue import operations as catalogue_operations
from beffroi.base.catalogue import queries as catalogue
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.numbers import whole_number
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.listing import Line, Listing, listing_page
from beffroi.faces.backoffice.reports.queue import code_of
from beffroi.faces.backoffice.works.forms import PhaseForm, ScenarioForm, WorksForm
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.directions import compared, limits
from beffroi.faces.shell.sentences import said
from beffroi.faces.shell.works import (
    DRAWN_BY,
    days_told,
    effect_told,
    plan_of_choice,
    plan_of_works,
    who_told,
)
from beffroi.sense.mobility.works import operations, queries
from beffroi.sense.mobility.works.plan import BadWorks, Phase, Scenario, Stretch
from beffroi.sense.mobility.works.queries import Conflict, WorksInfo

USE_CASE = "7-07"
DIRECTIONS_USE_CASE = "8-17"
_LISTING = Listing(
    title=gettext_lazy("Travaux"),
    lead=gettext_lazy(
        "Dire quelles rues ferment, quand et pour qui ; voir ce que cela fait aux trajets ; comparer ; publier."
    ),
    icon="warning",
    new_url="backoffice:works-new",
    new_label=gettext_lazy("Décrire des travaux"),
    not_ready=gettext_lazy("Pas encore de travaux ici"),
    empty=gettext_lazy("Aucuns travaux"),
    empty_text=gettext_lazy("Commencez par une rue, ses jours, et qui n’y passe plus."),
)
STATES = {
    "draft": (gettext_lazy("En préparation"), "wait"),
    "computing": (gettext_lazy("Calcul en cours"), "wait"),
    "published": (gettext_lazy("Publiés"), "good"),
    "ended": (gettext_lazy("Terminés"), "done"),
}
_CONFLICTS = {
    "same": gettext_lazy("Mêmes rues que « {title} » du {first} au {last} : {streets}."),
    "detour": gettext_lazy("« {title} » ferme, du {first} au {last}, des rues de notre déviation : {streets}."),
    "theirs": gettext_lazy(
        "Nous fermons, du {first} au {last}, des rues où passe la déviation de « {title} » : {streets}."
    ),
}


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def works(request: HttpRequest) -> HttpResponse:
    """List the works of the reader's services."""
    request = cast(Request, request)
    found = queries.works(request.viewer, code_of(request))
    return listing_page(request, _LISTING, [_line(one) for one in found])


def _line(one: WorksInfo) -> Line:
    days = " – ".join(date_format(day, "j F Y") for day in (one.first, one.last) if day is not None)
    meta = " · ".join(part for part in (days, ", ".join(one.streets)) if part)
    return Line(one.title, reverse("backoffice:works-sheet", args=[one.id]), meta, *STATES[one.state])


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def new_works(request: HttpRequest) -> HttpResponse:
    """Describe works by a street, its days, and who no longer passes."""
    request = cast(Request, request)
    territory, sent = code_of(request), request.method == "POST"
    form = WorksForm(request.POST if sent else None, viewer=request.viewer, territory=territory)
    if sent and form.is_valid():
        data = form.cleaned_data
        try:
            stretches = queries.stretches_of(territory, data["street"])
            if not stretches:
                raise BadWorks("aucune rue ne s'appelle ainsi", where="street", remedy="vérifiez son nom sur la carte")
            phase = form.phase_of(stretches=tuple(stretches))
            number = operations.describe_works(
                territory=territory, service=data["service"], title=data["title"], description=data["description"],
                scenarios=[Scenario(title=_("Scénario 1"), phases=(phase,))], by=request.viewer, at=timezone.now(),
            )  # fmt: skip
        except BeffroiError as fault:
            form.add_error(None, f"{said(fault.what)} ; {said(fault.remedy)}.")
        else:
            audience = catalogue.audience_of(request.viewer, territory)
            use_case = DIRECTIONS_USE_CASE if phase.direction else USE_CASE
            catalogue_operations.count_use(use_case, territory, timezone.now(), audience=audience)
            return redirect("backoffice:works-streets", number, 0, 0)
    return render(request, "backoffice/works/new.html", {"form": form}, status=400 if form.errors else 200)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def works_page(request: HttpRequest, works_id: int) -> HttpResponse:
    """Show works: their scenarios side by side, conflicts, and what may be done next."""
    request = cast(Request, request)
    info = queries.one_works(request.viewer, code_of(request), works_id)
    return _shown(request, info)


def _shown(request: Request, info: WorksInfo, form: PhaseForm | None = None) -> HttpResponse:
    label, kind = STATES[info.state]
    context: dict[str, Any] = {
        "told": info,
        "state": label,
        "kind": kind,
        "waits": info.state == "computing",
        "scenarios": [_scenario(info, rank) for rank in range(len(info.scenarios))],
        "form": form or PhaseForm(auto_id="phase_%s"),
        "other": ScenarioForm(auto_id="scenario_%s"),
        "drawn_by": DRAWN_BY.get(str(info.sample.get("drawn_by", "")), ""),
        "editable": info.state == "draft",
        "compared": compared(info) if info.turns else [],
        "limits": limits(info) if info.turns else "",
    }
    return render(request, "backoffice/works/sheet.html", context, status=400 if form is not None else 200)


def _scenario(info: WorksInfo, rank: int) -> dict[str, Any]:
    scenario = info.scenarios[rank]
    effects = info.effects[rank] if info.effects else ()
    phases = [
        {
            "rank": place,
            "phase": phase,
            "days": days_told(phase),
            "who": who_told(phase),
            "streets": ", ".join(dict.fromkeys(one.name or _("voie sans nom") for one in phase.stretches)),
            "effects": [effect_told(one) for one in effects[place]] if effects and not info.turns else [],
        }
        for place, phase in enumerate(scenario.phases)
    ]
    flat = [one for phase in effects for one in phase]
    return {
        "rank": rank,
        "title": scenario.title,
        "phases": phases,
        "conflicts": [_conflict(one) for one in queries.conflicts(info, rank)],
        "drawing": plan_of_works(info.territory, scenario.phases, flat) if scenario.phases else None,
        "cost": _cost(scenario, effects) if effects and not info.turns else None,
        "chosen": info.chosen == rank,
    }  # fmt: skip


def _cost(scenario: Scenario, effects: Any) -> float:
    """Return the minutes a daily trip loses over the whole of the works, every profile together."""
    pairs = zip(scenario.phases, effects, strict=True)
    return sum(one.over_all_s * phase.days for phase, told in pairs for one in told) / 60


def _conflict(one: Conflict) -> str:
    from django.utils.formats import date_format

    return str(_CONFLICTS[one.code]).format(
        title=one.title, first=date_format(one.first, "j F"), last=date_format(one.last, "j F Y"),
        streets=", ".join(one.streets[:6]),
    )  # fmt: skip


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def streets(request: HttpRequest, works_id: int, scenario: int, phase: int) -> HttpResponse:
    """Choose the stretches of a phase in a list, numbered as on the plan beside it."""
    request = cast(Request, request)
    territory = code_of(request)
    info = queries.one_works(request.viewer, territory, works_id)
    if scenario >= len(info.scenarios) or phase >= len(info.scenarios[scenario].phases):
        raise Http404
    kept = list(info.scenarios[scenario].phases[phase].stretches)
    sought = request.GET.get("rue", "").strip()
    found = queries.stretches_of(territory, sought)
    places = {(one.lon, one.lat) for one in kept}
    shown = [*kept, *(one for one in found if (one.lon, one.lat) not in places)]
    if request.method == "POST":
        wanted = set(request.POST.getlist("troncon"))
        chosen = [one for one in shown if _key(one) in wanted]
        try:
            operations.change_scenarios(
                request.viewer, territory, works_id, at=timezone.now(),
                scenarios=_with_phase(info, scenario, phase, stretches=tuple(chosen)),
            )  # fmt: skip
        except BeffroiError as fault:
            if fault.http_status == 404:
                raise
            messages.error(request, f"{said(fault.what)} ; {said(fault.remedy)}.")
        else:
            return redirect("backoffice:works-sheet", works_id)
    context = {
        "told": info,
        "phase": info.scenarios[scenario].phases[phase],
        "days": days_told(info.scenarios[scenario].phases[phase]),
        "sought": sought,
        "unknown": bool(sought) and not found,
        "rows": [
            (rank, _key(one), one, ends)
            for rank, (one, ends) in enumerate(zip(shown, queries.between_what(territory, shown), strict=True), start=1)
        ],
        "drawing": plan_of_choice(territory, shown, kept) if shown else None,
    }
    return render(request, "backoffice/works/streets.html", context)


def _key(one: Stretch) -> str:
    return f"{one.lon:.7f},{one.lat:.7f}"


def _with_phase(info: WorksInfo, scenario: int, phase: int, **changes: Any) -> list[Scenario]:
    """Return the scenarios with one phase changed."""
    scenarios = list(info.scenarios)
    phases = list(scenarios[scenario].phases)
    phases[phase] = phases[phase].model_copy(update=changes)
    scenarios[scenario] = scenarios[scenario].model_copy(update={"phases": tuple(phases)})
    return scenarios


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def act(request: HttpRequest, works_id: int) -> HttpResponse:
    """Do one thing to works."""
    request = cast(Request, request)
    info = queries.one_works(request.viewer, code_of(request), works_id)
    chosen = ACTS.get(request.POST.get("geste", ""))
    if chosen is None:
        raise Http404
    try:
        answer = chosen(request, info)
    except BeffroiError as fault:
        if fault.http_status == 404:
            raise
        messages.error(request, f"{said(fault.what)} ; {said(fault.remedy)}.")
        answer = None
    return answer or redirect("backoffice:works-sheet", works_id)


def _rank(request: Request, info: WorksInfo) -> int:
    rank = whole_number(request.POST.get("scenario", "0"))
    if rank is None or rank >= len(info.scenarios):
        raise BadWorks("ce scénario n'existe pas", where="scenario", remedy="choisissez-en un de la liste")
    return rank


def _change(request: Request, info: WorksInfo, scenarios: list[Scenario]) -> None:
    operations.change_scenarios(request.viewer, info.territory, info.id, scenarios=scenarios, at=timezone.now())


def _add_phase(request: Request, info: WorksInfo) -> HttpResponse | None:
    rank, form = _rank(request, info), PhaseForm(request.POST, auto_id="phase_%s")
    if not form.is_valid():
        return _shown(request, info, form)
    before = info.scenarios[rank].phases
    phase = form.phase_of(stretches=before[-1].stretches if before else ())
    scenarios = list(info.scenarios)
    scenarios[rank] = scenarios[rank].model_copy(update={"phases": (*before, phase)})
    _change(request, info, scenarios)
    return redirect("backoffice:works-streets", info.id, rank, len(before))


def _drop_phase(request: Request, info: WorksInfo) -> None:
    rank, place = _rank(request, info), request.POST.get("phase", "")
    scenarios = list(info.scenarios)
    kept: tuple[Phase, ...] = tuple(one for number, one in enumerate(scenarios[rank].phases) if str(number) != place)
    scenarios[rank] = scenarios[rank].model_copy(update={"phases": kept})
    _change(request, info, scenarios)


def _add_scenario(request: Request, info: WorksInfo) -> None:
    form = ScenarioForm(request.POST)
    if not form.is_valid():
        raise BadWorks("le scénario n'a pas de nom", where="scenario", remedy="donnez-lui-en un")
    copied = info.scenarios[_rank(request, info)]
    _change(request, info, [*info.scenarios, copied.model_copy(update={"title": form.cleaned_data["scenario"]})])


def _drop_scenario(request: Request, info: WorksInfo) -> None:
    rank = _rank(request, info)
    _change(request, info, [one for number, one in enumerate(info.scenarios) if number != rank])


def _compute(request: Request, info: WorksInfo) -> None:
    operations.ask_effects(request.viewer, info.territory, info.id, at=timezone.now())


def _publish(request: Request, info: WorksInfo) -> None:
    rank = _rank(request, info)
    operations.publish_works(request.viewer, info.territory, info.id, scenario=rank, at=timezone.now())
    told = (
        _("Proposé aux habitants : les itinéraires n’en tiennent pas compte.")
        if info.turns
        else _("Publiés : les itinéraires en tiennent compte à leurs jours, dès la prochaine demande.")
    )
    messages.success(request, told)


def _withdraw(request: Request, info: WorksInfo) -> None:
    operations.withdraw_works(request.viewer, info.territory, info.id, at=timezone.now())
    told = (
        _("Retiré de la publication.")
        if info.turns
        else _("Retirés de la publication : les rues sont rouvertes dans les itinéraires.")
    )
    messages.success(request, told)


def _end(request: Request, info: WorksInfo) -> None:
    operations.withdraw_works(request.viewer, info.territory, info.id, at=timezone.now(), over=True)
    told = (
        _("La proposition est close.") if info.turns else _("Terminés : les rues sont rouvertes dans les itinéraires.")
    )
    messages.success(request, told)


def _delete(request: Request, info: WorksInfo) -> HttpResponse:
    operations.delete_works(request.viewer, info.territory, info.id, at=timezone.now())
    messages.success(request, _("Les travaux sont supprimés."))
    return redirect(reverse("backoffice:works"))


ACTS: dict[str, Callable[[Request, WorksInfo], HttpResponse | None]] = {
    "phase": _add_phase,
    "oter-phase": _drop_phase,
    "scenario": _add_scenario,
    "oter-scenario": _drop_scenario,
    "calculer": _compute,
    "publier": _publish,
    "retirer": _withdraw,
    "terminer": _end,
    "supprimer": _delete,
}
