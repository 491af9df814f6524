"""`/agent/signalements/chiffres/`: how many, how long, in time or not; on the page and as a file."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from beffroi.base.clock import queries as clock
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.reports.queue import code_of
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.requests import service_names
from beffroi.faces.shell.sheets import sheet_response
from beffroi.serve.reports import statistics
from beffroi.serve.reports.statistics import By, StatLine

_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
USUAL_DAYS = 90
GROUPS: tuple[tuple[By, object], ...] = (
    ("category", gettext_lazy("Catégorie")),
    ("district", gettext_lazy("Quartier")),
    ("service", gettext_lazy("Service")),
    ("month", gettext_lazy("Mois")),
)


class PeriodForm(forms.Form):
    """Which days, and how the figures are sorted."""

    par = forms.ChoiceField(label=gettext_lazy("Par"), choices=GROUPS, required=False)
    du = forms.DateField(label=gettext_lazy("Du"), widget=_DAY, required=False)
    au = forms.DateField(label=gettext_lazy("Au"), widget=_DAY, required=False)

    def clean(self) -> dict[str, object]:
        values = cast(dict[str, object], super().clean())
        first, last = values.get("du"), values.get("au")
        if isinstance(first, date) and isinstance(last, date) and last < first:
            self.add_error("au", _("Cette date est avant la première ; échangez-les."))
        return values


@open_to(Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """Show the figures of a period; `?csv` gives them as a file."""
    request = cast(Request, request)
    territory, at = code_of(request), timezone.now()
    today = timezone.localdate()
    form = PeriodForm(request.GET, auto_id="chiffres_%s")
    values = form.cleaned_data if form.is_valid() else {}
    first = values.get("du") or today - timedelta(days=USUAL_DAYS)
    last = values.get("au") or today
    by: By = values.get("par") or "category"
    zone = clock.timezone_of(territory)
    lines = statistics.statistics(
        request.viewer,
        territory,
        since=datetime.combine(first, time(), zone),
        until=datetime.combine(last + timedelta(days=1), time(), zone),
        by=by,
        at=at,
    )
    named = [(_name(line, by, territory), line) for line in lines]
    if "csv" in request.GET:
        return _file(named, dict(GROUPS)[by], first, last)
    form.initial = {"par": by, "du": first, "au": last}
    shown = PeriodForm(initial=form.initial, auto_id="chiffres_%s") if form.is_valid() else form
    context = {
        "form": shown,
        "title": dict(GROUPS)[by],
        "lines": [(name, line, None if line.within_due is None else line.within_due * 100) for name, line in named],
        "first": first,
        "last": last,
        "threshold": statistics.THRESHOLD,
        "query": request.GET.urlencode(),
        "is_agent": request.viewer.has(Role.AGENT, territory),
    }
    return render(request, "backoffice/reports/figures.html", context, status=200 if form.is_valid() else 400)


def _name(line: StatLine, by: By, territory: str) -> str:
    if by == "service":
        return service_names(territory).get(line.key, line.key)
    if by == "district":
        names = {zone.slug: zone.name for zone in territory_queries.zones(territory, "quartier")}
        return names.get(line.key, line.key) or _("Hors quartier")
    return _(line.label) if by == "category" else line.label


def _file(named: list[tuple[str, StatLine]], title: object, first: date, last: date) -> HttpResponse:
    heads = ["recus", "en_cours", "clos", "en_retard", "delai_median_h", "delai_9e_decile_h", "part_dans_le_delai"]
    rows = [
        (name, one.received, one.open, one.closed, one.late, one.median_h, one.ninth_decile_h, one.within_due)
        for name, one in named
    ]
    return sheet_response(f"signalements-{first}-{last}.csv", [str(title).lower(), *heads], rows)
