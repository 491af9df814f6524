"""Erase a person; end what has lived its time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import NotFound, Refused
from beffroi.base.kernel.personal import Fate
from beffroi.base.privacy.models import Erasure
from beffroi.base.privacy.registry import Declaration, declarations
from beffroi.base.privacy.rows import batches, erase_rows, threshold
from beffroi.base.territory.viewer import Role

logger = logging.getLogger(__name__)


class PersonNotFound(NotFound):
    """No such account, or it was erased already."""


class StillInOffice(Refused):
    """The person holds a function in a town: her rights must be withdrawn before she is erased."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did: rows per model and fate. `number` is what stands for the person in the journal."""

    number: int
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class RetentionLine:
    """What a retention run did, or would do, to one model. `error` says why it could not."""

    label: str
    purpose: str
    fate: Fate
    before: datetime
    rows: int
    error: str = ""


def people_in_office(*, at: datetime) -> models.QuerySet[Any, Any]:
    """Return the numbers of those who hold, at `at`, a role other than resident."""
    grants = apps.get_model("territory", "RoleGrant")._default_manager
    current = grants.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=at)).exclude(role=Role.RESIDENT)
    return current.order_by().values("person_id")


@transaction.atomic
def erase_person(person_id: int, by: int | None, *, at: datetime) -> Erased:
    """Delete or anonymise everything declared about a person, the account last, and journal that it was done.

    All of it or nothing: one transaction. What a law makes the town keep stays, and is counted as kept.

    Args:
        by: who asked: the person, an agent on her behalf, or None for the end of a retention.

    Raises:
        PersonNotFound: no such account.
        StillInOffice: she holds a function other than resident.

    Source: RGPD art. 17.
    """
    person = apps.get_model(settings.AUTH_USER_MODEL)._default_manager.select_for_update().filter(pk=person_id).first()
    if person is None:
        raise PersonNotFound("aucun compte n° {person}", remedy="vérifiez le numéro", person=person_id)
    if people_in_office(at=at).filter(person_id=person_id).exists():
        raise StillInOffice(
            "ce compte exerce une fonction dans la commune",
            remedy="un administrateur doit d'abord retirer ses rôles ; le compte pourra ensuite être effacé",
        )
    erasure = Erasure.objects.create(at=at)
    number = -int(erasure.pk)
    rows = {}
    for declaration in sorted(declarations(), key=_order):
        count = erase_rows(declaration, person_id, erased_number=number, at=at)
        if count:
            rows[f"{declaration.label} {declaration.purpose.on_erasure}"] = count
    erasure.rows = rows
    erasure.save(update_fields=["rows"])
    record(
        kind="person.erased",
        subject=f"person:{person_id}",
        payload={"erasure": erasure.pk, "rows": rows},
        actor=number if by == person_id else by,
        at=at,
    )
    return Erased(number, rows)


def _order(declaration: Declaration) -> tuple[int, str]:
    """Delete before anonymising, so that nothing anonymised still hangs on what goes; the account last."""
    is_account = declaration.label == settings.AUTH_USER_MODEL
    return (2 if is_account else int(declaration.purpose.on_erasure is not Fate.DELETE), declaration.label)


def run_retention(at: datetime, *, dry_run: bool = False) -> list[RetentionLine]:
    """Give every row that has lived its retention its fate; return what was done to each model.

    Batch after batch, each in a transaction with its event: a run that is killed is simply run again. A model that
    cannot be ended (something still refers to it) is told in its line and delays no other.

    Args:
        at: the instant of the run.
        dry_run: only count.
    """
    lines = []
    for declaration in sorted(declarations(), key=_order):
        if declaration.purpose.retention.start:
            lines.append(_retain(declaration, at, dry_run=dry_run))
    return lines


def _retain(declaration: Declaration, at: datetime, *, dry_run: bool) -> RetentionLine:
    retention = declaration.purpose.retention
    before = threshold(retention, at)
    total, error = 0, ""
    try:
        for count in batches(declaration, at=at, dry_run=dry_run):
            total += count
            if not dry_run:
                record(
                    kind="retention.applied",
                    subject=f"processing:{declaration.label}",
                    payload={"fate": retention.fate, "rows": count, "before": before.isoformat()},
                    at=at,
                )
    except (models.ProtectedError, models.RestrictedError) as refusal:
        logger.exception("retention of %s", declaration.label)
        error = f"{type(refusal).__name__}: {refusal}"[:500]
    return RetentionLine(declaration.label, declaration.purpose.purpose, retention.fate, before, total, error)


def daily_retention(at: datetime) -> None:
    """Run the retention as the worker does each night."""
    for line in run_retention(at):
        if line.rows or line.error:
            logger.info("retention %s: %s rows %s %s", line.label, line.rows, line.fate, line.error)
