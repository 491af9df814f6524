"""What a booking is to those who read it, and what can go wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from django.utils.formats import date_format

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.serve.cases.queries import CaseInfo

KIND = "booking"
ENGINE = "bookings"


class Result(StrEnum):
    """What the crew found on the day."""

    DONE = "done"
    ABSENT = "absent"  # nothing had been put out, nobody was there
    DIFFERENT = "different"  # not what had been declared


RESULT_TITLES: Mapping[Result, str] = {
    Result.DONE: gettext_noop("Enlevé"),
    Result.ABSENT: gettext_noop("Rien n’était déposé"),
    Result.DIFFERENT: gettext_noop("Pas ce qui était annoncé"),
}


class UnknownThing(NotFound):
    """Nothing of that name can be booked here."""


class BookingNotFound(NotFound):
    """No such booking, or none that the reader may know of."""


class BadBooking(BeffroiError):
    """What is asked is against the rules of the thing; the message says which."""


class TooMany(BeffroiError):
    """The person, the household or the network holds as many as it may."""

    http_status = 409


class Full(BeffroiError):
    """The place is taken; `nearest` are the nearest days that have one."""

    http_status = 409

    def __init__(self, day: date, nearest: Sequence[date]) -> None:
        super().__init__(
            gettext_noop("le {day} est complet") if nearest else gettext_noop("tout est complet, le {day} et ensuite"),
            where="day",
            remedy=gettext_noop("choisissez plutôt {days}")
            if nearest
            else gettext_noop("revenez dans quelques jours : des places se libèrent"),
            day=spoken(day),
            days=", ".join(map(spoken, nearest)),
        )
        self.nearest = tuple(nearest)


class TooLate(BeffroiError):
    """The term to move or to cancel has passed."""

    http_status = 409


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for: a day of a thing, where (CRS84 degrees), and the answers to its questions.

    `items` counts what is to be taken away by the code of its kind.
    """

    use_case: str
    day: date
    lon: float
    lat: float
    address: str = ""
    items: Mapping[str, int] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str = ""
    source: str = "web"


@dataclass(frozen=True, slots=True)
class BookingInfo:
    """A booking as one reader sees it, with the request it stands on. `items` are (label, how many)."""

    case: CaseInfo
    use_case: str
    title: str
    lane: str
    lane_name: str
    day: date
    starts_at: datetime
    address: str
    lon: float | None
    lat: float | None
    district: str
    items: tuple[tuple[str, int], ...]
    answers: tuple[tuple[str, str], ...]
    result: Result | None
    holds: bool
    change_until: datetime
    moved: int

    @property
    def number(self) -> str:
        """Return the number people quote."""
        return self.case.number

    def may_change(self, at: datetime) -> bool:
        """Tell whether the one who made it may still move it or give it up."""
        return self.case.is_open and (not self.holds or at <= self.change_until)


def spoken(day: date) -> str:
    """Return a day as people say it, in the language in force."""
    return date_format(day, "l j F", use_l10n=False)
