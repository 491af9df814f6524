"""A person's rights over her bookings by the hour: hers when she alone made the request."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from beffroi.serve.bookings.hours.models import Slot
from beffroi.serve.cases.queries import made_by


def export(person_id: int) -> list[dict[str, Any]]:
    """Return the times, places and answers of the bookings she made."""
    rows = Slot.objects.filter(pk__in=made_by(person_id)).order_by("pk")
    fields = (
        "case_id", "place", "starts_at", "ends_at", "people", "mode", "group", "price_cents", "deposit_cents",
        "deposit", "details",
    )  # fmt: skip
    return [dict(row) for row in rows.values(*fields)]


def erase(person_id: int, *, erased_number: int, at: datetime) -> int:
    """Empty who and why of the bookings that nobody else made; the place and the hours remain, for figures."""
    rows = Slot.objects.filter(pk__in=made_by(person_id, alone=True))
    return rows.update(**Slot.privacy.erased)
