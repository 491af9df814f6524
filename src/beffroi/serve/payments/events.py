"""What payments tell the journal. Subjects are ``bill:<key>``, ``family:<key>``; no payload names a person."""

from __future__ import annotations

ISSUED = "bill.issued"
"""A bill was sent. Payload: number, month, cents."""

CANCELLED = "bill.cancelled"
"""A bill was taken back by the opposite entry. Payload: number, cents."""

PAID = "payment.counted"
"""Money came and is in the ledger. Payload: number, cents, way, due (what is still owed), credit (paid beyond it)."""

HELD = "payment.held"
"""A gateway tells of money that is not what was asked: an agent must look. Payload: number, asked, found, why."""

REFUND_ASKED = "refund.asked"
"""An agent asks that money be given back. Payload: cents."""

REFUND_DECIDED = "refund.decided"
"""Another agent approved or declined it. Payload: cents, approved."""

DEPOSITED = "consumption.deposited"
"""Units were taken in. Payload: taken, changed, emptied, refused."""

LINKED = "family.linked"
"""An account may see the bills of a family. Payload: how (``code`` or ``agent``)."""

KINDS = (ISSUED, CANCELLED, PAID, HELD, REFUND_ASKED, REFUND_DECIDED, DEPOSITED, LINKED)


def bill_subject(key: int) -> str:
    """Return the subject under which the journal tells of a bill."""
    return f"bill:{key}"


def family_subject(key: int) -> str:
    """Return the subject under which the journal tells of a family."""
    return f"family:{key}"
