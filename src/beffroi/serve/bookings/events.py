"""What bookings tell the journal beside the life of their requests (`cases.events`, kind ``booking``).

Subjects are ``agenda:<territory>:<use case>``; no payload names a person.
"""

from __future__ import annotations

DAY_CHANGED = "agenda.day_changed"
"""An agent closed a day, gave it another capacity or had it as usual again. Payload: day, lane (empty: all),
capacity (null: as usual), moved (bookings given another day), asked (those to choose one)."""

RESULT_SAID = "booking.result_said"
"""What the crew found. Subject: the request's. Payload: number, result."""

KINDS = (DAY_CHANGED, RESULT_SAID)


def subject_of(territory: str, use_case: str) -> str:
    """Return the subject under which the journal tells of an agenda."""
    return f"agenda:{territory}:{use_case}"
