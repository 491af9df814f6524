"""Floods on a page: buildings and people reached by scenario, the water at an address, the list agents print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from beffroi.base.territory.viewer import Role, Viewer
from beffroi.faces.portal.itinerary import PlaceField
from beffroi.faces.shell.addresses import Address
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake.layer_settings import Floods
from beffroi.lake.queries import DatasetSummary
from beffroi.sense.mobility.coverage.population import NoPopulation, residents
from beffroi.sense.twin.floods import SUBMERSION, Flood, Water, floods

PLACE = "chez"
KINDS = {
    "01": gettext_noop("Débordement de cours d’eau"),
    "02": gettext_noop("Ruissellement"),
    "03": gettext_noop("Submersion marine"),
    "04": gettext_noop("Remontée de nappe"),
}
SCENARIOS = {
    "01For": gettext_noop("fréquent"),
    "02Moy": gettext_noop("moyen, une fois par siècle"),
    "03Mcc": gettext_noop("moyen, avec le changement climatique"),
    "04Fai": gettext_noop("rare, extrême"),
}


@dataclass(frozen=True, slots=True)
class FloodLine:
    """One scenario: buildings and people reached, and of the buildings those under more than a metre of water."""

    kind: str
    scenario: str
    buildings: str
    deep: str
    people: str
    list_url: str


@dataclass(frozen=True, slots=True)
class FloodTable:
    """The scenarios of a town; `here` are the sentences of the address asked, `place` its label."""

    lines: tuple[FloodLine, ...]
    has_submersion: bool
    form: forms.Form
    place: str
    here: tuple[str, ...]
    sources: tuple[tuple[str, str], ...]


def named(flood: Flood) -> str:
    """Return the name of a scenario: its kind, then how often."""
    kind, scenario = KINDS.get(flood.kind, flood.kind), SCENARIOS.get(flood.scenario, flood.scenario)
    return f"{_(kind)}, {_(scenario)}"


def said(water: Water) -> str:
    """Say a class of height.

    >>> said(Water(0.5, 1.0))
    'de 0,5 à 1 m d’eau'
    """
    low, high = (number(round(one, 2)) if one is not None else "" for one in (water.least_m, water.most_m))
    if water.most_m is None:
        return _("plus de {low} m d’eau").format(low=low)
    if not water.least_m:
        return _("jusqu’à {high} m d’eau").format(high=high)
    return _("de {low} à {high} m d’eau").format(low=low, high=high)


def flood_table(
    viewer: Viewer, known: Sequence[DatasetSummary], wanted: Floods, query: Mapping[str, str], *, territory: str
) -> FloodTable | None:
    """Return what water reaches in a town, None when no height of water is known to this reader."""
    found = floods(viewer, known, zones=wanted.zones)
    if found is None:
        return None
    people = _people(territory)
    is_agent = any(viewer.has(role, territory) for role in (Role.AGENT, Role.ADMINISTRATOR))
    lines = tuple(_line(one, people, is_agent) for one in found)
    made: type[forms.Form] = type("PlaceForm", (forms.Form,), {PLACE: PlaceField(
        label=gettext_lazy("Quelle adresse ?"), required=False, citycode=territory
    )})  # fmt: skip
    form = made(query if query.get(PLACE) else None)
    place = form.cleaned_data.get(PLACE) if form.is_bound and form.is_valid() else None
    here = tuple(_here(one, place) for one in found) if isinstance(place, Address) else ()
    about = next(one for one in known if one.ref.slug == wanted.zones)
    sources = [(about.title, f"{about.updated_at:%d/%m/%Y}")]
    if people is not None:
        sources += [(title, f"{day[8:]}/{day[5:7]}/{day[:4]}") for title, day, _licence in people[1]]
    label = place.label if isinstance(place, Address) else ""
    return FloodTable(lines, any(one.kind == SUBMERSION for one in found), form, label, here, tuple(sources))


def _people(territory: str) -> tuple[Any, tuple[tuple[str, str, str], ...]] | None:
    try:
        lived = residents(territory)
    except NoPopulation:
        return None
    return lived, lived.sources


def _line(one: Flood, people: tuple[Any, Any] | None, is_agent: bool) -> FloodLine:
    reached = _("inconnu")
    if people is not None:
        wet = np.array([water is not None for water in one.at(people[0].places)], dtype=bool)
        # Homes are spread over the census: to the nearest ten, no more is known.
        reached = _("environ {n}").format(n=number(int(round(float(people[0].people[wet].sum()), -1))))
    deep = sum(water.least_m >= 1 for water in one.buildings.values())
    return FloodLine(
        kind=_(KINDS.get(one.kind, one.kind)),
        scenario=_(SCENARIOS.get(one.scenario, one.scenario)),
        buildings=number(len(one.buildings)),
        deep=number(deep),
        people=reached,
        list_url=reverse("portal:flooded", args=[one.kind, one.scenario]) if is_agent else "",
    )


def _here(one: Flood, place: Address) -> str:
    (water,) = one.at(np.array([[place.lon, place.lat]]))
    return f"{named(one)} : {said(water) if water else _('pas d’eau sur les cartes publiées')}."
