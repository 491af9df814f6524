"""The table of a use case about every day at an address.

[daily]
collection  = "secteurs-collecte"      # sectors, by the columns of that dataset
menus       = "menus-cantine"          # by the SCDL schema
days        = 28                       # how far ahead collections are told
description = "…"                      # said at the foot

[[daily.places]]                       # whose hours are told: the nearest of each kind
dataset = "equipements-publics"
name    = "equip_nom"
hours   = "equip_ouverture"
kind    = "equip_theme"
among   = ["Déchets", "Parcs et jardins"]
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

ENGINE = "daily"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HoursOf(_Frozen):
    """A dataset of places with their hours; only those whose `kind` is `among` these are told."""

    dataset: str
    name: str
    hours: str
    kind: str
    among: tuple[str, ...] = Field(min_length=1)


class DailySettings(_Frozen):
    """See the module."""

    collection: str
    menus: str = ""
    days: int = Field(default=28, ge=7, le=62)
    description: str = ""
    places: tuple[HoursOf, ...] = ()

    @property
    def datasets(self) -> tuple[str, ...]:
        """Return the datasets, any of which has something to show."""
        return tuple(one for one in (self.collection, self.menus, *(place.dataset for place in self.places)) if one)
