"""What is booked by the hour: the `[bookings]` table of a use case file that has places; see docs/rooms/bookings.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from beffroi.base.clock.opening import BadHours, opening_rules
from beffroi.serve.bookings.things import WEEK, Weekday, known_use_cases, open_use_cases, the_one, things_of
from beffroi.serve.cases.questions import CODE, ExtraField

QUARTER = 15
During = Literal["always", "school", "holidays"]
Mode = Literal["visit", "phone", "video"]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(_Frozen):
    """What is taken: a room, a court, an adviser, a bay; `places` may be taken at the same time."""

    slug: str = Field(pattern=CODE, max_length=60)
    label: str = Field(min_length=2, max_length=120)
    address: str = Field(default="", max_length=200)
    lon: float | None = None
    lat: float | None = None
    places: int = Field(default=1, ge=1, le=500)
    people: int = Field(default=0, ge=0, le=5000)
    equipment: tuple[str, ...] = ()
    about: str = Field(default="", max_length=400)


class _Dated(_Frozen):
    since: date | None = None
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Tell whether it is in force on a day."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


class Opening(_Dated):
    """Hours (``opening_hours``), always, when there is school or not; of some places, or of all."""

    hours: str
    during: During = "always"
    places: tuple[str, ...] = ()

    @field_validator("hours")
    @classmethod
    def _is_read(cls, hours: str) -> str:
        try:
            opening_rules(hours)
        except BadHours as error:
            raise ValueError(str(error)) from error
        return hours


class Session(_Dated):
    """What takes place each week at an hour and has so many places: a workshop, a course."""

    title: str = Field(min_length=2, max_length=120)
    place: str = Field(pattern=CODE)
    day: Weekday
    starts: time
    minutes: int = Field(ge=QUARTER, le=24 * 60, multiple_of=QUARTER)
    places: int = Field(default=10, ge=1, le=500)
    who: str = Field(default="", max_length=60)
    link: str = Field(default="", max_length=200)
    during: During = "always"


class Tariff(_Dated):
    """A price in euro cents, by the hour or at once, and a deposit; of one `code`, the last in force is meant."""

    code: str = Field(pattern=CODE, max_length=30)
    label: str = Field(min_length=2, max_length=80)
    hour_cents: int = Field(default=0, ge=0, le=10_000_00)
    flat_cents: int = Field(default=0, ge=0, le=100_000_00)
    deposit_cents: int = Field(default=0, ge=0, le=100_000_00)
    on_paper: str = Field(default="", max_length=200)
    group: bool = False


class Span(_Frozen):
    """Days from `first` to `last`, both in, and what they are; of some places, or of all."""

    first: date
    last: date
    label: str = Field(min_length=2, max_length=120)
    places: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"« {self.label} » : le dernier jour est avant le premier")
        return self


class SlotSettings(_Frozen):
    """The rules of what is booked by the hour, the same for everybody."""

    service: str = Field(pattern=CODE, max_length=50)
    unit: Literal["slot", "free", "session"] = "slot"
    slot_minutes: int = Field(default=60, ge=QUARTER, le=24 * 60, multiple_of=QUARTER)
    step_minutes: int = Field(default=30, ge=QUARTER, le=24 * 60, multiple_of=QUARTER)
    least_minutes: int = Field(default=60, ge=QUARTER, le=72 * 60, multiple_of=QUARTER)
    most_minutes: int = Field(default=240, ge=QUARTER, le=72 * 60, multiple_of=QUARTER)
    margin_minutes: int = Field(default=0, ge=0, le=12 * 60, multiple_of=QUARTER)
    notice_minutes: int = Field(default=60, ge=0, le=90 * 24 * 60)
    cancel_hours: int = Field(default=24, ge=0, le=90 * 24)
    ahead_days: int = Field(default=14, ge=1, le=550)
    opens_at: time = time(8)
    most_future: int = Field(default=2, ge=0, le=100)
    most_hours_week: float = Field(default=0, ge=0, le=168)
    most_absences: int = Field(default=0, ge=0, le=50)
    per: Literal["person", "household"] = "person"
    validation: Literal["auto", "agent"] = "auto"
    validate_days: int = Field(default=3, ge=1, le=60)
    waiting_hours: int = Field(default=0, ge=0, le=168)
    remind_hours: int = Field(default=24, ge=0, le=168)
    code_digits: int = Field(default=0, ge=0, le=10)
    code_before_minutes: int = Field(default=60, ge=0, le=24 * 60)
    modes: tuple[Mode, ...] = ()
    video_url: str = Field(default="", max_length=200)
    papers: tuple[str, ...] = ()
    instructions: str = Field(default="", max_length=600)
    house_rules: tuple[str, ...] = ()
    place: tuple[Place, ...] = Field(min_length=1)
    opening: tuple[Opening, ...] = ()
    session: tuple[Session, ...] = ()
    tariff: tuple[Tariff, ...] = ()
    closure: tuple[Span, ...] = ()
    school_holiday: tuple[Span, ...] = ()
    field: tuple[ExtraField, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        known = [one.slug for one in self.place]
        if len(set(known)) != len(known):
            raise ValueError("deux lieux portent le même code")
        named = [slug for opening in self.opening for slug in opening.places]
        named += [slug for span in self.closure for slug in span.places]
        for slug in (*named, *(session.place for session in self.session)):
            if slug not in known:
                raise ValueError(f"« {slug} » n’est pas un lieu de ce fichier ; il y a {', '.join(known)}")
        if (self.unit == "session") != bool(self.session):
            raise ValueError("« session » : des séances si l’unité est « session », et alors seulement")
        if self.unit != "session" and not self.opening:
            raise ValueError("il manque les heures : ajoutez [[bookings.opening]]")
        if self.least_minutes > self.most_minutes:
            raise ValueError("« least_minutes » dépasse « most_minutes »")
        during = [one.during for one in self.opening] + [one.during for one in self.session]
        needs_calendar = any(one != "always" for one in during)
        if needs_calendar and not self.school_holiday:
            raise ValueError("« during » demande les vacances : ajoutez [[bookings.school_holiday]]")
        return self

    @property
    def cancel_days(self) -> int:
        """Return the term to give up in days, 0 when it is rather said in hours."""
        return self.cancel_hours // 24 if self.cancel_hours >= 48 and not self.cancel_hours % 24 else 0

    def place_of(self, slug: str) -> Place:
        """Return a place; one that is gone from the file keeps its code as its name."""
        gone = Place(slug="lieu", label=slug if len(slug) > 1 else f"« {slug} »")
        return next((one for one in self.place if one.slug == slug), gone)

    def tariffs_on(self, day: date) -> list[Tariff]:
        """Return the tariffs in force on a day, the last of each code, in the order of the file."""
        found: dict[str, Tariff] = {}
        for one in sorted(self.tariff, key=lambda one: one.since or date.min):
            if one.holds_on(day):
                found[one.code] = one
        order = list(dict.fromkeys(one.code for one in self.tariff))
        return [found[code] for code in order if code in found]


@dataclass(frozen=True, slots=True)
class SlotThing:
    """Something booked by the hour: its use case, its title, its rules."""

    use_case: str
    title: str
    rules: SlotSettings

    @property
    def equipment(self) -> list[str]:
        """Return what its places offer, once each, by name."""
        return sorted({one for place in self.rules.place for one in place.equipment})


def open_slot_things(territory: str) -> list[SlotThing]:
    """Return what is booked by the hour in a commune, in the order of the use cases; one query."""
    return things_of(open_use_cases(territory), SlotSettings, SlotThing)


def open_slot_thing(territory: str, use_case: str) -> SlotThing:
    """Return one thing booked by the hour in a commune.

    Raises:
        UnknownThing: none of that name is open there.
    """
    return the_one(open_slot_things(territory), use_case)


def known_slot_thing(use_case: str) -> SlotThing:
    """Return a thing whatever its state: what was booked stays readable once a town has retired it.

    Raises:
        UnknownThing: no file of this installation declares it any more.
    """
    return the_one(things_of(known_use_cases(use_case), SlotSettings, SlotThing), use_case)


def weekday_of(day: Weekday) -> int:
    """Return the number of a day of the week, Monday being 0."""
    return WEEK.index(day)
