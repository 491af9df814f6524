"""The pages of lighting: the town today, its scenarios side by side, one of them with the forms that change it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.numbers import whole_number
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.directory import count_opening, territory_of, town_datasets
from beffroi.faces.portal.lighting import words
from beffroi.faces.portal.lighting.forms import AddForm, HoursForm, ScenarioForm, SwapForm
from beffroi.faces.portal.mapping import overlay_map
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.answers import private
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.faces.shell.sentences import said
from beffroi.lake.layer_settings import Lighting, Settings
from beffroi.sense.twin.lighting import operations, queries
from beffroi.sense.twin.lighting.actions import BadAction
from beffroi.sense.twin.lighting.effects import Effects, Lit, effects

STAFF = (Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)

OVERLAY = Overlay(
    slug="eclairage-manques",
    title=gettext_noop("Espace public sombre"),
    address="portal:lighting-geojson",
    list_address="portal:lighting",
    marks=(
        Mark("", gettext_noop("Sombre"), "#a31621"),
        Mark("cote", gettext_noop("Chaussée éclairée, trottoir sombre"), "#0b5fa5"),
    ),
    property="genre",
    theme="securite",
    roles=frozenset(STAFF),
)


@dataclass(frozen=True, slots=True, eq=False)
class _Town:
    """What the pages are about: the use case, its settings, the town as it is lit (None without lamps), today."""

    service: UseCaseView
    wanted: Lighting
    lit: Lit | None
    today: Effects | None


def _town(request: Request) -> _Town:
    """Return the lighting of the town of the page.

    Raises:
        Http404: the town has no such service.
    """
    code = territory_of(request)
    for one in catalogue.use_cases(territory=code, states=OPEN_STATES) if code else ():
        settings = one.use_case.settings.get("layers")
        if isinstance(settings, Settings) and settings.lighting is not None and request.commune is not None:
            zone = str(request.commune.timezone)
            lit = queries.lit(request.viewer, town_datasets(request), settings.lighting, zone=zone)
            return _Town(one, settings.lighting, lit, effects(lit) if lit else None)
    raise Http404


def _is_agent(request: Request) -> bool:
    code = territory_of(request)
    return any(request.viewer.has(role, code) for role in (Role.AGENT, Role.ADMINISTRATOR))


@open_to(*STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
def lighting(request: HttpRequest) -> HttpResponse:
    """Show how the town is lit today, what stays dark, its scenarios side by side; agents start one here."""
    request = cast(Request, request)
    town, code = _town(request), territory_of(request)
    form = ScenarioForm(request.POST or None, initial={"price_eur": Decimal(str(town.wanted.price_eur_kwh))})
    if request.method == "POST" and form.is_valid():
        number = operations.keep_scenario(request.viewer, code, at=now(), **form.cleaned_data)
        messages.success(request, _("Le scénario est gardé. Dites maintenant ce qu’il change."))
        return redirect("portal:lighting-scenario", number=number)
    if request.method == "GET":
        count_opening(request, town.service)
    context: dict[str, Any] = {"service": town.service.use_case, "form": form, "is_agent": _is_agent(request)}
    if town.lit is not None and town.today is not None:
        lit, today = town.lit, town.today
        kept = queries.scenarios(request.viewer, code)
        found = [(one, effects(lit, one.actions), reverse("portal:lighting-scenario", args=[one.number]))
                 for one in kept]  # fmt: skip
        context |= {
            "today": today,
            "share_evening": words.percent(today.lit("evening")),
            "share_night": words.percent(today.lit("night")),
            "dark_km": words.number(round(today.dark_m / 1000, 1)),
            "nights": round(lit.nights.hours),
            "summary": words.summary_grid(today, found),
            "scenarios": found,
            "grids": [
                words.parts_grid([today]),
                words.profiles_grid([today], None),
                words.districts_grid([today], None),
            ],
            "checks": words.check_sentences(queries.checks(lit), len(lit.lamps)),
            "gaps": words.gap_lines(lit, today.gaps[: words.MOST_GAPS]),
            "more": max(0, len(today.gaps) - words.MOST_GAPS),
            "every_m": lit.samples.every_m,
            "sources": lit.sources,
            "map": overlay_map(request.viewer, request.commune, town_datasets(request), replace(OVERLAY, shown=True)),
        }
    return private(render(request, "portal/lighting/town.html", context, status=400 if form.errors else 200))


@open_to(*STAFF)
@require_safe
def lighting_geojson(request: HttpRequest) -> JsonResponse:
    """Give the places left dark, for the map: the same as the list says."""
    town = _town(cast(Request, request))
    page, features = reverse("portal:lighting"), []
    if town.lit is not None and town.today is not None:
        found = town.today.gaps[: words.MOST_GAPS]
        for gap, line in zip(found, words.gap_lines(town.lit, found), strict=True):
            told = {"title": f"{line.name} : {line.said}", "url": page, "genre": "cote" if gap.side_only else "sombre"}
            point = {"type": "Point", "coordinates": [round(line.lon, 6), round(line.lat, 6)]}
            features.append({"type": "Feature", "geometry": point, "properties": told})
    return private(JsonResponse({"type": "FeatureCollection", "features": features}))


@open_to(*STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
def scenario(request: HttpRequest, number: int) -> HttpResponse:
    """Show a scenario beside today; agents change what it does."""
    request = cast(Request, request)
    town, code = _town(request), territory_of(request)
    info = queries.scenario(request.viewer, code, number)
    made = _forms(request, town, info)
    status = 200
    if request.method == "POST":
        asked = request.POST.get("act", "")
        if _done(request, code, number, asked, made):
            gone = asked == "withdraw"
            return redirect("portal:lighting") if gone else redirect("portal:lighting-scenario", number=number)
        status = 400
    context: dict[str, Any] = {
        "info": info, "price": words.number(float(info.price_eur)), "is_agent": _is_agent(request), "forms": made,
        "acts": [words.act_said(one) for one in info.actions],
        "trail": [(_("Éclairage public"), reverse("portal:lighting"))],
    }  # fmt: skip
    if town.lit is not None and town.today is not None:
        done = effects(town.lit, info.actions)
        states = [town.today, done]
        saved = (town.today.kwh - done.kwh) * float(info.price_eur)
        context |= {
            "done": done,
            "summary": words.summary_grid(town.today, [(info, done, "")], info.price_eur),
            "today_eur": words.euros(town.today.kwh, info.price_eur),
            "saved": words.signed(-saved, _("€ par an")),
            "saved_kwh": words.signed(done.kwh - town.today.kwh, _("kWh par an")),
            "grids": [words.districts_grid(states, info.price_eur), words.profiles_grid(states, info.price_eur),
                      words.parts_grid(states)],
            "gaps": words.gap_lines(town.lit, done.gaps[: words.MOST_GAPS]),
            "more": max(0, len(done.gaps) - words.MOST_GAPS),
        }  # fmt: skip
    return private(render(request, "portal/lighting/scenario.html", context, status=status))


def _forms(request: Request, town: _Town, info: queries.ScenarioInfo) -> dict[str, forms.Form]:
    """Return the forms of a scenario by what they do; the one that is sent holds what was typed."""
    districts = town.lit.districts if town.lit else ()
    within = request.commune.bbox if request.commune else None
    sent = request.POST if request.method == "POST" else None
    asked = sent.get("act", "") if sent is not None else ""
    place = {key: request.GET[key] for key in ("lat", "lon") if key in request.GET}
    price = {"title": info.title, "price_eur": info.price_eur, "price_source": info.price_source}
    return {
        "hours": HoursForm(sent if asked == "hours" else None, districts=districts),
        "swap": SwapForm(sent if asked == "swap" else None, districts=districts, initial={"source": "other"}),
        "add": AddForm(sent if asked == "add" else None, within=within, initial=place),
        "price": ScenarioForm(sent if asked == "price" else None, initial=price, auto_id="prix_%s"),
    }


def _done(request: Request, code: str, number: int, asked: str, made: dict[str, Any]) -> bool:
    """Do what a form asks; tell whether it is done."""
    viewer, at = request.viewer, now()
    if asked == "withdraw":
        operations.withdraw_scenario(viewer, code, number, at=at)
        messages.success(request, _("Le scénario est retiré. Le journal garde qu’il a existé."))
        return True
    if asked == "remove":
        rank = whole_number(request.POST.get("rank", ""))
        operations.remove_action(viewer, code, number, -1 if rank is None else rank, at=at)
        messages.success(request, _("L’action est retirée du scénario."))
        return True
    form = made.get(asked)
    if form is None or not form.is_valid():
        return False
    try:
        if asked == "price":
            operations.keep_scenario(viewer, code, number=number, at=at, **form.cleaned_data)
        else:
            operations.add_action(viewer, code, number, form.action(), at=at)
    except BadAction as fault:
        form.add_error(
            fault.where if fault.where in form.fields else None, f"{said(fault.what)} ; {said(fault.remedy)}"
        )
        return False
    messages.success(request, _("Le scénario est recalculé."))
    return True


urlpatterns: list[URLPattern] = [
    path("eclairage/", lighting, name="lighting"),
    path("eclairage/manques.geojson", lighting_geojson, name="lighting-geojson"),
    path("eclairage/scenarios/<int:number>/", scenario, name="lighting-scenario"),
]
