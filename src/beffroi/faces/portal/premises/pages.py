"""The occupation of premises: the town by district and by use, its buildings, one of them lot by lot."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.directory import count_opening, service_showing, territory_of
from beffroi.faces.portal.lighting.words import percent
from beffroi.faces.portal.premises import words
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.answers import private
from beffroi.lake.layer_settings import Premises
from beffroi.sense.twin.premises import queries
from beffroi.sense.twin.premises.lots import USES
from beffroi.sense.twin.premises.queries import Premise, TownPremises

STAFF = (Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
PAGE = 24


class KeptForm(forms.Form):
    """Which buildings are listed."""

    quartier = forms.ChoiceField(label=gettext_lazy("Quartier"), required=False)
    usage = forms.ChoiceField(label=gettext_lazy("Usage présent"), required=False)
    garder = forms.ChoiceField(label=gettext_lazy("Garder"), required=False)
    debut = forms.IntegerField(required=False, min_value=0, max_value=10_000_000, widget=forms.HiddenInput)

    def __init__(self, *args: Any, town: TownPremises, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [one.name for one in town.districts if one.name]
        self._choices("quartier", [("", _("Tous")), *((name, name) for name in names)])
        self._choices("usage", [("", _("Tous")), *((use, _(title)) for use, title in USES.items())])
        kept = [("", _("Tous les bâtiments")), ("mixtes", _("Les bâtiments mixtes"))]
        if town.each:
            kept.append(("vacants", _("Ceux qui ont un local vacant")))
        self._choices("garder", kept)

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = choices


@open_to(*STAFF)
@require_safe
def premises(request: HttpRequest) -> HttpResponse:
    """Show lots, vacancy and mixed use by district and by use, then the buildings that answer what is asked."""
    request = cast(Request, request)
    service, wanted = service_showing(request, "premises", Premises)
    town = queries.town_premises(request.viewer, territory_of(request), wanted)
    count_opening(request, service)
    context: dict[str, Any] = {"service": service.use_case, "town": town, "wanted": wanted}
    if town is None:
        return private(render(request, "portal/premises/town.html", context))
    form = KeptForm(request.GET, town=town)
    told = form.cleaned_data if form.is_valid() else {}
    found = sorted(_kept(town, told), key=lambda one: (-one.state.lots, not one.address, one.address, one.id))
    start = told.get("debut") or 0
    here = reverse("portal:premises")
    districts = [
        (one.name or _("Hors des quartiers"), _list(here, quartier=one.name) if one.name else "", one)
        for one in town.districts
    ]
    uses = [(words.use_name(one.name), _list(here, usage=one.name), one) for one in town.uses]
    context |= {
        "form": form,
        "rate": words.rate_of(town.whole),
        "limit": percent(wanted.most_share),
        "grids": [
            words.occupation_grid(_("Locaux par usage"), _("Usage du local"), uses),
            words.occupation_grid(_("Locaux par quartier"), _("Quartier"), districts),
        ],
        "buildings": words.building_lines(found[start : start + PAGE]),
        "total": len(found),
        "first": start + 1,
        "last": min(start + PAGE, len(found)),
        "size": PAGE,
    }
    return private(render(request, "portal/premises/town.html", context, status=400 if form.errors else 200))


def _list(here: str, **kept: str) -> str:
    return f"{here}?{urlencode(kept)}#batiments"


def _kept(town: TownPremises, told: dict[str, Any]) -> list[Premise]:
    district, use, kept = (told.get(name) or "" for name in ("quartier", "usage", "garder"))
    return [
        one for one in town.buildings
        if (not district or one.district == district)
        and (not use or use in one.uses)
        and (kept != "mixtes" or one.mix.mixed)
        and (kept != "vacants" or bool(one.state.vacant))
    ]  # fmt: skip


@open_to(*STAFF)
@require_safe
def premises_building(request: HttpRequest, building: str) -> HttpResponse:
    """Show one building: whether it is mixed and why, its vacancy, and for agents each lot with who says what."""
    request = cast(Request, request)
    service, wanted = service_showing(request, "premises", Premises)
    found, lots = queries.premise(request.viewer, territory_of(request), wanted, building)
    context = {
        "service": service.use_case,
        "one": found,
        "name": found.address or _("Bâtiment {number}").format(number=found.id),
        "mixed": words.mixed_sentence(found.mix),
        "rate": words.rate_of(found.state),
        "uses": [(words.use_name(use), count) for use, count in found.uses.items()],
        "lots": [words.lot_line(one) for one in lots],
        "each": bool(lots),
    }
    return private(render(request, "portal/premises/building.html", context))


urlpatterns: list[URLPattern] = [
    path("locaux/", premises, name="premises"),
    path("locaux/batiments/<slug:building>/", premises_building, name="premises-building"),
]
