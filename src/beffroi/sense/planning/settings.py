"""Where each kind of rule of a town is published: the table `[planning]` of a use case."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from beffroi.lake.definition_values import SLUG


def _slug(value: str) -> str:
    if not SLUG.fullmatch(value):
        raise ValueError(f"« {value} » n'est pas un nom de jeu de données")
    return value


Slug = Annotated[str, AfterValidator(_slug)]


class Kind(StrEnum):
    """What a rule is of, in the order they are told."""

    PARCEL = "parcels"
    ZONE = "zones"
    PRESCRIPTION = "prescriptions"
    INFORMATION = "informations"
    EASEMENT = "easements"
    RISK = "risks"
    DISTRICT = "districts"


class RulesSettings(BaseModel):
    """The dataset that tells each kind of rule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parcels: Slug = "parcelles"
    zones: Slug = "zonage-plu"
    prescriptions: Slug = "prescriptions-plu"
    informations: Slug = "informations-plu"
    easements: Slug = "servitudes"
    risks: Slug = "zones-risques"
    districts: Slug = "quartiers-prioritaires"

    def slug_of(self, kind: Kind) -> str:
        """Return the dataset of a kind."""
        slug: str = getattr(self, kind.value)
        return slug
