"""What a payment gateway is to this room: it opens an operation, and says what has become of it. It decides nothing.

A notification is only a hint: whatever comes by the network, `paying` asks the gateway itself. No number of a card
ever passes here: the person pays on the gateway's own page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from beffroi.base.kernel.errors import BeffroiError
from beffroi.serve.payments.definition import RegisterInfo


class GatewayDown(BeffroiError):
    """The gateway does not answer, or not what it should: ask again later."""

    http_status = 503


class GatewayRefusal(BeffroiError):
    """The gateway read the order and refuses it: its own code and words are told."""

    http_status = 409


class Outcome(StrEnum):
    """What a gateway says of an operation. UNKNOWN: it has forgotten it, and nothing was paid."""

    PAID = "paid"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    WAITING = "waiting"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be paid: `reference` is ours, six to thirty letters and digits; the gateway gives it back."""

    reference: str
    cents: int
    subject: str
    email: str
    year: int
    notify_url: str
    return_url: str
    register: RegisterInfo


@dataclass(frozen=True, slots=True)
class Started:
    """An operation opened: its name at the gateway, and the page where the person pays."""

    operation: str
    url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway says: `cents` paid, by which `way` (a key of `WAYS`), on which day; `code` is its own word.

    `why` is not empty when the answer is about something else than the order: another reference, client or mode.
    """

    outcome: Outcome
    code: str = ""
    cents: int = 0
    way: str = ""
    day: date | None = None
    authorisation: str = ""
    reference: str = ""
    why: str = ""


class Gateway(Protocol):
    """One gateway."""

    def start(self, order: Order, *, at: datetime) -> Started:
        """Open an operation.

        Raises:
            GatewayDown: it does not answer.
            GatewayRefusal: it refuses the order.
        """

    def ask(self, operation: str, register: RegisterInfo) -> Answer:
        """Return what has become of an operation; asking changes nothing.

        Raises:
            GatewayDown: it does not answer.
        """

    def page_of(self, operation: str) -> str:
        """Return the page where the person pays an operation."""


def gateway_named(name: str) -> Gateway:
    """Return a gateway.

    Raises:
        GatewayDown: no such gateway, or none.
    """
    from beffroi.serve.payments.gateways.payfip import PayFiP
    from beffroi.serve.payments.gateways.sandbox import Sandbox

    known: dict[str, type[PayFiP] | type[Sandbox]] = {"payfip": PayFiP, "sandbox": Sandbox}
    if name not in known:
        raise GatewayDown("cette régie n’a pas de paiement en ligne", remedy="payez par un autre moyen")
    return known[name]()
