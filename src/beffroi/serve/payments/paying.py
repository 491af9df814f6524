"""Payments: going to a gateway, counting what it says once and only once, and the money that comes otherwise.

What a gateway says is read by us (`resolve`), never taken from a notification. It is counted in one transaction that
holds the bill and the attempt: a notification heard twice, a task that asks at the same time, a process killed between
the answer and the commit, count once, or once later.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from beffroi.base.clock import queries as clock
from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases.mails import page_url
from beffroi.serve.cases.words import clean_text
from beffroi.serve.payments import events, ledger
from beffroi.serve.payments.billing import lock_families, locked_bill, number_of
from beffroi.serve.payments.definition import OFFLINE, BadBill, BillNotFound, euros
from beffroi.serve.payments.gateways import Answer, GatewayDown, Order, Outcome, gateway_named
from beffroi.serve.payments.models import Attempt, Bill, Entry, FamilyMember, Posting
from beffroi.serve.payments.queries import register_info
from beffroi.serve.payments.rights import keeps_bills, require_keeper

logger = logging.getLogger(__name__)

STARTED, PAID, REFUSED, ABANDONED = "started", "paid", "refused", "abandoned"
EXPIRED, HELD, DISMISSED, FAILED = "expired", "held", "dismissed", "failed"
COUNTED = (PAID, HELD, DISMISSED)
"""States that no later answer changes."""

# When to ask again about an operation of that age, and when to stop: PayFiP forgets in a night what nobody paid.
ASK_AFTER = timedelta(minutes=5)
OPEN_FOR = timedelta(minutes=20)
GIVE_UP = timedelta(days=7)
_STATES = {Outcome.REFUSED: REFUSED, Outcome.ABANDONED: ABANDONED, Outcome.UNKNOWN: EXPIRED}


@dataclass(frozen=True, slots=True)
class Going:
    """Where to go and pay: our own page that leads there, by its token, and the gateway's."""

    token: str
    url: str


def start_payment(viewer: Viewer, territory: str, key: int, *, email: str = "", at: datetime) -> Going:
    """Open an operation at the gateway for all that is still owed on a bill.

    The attempt is written before the gateway is asked: an operation that nobody was told of cannot be paid.

    Raises:
        BillNotFound: no such bill of hers.
        BadBill: nothing is owed, or it was cancelled.
        GatewayDown, GatewayRefusal: see `gateways`.
    """
    bill = Bill.objects.select_related("register", "family").filter(register__territory=territory, pk=key).first()
    if bill is None or not _may_pay(viewer, territory, bill):
        raise BillNotFound("cette facture n’existe pas ou ne vous est pas accessible", remedy="voyez vos factures")
    cents = ledger.balance(ledger.due_of(int(bill.pk)))
    if bill.cancelled_at is not None or cents <= 0:
        raise BadBill("il n’y a plus rien à payer sur cette facture", remedy="voyez vos autres factures")
    gateway = gateway_named(bill.register.gateway)
    row = Attempt.objects.create(
        bill=bill, person_id=viewer.person_id, gateway=bill.register.gateway, token=secrets.token_hex(16),
        reference=_reference(bill), amount_cents=cents, state=STARTED, started_at=at,
    )  # fmt: skip
    order = Order(
        reference=row.reference, cents=cents, subject=f"Facture {number_of(bill)} {bill.register.title}",
        email=email or _email_of(viewer, bill), year=bill.year,
        notify_url=page_url(territory, "portal:payment-notification"),
        return_url=page_url(territory, "portal:payment-return", row.token), register=register_info(bill.register),
    )  # fmt: skip
    try:
        started = gateway.start(order, at=at)
    except BeffroiError as error:
        Attempt.objects.filter(pk=row.pk).update(state=FAILED, ended_at=at, why=str(error.what)[:200])
        raise
    Attempt.objects.filter(pk=row.pk).update(operation=started.operation, ask_at=at + ASK_AFTER)
    return Going(row.token, started.url)


def _may_pay(viewer: Viewer, territory: str, bill: Bill) -> bool:
    person = viewer.person_id
    if person is not None and FamilyMember.objects.filter(family=bill.family_id, person=person).exists():
        return True
    return keeps_bills(viewer, territory)


def _reference(bill: Bill) -> str:
    """Return a reference never used, that names the bill: letters and digits, thirty at most."""
    tries = Attempt.objects.filter(bill=bill).count() + 1
    return f"{bill.register.slug.upper()}{bill.year}{bill.number:07d}{tries:03d}{secrets.token_hex(2).upper()}"


def _email_of(viewer: Viewer, bill: Bill) -> str:
    if viewer.person_id is None:
        return bill.family.email
    return territory_queries.person(viewer.person_id).email or bill.family.email


# --- What the gateway says -------------------------------------------------------------------------------------------


def notify(operation: str, *, at: datetime) -> str:
    """Hear that something happened to an operation: note it durably, then ask the gateway; return the state.

    Raises:
        BillNotFound: no operation of ours has this name.
    """
    row = Attempt.objects.filter(operation=operation[:64]).exclude(operation="").first()
    if row is None:
        raise BillNotFound("cette opération n’est pas de chez nous", remedy="vérifiez l’adresse de notification")
    if row.state in COUNTED:
        return row.state
    # Whatever happens next, the task asks at its next turn.
    Attempt.objects.filter(pk=row.pk).update(notified_at=at, ask_at=at)
    return resolve(int(row.pk), at=at)


@dataclass(frozen=True, slots=True)
class AttemptInfo:
    """An attempt as its payer sees it: nothing of the family."""

    id: int
    bill_id: int
    token: str
    gateway: str
    operation: str
    reference: str
    amount_cents: int
    state: str
    authorisation: str


def attempt_of(token: str) -> AttemptInfo:
    """Return an attempt by the token that only its payer was told.

    Raises:
        BillNotFound: none.
    """
    return _attempt_info(Attempt.objects.filter(token=token).first())


def attempt_of_operation(gateway: str, operation: str) -> AttemptInfo:
    """Return an attempt by its name at the gateway.

    Raises:
        BillNotFound: none.
    """
    return _attempt_info(Attempt.objects.filter(gateway=gateway, operation=operation).exclude(operation="").first())


def _attempt_info(row: Attempt | None) -> AttemptInfo:
    if row is None:
        raise BillNotFound("ce paiement n’existe pas", remedy="voyez vos factures")
    return AttemptInfo(
        int(row.pk), row.bill_id, row.token, row.gateway, row.operation, row.reference, int(row.amount_cents),
        row.state, row.authorisation,
    )  # fmt: skip


def gateway_page(told: AttemptInfo) -> str:
    """Return the page of the gateway where an attempt is paid, "" when it has none."""
    return gateway_named(told.gateway).page_of(told.operation) if told.operation else ""


def resolve(key: int, *, at: datetime) -> str:
    """Ask the gateway what became of an attempt and count it; return its state. One that is down is asked later."""
    row = Attempt.objects.select_related("bill__register").get(pk=key)
    if row.state in COUNTED or not row.operation:
        return row.state
    try:
        answer = gateway_named(row.gateway).ask(row.operation, register_info(row.bill.register))
    except GatewayDown as error:
        logger.warning("payment %s: %s", row.reference, error)
        Attempt.objects.filter(pk=row.pk).exclude(state__in=COUNTED).update(ask_at=next_question(row, at))
        return row.state
    return settle(key, answer, at=at)


def next_question(row: Attempt, at: datetime) -> datetime | None:
    """Return when to ask again: soon at first, then twice its age, a day apart at most; None after a week."""
    age = at - row.started_at
    if age > GIVE_UP:
        return None
    return at + min(max(age, ASK_AFTER), timedelta(days=1))


@transaction.atomic
def settle(key: int, answer: Answer, *, at: datetime) -> str:
    """Count what a gateway says of an attempt, once; money that is not what was asked waits for an agent."""
    bill_key = Attempt.objects.values_list("bill", flat=True).get(pk=key)
    bill = Bill.objects.select_for_update().select_related("register").get(pk=bill_key)
    row = Attempt.objects.select_for_update().get(pk=key)
    if row.state in COUNTED:
        return row.state
    row.result = answer.code
    if answer.outcome is Outcome.PAID:
        _count(row, bill, answer, at)
    elif answer.outcome is Outcome.WAITING or (
        # The page stays open a while after it was left: she may still pay.
        answer.outcome is Outcome.ABANDONED and at - row.started_at < OPEN_FOR
    ):
        row.ask_at = next_question(row, at)
        if row.ask_at is None:
            row.state, row.ended_at = EXPIRED, at
    else:
        row.state, row.ended_at, row.ask_at = _STATES[answer.outcome], at, None
    row.save()
    return row.state


def _count(row: Attempt, bill: Bill, answer: Answer, at: datetime) -> None:
    territory = bill.register.territory
    day = answer.day or at.astimezone(clock.timezone_of(territory)).date()
    row.found_cents, row.found_way, row.found_on = answer.cents, answer.way, day
    row.authorisation, row.ended_at, row.ask_at = answer.authorisation, at, None
    row.why = _mismatch(row, answer)
    if row.why:
        row.state = HELD
        record(
            kind=events.HELD, subject=events.bill_subject(int(bill.pk)),
            payload={"number": number_of(bill), "asked": int(row.amount_cents), "found": answer.cents, "why": row.why},
            territory=territory, at=at,
        )  # fmt: skip
        return
    row.state = PAID
    count_money(
        bill, answer.cents, key=f"attempt:{row.pk}", way=answer.way, reference=row.reference, day=day, at=at, by=None
    )


def _mismatch(row: Attempt, answer: Answer) -> str:
    if answer.cents != row.amount_cents:
        return f"montant : {euros(answer.cents)} au lieu de {euros(int(row.amount_cents))}"
    if answer.reference and answer.reference != row.reference:
        return f"référence : {answer.reference[:40]}"
    return f"la passerelle parle d’autre chose : {answer.why}"[:200] if answer.why else ""


def count_money(
    bill: Bill,
    cents: int,
    *,
    key: str,
    way: str,
    reference: str,
    day: date,
    at: datetime,
    by: int | None,
    reason: str = "",
) -> Entry:
    """Write money that came for a bill: what is owed first, the rest is owed back to the family. `key` counts once.

    The caller holds the bill.
    """
    due = ledger.balance(ledger.due_of(int(bill.pk)))
    part = min(max(due, 0), cents)
    legs = {
        ledger.cash_of(way): cents,
        ledger.due_of(int(bill.pk)): -part,
        ledger.credit_of(bill.family_id): part - cents,
    }
    entry, is_new = ledger.post(
        ledger.PAYMENT, key=key, legs=legs, register=bill.register_id, family=bill.family_id, bill=int(bill.pk),
        way=way, reference=reference, reason=reason, at=at, day=day,
    )  # fmt: skip
    if is_new:
        payload = {"number": number_of(bill), "cents": cents, "way": way, "due": due - part, "credit": cents - part}
        record(
            kind=events.PAID, subject=events.bill_subject(int(bill.pk)), payload=payload, actor=by,
            territory=bill.register.territory, at=at,
        )  # fmt: skip
    return entry


def ask_waiting(at: datetime, *, most: int = 50) -> int:
    """Ask the gateways about the operations whose turn has come; return how many were asked.

    This is what finds a payment whose notification was lost.
    """
    keys = list(Attempt.objects.filter(ask_at__lte=at).order_by("ask_at", "pk").values_list("pk", flat=True)[:most])
    for key in keys:
        resolve(int(key), at=at)
    return len(keys)


# --- At an agent's word ----------------------------------------------------------------------------------------------


@transaction.atomic
def record_payment(
    viewer: Viewer, territory: str, key: int, *, cents: int, way: str, reference: str, day: date, at: datetime,
    once: str,
) -> None:  # fmt: skip
    """Write money that came at the counter, by post or by bank.

    Args:
        once: a word of the form sent: the same form sent twice counts once.

    Raises:
        Refused: the viewer does not keep the bills of this town.
        BillNotFound: no such bill.
        BadBill: no amount, a way that is none, a day to come, or a bill that was cancelled.
    """
    require_keeper(viewer, territory)
    bill = locked_bill(territory, key)
    if way not in OFFLINE:
        raise BadBill("ce moyen de paiement n’est pas connu", where="way", remedy="choisissez-en un de la liste")
    if not 0 < cents <= 99_999_999:
        raise BadBill("un paiement est un montant positif", where="amount", remedy="corrigez-le")
    if day > at.astimezone(clock.timezone_of(territory)).date():
        raise BadBill("ce jour n’est pas encore venu", where="day", remedy="écrivez celui du paiement")
    if bill.cancelled_at is not None:
        raise BadBill("cette facture est annulée", remedy="enregistrez le paiement sur la bonne facture")
    text = clean_text(reference, where="reference", limit=60)
    count_money(
        bill, cents, key=f"hand:{bill.pk}:{once[:32]}", way=way, reference=text, day=day, at=at, by=viewer.person_id
    )


@transaction.atomic
def reverse_payment(viewer: Viewer, territory: str, key: int, *, reason: str, at: datetime) -> None:
    """Write the opposite of a payment that was none: a cheque without funds, a line on the wrong bill.

    Raises:
        Refused: the viewer does not keep the bills of this town.
        BillNotFound: no such payment.
        BadCase: no reason.
    """
    require_keeper(viewer, territory)
    reason = clean_text(reason, where="reason", limit=200, required=True)
    entry = Entry.objects.filter(register__territory=territory, kind=ledger.PAYMENT, pk=key).first()
    if entry is None or entry.bill_id is None:
        raise BillNotFound("ce paiement n’existe pas ici", remedy="rechargez la facture")
    bill = locked_bill(territory, entry.bill_id)
    lock_families([bill.family_id])
    moved = {one.account: int(one.cents) for one in Posting.objects.filter(entry=entry).order_by("pk")}
    cents = moved[ledger.cash_of(entry.way)]
    # What of it was owed back, and still is, is no longer; what was given back meanwhile is owed again.
    owed_back = min(-moved.get(ledger.credit_of(bill.family_id), 0), -ledger.balance(ledger.credit_of(bill.family_id)))
    legs = {
        ledger.cash_of(entry.way): -cents,
        ledger.credit_of(bill.family_id): owed_back,
        ledger.due_of(int(bill.pk)): cents - owed_back,
    }
    _entry, is_new = ledger.post(
        ledger.REVERSAL, key=f"reversal:{entry.pk}", legs=legs, register=bill.register_id, family=bill.family_id,
        bill=int(bill.pk), way=entry.way, reference=entry.reference, reason=reason, at=at,
        day=at.astimezone(clock.timezone_of(territory)).date(),
    )  # fmt: skip
    if is_new:
        record(
            kind=events.REVERSED, subject=events.bill_subject(int(bill.pk)),
            payload={"number": number_of(bill), "cents": cents}, actor=viewer.person_id, territory=territory, at=at,
        )  # fmt: skip


@transaction.atomic
def decide_held(viewer: Viewer, territory: str, key: int, *, count: bool, reason: str, at: datetime) -> None:
    """Count the money of a payment that was held, as the gateway found it, or leave it out and say why.

    Raises:
        Refused: the viewer does not keep the bills of this town.
        BillNotFound: no such payment is held.
        BadCase: no reason.
    """
    require_keeper(viewer, territory)
    reason = clean_text(reason, where="reason", limit=200, required=True)
    found = Attempt.objects.filter(bill__register__territory=territory, pk=key, state=HELD).first()
    if found is None:
        raise BillNotFound("ce paiement n’est plus à regarder", remedy="rechargez la liste")
    bill = locked_bill(territory, found.bill_id)
    row = Attempt.objects.select_for_update().get(pk=key)
    if row.state != HELD:
        return
    row.state, row.why = (PAID if count else DISMISSED), f"{row.why} – {reason}"[:200]
    row.save(update_fields=["state", "why"])
    record(
        kind=events.HELD_DECIDED, subject=events.bill_subject(int(bill.pk)),
        payload={"number": number_of(bill), "counted": count}, actor=viewer.person_id, territory=territory, at=at,
    )  # fmt: skip
    if count and row.found_cents:
        count_money(
            bill, int(row.found_cents), key=f"attempt:{row.pk}", way=row.found_way, reference=row.reference,
            day=row.found_on or at.date(), at=at, by=viewer.person_id, reason=reason,
        )  # fmt: skip
