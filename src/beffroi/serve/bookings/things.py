"""What can be booked: the `[bookings]` table of a use case file, and what a commune has opened.

[bookings]
service      = "proprete"
sectors      = "quartier"          # the kind of zones that share the days; "" for one turn in the whole town
capacity     = 12                  # places by sector and day
days         = ["tu", "th"]        # the days of every sector…
turns        = true                # …shared out in turn between the sectors, by name
holidays     = "closed"            # closed, open
starts       = "06:00"             # the town's hour from which one must be ready
notice_hours = 48                  # one books until so long before
cancel_hours = 24                  # one moves or gives up until so long before
ahead_days   = 60
most_open    = 1                   # bookings a person may hold at once (by account, e-mail or telephone)
most_at_address = 0                # …and an address; 0: no such rule, for a block of flats has one
most_a_year  = 4                   # 0: no such rule
most_items   = 5
reminder_days = [1]
instructions = "Sortez vos objets la veille après 20 h."
excluded      = "Gravats, pneus, peinture : à la déchèterie."

[[bookings.item]]
code  = "matelas"
label = "Matelas ou sommier"
most  = 2

[[bookings.field]]                 # the questions, as those of a report (`cases.questions`)
code  = "depot"
label = "Où les laissez-vous ?"

[[bookings.sector]]                # one sector whose week is its own
slug  = "centre"
days  = ["mo"]
capacity = 20

[[bookings.except]]                # days that are not as the others, every year (MM-DD) or once (YYYY-MM-DD)
day      = "12-24"
capacity = 0
label    = "Veille de Noël"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, time
from typing import Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES, UseCase
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.serve.bookings.definition import ENGINE, UnknownThing
from beffroi.serve.cases.questions import CODE, ExtraField

Weekday = Literal["mo", "tu", "we", "th", "fr", "sa", "su"]
WEEK: tuple[Weekday, ...] = ("mo", "tu", "we", "th", "fr", "sa", "su")


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Item(_Frozen):
    """One kind of thing that a booking may bring, and how many of it."""

    code: str = Field(pattern=CODE, max_length=40)
    label: str = Field(min_length=2, max_length=80)
    most: int = Field(default=5, ge=1, le=50)


class SectorWeek(_Frozen):
    """The week of one sector, when it is its own."""

    slug: str = Field(pattern=CODE, max_length=100)
    days: tuple[Weekday, ...] = ()
    capacity: int | None = Field(default=None, ge=0, le=1000)


class OtherDay(_Frozen):
    """A day unlike the others, each year or once."""

    day: str
    capacity: int = Field(default=0, ge=0, le=1000)
    label: str = Field(min_length=2, max_length=200)

    @field_validator("day")
    @classmethod
    def _is_a_day(cls, day: str) -> str:
        # 2024 has a 29 February.
        whole = f"2024-{day}" if re.fullmatch(r"\d\d-\d\d", day) else day
        try:
            date.fromisoformat(whole)
        except ValueError as error:
            raise ValueError(
                f"« {day} » n’est pas un jour ; écrivez 12-24, ou 2026-12-24 pour une seule fois"
            ) from error
        return day

    def is_on(self, day: date) -> bool:
        """Tell whether it is that day."""
        return day.isoformat().endswith(self.day)


class BookingsSettings(_Frozen):
    """The rules of a thing, the same for everybody."""

    service: str = Field(pattern=CODE, max_length=50)
    sectors: str = Field(default="quartier", max_length=20)
    capacity: int = Field(default=10, ge=1, le=1000)
    days: tuple[Weekday, ...] = Field(min_length=1)
    turns: bool = False
    holidays: Literal["closed", "open"] = "closed"
    starts: time = time(6)
    notice_hours: int = Field(default=48, ge=0, le=24 * 60)
    cancel_hours: int = Field(default=24, ge=0, le=24 * 60)
    ahead_days: int = Field(default=60, ge=1, le=366)
    most_open: int = Field(default=1, ge=1, le=50)
    most_at_address: int = Field(default=0, ge=0, le=500)
    most_a_year: int = Field(default=0, ge=0, le=366)
    most_items: int = Field(default=5, ge=1, le=100)
    reminder_days: tuple[int, ...] = (1,)
    instructions: str = Field(default="", max_length=600)
    excluded: str = Field(default="", max_length=600)
    item: tuple[Item, ...] = ()
    field: tuple[ExtraField, ...] = ()
    sector: tuple[SectorWeek, ...] = ()
    except_: tuple[OtherDay, ...] = Field(default=(), alias="except")

    @model_validator(mode="after")
    def _codes_are_unique(self) -> BookingsSettings:
        for what, codes in (
            ("objets", [one.code for one in self.item]),
            ("questions", [one.code for one in self.field]),
            ("secteurs", [one.slug for one in self.sector]),
        ):
            if len(set(codes)) != len(codes):
                raise ValueError(f"deux {what} portent le même code")
        if any(not 0 <= days <= self.ahead_days for days in self.reminder_days):
            raise ValueError("« reminder_days » : un rappel part avant le jour dit, et après la réservation")
        return self


class Bookable(Protocol):
    """Something that a use case lets one book."""

    @property
    def use_case(self) -> str:
        """The identifier of its use case."""


R = TypeVar("R", bound=BaseModel)
T = TypeVar("T", bound=Bookable)


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that can be booked: its use case, its title, its rules."""

    use_case: str
    title: str
    rules: BookingsSettings


def things_of(found: Iterable[UseCase], rules: type[R], thing: Callable[[str, str, R], T]) -> list[T]:
    """Return what use cases let one book by rules of one sort, in their order."""
    known = ((one, one.settings.get(ENGINE)) for one in found)
    return [thing(one.id, one.title, said) for one, said in known if isinstance(said, rules)]


def open_use_cases(territory: str) -> list[UseCase]:
    """Return the use cases by which something is booked in a commune, in their order; one query."""
    if not territory:
        return []
    views = catalogue.use_cases(territory=territory, engine_name=ENGINE, states=OPEN_STATES)
    return [view.use_case for view in views]


def known_use_cases(use_case: str) -> list[UseCase]:
    """Return a use case whatever its state, none where no file of this installation declares it any more."""
    found = catalogue.catalogue().use_cases.get(use_case)
    return [found] if found else []


def the_one(things: Iterable[T], use_case: str) -> T:
    """Return the thing of a use case.

    Raises:
        UnknownThing: it is not among them.
    """
    for one in things:
        if one.use_case == use_case:
            return one
    raise UnknownThing(
        gettext_noop("on ne peut rien réserver ici sous « {code} »"),
        where="use_case",
        remedy=gettext_noop("choisissez dans la liste des réservations"),
        code=use_case[:40],
    )


def open_things(territory: str) -> list[Thing]:
    """Return what can be booked in a commune, in the order of the use cases; one query."""
    return things_of(open_use_cases(territory), BookingsSettings, Thing)


def open_thing(territory: str, use_case: str) -> Thing:
    """Return one thing that can be booked in a commune.

    Raises:
        UnknownThing: none of that name is open there.
    """
    return the_one(open_things(territory), use_case)


def known_thing(use_case: str) -> Thing:
    """Return a thing whatever its state: what was booked stays readable once a town has retired it.

    Raises:
        UnknownThing: no file of this installation declares it any more.
    """
    return the_one(things_of(known_use_cases(use_case), BookingsSettings, Thing), use_case)
