"""The words of a request's life: its states, its outcomes, who may see it, what may follow what. Knows no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.sentences import gettext_noop


class Status(StrEnum):
    """Where a request stands."""

    HELD = "held"  # put aside as doubtful: seen by its service only, until someone looks
    RECEIVED = "received"
    ACCEPTED = "accepted"
    WAITING = "waiting"  # a question was put to the requester
    SCHEDULED = "scheduled"
    CLOSED = "closed"
    JOINED = "joined"  # followed with another request, its lead: what happens to the lead happens to it


STATUS_TITLES: Mapping[Status, str] = {
    Status.HELD: gettext_noop("À vérifier"),
    Status.RECEIVED: gettext_noop("Reçu"),
    Status.ACCEPTED: gettext_noop("Pris en charge"),
    Status.WAITING: gettext_noop("En attente de votre réponse"),
    Status.SCHEDULED: gettext_noop("Intervention prévue"),
    Status.CLOSED: gettext_noop("Clos"),
    Status.JOINED: gettext_noop("Suivi avec une autre demande"),
}

OPEN = (Status.RECEIVED, Status.ACCEPTED, Status.WAITING, Status.SCHEDULED)
"""The states in which the town still owes something."""

FOLLOWING: Mapping[Status, frozenset[Status]] = {
    Status.HELD: frozenset({Status.CLOSED}),
    Status.RECEIVED: frozenset(
        {Status.HELD, Status.ACCEPTED, Status.WAITING, Status.SCHEDULED, Status.CLOSED, Status.JOINED}
    ),
    Status.ACCEPTED: frozenset({Status.WAITING, Status.SCHEDULED, Status.CLOSED, Status.JOINED}),
    Status.WAITING: frozenset({Status.ACCEPTED, Status.SCHEDULED, Status.CLOSED, Status.JOINED}),
    Status.SCHEDULED: frozenset({Status.ACCEPTED, Status.WAITING, Status.SCHEDULED, Status.CLOSED, Status.JOINED}),
    Status.CLOSED: frozenset(),
    Status.JOINED: frozenset(),
}
"""What may follow each state; one comes back from held, closed and joined by an operation of its own."""

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The due date of what has none: kept as a date so that the queue is read in the order of its index."""


class Outcome(StrEnum):
    """How a request ended."""

    DONE = "done"
    REFUSED = "refused"
    ELSEWHERE = "elsewhere"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    ABUSE = "abuse"


OUTCOME_TITLES: Mapping[Outcome, str] = {
    Outcome.DONE: gettext_noop("Réglé"),
    Outcome.REFUSED: gettext_noop("Sans suite"),
    Outcome.ELSEWHERE: gettext_noop("Transmis à un autre organisme"),
    Outcome.WITHDRAWN: gettext_noop("Retiré par son auteur"),
    Outcome.EXPIRED: gettext_noop("Arrivé à son terme"),
    Outcome.ABUSE: gettext_noop("Écarté (abus)"),
}


class Access(StrEnum):
    """Who may know that a request exists, beside those who made it."""

    PUBLIC = "public"
    AGENTS = "agents"  # the agents of the territory
    SERVICE = "service"  # the agents of its service only


class Sight(IntEnum):
    """How much of a request a reader sees; each sees what the ones before see."""

    NOTHING = 0
    PUBLIC = 1
    AGENT = 2  # an agent of the town, not of the service: reads, without contacts
    PARTY = 3  # one who made or follows it: her own thread too
    WORKER = 4  # an agent of the service in charge: everything, and may act


class Audience(StrEnum):
    """Who reads a message or an attachment."""

    PUBLIC = "public"
    PARTIES = "parties"
    INTERNAL = "internal"


class MandateKind(StrEnum):
    """By what right one files for somebody else."""

    COUNTER = "counter"  # an agent at the counter
    PHONE = "phone"  # an agent who answers the telephone
    MAIL = "mail"  # an agent who types in a letter
    POSTMAN = "postman"  # a postman on her round
    RELATIVE = "relative"  # a relative or a carer with a written mandate
    SOCIAL_WORKER = "social-worker"  # Aidants Connect and the like


MANDATE_TITLES: Mapping[MandateKind, str] = {
    MandateKind.COUNTER: gettext_noop("Au guichet"),
    MandateKind.PHONE: gettext_noop("Par téléphone"),
    MandateKind.MAIL: gettext_noop("Par courrier"),
    MandateKind.POSTMAN: gettext_noop("Par le facteur"),
    MandateKind.RELATIVE: gettext_noop("Par un proche mandaté"),
    MandateKind.SOCIAL_WORKER: gettext_noop("Par un aidant professionnel"),
}
AGENT_MANDATES = frozenset({MandateKind.COUNTER, MandateKind.PHONE, MandateKind.MAIL})


class CaseNotFound(NotFound):
    """No such request, or none that the reader may know of; both are told alike."""


class BadCase(BeffroiError):
    """What was sent cannot be kept; the message names the field."""


class BadMove(BeffroiError):
    """The request cannot go from where it stands to there."""

    http_status = 409


class AlreadySent(BeffroiError):
    """An idempotency key was used before, for something else."""

    http_status = 409


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks. All may be empty: an anonymous request is followed by its token alone."""

    person: int | None = None
    name: str = ""
    email: str = ""
    phone: str = ""
    language: str = "fr"


@dataclass(frozen=True, slots=True)
class Mandate:
    """By whom (person number) and by what right a request is filed for its requester; `reference` names the paper."""

    kind: MandateKind
    by: int
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent; its name and its type are not believed."""

    name: str
    content: bytes
    audience: Audience = Audience.PUBLIC
    purpose: str = "photo"


def case_not_found() -> CaseNotFound:
    """Return the error told alike of what does not exist and of what the reader may not know."""
    return CaseNotFound(
        "cette demande n’existe pas ou ne vous est pas accessible",
        remedy="vérifiez son numéro, ou ouvrez-la par le lien de suivi reçu à l’envoi",
    )
