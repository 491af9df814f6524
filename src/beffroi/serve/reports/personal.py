"""A person's rights over what her reports add: what is for the service only is hers when she alone made the report."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from beffroi.serve.cases.queries import made_by
from beffroi.serve.reports.models import Report


def export(person_id: int) -> list[dict[str, Any]]:
    """Return the places and answers of the reports she made."""
    fields = ("case_id", "lon", "lat", "address", "details", "private_details", "dataset", "feature")
    return list(_of(made_by(person_id)).values(*fields))


def erase(person_id: int, *, erased_number: int, at: datetime) -> int:
    """Empty the answers for the service and the address of the reports that nobody else made."""
    return _of(made_by(person_id, alone=True)).update(private_details={}, address="")


def _of(case_ids: list[int]) -> QuerySet[Report]:
    return Report.objects.filter(pk__in=case_ids).order_by("pk")
