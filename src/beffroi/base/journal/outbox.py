"""Hand events to their consumers: at least once, in order per subject, after commit, resumable at any point.

A delivery is a row written in the transaction of its event, so none can be skipped, whatever the order in which
transactions commit. Only the oldest delivery of a subject may be made, under a lock of that consumer and subject
(`locks`), so two workers never overtake each other. A worker killed at any moment leaves its row: it is made again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import close_old_connections, transaction
from django.db.models import OuterRef, Subquery

from beffroi.base.journal.events import Consumer, consumer, consumers
from beffroi.base.journal.locks import stream_lock
from beffroi.base.journal.models import Delivery
from beffroi.base.kernel.time import now

logger = logging.getLogger(__name__)

FIRST_WAIT_S = 5
LONGEST_WAIT_S = 3600
# 5 s, 10 s… one hour, then hourly: about a day of trying before a person is asked.
MOST_ATTEMPTS = 32
PER_STREAM = 100
PER_ROUND = 1000


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after `attempts` failures: doubled each time, an hour at most."""
    return timedelta(seconds=min(FIRST_WAIT_S * 2 ** min(attempts - 1, 20), LONGEST_WAIT_S))


def deliver_pending(
    limit: int = 100, *, clock: Callable[[], datetime] = now, stop: threading.Event | None = None
) -> int:
    """Deliver up to `limit` events that are due and return how many consumers handled well.

    Args:
        clock: gives the present instant; read before each delivery.
        stop: once set, the delivery under way is finished and no other is begun.
    """
    delivered = 0
    for name, subject in _due_streams(clock(), limit):
        known = consumer(name)
        if known is None or delivered >= limit or (stop is not None and stop.is_set()):
            continue
        with stream_lock(name, subject) as held:
            if held:
                most = min(PER_STREAM, limit - delivered)
                delivered += _deliver_stream(known, subject, most=most, clock=clock, stop=stop)
    return delivered


def _due_streams(at: datetime, limit: int) -> list[tuple[str, str]]:
    # The oldest of each subject, by one look at the index per row; asking instead that none be older leaves
    # PostgreSQL free to compare every pair of a long backlog.
    oldest = Delivery.objects.filter(consumer=OuterRef("consumer"), subject=OuterRef("subject")).order_by("event_id")
    heads = Delivery.objects.filter(
        event_id=Subquery(oldest.values("event_id")[:1]),
        state=Delivery.PENDING,
        next_at__lte=at,
        consumer__in=[known.name for known in consumers()],
    )
    return list(heads.order_by("next_at", "event_id").values_list("consumer", "subject")[:limit])


def _deliver_stream(
    known: Consumer, subject: str, *, most: int, clock: Callable[[], datetime], stop: threading.Event | None
) -> int:
    """Deliver the head of one subject, then the next, until one fails, none is left, or `most` are done."""
    done = 0
    while done < most and not (stop is not None and stop.is_set()):
        at = clock()
        # Read again under the lock: another worker may have made this delivery since it was listed.
        head = (
            Delivery.objects.filter(consumer=known.name, subject=subject)
            .select_related("event")
            .order_by("event_id")
            .first()
        )
        if head is None or head.state != Delivery.PENDING or head.next_at > at:
            break
        if not _deliver(known, head, at=at):
            break
        done += 1
    return done


def _deliver(known: Consumer, head: Delivery, *, at: datetime) -> bool:
    try:
        known.handler(head.event.recorded())
    except Exception as error:  # a consumer may fail in any way: its subject waits, the outbox goes on
        logger.exception("%s could not handle event %s", known.name, head.event_id)
        _put_off(head, error, at=at)
        return False
    with transaction.atomic():
        Delivery.objects.filter(pk=head.pk).delete()
    return True


def _put_off(head: Delivery, error: Exception, *, at: datetime) -> None:
    attempts = head.attempts + 1
    state = Delivery.DEAD if attempts >= MOST_ATTEMPTS else Delivery.PENDING
    text = f"{type(error).__name__}: {error}"[:500].replace("\0", "")
    Delivery.objects.filter(pk=head.pk).update(
        attempts=attempts, state=state, next_at=at + wait_after(attempts), last_error=text
    )


def run_outbox(stop: threading.Event, *, clock: Callable[[], datetime] = now, idle_s: float = 0.5) -> None:
    """Deliver until `stop` is set, finishing the delivery under way. A database that is away is waited for."""
    while not stop.is_set():
        close_old_connections()
        try:
            delivered = deliver_pending(PER_ROUND, clock=clock, stop=stop)
        except Exception:  # the database is away or locked: nothing is lost, try again
            logger.exception("the outbox pauses")
            stop.wait(5)
            continue
        if not delivered:
            stop.wait(idle_s)
    close_old_connections()
