"""What stocks tell the journal. Subjects are ``stock:<SIREN>``; payloads count lines and quote none."""

from __future__ import annotations

SENT = "stock.sent"
"""A landlord's software sent lines. Payload, by table: added, changed, removed."""

FORGOTTEN = "stock.forgotten"
"""An agent erased all that a landlord had sent. Payload: lines."""

KINDS = (SENT, FORGOTTEN)


def subject_of(owner: str) -> str:
    """Return the subject under which the journal tells of a landlord's stock."""
    return f"stock:{owner}"
