"""What bookings tell the journal beside the life of their requests (`cases.events`, kind ``booking``).

Subjects are ``agenda:<territory>:<use case>``; no payload names a person.
"""

from __future__ import annotations

DAY_CHANGED = "agenda.day_changed"
"""An agent closed a day, gave it another capacity or had it as usual again. Payload: day, lane (empty: all),
capacity (null: as usual), moved (bookings given another day), asked (those to choose one)."""

RESULT_SAID = "booking.result_said"
"""What the crew found. Subject: the request's. Payload: number, result."""

TIME_CLOSED = "agenda.time_closed"
"""An agent closed a place for a time. Payload: place (empty: all), starts, ends, asked (those to choose another)."""

TIME_OPENED = "agenda.time_opened"
"""An agent undid a closing. Payload: places."""

PRESENCE_SAID = "slot.presence_said"
"""Whether one came. Subject: the request's. Payload: number, result (``present``, ``absent``)."""

DEPOSIT_SAID = "slot.deposit_said"
"""Where a deposit is. Subject: the request's. Payload: number, deposit (``received``, ``returned``, ``kept``)."""

SLOT_PAID = "slot.paid"
"""A booking was paid at the counter, or was not after all. Payload: number, paid, cents (euro)."""

KINDS = (DAY_CHANGED, RESULT_SAID, TIME_CLOSED, TIME_OPENED, PRESENCE_SAID, DEPOSIT_SAID, SLOT_PAID)


def subject_of(territory: str, use_case: str) -> str:
    """Return the subject under which the journal tells of an agenda."""
    return f"agenda:{territory}:{use_case}"
