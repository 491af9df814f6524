"""What offers tell the journal. Subjects are ``offer:<number>``; no payload names a person or quotes a text."""

from __future__ import annotations

MADE = "offer.made"
"""A thing is on offer. Payload: until (its last day)."""

RESERVED = "offer.reserved"
"""Somebody comes for it: it has left the map. Payload: until (the instant it comes back if nobody took it)."""

RELEASED = "offer.released"
"""The reservation is given up: it is on offer again. Payload: by (``giver`` or ``taker``)."""

ENDED = "offer.ended"
"""It is no longer on offer. Payload: how (``taken``, ``withdrawn`` by who offered it, ``removed`` by an agent)."""

FLAGGED = "offer.flagged"
"""A person said that it should not be there. Payload: flags (how many did), hidden."""

KEPT = "offer.kept"
"""An agent looked at what was said of it, and leaves it."""

PROPOSED = "proposal.sent"
"""A place asks to stand in a directory. Subject ``proposal:<number>``. Payload: use_case."""

DECIDED = "proposal.decided"
"""An agent looked at it. Payload: how (``accepted``, with the ``id`` it took, or ``refused``)."""

TREND_SAID = "trend.said"
"""A shop, or a survey, said how it goes. Subject ``trend:<number>``. Payload: season, origin; not the trend."""

TREND_DECIDED = "trend.decided"
"""An agent looked at who said so. Payload: how (``accepted`` or ``refused``)."""

CLAIMED = "claim.made"
"""Somebody says a sheet of a directory is hers. Subject ``claim:<number>``. Payload: use_case, how (mail, check)."""

CLAIM_DECIDED = "claim.decided"
"""Her proof was looked at, or read back. Payload: how (``accepted`` or ``refused``), by (``mail`` or ``agent``)."""

SHEET_KEPT = "claim.kept"
"""Who keeps a sheet said what it tells. Payload: use_case; not the words."""

CLAIM_ENDED = "claim.ended"
"""Nobody keeps the sheet any more: given up, taken back by an agent, or passed on to another."""

KINDS = (MADE, RESERVED, RELEASED, ENDED, FLAGGED, KEPT, PROPOSED, DECIDED, TREND_SAID, TREND_DECIDED,
         CLAIMED, CLAIM_DECIDED, SHEET_KEPT, CLAIM_ENDED)  # fmt: skip


def subject_of(number: int) -> str:
    """Return the subject under which the journal tells of an offer."""
    return f"offer:{number}"
