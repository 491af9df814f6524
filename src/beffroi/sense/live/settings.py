"""The `[live]` table of a use case: what it reads of its things, by which thresholds, and how the usual is told.

[live]
service  = "sports"               # who is told when a threshold is crossed or a sensor falls silent
weeks    = 8                      # the past weeks that make the usual
least    = 3                      # weeks known without which nothing is said to be usual
ahead    = 6                      # hours of today estimated

[[live.property]]
code       = "presents"
label      = "Personnes présentes"
of_capacity = true                # levels are in percent of the capacity of each thing
hysteresis = 5                    # one leaves a level once this far below where it begins
minutes    = 10                   # …and once the next one has lasted so long

[[live.property.level]]           # from the lowest; the first begins anywhere
code   = "calme"
label  = "Calme"
colour = "bleu"

[[live.property.level]]
code   = "sature"
label  = "Presque plein"
colour = "rouge"
begins = 85
alert  = true                     # crossing it is told to the service
"""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field, model_validator

from beffroi.base.catalogue import queries as catalogue
from beffroi.lake.layer_colours import COLOURS
from beffroi.sense.live.definition import ENGINE

_CODE = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Level(_Frozen):
    """One level of a property: where it begins, how it is named and drawn."""

    code: str = Field(pattern=_CODE, max_length=40)
    label: str = Field(min_length=2, max_length=60)
    colour: str
    begins: float | None = None
    alert: bool = False

    @model_validator(mode="after")
    def _colour_is_known(self) -> Level:
        if self.colour not in COLOURS:
            raise ValueError(f"couleur « {self.colour} » inconnue ; prenez parmi {', '.join(COLOURS)}")
        return self


class Rule(_Frozen):
    """How a property is read: its name, and its levels from the lowest to the highest."""

    code: str = Field(pattern=_CODE, max_length=60)
    label: str = Field(min_length=2, max_length=80)
    of_capacity: bool = False
    hysteresis: float = Field(default=0, ge=0)
    minutes: int = Field(default=0, ge=0, le=24 * 60)
    level: tuple[Level, ...] = ()

    @property
    def lasting(self) -> timedelta:
        """Return how long a level must last before it is the level."""
        return timedelta(minutes=self.minutes)

    @model_validator(mode="after")
    def _levels_rise(self) -> Rule:
        begins = [one.begins for one in self.level]
        if begins and begins[0] is not None:
            raise ValueError("le premier niveau commence n’importe où : retirez son « begins »")
        rest = [one for one in begins[1:] if one is not None]
        if len(rest) != len(begins[1:]) or rest != sorted(set(rest)):
            raise ValueError("chaque niveau après le premier dit où il commence (« begins »), du plus bas au plus haut")
        codes = [one.code for one in self.level]
        if len(set(codes)) != len(codes):
            raise ValueError("deux niveaux portent le même code")
        return self

    def level_named(self, code: str) -> Level | None:
        """Return a level by its code, None when there is none of that name."""
        return next((one for one in self.level if one.code == code), None)


class LiveSettings(_Frozen):
    """What a use case reads in the town. Its first property is the one that pages show first."""

    service: str = Field(default="", max_length=50)
    weeks: int = Field(default=8, ge=1, le=52)
    least: int = Field(default=3, ge=1, le=52)
    ahead: int = Field(default=6, ge=1, le=24)
    property: tuple[Rule, ...] = Field(min_length=1)

    def rule(self, code: str) -> Rule | None:
        """Return how a property is read, None when the use case does not read it."""
        return next((one for one in self.property if one.code == code), None)


def settings_of(use_case: str) -> LiveSettings | None:
    """Return the settings of a use case of this installation, None when it reads nothing live."""
    known = catalogue.catalogue().use_cases.get(use_case)
    found = known.settings.get(ENGINE) if known is not None else None
    return found if isinstance(found, LiveSettings) else None


def rule_of(use_case: str, code: str) -> Rule | None:
    """Return how a use case reads a property, None when it does not."""
    found = settings_of(use_case) if use_case else None
    return found.rule(code) if found is not None else None
