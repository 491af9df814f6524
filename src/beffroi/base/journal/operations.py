"""Write to the journal, strike personal values out of it, mend what could not be delivered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from django.db import connection, transaction

from beffroi.base.journal.events import consumers
from beffroi.base.journal.models import SUBJECT_LENGTH, Delivery, Event, Redaction
from beffroi.base.journal.outbox import deliver_pending as deliver_pending
from beffroi.base.journal.outbox import run_outbox as run_outbox
from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.time import now
from beffroi.base.registry.statements import Insertion

_EVENTS, _DELIVERIES = Insertion(Event), Insertion(Delivery)


class NotInTransaction(BeffroiError):
    """An event was recorded outside the transaction of the change it tells."""

    http_status = 500


class BadEvent(BeffroiError):
    """An event has no kind or no subject, or they are not written as the journal reads them."""


class DeliveryNotFound(NotFound):
    """The delivery was made meanwhile, or never was."""


def record(
    *,
    kind: str,
    subject: str,
    payload: Mapping[str, Any],
    actor: int | None = None,
    territory: str = "",
    on_behalf_of: int | None = None,
    at: datetime | None = None,
    new_subject: bool = False,
) -> int:
    """Write one event, and what each consumer will be handed, in the transaction of the change; return its number.

    Args:
        kind: what happened, in the past tense: ``"dataset.published"``.
        subject: what it happened to: ``"dataset:34172/arbres"``. Order of delivery is kept within a subject.
        payload: JSON-ready values. Keys that name persons are declared with ``events.declare_personal``.
        actor: number of the person who did it; None for the system.
        territory: INSEE code or SIREN number of whose administrators may read it.
        on_behalf_of: number of the person it was done for.
        at: the instant of the change; the present one when not given.
        new_subject: the subject comes into being in this transaction: nobody else can tell of it before its commit.

    Raises:
        NotInTransaction: no transaction is open: the event could survive a change that failed, or the reverse.
        BadEvent: `kind` or `subject` is empty or too long.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction(
            "événement « {kind} » écrit hors de toute transaction",
            where=subject,
            remedy="ouvrez la transaction du changement (transaction.atomic) et appelez record() dedans",
            kind=kind,
        )
    if not kind or len(kind) > 80 or not subject or len(subject) > SUBJECT_LENGTH:
        raise BadEvent(
            "événement « {kind} » sur « {subject} » : genre et objet sont requis, 80 et {most} caractères au plus",
            remedy="nommez l'objet par son identifiant court, comme « dataset:34172/arbres »",
            kind=kind[:80],
            subject=subject[:SUBJECT_LENGTH],
            most=SUBJECT_LENGTH,
        )
    if not new_subject:
        _queue_behind_subject(subject)
    at = at or now()
    event = _EVENTS.one(
        at=at,
        kind=kind,
        subject=subject,
        territory=territory,
        actor=actor,
        on_behalf_of=on_behalf_of,
        payload=dict(payload),
    )
    _DELIVERIES.all(
        [
            {"event_id": event, "consumer": consumer.name, "subject": subject, "next_at": at}
            for consumer in consumers()
            if consumer.hears(kind)
        ]
    )
    return event


def _queue_behind_subject(subject: str) -> None:
    """Make the numbers of one subject follow the order of commits.

    PostgreSQL draws numbers before commit: of two transactions on one subject, the later number could become visible
    first and be delivered first. A lock on the subject, freed by the commit, forbids it. SQLite has one writer.
    """
    if connection.vendor == "postgresql":
        key = int.from_bytes(blake2b(f"subject\0{subject}".encode(), digest_size=8).digest(), signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


@transaction.atomic
def strike_out(
    event_id: int, *, persons: Mapping[int, int | None], keys: Collection[str], reason: str, at: datetime
) -> None:
    """Replace persons of an event (`persons`: number → erased number or nobody) and null the payload's `keys`.

    The one way the database lets an event change (see `guard`): a redaction is written, and used, in the same
    transaction. Nothing is written when nothing would change.
    """
    event = Event.objects.select_for_update().get(pk=event_id)
    struck = sorted(key for key in keys if event.payload.get(key) is not None)
    actor = event.actor if event.actor is None else persons.get(event.actor, event.actor)
    behalf = event.on_behalf_of if event.on_behalf_of is None else persons.get(event.on_behalf_of, event.on_behalf_of)
    if not struck and (actor, behalf) == (event.actor, event.on_behalf_of):
        return
    named = [name for name, value in (("actor", actor), ("on_behalf_of", behalf)) if value != getattr(event, name)]
    Redaction.objects.create(event=event, number=event.redactions + 1, at=at, reason=reason, keys=[*named, *struck])
    event.redactions += 1
    event.actor, event.on_behalf_of = actor, behalf
    event.payload = event.payload | dict.fromkeys(struck)
    event.save()
    # What a consumer said when it failed may quote the values.
    Delivery.objects.filter(event=event).update(last_error="")


@transaction.atomic
def retry_delivery(delivery_id: int, *, by: int | None, at: datetime) -> None:
    """Put a delivery that failed too often, or waits for its next try, back at the head of its subject, due now.

    Raises:
        DeliveryNotFound: it was made meanwhile.
    """
    delivery = _locked(delivery_id)
    Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.PENDING, attempts=0, next_at=at)
    _tell("delivery.retried", delivery, by=by, at=at)


@transaction.atomic
def skip_delivery(delivery_id: int, *, by: int | None, at: datetime) -> None:
    """Give up a delivery that will never succeed, so that the rest of its subject goes on; the journal keeps who did.

    Raises:
        DeliveryNotFound: it was made meanwhile.
    """
    delivery = _locked(delivery_id)
    _tell("delivery.skipped", delivery, by=by, at=at)
    delivery.delete()


def _locked(delivery_id: int) -> Delivery:
    delivery = Delivery.objects.select_for_update(of=("self",)).select_related("event").filter(pk=delivery_id).first()
    if delivery is None:
        raise DeliveryNotFound("cette livraison n'attend plus", remedy="rechargez la page : elle a sans doute abouti")
    return delivery


def _tell(kind: str, delivery: Delivery, *, by: int | None, at: datetime) -> None:
    record(
        kind=kind,
        subject=f"delivery:{delivery.pk}",
        payload={"consumer": delivery.consumer, "event": delivery.event_id, "error": delivery.last_error},
        actor=by,
        territory=delivery.event.territory,
        at=at,
    )
