"""What a request will cost, by the dated tariffs of `rules/`; kept as it was told, for a tariff may change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any, Literal

from beffroi.base.clock import queries as clock
from beffroi.base.kernel.money import euros
from beffroi.base.kernel.sentences import Sentence
from beffroi.serve.procedures.answers import holds
from beffroi.serve.procedures.declaration import Fee, Procedure
from beffroi.serve.procedures.definition import FeeInfo


def fees_of(
    procedure: Procedure,
    answers: Mapping[str, Any],
    *,
    on: date,
    files: Collection[str] = (),
    findings: Mapping[str, Any] | None = None,
) -> list[FeeInfo]:
    """Return what one who gave these answers will pay, by the tariffs of a day.

    Args:
        files: the questions a document came for.
        findings: what the service found: a number it checked replaces the one that was told.

    Raises:
        NoTariff: a tariff had no price on that day.
    """
    asked = [one for one in procedure.fee if holds(one.when, answers)]
    return [_fee(one, answers, on, files, findings or {}) for one in asked]


def _fee(
    fee: Fee, answers: Mapping[str, Any], on: date, files: Collection[str], findings: Mapping[str, Any]
) -> FeeInfo:
    basis: Literal["checked", "proof", "told", "unknown"] = "told"
    given = answers.get(fee.means)
    if fee.checked in findings:
        given, basis = findings[fee.checked], "checked"
    elif given is None:
        basis = "unknown"
    elif fee.proof in files:
        basis = "proof"
    price = clock.tariff(fee.tariff).price(
        on,
        euros=None if given is None else int(given),
        children=int(answers.get(fee.children) or 1),
        outside=answers.get(fee.lives) is False,
    )
    return FeeInfo(fee.label, price.cents, price.unit, price.steps, price.article, price.to_check, basis)


def kept(fees: Iterable[FeeInfo]) -> list[dict[str, Any]]:
    """Return fees as they are kept with a request."""
    return [{**asdict(one), "steps": [step.as_json() for step in one.steps]} for one in fees]


def read(rows: Iterable[Mapping[str, Any]]) -> tuple[FeeInfo, ...]:
    """Return the fees kept with a request."""
    return tuple(FeeInfo(**{**row, "steps": tuple(map(Sentence.from_json, row["steps"]))}) for row in rows)


def told_fees(fees: Iterable[FeeInfo]) -> str:
    """Return fees in one French line, for a letter."""
    return " ; ".join(f"{one.label} : {euros(one.cents)} par {one.unit}" for one in fees)
