"""A person's rights over the requests she made by a procedure, and their end, which each procedure may set sooner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from beffroi.base.clock.deadlines import after_months
from beffroi.serve.cases.operations import drop_attachments
from beffroi.serve.cases.queries import made_by
from beffroi.serve.procedures.models import Request
from beffroi.serve.procedures.opened import declared

LONGEST_MONTHS = 24
BATCH = 500


def export(person_id: int) -> list[dict[str, Any]]:
    """Return the answers of the requests she made, and what the service found."""
    fields = ("case_id", "case__category", "answers", "proposal", "findings")
    return list(Request.objects.filter(pk__in=made_by(person_id)).order_by("pk").values(*fields))


def erase(person_id: int, *, erased_number: int, at: datetime) -> int:
    """Empty the answers of the requests that nobody else made."""
    return _emptied(made_by(person_id, alone=True))


def expire(before: datetime, *, at: datetime, dry_run: bool = False) -> Iterator[int]:
    """Empty what was closed longer ago than its procedure keeps it, with its files; yield how many at a time."""
    rows = Request.objects.filter(case__closed_at__isnull=False).exclude(answers={}, findings={}, proposal="")
    last = 0
    while found := list(
        rows.filter(pk__gt=last).order_by("pk").values_list("pk", "case__category", "case__closed_at")[:BATCH]
    ):
        last = found[-1][0]
        done = [
            key for key, use_case, closed_at in found if closed_at and closed_at < _limit(_kept_months(use_case), at)
        ]
        yield len(done) if dry_run else _emptied(done)


def _kept_months(use_case: str) -> int:
    known = declared(use_case)
    return known.procedure.notice.kept_months if known else LONGEST_MONTHS


def _limit(months: int, at: datetime) -> datetime:
    return datetime.combine(after_months(at.date(), -months), at.timetz())


def _emptied(case_ids: list[int]) -> int:
    if not case_ids:
        return 0
    drop_attachments(case_ids)
    return Request.objects.filter(pk__in=case_ids).update(answers={}, findings={}, proposal="")
