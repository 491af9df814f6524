"""What a use case file says once read: plain values, no Django."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.sentences import gettext_noop


class State(StrEnum):
    """The life of a use case in one commune."""

    DRAFT = "draft"
    PILOT = "pilot"
    LIVE = "live"
    RETIRED = "retired"


STATE_TITLES: dict[State, str] = {
    State.DRAFT: gettext_noop("En préparation"),
    State.PILOT: gettext_noop("En pilote"),
    State.LIVE: gettext_noop("En service"),
    State.RETIRED: gettext_noop("Retiré"),
}

OPEN_STATES = frozenset({State.PILOT, State.LIVE})
"""States in which residents find the use case."""


class Audience(StrEnum):
    """Whom a use case is for."""

    RESIDENT = "citoyen"
    AGENT = "agent"
    ELECTED = "elu"


AUDIENCE_TITLES: dict[Audience, str] = {
    Audience.RESIDENT: gettext_noop("Habitants"),
    Audience.AGENT: gettext_noop("Agents"),
    Audience.ELECTED: gettext_noop("Élus"),
}


@dataclass(frozen=True, slots=True)
class Example:
    """One worked example of a use case, which is also its test: what is done, what must come of it."""

    number: int
    when: Mapping[str, Any]
    then: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Theme:
    """One of the themes that residents browse by; `workshop` is the number of the workshop it came from."""

    slug: str
    title: str
    workshop: int
    description: str = ""


@dataclass(frozen=True, slots=True)
class UseCase:
    """One file of the catalogue, valid. `settings` holds each engine's table, as its schema made it.

    `state` is the file's own; a commune may have chosen another (see `queries.state_of`). `need` says in one plain
    sentence what people need; `promise` what they get. `source` names the file, for messages.
    A draft may leave out the table of an engine that asks for settings: `unset` names those, and it stays a draft.
    """

    id: str
    slug: str
    title: str
    workshop: int
    audience: tuple[Audience, ...]
    engine: str
    state: State
    also: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    need: str = ""
    promise: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    source: str = ""
    local: bool = False
    unset: tuple[str, ...] = ()

    @property
    def engines(self) -> tuple[str, ...]:
        """Return the main engine and the others it draws on."""
        return (self.engine, *self.also)


class BrokenUseCase(BeffroiError):
    """A file of the catalogue cannot be used; the others can."""


class UseCaseNotFound(NotFound):
    """No use case has this id."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every valid use case by id, in the order of the workshops, and one problem per reason a file was left out."""

    use_cases: Mapping[str, UseCase]
    themes: Mapping[str, Theme]
    problems: tuple[BrokenUseCase, ...] = ()
    fingerprint: str = ""

    def use_case(self, use_case_id: str) -> UseCase:
        """Return one use case.

        Raises:
            UseCaseNotFound: no valid file has this id.
        """
        found = self.use_cases.get(use_case_id)
        if found is None:
            raise UseCaseNotFound(
                "aucun usage ne porte l’identifiant « {id} »",
                remedy="la liste des usages est à l’adresse /api/catalogue",
                id=use_case_id[:40],
            )
        return found
