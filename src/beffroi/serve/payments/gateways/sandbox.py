"""The make-believe gateway of demonstrations and training: no money moves, its page says so; fictional towns only."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.urls import reverse

from beffroi.base.kernel.time import now
from beffroi.base.territory import queries as territory_queries
from beffroi.serve.payments.definition import BillNotFound, RegisterInfo
from beffroi.serve.payments.gateways import Answer, GatewayRefusal, Order, Outcome, Started
from beffroi.serve.payments.models import SandboxOperation


class Sandbox:
    """A gateway that keeps what the person presses on its page."""

    def start(self, order: Order, *, at: datetime) -> Started:
        """Open a make-believe operation."""
        if not territory_queries.territory(order.register.territory).fictional:
            raise GatewayRefusal("le bac à sable ne sert que les communes fictives", remedy="payez par un autre moyen")
        operation = secrets.token_hex(16)
        SandboxOperation.objects.create(operation=operation, reference=order.reference, amount_cents=order.cents, at=at)
        return Started(operation, self.page_of(operation))

    def ask(self, operation: str, register: RegisterInfo) -> Answer:
        """Return what was pressed on its page."""
        row = SandboxOperation.objects.filter(operation=operation).first()
        if row is None:
            return Answer(Outcome.UNKNOWN)
        outcome = Outcome(row.outcome or Outcome.WAITING)
        cents = int(row.paid_cents) if outcome is Outcome.PAID else 0
        return Answer(
            outcome, code=row.outcome, cents=cents, way="bac-a-sable", day=now().date(), reference=row.reference
        )

    def page_of(self, operation: str) -> str:
        """Return the page that stands for the bank's."""
        return reverse("portal:payment-sandbox", args=[operation])


def sandbox_operation(operation: str) -> SandboxOperation:
    """Return an operation of the make-believe gateway.

    Raises:
        BillNotFound: no such operation.
    """
    row = SandboxOperation.objects.filter(operation=operation).first()
    if row is None:
        raise BillNotFound("cette opération n’existe pas", remedy="revenez à la facture")
    return row


def press_sandbox(operation: str, outcome: str, *, cents: int | None = None) -> None:
    """Keep what the person pressed: once paid, an operation stays so."""
    row = sandbox_operation(operation)
    if row.outcome == Outcome.PAID:
        return
    row.outcome = Outcome(outcome)
    row.paid_cents = row.amount_cents if cents is None else cents
    row.save(update_fields=["outcome", "paid_cents"])
