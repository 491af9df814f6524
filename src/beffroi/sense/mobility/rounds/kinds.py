"""The `[rounds]` table of a use case: where its stops come from, and, of rounds over needs, whose they are.

[rounds]
source   = "needs"                       # dataset: given at each round (a list, a file, a dataset, reports); needs
service  = "solidarites"                 # needs: the only one that reads them
category = "personne-a-la-rue"           # needs: the reports that are needs too; none: ""

[[rounds.outcome]]                       # needs: what may come of a passage
code   = "vu"
label  = "Personne vue"
closes = true                            # the need is met; a usual place stays one
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.kernel.errors import NotFound
from beffroi.base.territory.viewer import SERVICE_PREFIX, Viewer

ENGINE = "rounds"
CODE = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class Outcome(BaseModel):
    """What may come of a passage. `closes`: the need it was for is met."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(pattern=CODE, max_length=40)
    label: str = Field(min_length=2, max_length=80)
    closes: bool = False


class Settings(BaseModel):
    """The table of a use case (see the module)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Literal["dataset", "needs"] = "dataset"
    service: str = Field(default="", max_length=50)
    category: str = Field(default="", max_length=60)
    outcome: tuple[Outcome, ...] = ()

    @model_validator(mode="after")
    def _needs_are_somebodys(self) -> Settings:
        if self.source == "needs" and not (self.service and self.outcome):
            raise ValueError('« source = "needs" » demande « service » et au moins une table [[rounds.outcome]]')
        if self.source == "dataset" and (self.service or self.category or self.outcome):
            raise ValueError('« service », « category » et « outcome » demandent « source = "needs" »')
        codes = [one.code for one in self.outcome]
        if len(set(codes)) < len(codes):
            raise ValueError("deux [[rounds.outcome]] portent le même code")
        return self

    def outcome_named(self, code: str) -> Outcome | None:
        """Return the outcome of a code, None when there is none."""
        return next((one for one in self.outcome if one.code == code), None)


class KindNotFound(NotFound):
    """No rounds over needs of that name are open here to this viewer."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A use case whose rounds go over needs."""

    use_case: str
    title: str
    settings: Settings


def kinds(territory: str) -> list[Kind]:
    """Return the use cases of a territory, open there, whose rounds go over needs."""
    found = []
    for view in catalogue.use_cases(territory=territory, engine_name=ENGINE, states=OPEN_STATES):
        settings = view.use_case.settings.get(ENGINE)
        if isinstance(settings, Settings) and settings.source == "needs":
            found.append(Kind(view.use_case.id, view.use_case.title, settings))
    return found


def works_for(viewer: Viewer, territory: str, kind: Kind) -> bool:
    """Tell whether the viewer is an agent of the one service that reads these needs."""
    return SERVICE_PREFIX + kind.settings.service in viewer.clearances(territory)


def kinds_for(viewer: Viewer, territory: str) -> list[Kind]:
    """Return the use cases whose needs the viewer reads."""
    return [one for one in kinds(territory) if works_for(viewer, territory, one)]


def kind_for(viewer: Viewer, territory: str, use_case: str) -> Kind:
    """Return the rounds of a use case, to an agent of its service.

    Raises:
        KindNotFound: none is open here, or they are another service's.
    """
    found = next((one for one in kinds_for(viewer, territory) if one.use_case == use_case), None)
    if found is None:
        raise KindNotFound(
            "aucune tournée « {use_case} » dans vos services", where=territory,
            remedy="demandez à un administrateur d’ouvrir ce service, ou de vous y rattacher", use_case=use_case[:20],
        )  # fmt: skip
    return found
