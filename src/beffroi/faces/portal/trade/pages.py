"""How shops fare: what a shop says, what an agent checks, streets and sectors for agents and officials, the map."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.directory import count_opening, territory_of, town_datasets
from beffroi.faces.portal.mapping import overlay_map
from beffroi.faces.portal.trade import words
from beffroi.faces.shell.access import SIGNED_IN, Request, open_to
from beffroi.faces.shell.answers import private
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.faces.shell.sentences import said
from beffroi.faces.shell.sheets import sheet_response
from beffroi.lake.layer_settings import Settings, Trade
from beffroi.sense.places.trade.queries import Trading, trading
from beffroi.serve.offers import trends

STAFF = (Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
DOERS = (Role.AGENT, Role.ADMINISTRATOR)

OVERLAY = Overlay(
    slug="commerces-evolution",
    title=gettext_noop("Évolution des commerces, par rue"),
    address="portal:trade-geojson",
    list_address="portal:trade",
    marks=(
        Mark("", gettext_noop("Trop peu de commerces : tu"), "#6b7075"),
        Mark(words.GOOD, gettext_noop("Plus de hausses que de baisses"), "#0b5fa5"),
        Mark(words.EVEN, gettext_noop("Autant de hausses que de baisses"), "#8f6b00"),
        Mark(words.BAD, gettext_noop("Plus de baisses que de hausses"), "#a31621"),
    ),
    property="genre",
    theme="economie-emploi",
    roles=frozenset(STAFF),
)


def _service(request: Request) -> tuple[UseCaseView, Trade]:
    """Return the use case about shops and its settings.

    Raises:
        Http404: none is open in the town.
    """
    code = territory_of(request)
    for one in catalogue.use_cases(territory=code, states=OPEN_STATES) if code else ():
        settings = one.use_case.settings.get("layers")
        if isinstance(settings, Settings) and settings.trade is not None:
            return one, settings.trade
    raise Http404


def _found(request: Request, wanted: Trade) -> Trading | None:
    code, today = territory_of(request), timezone.localdate()
    return trading(request.viewer, code, wanted, declared=trends.declared_trends(code, today), today=today)


def _is_agent(request: Request) -> bool:
    return any(request.viewer.has(role, territory_of(request)) for role in DOERS)


class TrendForm(forms.Form):
    """How a shop's turnover goes, a season; `survey` is for agents."""

    siret = forms.CharField(
        label=gettext_lazy("SIRET de l’établissement"), max_length=20,
        help_text=gettext_lazy("Quatorze chiffres, sur vos factures."),
    )  # fmt: skip
    season = forms.ChoiceField(label=gettext_lazy("Saison"))
    trend = forms.ChoiceField(
        label=gettext_lazy("Le chiffre d’affaires, face à la même saison de l’an dernier"), widget=forms.RadioSelect
    )
    runs = forms.BooleanField(label=gettext_lazy("Je dirige cet établissement, ou j’en tiens la caisse."))

    def __init__(self, data: Any, *, survey: bool) -> None:
        super().__init__(data, label_suffix="")
        today = timezone.localdate()
        choices = [(one, words.season(one)) for one in trends.seasons(today)]
        cast(forms.ChoiceField, self.fields["season"]).choices = choices
        cast(forms.ChoiceField, self.fields["trend"]).choices = [(key, _(text)) for key, text in words.TRENDS.items()]
        if survey:
            del self.fields["runs"]

    def clean_siret(self) -> str:
        """Return fourteen figures whose key is right."""
        digits = re.sub(r"\s", "", self.cleaned_data["siret"])
        if not re.fullmatch(r"[0-9]{14}", digits) or not _luhn(digits):
            raise forms.ValidationError(_("Ce n’est pas un SIRET : quatorze chiffres, le dernier est une clé."))
        return digits


def _luhn(digits: str) -> bool:
    """Tell whether the key of a number is right; La Poste's own places are summed plainly."""
    if digits.startswith("356000000"):
        return sum(map(int, digits)) % 5 == 0
    doubled = [int(one) * (2 if rank % 2 else 1) for rank, one in enumerate(reversed(digits))]
    return sum(one - 9 if one > 9 else one for one in doubled) % 10 == 0


@open_to(SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def trend(request: HttpRequest) -> HttpResponse:
    """Let who runs a shop say how it goes, or an agent note a survey; show what one said."""
    request = cast(Request, request)
    service, wanted = _service(request)
    survey = _is_agent(request)
    form = TrendForm(request.POST or None, survey=survey)
    if request.method == "POST" and form.is_valid() and _said(request, form, survey=survey):
        return redirect("portal:trade-trend")
    own = [(one, words.season(one.season), _(words.TRENDS[one.trend]), _(words.STATES[one.state]))
           for one in trends.own_trends(request.viewer, territory_of(request))]  # fmt: skip
    context = {"service": service.use_case, "form": form, "survey": survey, "own": own, "least": wanted.least}
    return private(render(request, "portal/trade/trend.html", context, status=400 if form.errors else 200))


def _said(request: Request, form: TrendForm, *, survey: bool) -> bool:
    told = form.cleaned_data
    try:
        trends.say_trend(
            request.viewer, territory_of(request), siret=told["siret"], season=told["season"], trend=told["trend"],
            survey=survey, at=now(),
        )  # fmt: skip
    except BeffroiError as error:
        form.add_error(None, f"{said(error.what)} ; {said(error.remedy)}.")
        return False
    text = (
        _("C’est noté, et compté.") if survey else _("C’est reçu. Un agent vérifie, puis cela compte parmi d’autres.")
    )
    messages.success(request, text)
    return True


@open_to(*STAFF)
@require_safe
def evolution(request: HttpRequest) -> HttpResponse:
    """Show streets and sectors, each measure masked where too few shops are behind; agents see what waits."""
    request = cast(Request, request)
    service, wanted = _service(request)
    count_opening(request, service)
    found = _found(request, wanted)
    code = territory_of(request)
    waiting = trends.waiting_trends(request.viewer, code)
    context: dict[str, Any] = {
        "service": service.use_case, "found": found, "least": wanted.least, "months": wanted.months,
        "is_agent": _is_agent(request),
        "waiting": [(one, words.season(one.season), _(words.TRENDS[one.trend])) for one in waiting],
    }  # fmt: skip
    if found is not None:
        shown = replace(OVERLAY, shown=True)
        context |= {
            "grids": words.grids(found),
            "map": overlay_map(request.viewer, request.commune, town_datasets(request), shown),
            "marks": OVERLAY.marks,
        }
    return private(render(request, "portal/trade/evolution.html", context))


@open_to(*STAFF)
@require_safe
def evolution_csv(request: HttpRequest) -> HttpResponse:
    """Give the two tables as one file, masked alike."""
    request = cast(Request, request)
    found = _found(request, _service(request)[1])
    if found is None:
        raise Http404
    first, second = words.grids(found)
    rows = [(one.caption, name, *cells) for one in (first, second) for name, _url, cells in one.rows]
    return sheet_response("evolution-des-commerces.csv", (_("Tableau"), _("Groupe"), *first.cell_heads), rows)


@open_to(*STAFF)
@require_safe
def evolution_geojson(request: HttpRequest) -> JsonResponse:
    """Give the streets that are told, for the map: the same as the table says."""
    request = cast(Request, request)
    found = _found(request, _service(request)[1])
    told = words.features(found, reverse("portal:trade")) if found else []
    return private(JsonResponse({"type": "FeatureCollection", "features": told}))


@open_to(*DOERS)
@require_POST
def decide(request: HttpRequest, number: int) -> HttpResponse:
    """Count what a shop said, or leave it out."""
    request = cast(Request, request)
    _service(request)
    accept = request.POST.get("do") == "accept"
    try:
        trends.decide_trend(request.viewer, territory_of(request), number, accept=accept, at=now())
    except BeffroiError as error:
        messages.error(request, f"{said(error.what)} ; {said(error.remedy)}.")
    else:
        messages.success(request, _("La déclaration compte.") if accept else _("La déclaration n’est pas retenue."))
    return redirect(reverse("portal:trade") + "#attente")


urlpatterns: list[URLPattern] = [
    path("commerces/evolution/", evolution, name="trade"),
    path("commerces/evolution.csv", evolution_csv, name="trade-csv"),
    path("commerces/evolution.geojson", evolution_geojson, name="trade-geojson"),
    path("commerces/tendance/", trend, name="trade-trend"),
    path("commerces/tendance/<int:number>/decider/", decide, name="trade-decide"),
]
