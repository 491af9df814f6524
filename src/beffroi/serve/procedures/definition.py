"""The words of a procedure under way: what a request is to those who read it, and what can go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.sentences import Sentence
from beffroi.serve.cases.queries import CaseInfo
from beffroi.serve.procedures.declaration import Procedure

KIND = "procedure"


class UnknownProcedure(NotFound):
    """No procedure of that name is open in the town."""


class DraftGone(NotFound):
    """A draft does not exist, was sent, or its time has passed."""


class TooManyDrafts(BeffroiError):
    """Too many forms were begun from one place."""

    http_status = 429


class BadDecision(BeffroiError):
    """An agent's decision cannot be taken as asked; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class OpenProcedure:
    """A procedure with the use case that opened it."""

    use_case: str
    title: str
    need: str
    themes: tuple[str, ...]
    procedure: Procedure


@dataclass(frozen=True, slots=True)
class SilenceInfo:
    """What silence is worth for one request. `day` is None while the town waits for a piece that stops the count."""

    means: Literal["accord", "rejet"]
    day: date | None
    article: str
    because: str

    def has_come(self, today: date) -> bool:
        """Tell whether the time has passed without a decision."""
        return self.day is not None and today > self.day


@dataclass(frozen=True, slots=True)
class FeeInfo:
    """What a request will cost, as it was told: one unit, how it was reached, by what text.

    `basis` tells what the number it goes by rests on: ``checked`` by the service, ``proof`` (a document came with it),
    ``told`` (the word of who asks), ``unknown``.
    """

    label: str
    cents: int
    unit: str
    steps: tuple[Sentence, ...]
    article: str
    to_check: str
    basis: Literal["checked", "proof", "told", "unknown"]


@dataclass(frozen=True, slots=True)
class PieceInfo:
    """A document asked for after the sending. `until` is the last day given to bring it."""

    id: int
    code: str
    label: str
    asked_at: datetime
    until: date
    supplied_at: datetime | None


@dataclass(frozen=True, slots=True)
class CertificateInfo:
    """A document the town handed out, as whoever holds its code may check it."""

    code: str
    territory: str
    title: str
    number: str
    issued_at: datetime
    valid_until: date | None
    digest: str
    signature: str
    facts: tuple[tuple[str, str], ...]
    withdrawn_at: datetime | None
    withdrawn_because: str

    def is_valid(self, today: date) -> bool:
        """Tell whether it still stands."""
        return self.withdrawn_at is None and (self.valid_until is None or today <= self.valid_until)


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """A request as one reader sees it. What only its service and its maker may read is empty to others."""

    case: CaseInfo
    title: str
    procedure: Procedure | None
    answers: Mapping[str, Any]
    findings: Mapping[str, Any]
    proposal: str
    fees: tuple[FeeInfo, ...]
    pieces: tuple[PieceInfo, ...]

    @property
    def number(self) -> str:
        """Return the number people quote."""
        return self.case.number

    @property
    def awaited_pieces(self) -> list[PieceInfo]:
        """Return the documents still to be brought."""
        return [one for one in self.pieces if one.supplied_at is None]


@dataclass(frozen=True, slots=True)
class DraftInfo:
    """A form under way: what was typed step by step, as typed, and the files already received, by question."""

    key: str
    territory: str
    use_case: str
    person: int | None
    typed: Mapping[str, Mapping[str, list[str]]]
    files: tuple[Mapping[str, Any], ...]
    for_other: bool
    changed_at: datetime
    expires_at: datetime

    def files_of(self, question: str) -> list[Mapping[str, Any]]:
        """Return the files received for a question."""
        return [one for one in self.files if one["purpose"] == question]
