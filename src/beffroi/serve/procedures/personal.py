"""A person's rights over the requests she made by a procedure, and their end, which each procedure may set sooner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from beffroi.base.clock.deadlines import after_months
from beffroi.serve.cases.operations import drop_attachments
from beffroi.serve.cases.queries import made_by
from beffroi.serve.procedures import passages
from beffroi.serve.procedures.models import Card, Passage, Request
from beffroi.serve.procedures.opened import declared
from beffroi.serve.procedures.sealed import answers_of

LONGEST_MONTHS = 24
BATCH = 500
_EMPTY: dict[str, Any] = {"answers": {}, "sealed": "", "findings": {}, "proposal": "", "fees": []}


def export(person_id: int) -> list[dict[str, Any]]:
    """Return the answers of the requests she made, and what the service found."""
    rows = Request.objects.filter(pk__in=made_by(person_id)).order_by("pk").select_related("case")
    return [
        {
            "case_id": row.pk, "case__category": row.case.category, "answers": answers_of(row),
            "proposal": row.proposal, "fees": row.fees, "findings": row.findings,
        }
        for row in rows
    ]  # fmt: skip


def erase(person_id: int, *, erased_number: int, at: datetime) -> int:
    """Empty the answers of the requests that nobody else made."""
    mine = made_by(person_id, alone=True)
    # A card may be another person's than the account's: leaving the register is what erases it.
    kept = set(Card.objects.filter(request__in=mine).values_list("request", flat=True))
    return _emptied([key for key in mine if key not in kept])


def expire(before: datetime, *, at: datetime, dry_run: bool = False) -> Iterator[int]:
    """Empty what was closed longer ago than its procedure keeps it, with its files; yield how many at a time.

    An absence that is over ends its request first: nobody has to come back and close it.
    """
    if not dry_run:
        passages.end_absences(at=at)
    rows = Request.objects.filter(case__closed_at__isnull=False, cards__isnull=True).exclude(
        Q(answers={}, findings={}, proposal="", fees=[], sealed="") & Q(passages__isnull=True)
    )
    last = 0
    while found := list(
        rows.filter(pk__gt=last)
        .order_by("pk")
        .distinct()
        .values_list("pk", "case__category", "case__closed_at")[:BATCH]
    ):
        last = found[-1][0]
        done = [key for key, use_case, closed_at in found if closed_at and closed_at < _limit(use_case, at)]
        yield len(done) if dry_run else _emptied(done)


def _limit(use_case: str, at: datetime) -> datetime:
    """Return before when a request had to be closed to be emptied now."""
    known = declared(use_case)
    if known is not None and known.procedure.passages is not None:
        return at - timedelta(days=known.procedure.passages.keep_days)
    months = known.procedure.notice.kept_months if known else LONGEST_MONTHS
    return datetime.combine(after_months(at.date(), -months), at.timetz())


def _emptied(case_ids: list[int]) -> int:
    if not case_ids:
        return 0
    drop_attachments(case_ids)
    Passage.objects.filter(request__in=case_ids).delete()
    return Request.objects.filter(pk__in=case_ids).update(**_EMPTY)
