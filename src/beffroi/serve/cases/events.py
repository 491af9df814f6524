"""What happens to requests, as the journal tells it. Subjects are ``case:<number>``.

Every payload has ``number``, ``case_kind`` (the room it belongs to: ``report``…), ``category`` (empty when only its
service may know of it), ``service`` and ``access``. None names a person or quotes a text: consumers ask `queries`.
"""

from __future__ import annotations

OPENED = "case.opened"
"""Also: ``held`` (put aside as doubtful), ``mandate`` (by what right it was filed for somebody else, or "")."""

HELD = "case.held"
RELEASED = "case.released"
ACCEPTED = "case.accepted"
ASKED = "case.asked"
"""A question was put to the requester. Also: ``message``, its number."""
ANSWERED = "case.answered"
"""A party wrote. Also: ``message``."""
WRITTEN = "case.written"
"""The service wrote to the parties, or to everybody. Also: ``message``."""
NOTED = "case.noted"
SCHEDULED = "case.scheduled"
"""Also: ``day``."""
ROUTED = "case.routed"
"""Also: ``from``, the former service."""
ASSIGNED = "case.assigned"
"""Also: ``to``, a person's number or null."""
CLOSED = "case.closed"
"""Also: ``outcome``."""
REOPENED = "case.reopened"
JOINED = "case.joined"
"""Also: ``lead``, the number of the request it is followed with."""
PARTED = "case.parted"
FOLLOWED = "case.followed"
"""Somebody else follows it. Also: ``party``."""
ATTACHED = "case.attached"

KINDS = (
    OPENED, HELD, RELEASED, ACCEPTED, ASKED, ANSWERED, WRITTEN, NOTED, SCHEDULED, ROUTED, ASSIGNED,
    CLOSED, REOPENED, JOINED, PARTED, FOLLOWED, ATTACHED,
)  # fmt: skip

TOLD_TO_PARTIES = frozenset({ACCEPTED, ASKED, WRITTEN, SCHEDULED, CLOSED, REOPENED, JOINED})


def subject_of(number: str) -> str:
    """Return the journal's subject for one request."""
    return f"case:{number}"
