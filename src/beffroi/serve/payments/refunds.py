"""Refunds: what the town owes a family is given back when one agent asks for it and another approves."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Sum

from beffroi.base.clock import queries as clock
from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases.words import clean_text
from beffroi.serve.payments import events, ledger
from beffroi.serve.payments.definition import BadBill, BillNotFound, euros
from beffroi.serve.payments.models import Family, Refund, Register
from beffroi.serve.payments.rights import require_keeper


@transaction.atomic
def ask_refund(
    viewer: Viewer, territory: str, family: int, *, register: str, cents: int, reason: str, at: datetime
) -> int:
    """Ask that what is owed to a family be given back; nothing moves before another agent approves.

    Raises:
        Refused: the viewer does not keep the bills of this town, or is nobody.
        BillNotFound: no such family or register.
        BadBill: it is more than what is owed, other demands counted.
        BadCase: no reason.
    """
    require_keeper(viewer, territory)
    if viewer.person_id is None:
        raise Refused("un remboursement se demande en son nom", remedy="connectez-vous avec votre compte")
    reason = clean_text(reason, where="reason", limit=200, required=True)
    row = _locked(territory, family)
    kept = Register.objects.filter(territory=territory, slug=register).first()
    if kept is None:
        raise BillNotFound("cette régie n’existe pas ici", remedy="choisissez-en une autre")
    waiting = Refund.objects.filter(family=row, approved=None).aggregate(total=Sum("cents"))["total"] or 0
    left = -ledger.balance(ledger.credit_of(int(row.pk))) - int(waiting)
    if not 0 < cents <= left:
        raise BadBill("on peut rendre {most} au plus à cette famille", where="amount",
                      remedy="annulez d’abord ce qui a été facturé en trop", most=euros(max(left, 0)))  # fmt: skip
    refund = Refund.objects.create(
        register=kept, family=row, cents=cents, reason=reason, asked_by_id=viewer.person_id, asked_at=at
    )
    _tell(events.REFUND_ASKED, refund, viewer, at, {"cents": cents})
    return int(refund.pk)


@transaction.atomic
def decide_refund(viewer: Viewer, territory: str, key: int, *, approve: bool, at: datetime) -> None:
    """Approve a refund, which writes it in the ledger, or decline it; never by who asked for it.

    Raises:
        Refused: the viewer does not keep the bills of this town, or asked for it herself.
        BillNotFound: no such refund waits.
        BadBill: what is owed has been used meanwhile.
    """
    require_keeper(viewer, territory)
    found = Refund.objects.filter(register__territory=territory, pk=key).first()
    if found is None:
        raise BillNotFound("ce remboursement n’existe pas ici", remedy="rechargez la liste")
    family = _locked(territory, found.family_id)
    refund = Refund.objects.select_for_update().get(pk=key)
    if refund.approved is not None:
        raise BillNotFound("ce remboursement est déjà décidé", remedy="rechargez la liste")
    if viewer.person_id is None or refund.asked_by_id == viewer.person_id:
        raise Refused("un remboursement est approuvé par une autre personne que celle qui l’a demandé",
                      remedy="demandez à un collègue du service")  # fmt: skip
    account = ledger.credit_of(int(family.pk))
    if approve:
        if -ledger.balance(account) < refund.cents:
            raise BadBill("la commune ne doit plus cette somme à la famille",
                          remedy="refusez-le : elle a servi à payer une facture")  # fmt: skip
        ledger.post(
            ledger.REFUND, key=f"refund:{refund.pk}",
            legs={account: int(refund.cents), ledger.cash_of("virement"): -int(refund.cents)},
            register=refund.register_id, family=int(family.pk), way="virement", reason=refund.reason, at=at,
            day=at.astimezone(clock.timezone_of(territory)).date(),
        )  # fmt: skip
    refund.decided_by_id, refund.decided_at, refund.approved = viewer.person_id, at, approve
    refund.save(update_fields=["decided_by", "decided_at", "approved"])
    _tell(events.REFUND_DECIDED, refund, viewer, at, {"cents": int(refund.cents), "approved": approve})


def _locked(territory: str, family: int) -> Family:
    row = Family.objects.select_for_update().filter(territory=territory, pk=family).first()
    if row is None:
        raise BillNotFound("cette famille n’existe pas ici", remedy="cherchez-la dans la liste")
    return row


def _tell(kind: str, refund: Refund, viewer: Viewer, at: datetime, payload: dict[str, object]) -> None:
    record(
        kind=kind, subject=events.family_subject(refund.family_id), payload=payload, actor=viewer.person_id,
        territory=refund.register.territory, at=at,
    )  # fmt: skip
