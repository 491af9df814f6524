"""How a model says what personal data it holds, why and until when; `base/privacy` acts on what is said here.

It stands in the kernel so that the rooms below `privacy` can declare too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

# RGPD art. 6-1 a to f.
LegalBasis = Literal["consent", "contract", "obligation", "vital", "public-task", "legitimate-interest"]


class Fate(StrEnum):
    """What becomes of data at the end of its retention, or when the person asks for erasure."""

    DELETE = "delete"
    ANONYMISE = "anonymise"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long data lives: `amount` `unit`s after the first non-null of the `start` date fields, then its `fate`.

    `start` names fields of the model (``"case__closed_at"`` crosses a foreign key). An empty `start` means that the
    data lives as long as what `until` says (in French, shown in the register) and that no run ends it.
    """

    amount: int = 0
    unit: Literal["day", "month", "year"] = "month"
    start: tuple[str, ...] = ()
    fate: Fate = Fate.DELETE
    until: str = ""


@dataclass(frozen=True, slots=True)
class Purpose:
    """Declare one processing of personal data (RGPD art. 30) as the class attribute ``privacy`` of a model.

    Args:
        purpose: why, in a French sentence a resident understands.
        legal_basis: RGPD art. 6-1.
        article: the law or decision relied on.
        categories: kinds of data, in French.
        recipients: who receives them, in French.
        person: fields that lead to the person's number (``"pk"`` on the person herself, ``"case__author_id"``).
        retention: how long, and what then.
        exported: fields given back to the person on request (art. 15 and 20); empty: all but `hidden`.
        hidden: fields never exported, such as a password's hash.
        sealed: text fields kept sealed by `privacy.sealing`; never exported either.
        erased: the value that replaces each field when the row is anonymised; ``"{pk}"`` stands for the row's key.
        on_erasure: what an erasure request (art. 17) does to the row.
        kept_because: the reason and article, required when `on_erasure` is KEEP (art. 17-3).
        handled_by: module with ``export(person_id)``, ``erase(person_id, …)`` and ``expire(before, …)``, for data
            that fields alone do not describe.
    """

    purpose: str
    legal_basis: LegalBasis
    retention: Retention
    person: tuple[str, ...]
    article: str = ""
    categories: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    exported: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()
    erased: Mapping[str, Any] = field(default_factory=dict)
    on_erasure: Fate = Fate.DELETE
    kept_because: str = ""
    handled_by: str = ""

    def __post_init__(self) -> None:
        if self.on_erasure is Fate.KEEP and not self.kept_because:
            raise ValueError(f"{self.purpose}: kept on erasure, but `kept_because` does not say why (RGPD art. 17-3)")
        anonymises = Fate.ANONYMISE in (self.on_erasure, self.retention.fate)
        if anonymises and not (self.erased or self.handled_by):
            raise ValueError(f"{self.purpose}: anonymised, but `erased` does not say which fields become what")
