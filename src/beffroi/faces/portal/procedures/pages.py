"""`/demarches/`: what may be asked of the town; what each asks, costs and gives; the same on paper."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.clock import queries as clock
from beffroi.faces.portal.directory import count_opening, territory_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.procedures import field_of
from beffroi.faces.shell.requests import service_names
from beffroi.serve.procedures import queries
from beffroi.serve.procedures.declaration import Procedure
from beffroi.serve.procedures.queries import OpenProcedure
from beffroi.serve.procedures.receipts import contact_line


@open_to(EVERYONE)
@require_safe
def procedures(request: HttpRequest) -> HttpResponse:
    """List what may be asked, by theme; `q` and `theme` keep some."""
    request = cast(Request, request)
    text = request.GET.get("q", "").strip()[:100]
    known = queries.open_procedures(territory_of(request))
    theme = next((one for one in catalogue.themes() if one.slug == request.GET.get("theme")), None)
    shown = queries.found_by_words(known, text) if text else dict(known)
    if theme is not None:
        shown = {key: one for key, one in shown.items() if theme.slug in one.themes}
    territory, at = territory_of(request), timezone.now()
    context = {
        "q": text,
        "theme": theme,
        "themes": [one for one in catalogue.themes() if any(one.slug in each.themes for each in known.values())],
        "groups": _by_theme(shown),
        "count": len(shown),
        "any": bool(known),
        "drafts": [
            (one, known[one.use_case])
            for one in queries.own_drafts(request.viewer, territory, at=at)
            if one.use_case in known
        ],
        "for_other": request.GET.get("pour") == "autrui" and request.viewer.person_id is not None,
    }
    return render(request, "portal/procedures/list.html", context)


def _by_theme(shown: Mapping[str, OpenProcedure]) -> list[tuple[str, list[OpenProcedure]]]:
    titles = {one.slug: one.title for one in catalogue.themes()}
    groups: dict[str, list[OpenProcedure]] = {}
    for one in shown.values():
        groups.setdefault(_(titles.get(one.themes[0], "")) if one.themes else _("Autres"), []).append(one)
    return sorted(groups.items())


@open_to(EVERYONE)
@require_safe
def procedure(request: HttpRequest, use_case: str) -> HttpResponse:
    """Tell of one procedure before it is begun: for whom, what to prepare, how long, at what cost, whom to ask."""
    request = cast(Request, request)
    territory, at = territory_of(request), timezone.now()
    chosen = queries.procedure_for(territory, use_case)
    opened = catalogue.use_case(use_case, territory=territory)
    count_opening(request, opened)
    context = facts_of(chosen, territory) | {
        "drafts": queries.own_drafts(request.viewer, territory, at=at, use_case=use_case),
        "has_map": "layers" in opened.use_case.settings,
        "for_other": request.GET.get("pour") == "autrui",
        "needs_account": chosen.procedure.account and request.viewer.person_id is None,
    }
    return render(request, "portal/procedures/procedure.html", context)


@open_to(EVERYONE)
@require_safe
def paper(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show the form as a sheet to print and fill in by hand."""
    request = cast(Request, request)
    territory = territory_of(request)
    chosen = queries.procedure_for(territory, use_case)
    titles = {one.code: _(one.label) for one in chosen.procedure.questions()}
    context = facts_of(chosen, territory) | {
        "steps": [
            (
                _(step.title),
                [(one, field_of(one).label, _condition(chosen.procedure, one, titles)) for one in step.field],
            )
            for step in chosen.procedure.step
        ]
    }
    return render(request, "portal/procedures/paper.html", context)


def _condition(procedure: Procedure, question: Any, titles: Mapping[str, str]) -> str:
    if question.when is None:
        return ""
    known = procedure.question(question.when.field)
    choices = known.choices if known else {}
    words = ", ".join(f"« {_(choices[one])} »" if one in choices else one for one in question.when.among)
    return _("Seulement si vous avez répondu {answers} à : {question}").format(
        answers=words, question=titles[question.when.field]
    )


def facts_of(chosen: OpenProcedure, territory: str) -> dict[str, Any]:
    """Return what is told of a procedure wherever it is."""
    procedure = chosen.procedure
    due = clock.rule(procedure.due) if procedure.due else None
    today = timezone.localdate()
    silence = procedure.silence
    return {
        "chosen": chosen,
        "procedure": procedure,
        "title": _(chosen.title),
        "service": service_names(territory).get(procedure.service, procedure.service),
        "contact": contact_line(procedure, territory),
        "due": _length(due.version_on(today)) if due else "",
        "due_article": due.version_on(today).article if due else "",
        "dues": _dues(procedure, today),
        "waiting_for": _waiting_for(procedure),
        "silence": silence,
        "silence_length": _length(clock.rule(silence.rule).version_on(today)) if silence else "",
        "silence_article": clock.rule(silence.rule).version_on(today).article if silence else "",
        "documents": [(_(one.label), _(one.why), one.required and one.when is None) for one in procedure.documents],
    }


def _waiting_for(procedure: Procedure) -> str:
    """Return which answers wait for a place, "" when all do."""
    when = procedure.waiting.when if procedure.waiting else None
    question = procedure.question(when.field) if when else None
    if when is None or question is None:
        return ""
    return ", ".join(_(question.choices.get(one, one)) for one in when.among)


def _dues(procedure: Procedure, today: date) -> list[tuple[str, str, str]]:
    """Return the delays that hang on an answer: the answer, how long, by what article."""
    told = procedure.due_by
    question = procedure.question(told.field) if told else None
    if told is None or question is None:
        return []
    versions = [(code, clock.rule(rule).version_on(today)) for code, rule in told.rules.items()]
    titles = question.choices
    return [(_(titles[code]), _length(one), one.article) for code, one in versions if code in titles]


def _length(version: Any) -> str:
    """Return a delay in words."""
    names = {
        "hour": _("{n} heures"),
        "day": _("{n} jours"),
        "working-day": _("{n} jours ouvrés"),
        "business-day": _("{n} jours ouvrables"),
        "month": _("{n} mois"),
        "year": _("{n} ans"),
    }
    if version.unit == "day" and version.amount % 7 == 0 and version.amount > 7:
        return _("{n} semaines").format(n=version.amount // 7)
    return names[version.unit].format(n=version.amount)
