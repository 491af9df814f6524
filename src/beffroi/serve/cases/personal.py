"""A person's rights over her requests: the words are hers when she alone made the request."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from beffroi.serve.cases.models import Case
from beffroi.serve.cases.numbers import number_of
from beffroi.serve.cases.queries import made_by


def export(person_id: int) -> list[dict[str, Any]]:
    """Return the requests she made; those she only follows are told by her `Party` rows."""
    rows = Case.objects.filter(pk__in=made_by(person_id)).order_by("pk")
    fields = ("category", "status", "outcome", "description", "answer", "opened_at", "due_at", "closed_at")
    return [{"number": number_of(row["pk"]), **row} for row in rows.values("pk", "territory", "kind", *fields)]


def erase(person_id: int, *, erased_number: int, at: datetime) -> int:
    """Empty the words of the requests that nobody else made; the fact and its dates remain."""
    keys = made_by(person_id, alone=True)
    return Case.objects.filter(pk__in=keys).update(description="", answer="", published=False)
