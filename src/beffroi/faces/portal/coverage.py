"""`/acces/`: who is within so many minutes of a kind of place, on a map, in tables, as a file, on paper."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.http import require_safe
from shapely.geometry import mapping

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.faces.portal.directory import count_opening, service_of_engine, territory_of, town_datasets
from beffroi.faces.portal.itinerary import plain
from beffroi.faces.portal.mapping import DrawnMap, overlay_map
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.faces.shell.sheets import sheet_response
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.coverage import queries
from beffroi.sense.mobility.coverage.queries import Coverage, Share
from beffroi.sense.mobility.coverage.zonings import zonings_of

ENGINE = "coverage"
KINDS = {
    # The words of the data files, marked here for translation.
    "ecole": gettext_noop("Écoles"),
    "college": gettext_noop("Collèges"),
    "lycee": gettext_noop("Lycées"),
    "medecin": gettext_noop("Médecins généralistes"),
    "pharmacie": gettext_noop("Pharmacies"),
    "defibrillateur": gettext_noop("Défibrillateurs"),
    "bibliotheque": gettext_noop("Bibliothèques"),
    "piscine": gettext_noop("Piscines"),
    "sport": gettext_noop("Terrains et salles de sport"),
    "mairie": gettext_noop("Mairies"),
    "arret": gettext_noop("Arrêts de transport"),
}
AGES = (
    gettext_noop("0 à 14 ans"),
    gettext_noop("15 à 29 ans"),
    gettext_noop("30 à 44 ans"),
    gettext_noop("45 à 59 ans"),
    gettext_noop("60 à 74 ans"),
    gettext_noop("75 ans et plus"),
    gettext_noop("Tous les âges"),
)
WALKERS = ("a-pied", "fauteuil-manuel", "fauteuil-electrique", "marche-difficile", "malvoyance", "poussette", "velo",
           "voiture")  # fmt: skip
# A quarter of the zone for each tint, from the least covered to the best.
TINTS = ("#a3251d", "#c0711f", "#4f8a5b", "#12495a")
LAYER = Overlay(
    slug="acces",
    title=gettext_noop("Part des habitants à temps"),
    address="portal:coverage-geojson",
    list_address="portal:coverage",
    property="class",
    marks=(
        Mark("0", gettext_noop("Moins d’un quart des habitants"), TINTS[0]),
        Mark("1", gettext_noop("Un quart à la moitié"), TINTS[1]),
        Mark("2", gettext_noop("La moitié aux trois quarts"), TINTS[2]),
        Mark("3", gettext_noop("Trois quarts et plus"), TINTS[3]),
        Mark("place", gettext_noop("Lieu"), "#1c2226"),
        Mark("more", gettext_noop("Où un lieu de plus servirait le plus d’habitants"), "#7a2f9c"),
    ),
    shown=True,
)


class CoverageForm(forms.Form):
    """What one goes to, how, and in how long."""

    genre = forms.ChoiceField(label=gettext_lazy("Équipement"))
    profil = forms.ChoiceField(label=gettext_lazy("Comment on s’y rend"))
    minutes = forms.IntegerField(label=gettext_lazy("Minutes, au plus"), min_value=1, max_value=60)

    def __init__(self, *args: Any, territory: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = cast(forms.ChoiceField, self.fields["genre"])
        kinds.choices = [(one.slug, _(KINDS.get(one.slug, one.title))) for one in queries.kinds(territory)]
        profiles = [one for one in mobility.profiles() if one.slug in WALKERS]
        cast(forms.ChoiceField, self.fields["profil"]).choices = [(one.slug, plain(one)) for one in profiles]


@open_to(EVERYONE)
@require_safe
def coverage(request: HttpRequest, use_case: str = "") -> HttpResponse:
    """Show who is within the minutes asked of a kind of place; `?csv` gives the table as a file."""
    request = cast(Request, request)
    territory = territory_of(request)
    service = service_of_engine(request, use_case, ENGINE)
    form = _form(request, territory, service.use_case.settings[ENGINE] if service else None)
    context: dict[str, Any] = {"form": form, "service": service.use_case if service else None}
    if service is not None and territory:
        context["zonings"] = zonings_of(territory, service.use_case.settings[ENGINE].zonings)
    context["ready"] = mobility.has_graph(territory) and bool(form.fields["genre"].choices)  # type: ignore[attr-defined]
    if not context["ready"] or not form.is_valid():
        return render(request, "portal/coverage.html", context, status=400 if context["ready"] else 200)
    try:
        found = _asked(form, territory)
    except BeffroiError as error:
        context["problem"] = error
        return render(request, "portal/coverage.html", context, status=error.http_status)
    count_opening(request, service)
    if "csv" in request.GET:
        return sheet_response(f"acces-{found.kind.slug}-{found.minutes}-min.csv", _heads(found), _rows(found))
    marks = [(_(mark.label), mark.value) for mark in LAYER.marks if mark.value != "more" or found.more is not None]
    context |= {"found": found, "told": told(found), "map": _map(request, form), "marks": marks}
    return render(request, "portal/coverage.html", context)


@open_to(EVERYONE)
@require_safe
def coverage_geojson(request: HttpRequest) -> HttpResponse:
    """Give the zones with their share, the places, and where one more would serve best."""
    request = cast(Request, request)
    territory = territory_of(request)
    form = _form(request, territory, None)
    features: list[dict[str, Any]] = []
    if form.is_valid() and mobility.has_graph(territory):
        features = _features(_asked(form, territory))
    response = JsonResponse({"type": "FeatureCollection", "features": features})
    response["Cache-Control"] = "no-store"
    return response


def _form(request: Request, territory: str, settings: Any) -> CoverageForm:
    first = {"genre": settings.kind, "profil": settings.profile, "minutes": settings.minutes} if settings else {}
    kinds = [one.slug for one in queries.kinds(territory)] if territory else []
    if first.get("genre") not in kinds:
        first["genre"] = kinds[0] if kinds else ""
    first = {"profil": "a-pied", "minutes": 15} | first
    asked = {name: request.GET[name] for name in ("genre", "profil", "minutes") if name in request.GET}
    return CoverageForm(first | asked, territory=territory)


def _asked(form: CoverageForm, territory: str) -> Coverage:
    data = form.cleaned_data
    profile = mobility.profile(data["profil"])
    return queries.coverage(territory, kind=data["genre"], profile=profile, minutes=data["minutes"], at=now())


def _map(request: Request, form: CoverageForm) -> DrawnMap:
    drawn = overlay_map(request.viewer, request.commune, town_datasets(request), LAYER)
    config = json.loads(drawn.config)
    config["overlays"][0]["url"] += "?" + urlencode(form.cleaned_data)
    return replace(drawn, config=json.dumps(config, ensure_ascii=False, separators=(",", ":")))


def _features(found: Coverage) -> list[dict[str, Any]]:
    zones = [
        {"type": "Feature", "geometry": mapping(zone.shape),
         "properties": {"class": str(min(3, int(4 * zone.all.share))), "title": zone.all.title,
                        "label": percent(zone.all.share)}}
        for zone in found.zones
    ]  # fmt: skip
    places = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [one.place.lon, one.place.lat]},
         "properties": {"class": "place", "title": one.place.name}}
        for one in found.served
    ]  # fmt: skip
    if found.more is not None:
        where = {"type": "Point", "coordinates": [found.more.lon, found.more.lat]}
        places.append({"type": "Feature", "geometry": where, "properties": {"class": "more", "title": ""}})
    return [*zones, *places]


def percent(share: float) -> str:
    """Return a share in whole hundredths: never 100 % while somebody is left, nor 0 for a few."""
    if 0 < share < 0.01:
        return _("moins de 1 %")
    return _("{share} %").format(share=int(100 * share + 1e-9))


def told(found: Coverage) -> dict[str, Any]:
    """Return what the page says, people counted whole."""
    asked: dict[str, str | int] = {
        "genre": found.kind.slug, "profil": found.profile.slug, "minutes": found.minutes, "csv": 1,
    }  # fmt: skip
    worst = min((zone for zone in found.zones if zone.all.missing >= 1), key=lambda one: one.all.share, default=None)
    return {
        "kind": _(KINDS.get(found.kind.slug, found.kind.title)),
        "profile": plain(found.profile),
        "compared": plain(found.compared),
        "people": round(found.town.people),
        "covered": round(found.town.covered),
        "share": percent(found.town.share),
        "missing": round(found.town.missing),
        "other": round(found.town.other),
        "gap": round(found.town.gap),
        "worst": worst and {"title": worst.all.title, "missing": round(worst.all.missing)},
        "more": found.more and round(found.more.people),
        "zones": [
            _line(zone.all) | {"median": None if zone.median_min is None else round(zone.median_min)}
            for zone in sorted(found.zones, key=lambda one: one.all.share)
        ],
        "ages": [_line(one) | {"title": _(one.title), "behind": one.share < found.town.share - 0.01}
                 for one in found.ages],
        "served": [{"name": one.place.name, "people": round(one.people), "reached": one.reached}
                   for one in found.served],
        "sources": [(title, date.fromisoformat(day), licence) for title, day, licence in found.sources],
        "csv": urlencode(asked),
    }  # fmt: skip


def _line(one: Share) -> dict[str, Any]:
    return {"title": one.title, "people": round(one.people), "covered": round(one.covered),
            "share": percent(one.share), "missing": round(one.missing), "gap": round(one.gap)}  # fmt: skip


def _heads(found: Coverage) -> list[str]:
    return [_("quartier"), _("âge"), _("habitants"), _("à temps"), _("hors délai"),
            _("à temps, {profile}").format(profile=found.compared.title)]  # fmt: skip


def _rows(found: Coverage) -> list[list[object]]:
    rows: list[list[object]] = []
    for zone in found.zones:
        for title, one in ((_("tous"), zone.all), *((_(age.title), age) for age in zone.ages)):
            counts = (one.people, one.covered, one.missing, one.other)
            rows.append([zone.all.title, title, *(round(value) for value in counts)])
    return rows
