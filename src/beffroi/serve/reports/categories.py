"""What can be reported: the `[reports]` table of a use case file, and the categories a commune has opened.

[reports]
tools = ["triage"]                       # triage, work-orders, visits, counter: what there is beside the categories

[[reports.category]]
code     = "depot-sauvage"
label    = "Dépôt sauvage"
keywords = ["ordures", "encombrants"]
service  = "proprete"
due      = "signalements.proprete"       # a rule of rules/
photo    = "optional"                    # optional, required, none
access   = "public"                      # public, agents (the town's), service (restricted: its service only)
publish  = "accepted"                    # accepted: text and photo shown once an agent took it in charge; at-once
geometry = "point"                       # point, zone (a drawn outline, or a point), none
object   = "corbeilles"                  # a dataset: the report may name one of its features

[[reports.category.field]]
code     = "jours"
label    = "Depuis combien de jours ?"
type     = "integer"                     # text, integer, choice, date, boolean
private  = false                         # true: for the service only, never published

A restricted category may be `discreet`: without a name unless one is given, left at once, nothing kept on the device;
and tell whom to call before anything is asked:

[[reports.category.helpline]]
number = "3919"
title  = "Violences faites aux femmes"
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from beffroi.base.catalogue import engine as catalogue_engine
from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.clock import queries as clock
from beffroi.base.kernel.errors import NotFound
from beffroi.base.territory.viewer import AGENTS, Viewer
from beffroi.sense.mobility import queries as mobility
from beffroi.serve.cases.definition import Access
from beffroi.serve.cases.questions import CODE, checked_answers
from beffroi.serve.cases.questions import ExtraField as ExtraField

ENGINE = "reports"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Helpline(_Frozen):
    """Whom to call, or to write to, before anything is asked. `urgent`: a danger that does not wait."""

    number: str = Field(pattern=r"^[0-9][0-9 ]*$", max_length=20)
    title: str = Field(min_length=2, max_length=80)
    description: str = Field(default="", max_length=160)
    sms: bool = False
    urgent: bool = False


class Matching(_Frozen):
    """How two kinds of reports look for each other: a lost animal and a found one."""

    counterpart: str = Field(pattern=CODE)
    key: str = Field(pattern=CODE)
    date: str = Field(default="", max_length=40)
    distance_m: int = Field(default=3000, ge=50, le=50_000)
    days: int = Field(default=30, ge=1, le=365)


class Obstacle(_Frozen):
    """A category whose reports fade: how long a temporary one stays without confirmation, how many « no longer there »
    of unknown people end it, and what kind of obstacle routes meet there (of ``mobility/obstacles.toml``; none: "").

    A town sets its own: see `obstacle_rules`."""

    temporary_days: int = Field(default=3, ge=1, le=60)
    gone_votes: int = Field(default=2, ge=1, le=20)
    route: str = ""
    # When it closes the way: at-once; confirmed, once `seen_votes` others saw it; trusted, once somebody the town
    # trusts did. Until then routes meet the kind `doubtful` in its place, which costs and closes nothing.
    counts: Literal["at-once", "confirmed", "trusted"] = "confirmed"
    seen_votes: int = Field(default=1, ge=1, le=20)
    doubtful: str = "passage-a-confirmer"

    @field_validator("route", "doubtful")
    @classmethod
    def _known_kind(cls, kind: str) -> str:
        kinds = [one.slug for one in mobility.kinds_of_obstacles()]
        if kind and kind not in kinds:
            raise ValueError(f"genre d’obstacle « {kind} » inconnu ; genres possibles : {', '.join(kinds)}")
        return kind


class Category(_Frozen):
    """One thing that can be reported, in plain words, and where it goes."""

    code: str = Field(pattern=CODE, max_length=60)
    label: str = Field(min_length=2, max_length=120)
    group: str = Field(default="", max_length=60)
    help: str = Field(default="", max_length=400)
    keywords: tuple[str, ...] = ()
    service: str = Field(pattern=CODE, max_length=50)
    due: str = ""
    photo: Literal["optional", "required", "none"] = "optional"
    access: Access = Access.PUBLIC
    publish: Literal["accepted", "at-once"] = "accepted"
    geometry: Literal["point", "zone"] = "point"
    object: str = Field(default="", max_length=100)
    reopen_days: int = Field(default=30, ge=0, le=365)
    duplicates_m: int = Field(default=50, ge=5, le=500)
    alert: bool = False
    agents_only: bool = False
    discreet: bool = False
    helpline: tuple[Helpline, ...] = ()
    matching: Matching | None = None
    obstacle: Obstacle | None = None
    field: tuple[ExtraField, ...] = ()

    @field_validator("due")
    @classmethod
    def _known_rule(cls, due: str) -> str:
        if due:
            try:
                clock.rule(due)
            except NotFound as error:
                raise ValueError(str(error)) from error
        return due

    @model_validator(mode="after")
    def _matching_key_is_asked(self) -> Category:
        if self.matching and self.matching.key not in {one.code for one in self.field if one.required}:
            raise ValueError(f"la catégorie « {self.code} » : « matching.key » nomme un champ obligatoire")
        return self

    @model_validator(mode="after")
    def _discreet_is_restricted(self) -> Category:
        if self.discreet and not self.restricted:
            raise ValueError(f'la catégorie « {self.code} » : « discreet » demande « access = "service" »')
        return self

    @property
    def restricted(self) -> bool:
        """Tell whether only its service may know of such reports."""
        return self.access is Access.SERVICE


class ReportsSettings(_Frozen):
    """The table of a use case: categories, tools of agents, or both."""

    category: tuple[Category, ...] = ()
    tools: tuple[Literal["triage", "work-orders", "visits", "counter"], ...] = ()

    @model_validator(mode="after")
    def _something(self) -> ReportsSettings:
        if not (self.category or self.tools):
            raise ValueError("ni catégorie ni outil : donnez au moins une table [[reports.category]]")
        codes = [one.code for one in self.category]
        if len(set(codes)) != len(codes):
            raise ValueError("deux catégories portent le même code")
        return self


class UnknownCategory(NotFound):
    """No category of that code is open here to this viewer."""


@dataclass(frozen=True, slots=True)
class OpenCategory:
    """A category with the use case that opened it."""

    use_case: str
    category: Category


def open_categories(territory: str) -> Mapping[str, OpenCategory]:
    """Return the categories of the use cases open in a commune, by code; of two of one code, the first use case's.

    One query; nothing here is cut to a viewer: see `categories_for`.
    """
    return _opened(
        territory, catalogue.states_stamp(), catalogue_engine.generation(), catalogue.catalogue().fingerprint
    )


@lru_cache(maxsize=256)
def _opened(territory: str, _stamp: int, _generation: int, _fingerprint: str) -> Mapping[str, OpenCategory]:
    found: dict[str, OpenCategory] = {}
    for view in catalogue.use_cases(territory=territory, engine_name=ENGINE, states=OPEN_STATES):
        settings = view.use_case.settings.get(ENGINE)
        if isinstance(settings, ReportsSettings):
            for one in settings.category:
                found.setdefault(one.code, OpenCategory(view.use_case.id, one))
    return found


def forget_categories() -> None:
    """Have the open categories read again at the next question."""
    _opened.cache_clear()


def categories_for(viewer: Viewer, territory: str, *, use_case: str = "") -> list[OpenCategory]:
    """Return the categories in which the viewer may report in a commune, in the order of their use cases.

    Restricted ones are offered to everyone: a squat is reported by neighbours. Only the agents' own are cut.
    """
    is_agent = AGENTS in viewer.clearances(territory)
    return [
        one
        for one in open_categories(territory).values()
        if (is_agent or not one.category.agents_only) and (not use_case or one.use_case == use_case)
    ]


def category_for(viewer: Viewer, territory: str, code: str) -> OpenCategory:
    """Return one category in which the viewer may report.

    Raises:
        UnknownCategory: there is none of that code, or it is the agents'.
    """
    found = open_categories(territory).get(code)
    if found is None or (found.category.agents_only and AGENTS not in viewer.clearances(territory)):
        raise UnknownCategory(
            "on ne peut rien signaler ici sous « {code} »",
            where="category",
            remedy="choisissez une catégorie de la liste",
            code=code[:60],
        )
    return found


def found_by_words(categories: list[OpenCategory], words: str) -> list[OpenCategory]:
    """Return the categories whose label, group, help or keywords hold every word, those whose label does first.

    >>> found_by_words([], "tag")
    []
    """
    wanted = folded(words).split()
    scored = []
    for place, one in enumerate(categories):
        label = folded(one.category.label)
        text = folded(" ".join((one.category.label, one.category.group, one.category.help, *one.category.keywords)))
        if all(word in text for word in wanted):
            scored.append((-sum(word in label for word in wanted), place, one))
    return [one for _, _, one in sorted(scored, key=lambda item: item[:2])]


def folded(text: str) -> str:
    """Return `text` in lower case without accents, for comparing words."""
    plain = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("’", "'"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).lower()


def checked_details(category: Category, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the answers to a category's questions as (public, private), each of its type.

    Raises:
        BadCase: one is missing, of the wrong type, or answers a question that is not asked.
    """
    return checked_answers(category.field, given, asker=category.label)
