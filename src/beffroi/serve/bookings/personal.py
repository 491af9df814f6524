"""A person's rights over what her bookings add: hers when she alone made the request."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from beffroi.serve.bookings.models import Booking
from beffroi.serve.cases.queries import made_by


def export(person_id: int) -> list[dict[str, Any]]:
    """Return the days, places and answers of the bookings she made."""
    rows = Booking.objects.filter(pk__in=made_by(person_id)).order_by("pk")
    fields = ("case_id", "day", "address", "lon", "lat", "items", "details")
    return [dict(row) for row in rows.values(*fields)]


def erase(person_id: int, *, erased_number: int, at: datetime) -> int:
    """Empty where and how of the bookings that nobody else made; the day and the district remain, for figures."""
    rows = Booking.objects.filter(pk__in=made_by(person_id, alone=True))
    return rows.update(**Booking.privacy.erased)
