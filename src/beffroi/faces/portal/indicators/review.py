"""The review of a year on one sheet: what its indicators say, what residents reported, what the town answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.clock import queries as clock
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.indicators import words
from beffroi.faces.portal.indicators.reading import asked, refused
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.answers import private
from beffroi.faces.shell.sheets import sheet_response
from beffroi.faces.shell.templatetags.shell import number
from beffroi.sense.indicators import queries
from beffroi.sense.indicators.queries import Answer
from beffroi.serve.reports.statistics import StatLine, statistics

DAY_H = 24


@dataclass(frozen=True, slots=True)
class Offence:
    """One line of a measure in the year of the review, and in the year before."""

    measure: str
    name: str
    value: str
    before: str
    besides: tuple[str, ...]


@open_to(EVERYONE)
@require_safe
def review(request: HttpRequest, use_case: str) -> HttpResponseBase:
    """Show the review of a year on one sheet, or give it as a file (`csv`)."""
    request = cast(Request, request)
    mine = asked(request, use_case)
    if mine is None:
        return refused(request)
    service, wanted = mine
    if not wanted.review:
        raise Http404
    found = queries.sheet(request.viewer, territory_of(request), service.use_case)
    years = sorted({year for one in found.answers for line in one.lines for year, _value in line.series}, reverse=True)
    if not years:
        raise Http404
    year = request.GET.get("annee", "") if request.GET.get("annee", "") in years else years[0]
    told = [(one, _offences(one, year)) for one in found.answers]
    reports = _reports(request, int(year))
    if "csv" in request.GET:
        return _csv(use_case, year, told, reports)
    context = {
        "service": service.use_case, "wanted": wanted, "year": year, "years": years, "before": str(int(year) - 1),
        "tables": told, "reports": [_report_cells(one) for one in reports],
        "received": sum(one.received for one in reports), "closed": sum(one.closed for one in reports),
        "today": timezone.localdate(),
    }  # fmt: skip
    return private(render(request, "portal/indicators/review.html", context))


def _offences(answer: Answer, year: str) -> list[Offence]:
    """Return the lines of a measure in a year; comparisons are those of the last year, and of no other."""
    measure, out = answer.measure, []
    for line in answer.lines:
        series = dict(line.series)
        value = words.figure(measure, series.get(year), line.unit)
        if year not in series and year == answer.year and line.why:
            value = _(line.why)
        beside = line.besides if year == answer.year else (None,) * len(measure.besides)
        before = words.figure(measure, series.get(str(int(year) - 1)), line.unit)
        cells = tuple(words.figure(measure, one) for one in beside) or ("–",) * len(measure.besides)
        out.append(Offence(measure.title, _(line.name), value, before, cells))
    return out


def _reports(request: Request, year: int) -> list[StatLine]:
    """Return, by category, what was reported in a year and what became of it, as this reader may count it."""
    code = territory_of(request)
    zone = clock.timezone_of(code)
    since = datetime(year, 1, 1, tzinfo=zone)
    until = datetime(year + 1, 1, 1, tzinfo=zone)
    return statistics(request.viewer, code, since=since, until=until, by="category", at=timezone.now())


def _report_cells(one: StatLine) -> tuple[str, tuple[str, ...]]:
    days = "–" if one.median_h is None else str(number(round(one.median_h / DAY_H, 1)))
    share = "–" if one.within_due is None else f"{number(round(100 * one.within_due))}\u00a0%"
    return one.label, (str(number(one.received)), str(number(one.closed)), str(number(one.late)), days, share)


def _csv(
    use_case: str, year: str, told: Sequence[tuple[Answer, Sequence[Offence]]], reports: Sequence[StatLine]
) -> HttpResponseBase:
    heads = (_("Partie"), _("Ligne"), _("Mesure"), _("Valeur"), _("Année"))
    rows: list[tuple[object, ...]] = []
    for answer, lines in told:
        for line in lines:
            rows.append((_("Faits"), line.name, line.measure, line.value, year))
            rows.append((_("Faits"), line.name, line.measure, line.before, str(int(year) - 1)))
            rows += [
                (_("Comparaison"), line.name, beside.title, cell, year)
                for beside, cell in zip(answer.measure.besides, line.besides, strict=True)
            ]
    for one in reports:
        rows.append((_("Signalements"), one.label, _("Reçus"), one.received, year))
        rows.append((_("Réponses"), one.label, _("Clos"), one.closed, year))
        rows.append((_("Réponses"), one.label, _("En retard"), one.late, year))
        median = None if one.median_h is None else round(one.median_h / DAY_H, 1)
        rows.append((_("Réponses"), one.label, _("Délai médian, en jours"), median, year))
    return sheet_response(f"bilan-{use_case}-{year}.csv", heads, rows)
