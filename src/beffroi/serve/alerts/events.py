"""What alerts tell the journal. Subjects are ``alert:<number>``, ``alert_follower:<number>``; nobody is named."""

from __future__ import annotations

WRITTEN = "alert.written"
CHANGED = "alert.changed"
"""A draft. No payload."""

ASKED = "alert.approval_asked"
APPROVED = "alert.approved"
"""A second person is waited for; she says yes. Payload: severity, area."""

PLANNED = "alert.planned"
"""It leaves at ``goes_at`` unless it is taken back before."""

TAKEN_BACK = "alert.taken_back"
DISCARDED = "alert.discarded"

SENT = "alert.sent"
UPDATED = "alert.updated"
ENDED = "alert.ended"
CANCELLED = "alert.cancelled"
"""What left. Payload: rank, severity, area, topic, mails, devices (how many it is planned for)."""

PROJECT_OPENED = "alert_project.opened"
PROJECT_CLOSED = "alert_project.closed"
"""A project that people may follow. Subject ``alert_project:<number>``. Payload: code."""

FOLLOWER_ASKED = "alert_follower.asked"
FOLLOWER_CONFIRMED = "alert_follower.confirmed"
FOLLOWER_ENDED = "alert_follower.ended"
"""Payload: ``wish`` for the first two."""

KINDS = (
    WRITTEN, CHANGED, ASKED, APPROVED, PLANNED, TAKEN_BACK, DISCARDED, SENT, UPDATED, ENDED, CANCELLED,
    PROJECT_OPENED, PROJECT_CLOSED, FOLLOWER_ASKED, FOLLOWER_CONFIRMED, FOLLOWER_ENDED,
)  # fmt: skip


def subject_of(number: int) -> str:
    """Return the subject under which the journal tells of an alert."""
    return f"alert:{number}"
