"""The state of the town's data: who answers, how often they come, what is late, how good they are and were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_safe

from beffroi.base.kernel.words import folded
from beffroi.base.territory.viewer import Role
from beffroi.faces.cockpit.counted import month_ends
from beffroi.faces.cockpit.figures import Figure
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.charts import Point
from beffroi.lake.governing import DatasetState, MeanScore, scores_at, state_of_data

PAGE = 24
# The lists one may open: their name in the address, their title, what each holds.
LISTS: dict[str, tuple[str, Callable[[DatasetState], bool]]] = {
    "tous": (gettext_noop("Tous les jeux de données, du moins bien noté au mieux noté"), lambda _one: True),
    "sans-responsable": (gettext_noop("Sans responsable nommé"), lambda one: not one.has_owner),
    "sans-rythme": (gettext_noop("Sans rythme"), lambda one: not one.rhythm.words),
    "sans-schema": (gettext_noop("Sans schéma à suivre"), lambda one: not one.has_schema),
    "en-retard": (gettext_noop("En retard sur leur rythme"), lambda one: one.late > 0),
}


@dataclass(frozen=True, slots=True)
class _Share:
    title: str
    opens: str
    note: str


@open_to(Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """Show the figures of how the data are governed; `liste` chooses which datasets are listed below."""
    request = cast(Request, request)
    code, today = request.commune.code if request.commune else "", timezone.localdate()
    states = state_of_data(request.viewer, code, at=timezone.now(), today=today) if code else []
    means = scores_at(request.viewer, code, month_ends(today)) if code else []
    chosen = request.GET.get("liste", "")
    chosen = chosen if chosen in LISTS else "tous"
    title, holds = LISTS[chosen]
    listed = sorted((one for one in states if holds(one)), key=_worst_first)
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    context = {
        "today": today,
        "total": len(states),
        "figures": _figures(states, means),
        "chosen": chosen,
        "title": _(title),
        "lists": [(name, _(said), sum(1 for one in states if keeps(one))) for name, (said, keeps) in LISTS.items()],
        "page": page,
        "previous": f"?liste={chosen}&page={page.number - 1}#liste" if page.has_previous() else "",
        "next": f"?liste={chosen}&page={page.number + 1}#liste" if page.has_next() else "",
        "is_staff": any(request.viewer.has(role, code) for role in (Role.AGENT, Role.ADMINISTRATOR)),
    }
    return render(request, "cockpit/data.html", context)


def _worst_first(one: DatasetState) -> tuple[int, int, str]:
    return (-one.late, 101 if one.score is None else one.score, folded(one.summary.title))


def _figures(states: Sequence[DatasetState], means: Sequence[MeanScore]) -> list[Figure]:
    """Return the shares, the late ones and the mean score with its trend; nothing while there are no data."""
    if not states:
        return []
    shares = (
        _Share(_("Avec un responsable nommé"), "sans-responsable", _("un service ou un agent, sinon la mairie")),
        _Share(_("Avec un rythme"), "sans-rythme", _("dit par un agent ou leur fichier, sinon déduit")),
        _Share(_("Avec un schéma à suivre"), "sans-schema", _("un dépôt qui s’en écarte est refusé, avec la ligne")),
    )
    figures = [_share(one, states) for one in shares]
    late = sum(1 for one in states if one.late)
    figures.append(Figure(_("En retard sur leur rythme"), late, href=_list("en-retard"),
                          note=_("la période et un quart de grâce sont passés")))  # fmt: skip
    scores = [one.score for one in states if one.score is not None]
    if scores:
        trend = tuple(Point(date_format(one.day, "j F Y"), round(one.score)) for one in means if one.score is not None)
        figures.append(
            Figure(
                _("Note moyenne"), round(sum(scores) / len(scores)), unit=_("sur 100"), href=_list("tous"), trend=trend,
                note=_("la moyenne de ce qui est rempli, conforme au schéma et à l’heure"),
            )
        )  # fmt: skip
    return figures


def _share(one: _Share, states: Sequence[DatasetState]) -> Figure:
    lacking = sum(1 for state in states if LISTS[one.opens][1](state))
    # Never a hundred while one lacks.
    percent = 100 * (len(states) - lacking) // len(states)
    comparison = _("{n} sur {all}").format(n=len(states) - lacking, all=len(states))
    return Figure(one.title, percent, unit="%", comparison=comparison, note=one.note, href=_list(one.opens))


def _list(name: str) -> str:
    return f"{reverse('cockpit:data')}?liste={name}#liste"
