"""What procedures tell the journal, beside what `cases` tells of each request; subjects are those of the request.

No payload names a person or quotes an answer.
"""

from __future__ import annotations

PIECE_ASKED = "procedure.piece_asked"
"""A document is asked for. Payload: number, piece (its number), until (the last day to bring it)."""

PIECE_SUPPLIED = "procedure.piece_supplied"
"""Payload: number, piece."""

ANSWERS_EDITED = "procedure.answers_edited"
"""An agent corrected answers. Payload: number, codes (of the questions)."""

FINDINGS_RECORDED = "procedure.findings_recorded"
"""Payload: number, codes (of the findings)."""

DECIDED = "procedure.decided"
"""Payload: number, decision (its code), certificate (its code, or "")."""

PLACE_OFFERED = "procedure.place_offered"
"""A place is offered to the first of a waiting list. Payload: number, offer (its number), until (the last day)."""

PLACE_ANSWERED = "procedure.place_answered"
"""Payload: number, offer, accepted."""

PASSED = "procedure.passed"
"""Somebody passed by a home whose people are away. Payload: number, calm."""

CARD_CONFIRMED = "register.agreed"
"""The agreement of a person to be on a register was noted. Payload: number, register (its use case)."""

CARD_MATCHED = "register.helper_changed"
"""Who helps a person was noted. Payload: number, register."""

CARD_STRUCK = "register.left"
"""A person left a register. Payload: number, register."""

ROUND_OPENED = "register.calls_opened"
"""Calls to the people of a register begin. Payload: register."""

ROUND_CLOSED = "register.calls_closed"
"""Payload: register."""

CALLED = "register.called"
"""Somebody of a register was called. Payload: register, outcome."""

NEED_ASKED = "register.need_asked"
"""Something is asked for somebody of a register. Payload: register, need (its code)."""

NEED_MOVED = "register.need_moved"
"""It was taken in charge, or done. Payload: register, done."""

CERTIFICATE_WITHDRAWN = "procedure.certificate_withdrawn"
"""Payload: number."""
