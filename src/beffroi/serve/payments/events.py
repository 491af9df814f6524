"""What payments tell the journal. Subjects are ``bill:<key>``, ``family:<key>``; no payload names a person."""

from __future__ import annotations

ISSUED = "bill.issued"
"""A bill was sent. Payload: number, month, cents."""

CANCELLED = "bill.cancelled"
"""A bill was taken back by the opposite entry. Payload: number, cents."""

PAID = "payment.counted"
"""Money came and is in the ledger. Payload: number, cents, way, due (what is still owed), credit (paid beyond it)."""

REVERSED = "payment.reversed"
"""A payment that was none was undone by the opposite entry. Payload: number, cents."""

HELD = "payment.held"
"""A gateway tells of money that is not what was asked: an agent must look. Payload: number, asked, found, why."""

HELD_DECIDED = "payment.decided"
"""An agent counted a payment that was held, or left it out. Payload: number, counted."""

REFUND_ASKED = "refund.asked"
"""An agent asks that money be given back. Payload: cents."""

REFUND_DECIDED = "refund.decided"
"""Another agent approved or declined it. Payload: cents, approved."""

DEPOSITED = "consumption.deposited"
"""Units were taken in. Payload: taken, changed, emptied, refused."""

REGISTER_CHANGED = "register.changed"
"""What the bills of a register say, or how they are paid online, was changed. Payload: register, gateway."""

LINKED = "family.linked"
"""An account may see the bills of a family. Payload: how (``code`` or ``agent``)."""

KINDS = (
    ISSUED, CANCELLED, PAID, REVERSED, HELD, HELD_DECIDED, REFUND_ASKED, REFUND_DECIDED, DEPOSITED, REGISTER_CHANGED,
    LINKED,
)  # fmt: skip


def bill_subject(key: int) -> str:
    """Return the subject under which the journal tells of a bill."""
    return f"bill:{key}"


def family_subject(key: int) -> str:
    """Return the subject under which the journal tells of a family."""
    return f"family:{key}"
