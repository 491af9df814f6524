"""The journal's part of a person's rights: what she is told, what is struck out, what time strikes out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from beffroi.base.journal.events import kinds_with_personal_keys, personal_keys
from beffroi.base.journal.models import Event
from beffroi.base.journal.operations import strike_out

BATCH = 500


def export(person_id: int) -> list[dict[str, Any]]:
    """Return the events a person made, was served by, or is the subject of; the details of the latter two only."""
    return [
        {
            "at": event.at,
            "kind": event.kind,
            "subject": event.subject,
            "payload": event.payload if event.actor != person_id or event.subject == f"person:{person_id}" else {},
        }
        for event in _of(person_id).order_by("pk").iterator()
    ]


def erase(person_id: int, *, erased_number: int, at: datetime) -> int:
    """Replace the person by `erased_number` and strike her personal values out; return how many events changed."""
    changed = 0
    for event in _of(person_id).order_by("pk").iterator():
        # The personal values of an event are those of whom it is about, not of the agent who made it.
        about = event.subject == f"person:{person_id}" or event.on_behalf_of == person_id
        alone = event.actor == person_id and event.on_behalf_of is None
        keys = personal_keys(event.kind) if about or alone else frozenset()
        strike_out(event.pk, persons={person_id: erased_number}, keys=keys, reason="effacement demandé", at=at)
        changed += 1
    return changed


def expire(before: datetime, *, at: datetime, dry_run: bool = False) -> Iterator[int]:
    """Strike persons and personal values out of the events older than `before`; yield the count of each batch."""
    old = Event.objects.filter(at__lt=before).filter(_still_personal()).order_by("pk")
    if dry_run:
        yield old.count()
        return
    last = 0
    while batch := list(old.filter(pk__gt=last)[:BATCH]):
        for event in batch:
            persons = dict.fromkeys(p for p in (event.actor, event.on_behalf_of) if p is not None and p > 0)
            keys = personal_keys(event.kind)
            strike_out(event.pk, persons=persons, keys=keys, reason="fin de conservation", at=at)
        last = batch[-1].pk
        yield len(batch)


def _of(person_id: int) -> QuerySet[Event]:
    return Event.objects.filter(Q(actor=person_id) | Q(on_behalf_of=person_id) | Q(subject=f"person:{person_id}"))


def _still_personal() -> Q:
    kinds = kinds_with_personal_keys()
    return Q(actor__gt=0) | Q(on_behalf_of__gt=0) | Q(kind__in=kinds, redactions=0)
