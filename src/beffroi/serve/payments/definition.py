"""What a bill is to those who read it, and what can go wrong. Money is whole cents of euro, never a float."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.money import euros as euros
from beffroi.base.kernel.sentences import gettext_noop

TITLE_FLOOR_CENTS = 1500
"""Below this a « titre » is not put into recovery (CGCT, art. D1611-1)."""

APPEAL_MONTHS = 2
"""Months to contest what is owed before the judge (CGCT, art. L1617-5, 1° ; code de justice administrative, R421-1)."""

REGIE, TITRE = "regie", "titre"
KINDS = {
    REGIE: gettext_noop("Facture d’une régie de recettes"),
    TITRE: gettext_noop("Avis des sommes à payer"),
}

WAYS = {
    "especes": gettext_noop("Espèces"),
    "cheque": gettext_noop("Chèque"),
    "prelevement": gettext_noop("Prélèvement"),
    "virement": gettext_noop("Virement"),
    "cesu": gettext_noop("CESU ou ticket"),
    "carte": gettext_noop("Carte, en ligne"),
    "prelevement-unique": gettext_noop("Prélèvement unique, en ligne"),
    "bac-a-sable": gettext_noop("Bac à sable (aucun argent)"),
}
"""How money comes: the first five at the counter or by post, the others through a gateway."""

OFFLINE = ("especes", "cheque", "prelevement", "virement", "cesu")

MATCHED, TO_COUNT, AMOUNT, TWICE, UNKNOWN = "matched", "to-count", "amount", "twice", "unknown"
VERDICTS = {
    MATCHED: (gettext_noop("Rapproché"), "good"),
    TO_COUNT: (gettext_noop("Facture reconnue, paiement à enregistrer"), "warn"),
    AMOUNT: (gettext_noop("Le montant n’est pas celui du paiement"), "bad"),
    TWICE: (gettext_noop("Ce paiement est déjà rapproché d’une autre ligne"), "bad"),
    UNKNOWN: (gettext_noop("Référence inconnue"), "bad"),
}
"""What a line of the bank is beside the ledger."""


class BadBill(BeffroiError):
    """A bill, a payment or a deposit cannot be made as asked."""


class BillNotFound(NotFound):
    """No such bill, family or payment, or the reader may not know that there is."""


class ChangedMeanwhile(BeffroiError):
    """What was looked at is no longer so."""

    http_status = 409


class Unbalanced(Exception):
    """The legs of an entry do not sum to zero: a mistake of ours, never of who reads."""


def cents_of(text: str) -> int:
    """Return the cents of an amount as one types it.

    >>> [cents_of(text) for text in ("12", "12,4", "1 234.05 €", "-0,90")]
    [1200, 1240, 123405, -90]

    Raises:
        BadBill: it is no amount of euros and cents.
    """
    plain = text.replace("€", "").replace("\u202f", "").replace("\u00a0", "").replace(" ", "").replace(",", ".")
    whole, dot, rest = plain.removeprefix("-").partition(".")
    digits = (whole + rest).isascii() and whole.isdigit() and (not dot or (rest.isdigit() and len(rest) <= 2))
    if not digits or len(whole) > 9:
        raise BadBill("« {text} » n’est pas un montant", remedy="écrivez des euros et des centimes : 12,40",
                      text=text[:30])  # fmt: skip
    cents = int(whole) * 100 + int(rest.ljust(2, "0") or "0")
    return -cents if plain.startswith("-") else cents


def first_of_month(text: str) -> date:
    """Return the first day of a month written as ``2026-10`` or ``10/2026``.

    >>> first_of_month("10/2026") == first_of_month("2026-10") == date(2026, 10, 1)
    True

    Raises:
        BadBill: it is no month.
    """
    parts = text.strip().replace("/", "-").split("-")
    if len(parts) == 2 and len(parts[1]) == 4:
        parts.reverse()
    try:
        year, month = (int(part) for part in parts)
        if not 2000 <= year <= 2100:
            raise ValueError(year)
        return date(year, month, 1)
    except ValueError as error:
        raise BadBill("« {text} » n’est pas un mois", remedy="écrivez-le 2026-10", text=text[:30]) from error


@dataclass(frozen=True, slots=True)
class RegisterInfo:
    """The régie, or the public accountant's title, under which bills are sent: what they must say."""

    id: int
    territory: str
    slug: str
    title: str
    kind: str
    issuer: str
    address: str
    ways: str
    court: str
    gateway: str
    payfip_client: str
    payfip_mode: str


@dataclass(frozen=True, slots=True)
class FamilyInfo:
    """A family that is billed; `quotient` is its family quotient in whole euros, None while unknown."""

    id: int
    reference: str
    name: str
    email: str
    address: str
    quotient: int | None
    is_outside: bool
    credit_cents: int = 0
    members: int = 0


@dataclass(frozen=True, slots=True)
class LineInfo:
    """One line of a bill: units may be negative when it corrects a month already billed."""

    month: date
    child: str
    service: str
    title: str
    unit: str
    units: int
    price_cents: int
    amount_cents: int
    is_correction: bool


@dataclass(frozen=True, slots=True)
class MoveInfo:
    """What happened to a bill: sent, paid, credited, cancelled; `cents` is what it changed of what is due."""

    at: datetime
    kind: str
    cents: int
    way: str
    reason: str
    entry: int
    day: date
    reference: str


@dataclass(frozen=True, slots=True)
class BillInfo:
    """A bill. `due_cents` is what is still owed, derived from the ledger; negative totals are credits."""

    id: int
    number: str
    territory: str
    family_id: int
    family: str
    month: date
    issued_on: date
    due_on: date
    total_cents: int
    due_cents: int
    is_cancelled: bool
    register: RegisterInfo
    addressee: str = ""
    address: str = ""
    lines: tuple[LineInfo, ...] = ()
    moves: tuple[MoveInfo, ...] = ()

    @property
    def total(self) -> str:
        """Return the total as one reads it."""
        return euros(self.total_cents)

    @property
    def due(self) -> str:
        """Return what is still owed as one reads it."""
        return euros(self.due_cents)

    @property
    def is_credit(self) -> bool:
        """Tell whether the town owes the family."""
        return self.total_cents < 0

    def is_late(self, day: date) -> bool:
        """Tell whether something is still owed after the due day."""
        return self.due_cents > 0 and day > self.due_on
