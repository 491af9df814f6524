"""What a booking by the hour is to those who read it, and what can go wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.formats import date_format

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.serve.bookings.definition import spoken
from beffroi.serve.cases.queries import CaseInfo

KIND = "slot"
QUARTER_S = 15 * 60
"""What time is kept in: no booking begins, ends or leaves a gap within a quarter of an hour."""


class Stage(StrEnum):
    """Where a booking by the hour stands."""

    CONFIRMED = "confirmed"
    TO_VALIDATE = "to-validate"  # its time is held, an agent has to say yes
    QUEUED = "queued"  # on the waiting list
    OFFERED = "offered"  # a freed time is kept for it until an hour said
    LOST = "lost"  # the town closed that time: another is to be chosen
    OVER = "over"  # past, refused or given up


STAGE_TITLES: Mapping[Stage, str] = {
    Stage.CONFIRMED: gettext_noop("Réservé"),
    Stage.TO_VALIDATE: gettext_noop("À valider par la mairie"),
    Stage.QUEUED: gettext_noop("Sur liste d’attente"),
    Stage.OFFERED: gettext_noop("Place libérée : à confirmer"),
    Stage.LOST: gettext_noop("À reporter : choisissez un créneau"),
    Stage.OVER: gettext_noop("Terminé"),
}


class Presence(StrEnum):
    """Whether one came."""

    PRESENT = "present"
    ABSENT = "absent"


PRESENCE_TITLES: Mapping[Presence, str] = {
    Presence.PRESENT: gettext_noop("Venu"),
    Presence.ABSENT: gettext_noop("Absent"),
}


class Deposit(StrEnum):
    """Where the deposit is. No card here: a cheque or cash, at the counter."""

    NONE = ""
    ASKED = "asked"
    RECEIVED = "received"
    RETURNED = "returned"
    KEPT = "kept"


DEPOSIT_TITLES: Mapping[Deposit, str] = {
    Deposit.NONE: gettext_noop("Sans caution"),
    Deposit.ASKED: gettext_noop("Caution demandée"),
    Deposit.RECEIVED: gettext_noop("Caution reçue"),
    Deposit.RETURNED: gettext_noop("Caution rendue"),
    Deposit.KEPT: gettext_noop("Caution retenue"),
}
DEPOSIT_AFTER: Mapping[Deposit, tuple[Deposit, ...]] = {
    Deposit.NONE: (),
    Deposit.ASKED: (Deposit.RECEIVED,),
    Deposit.RECEIVED: (Deposit.RETURNED, Deposit.KEPT, Deposit.ASKED),
    Deposit.RETURNED: (Deposit.RECEIVED,),
    Deposit.KEPT: (Deposit.RECEIVED,),
}
"""What may follow each state: the last of a row undoes a mistake."""

MODE_TITLES: Mapping[str, str] = {
    "visit": gettext_noop("Sur place"),
    "phone": gettext_noop("Par téléphone"),
    "video": gettext_noop("En visioconférence"),
}


class Taken(BeffroiError):
    """The time asked for is not free; `nearest` are free times near to it."""

    http_status = 409

    def __init__(self, starts: datetime, nearest: Sequence[datetime] = ()) -> None:
        super().__init__(
            gettext_noop("ce créneau, le {when}, n’est plus libre"),
            where="debut",
            remedy=gettext_noop("choisissez plutôt {times}")
            if nearest
            else gettext_noop("choisissez-en un autre, ou inscrivez-vous sur la liste d’attente"),
            when=spoken_hour(starts),
            times=", ".join(map(spoken_hour, nearest)),
        )
        self.nearest = tuple(nearest)


@dataclass(frozen=True, slots=True)
class SlotWish:
    """What somebody asks for: a place of a thing, from when to when, and the answers to its questions.

    `group` is the association one books for, `household` an address, when the rules count by them; `wait` asks to be
    put on the waiting list when it is taken.
    """

    use_case: str
    place: str
    starts: datetime
    ends: datetime
    tariff: str = ""
    people: int = 1
    mode: str = ""
    group: str = ""
    household: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    wait: bool = False
    idempotency_key: str = ""
    source: str = "web"


@dataclass(frozen=True, slots=True)
class SlotInfo:
    """A booking by the hour as one reader sees it. Amounts are euro cents; `code` is "" but when it may be shown."""

    case: CaseInfo
    use_case: str
    title: str
    place: str
    place_name: str
    address: str
    starts: datetime
    ends: datetime
    session: str
    link: str
    people: int
    mode: str
    group: str
    tariff: str
    price_cents: int
    paid: bool
    deposit_cents: int
    deposit: Deposit
    answers: tuple[tuple[str, str], ...]
    stage: Stage
    result: Presence | None
    change_until: datetime
    offered_until: datetime | None
    decide_by: datetime | None
    code: str
    code_from: datetime | None
    in_series: bool
    may_move: bool

    @property
    def number(self) -> str:
        """Return the number people quote."""
        return self.case.number

    def may_cancel(self, at: datetime) -> bool:
        """Tell whether the one who made it may still give it up."""
        free = self.stage in (Stage.TO_VALIDATE, Stage.QUEUED, Stage.OFFERED, Stage.LOST)
        return self.case.is_open and (free or at <= self.change_until)

    def may_change(self, at: datetime) -> bool:
        """Tell whether the one who made it may still take another time."""
        return self.may_move and self.stage is not Stage.QUEUED and self.may_cancel(at)


def spoken_hour(at: datetime) -> str:
    """Return an instant of a town as people say it, in the language in force."""
    return f"{spoken(at.date())} {date_format(at, 'H:i', use_l10n=False)}"


def quarter_of(at: datetime) -> int:
    """Return the quarter of an hour an instant is in, counted from 1970 (UTC).

    >>> from datetime import UTC
    >>> quarter_of(datetime(2026, 3, 2, 10, 29, tzinfo=UTC)) - quarter_of(datetime(2026, 3, 2, 10, 0, tzinfo=UTC))
    1
    """
    return int(at.timestamp()) // QUARTER_S
