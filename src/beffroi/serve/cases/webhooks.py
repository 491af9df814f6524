"""Webhooks: other systems are told of what happens to public requests, signed, retried, and never tricked inwards.

A delivery is a POST of JSON with ``X-Beffroi-Event``, ``X-Beffroi-Delivery`` (the event's number: the same when it is
sent again) and ``X-Beffroi-Signature: t=<seconds>,v1=<HMAC-SHA256 of "<t>.<body>">`` made with the webhook's secret. A
2xx within ten seconds is an acknowledgement; anything else is tried again, 5 s later, then 10 s… up to an hour, for a
day. After `MOST_FAILURES` in a row a webhook is put to sleep, and the journal says so.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from beffroi.base.journal.events import RecordedEvent
from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.time import now
from beffroi.base.territory.queries import require_administrator
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import events, outside, queries
from beffroi.serve.cases.definition import Access, BadCase
from beffroi.serve.cases.models import Webhook, WebhookDelivery
from beffroi.serve.cases.words import clean_text

MOST_FAILURES = 50
MOST_PER_TOWN = 20
ADDED, REMOVED, WOKEN, ASLEEP = "webhook.added", "webhook.removed", "webhook.woken", "webhook.asleep"
KINDS = tuple(kind for kind in events.KINDS if kind not in (events.NOTED, events.HELD, events.ASSIGNED))
"""What a webhook may hear: nothing of what only a service knows."""


class WebhookFailed(BeffroiError):
    """Not every webhook acknowledged: the event is delivered again to the others."""

    http_status = 502


class WebhookNotFound(NotFound):
    """No such webhook in this town."""


@dataclass(frozen=True, slots=True)
class WebhookInfo:
    """A webhook as its administrators see it, without its secret."""

    id: int
    url: str
    kinds: tuple[str, ...]
    awake: bool
    failures: int
    last_at: datetime | None
    last_status: int
    last_error: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryInfo:
    """One event told to one webhook: how often it was tried and what was answered. `status` 0: no answer."""

    event: int
    kind: str
    acknowledged: bool
    attempts: int
    last_at: datetime
    status: int
    error: str


@transaction.atomic
def add_webhook(*, territory: str, url: str, kinds: Sequence[str] = (), by: Viewer, at: datetime) -> tuple[int, str]:
    """Add a webhook and return its number and its secret, shown once. No kind: all.

    Raises:
        Refused: `by` does not administer the town.
        BadCase: the address is not one of the outside world, a kind is unknown, or there are twenty already.
    """
    require_administrator(by, territory)
    url = clean_text(url, where="url", required=True, limit=500)
    outside.check_url(url)
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise BadCase(
            "événement inconnu : {kinds}", where="kinds", remedy="choisissez dans la liste", kinds=", ".join(unknown)
        )
    if Webhook.objects.filter(territory=territory).count() >= MOST_PER_TOWN:
        raise BadCase("{most} webhooks sont déjà en place", where="url", remedy="retirez-en un", most=MOST_PER_TOWN)
    secret = secrets.token_urlsafe(32)
    row = Webhook.objects.create(
        territory=territory, url=url, kinds=sorted(set(kinds)), secret=secret, created_at=at, author_id=by.person_id
    )
    _tell(ADDED, row, by, at)
    return int(row.pk), secret


@transaction.atomic
def remove_webhook(*, webhook_id: int, territory: str, by: Viewer, at: datetime) -> None:
    """Remove a webhook and the memory of its deliveries.

    Raises:
        Refused: `by` does not administer the town.
        WebhookNotFound: it has none of that number.
    """
    row = _own(webhook_id, territory, by)
    _tell(REMOVED, row, by, at)
    row.delete()


@transaction.atomic
def wake_webhook(*, webhook_id: int, territory: str, by: Viewer, at: datetime) -> None:
    """Wake a webhook that was put to sleep; what it missed is not sent.

    Raises:
        Refused, WebhookNotFound: as `remove_webhook`.
    """
    row = _own(webhook_id, territory, by)
    row.awake, row.failures = True, 0
    row.save(update_fields=["awake", "failures"])
    _tell(WOKEN, row, by, at)


def _own(webhook_id: int, territory: str, by: Viewer) -> Webhook:
    require_administrator(by, territory)
    row = Webhook.objects.select_for_update(of=("self",)).filter(pk=webhook_id, territory=territory).first()
    if row is None:
        raise WebhookNotFound("aucun webhook n° {id}", remedy="rechargez la liste", id=webhook_id)
    return row


def _tell(kind: str, row: Webhook, by: Viewer | None, at: datetime) -> None:
    record(
        kind=kind,
        subject=f"webhook:{row.pk}",
        payload={"url": row.url},
        actor=by.person_id if by else None,
        territory=row.territory,
        at=at,
    )


def webhooks(viewer: Viewer, territory: str) -> list[WebhookInfo]:
    """Return the webhooks of a town, to its administrators.

    Raises:
        Refused: the viewer is none.
    """
    require_administrator(viewer, territory)
    return [
        WebhookInfo(
            int(row.pk), row.url, tuple(row.kinds), row.awake, row.failures, row.last_at, row.last_status,
            row.last_error, row.created_at,
        )
        for row in Webhook.objects.filter(territory=territory).order_by("pk")
    ]  # fmt: skip


def webhook_deliveries(viewer: Viewer, territory: str, webhook_id: int, *, limit: int = 100) -> list[DeliveryInfo]:
    """Return the last deliveries of a webhook, the newest first, to the town's administrators.

    Raises:
        Refused: the viewer is none.
    """
    require_administrator(viewer, territory)
    rows = WebhookDelivery.objects.filter(webhook=webhook_id, webhook__territory=territory).order_by("-event")[:limit]
    return [
        DeliveryInfo(row.event, row.kind, row.acknowledged, row.attempts, row.last_at, row.status, row.error)
        for row in rows
    ]


# --- Deliveries -------------------------------------------------------------------------------------------------------


def tell_webhooks(event: RecordedEvent) -> None:
    """Hear what happens to requests, and tell each webhook that has not acknowledged it yet.

    Raises:
        WebhookFailed: one did not: the journal will come again, later and later.
    """
    if event.payload.get("access") != Access.PUBLIC:
        return
    hooks = [
        row
        for row in Webhook.objects.filter(territory=event.territory, awake=True).order_by("pk")
        if not row.kinds or event.kind in row.kinds
    ]
    failed = [row.url for row in hooks if not _delivered(row, event)]
    if failed:
        raise WebhookFailed("{count} webhook(s) n’ont pas répondu", where=event.subject, count=len(failed))


def _delivered(row: Webhook, event: RecordedEvent) -> bool:
    known = WebhookDelivery.objects.filter(webhook=row, event=event.id).first()
    if known is not None and known.acknowledged:
        return True
    at = now()
    body = _body(event)
    headers = {
        "Content-Type": "application/json",
        "X-Beffroi-Event": event.kind,
        "X-Beffroi-Delivery": str(event.id),
        "X-Beffroi-Signature": signature(row.secret, body, int(at.timestamp())),
    }
    status, error = outside.post(row.url, body, headers)
    _note(row, event, at=at, status=status, error=error)
    return 200 <= status < 300


def _body(event: RecordedEvent) -> bytes:
    number = str(event.payload["number"])
    content = {
        "id": event.id,
        "type": event.kind,
        "at": event.at.isoformat(),
        "territory": event.territory,
        "number": number,
        "category": event.payload.get("category", ""),
        "service": event.payload.get("service", ""),
        "status": queries.public_status(number),
        "outcome": event.payload.get("outcome", ""),
    }
    return json.dumps(content, ensure_ascii=False).encode()


def signature(secret: str, body: bytes, seconds: int) -> str:
    """Return the value of ``X-Beffroi-Signature`` for a body sent at an instant (seconds since 1970)."""
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


@transaction.atomic
def _note(row: Webhook, event: RecordedEvent, *, at: datetime, status: int, error: str) -> None:
    good = 200 <= status < 300
    delivery, _ = WebhookDelivery.objects.get_or_create(
        webhook=row, event=event.id, defaults={"kind": event.kind, "last_at": at}
    )
    delivery.acknowledged, delivery.attempts, delivery.last_at = good, delivery.attempts + 1, at
    delivery.status, delivery.error = status, error[:300]
    delivery.save()
    row.failures = 0 if good else row.failures + 1
    row.last_at, row.last_status, row.last_error = at, status, error[:300]
    if row.failures >= MOST_FAILURES and row.awake:
        row.awake = False
        _tell(ASLEEP, row, None, at)
    row.save(update_fields=["failures", "last_at", "last_status", "last_error", "awake"])
