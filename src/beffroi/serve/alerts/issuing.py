"""What leaves: at its moment an alert becomes a message that never changes, owed once to each follower and channel.

Everything is a row before anything is sent. Killed at any point, a worker leaves rows that the next one takes up:
nothing is lost, and what was marked sent is not sent again. Between a mail server's yes and the mark, a death sends
the same message twice, with the same ``Message-ID``, which mailboxes show once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.core.mail import get_connection
from django.db import transaction
from django.db.models import F, Q

from beffroi.base.journal.operations import record
from beffroi.base.territory.engine import is_sandbox
from beffroi.serve.alerts import audience, events, letters
from beffroi.serve.alerts.definition import Content, content_of
from beffroi.serve.alerts.models import (
    ALERT,
    CANCEL,
    DEVICE,
    END,
    LIVE,
    MAIL,
    PLANNED,
    UPDATE,
    Alert,
    Delivery,
    Issue,
)

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)
TRY_AGAIN = timedelta(minutes=15)
AT_ONCE = 50
MOST_FAILURES = 3
MOST_ATTEMPTS = 20
_KINDS = {ALERT: events.SENT, UPDATE: events.UPDATED, END: events.ENDED, CANCEL: events.CANCELLED}


def turn(at: datetime) -> None:
    """Issue the alerts whose moment has come, and have a worker send what is owed; called every few seconds."""
    from beffroi.serve.alerts.tasks import deliver

    for key in Alert.objects.filter(state=PLANNED, goes_at__lte=at).order_by("goes_at").values_list("pk", flat=True):
        issue_planned(int(key), at)
    for key in _owing(at):
        # One statement decides: of two workers, one takes it.
        free = Issue.objects.filter(pk=key).filter(Q(lease_until=None) | Q(lease_until__lte=at))
        if free.update(lease_until=at + LEASE):
            deliver.enqueue(key)


def _owing(at: datetime) -> list[int]:
    due = Delivery.objects.filter(done_at=None, due_at__lte=at)
    return sorted(set(due.order_by().values_list("issue", flat=True)))


@transaction.atomic
def issue_planned(number: int, at: datetime) -> None:
    """Issue one alert, unless it was taken back or is too late by then."""
    row = Alert.objects.select_for_update(of=("self",)).filter(pk=number, state=PLANNED, goes_at__lte=at).first()
    if row is None:
        return
    content = content_of(row.content)
    kind = UPDATE if row.rank else ALERT
    shape = content.shape
    bounds = shape.bounds if shape is not None else (None,) * 4
    row.issued, row.state, row.goes_at, row.until, row.ended_at = row.content, LIVE, None, content.until, None
    row.west, row.south, row.east, row.north = bounds
    row.sent_at = row.sent_at or at
    row.changed_at = at
    row.save()
    issue(row, kind=kind, at=at, actor=row.asker_id)


def issue(row: Alert, *, kind: str, at: datetime, actor: int | None) -> Issue:
    """Write down what leaves and to whom, in the caller's transaction; `row` is locked and says what it is now."""
    content = content_of(row.issued or row.content)
    row.rank += 1
    row.save(update_fields=["rank"])
    made = Issue.objects.create(alert=row, rank=row.rank, kind=kind, content=content.as_json(), sent_at=at)
    told = [] if is_sandbox(row.territory) else list(_told(row, made, content, at))
    Delivery.objects.bulk_create(told, batch_size=500, ignore_conflicts=True)
    made.event = record(
        kind=_KINDS[kind],
        subject=events.subject_of(int(row.pk)),
        payload={
            "rank": made.rank, "severity": content.severity, "area": content.area, "topic": content.topic,
            "mails": sum(one.channel == MAIL for one in told), "devices": sum(one.channel == DEVICE for one in told),
        },
        actor=actor,
        territory=row.territory,
        at=at,
    )  # fmt: skip
    made.save(update_fields=["event"])
    return made


def _told(row: Alert, made: Issue, content: Content, at: datetime) -> Iterator[Delivery]:
    """Yield what is owed: to whom it concerns, and, of a change or an end, to whom it was told before."""
    people = audience.told_of(row.territory, content, report=row.report)
    before: set[str] = set()
    if made.kind != ALERT:
        before = set(Delivery.objects.filter(issue__alert=row, sent=True).values_list("who", flat=True))
    if made.kind in (END, CANCEL):
        people = [one for one in people if one.who in before]
    missing = before - {one.who for one in people}
    for one in people:
        due = audience.held_until(one.quiet, row.territory, content, at)
        yield from _owed(made, one.who, due, mail=bool(one.email))
    for who in sorted(missing):
        yield from _owed(made, who, at, mail=True)


def _owed(made: Issue, who: str, due: datetime, *, mail: bool) -> Iterable[Delivery]:
    for channel in (MAIL, DEVICE) if mail else (DEVICE,):
        yield Delivery(issue=made, who=who, channel=channel, due_at=due)


def deliver_issue(key: int, *, at: datetime) -> int:
    """Send what an issue owes by now, and return how many left; what cannot be sent waits for its next turn."""
    made = Issue.objects.select_related("alert").get(pk=key)
    line = _Line(made)
    while line.is_well and (batch := _batch(made, at)):
        Issue.objects.filter(pk=key).update(lease_until=at + LEASE)
        for one in batch:
            line.send(one, at)
    line.close()
    Issue.objects.filter(pk=key).update(lease_until=None if line.is_well else at + TRY_AGAIN)
    return line.sent


def _batch(made: Issue, at: datetime) -> list[Delivery]:
    return list(Delivery.objects.filter(issue=made, done_at=None, due_at__lte=at).order_by("due_at", "pk")[:AT_ONCE])


class _Line:
    """A line to the mail server, kept open from one message to the next."""

    def __init__(self, made: Issue) -> None:
        self._made = made
        self._connection = get_connection()
        self._failures = 0
        self.sent = 0

    @property
    def is_well(self) -> bool:
        return self._failures < MOST_FAILURES

    def send(self, one: Delivery, at: datetime) -> None:
        """Send one message and mark it; put it off when it cannot be sent."""
        if not self.is_well:
            return
        try:
            left = self._sent(one, at)
        except OSError:
            logger.exception("an alert of %s could not be sent", self._made.alert.territory)
            self.close()
            self._failures += 1
            over = one.attempts + 1 >= MOST_ATTEMPTS
            Delivery.objects.filter(pk=one.pk).update(
                attempts=F("attempts") + 1, due_at=at + TRY_AGAIN, done_at=at if over else None
            )
            return
        self._failures = 0
        Delivery.objects.filter(pk=one.pk).update(done_at=at, sent=left)
        self.sent += left

    def _sent(self, one: Delivery, at: datetime) -> bool:
        """Send one message unless it has become useless; tell whether it left."""
        to = audience.addressee(one.who)
        if to is None or is_stale(self._made, at):
            return False
        if one.channel == DEVICE:
            return letters.tell_devices(self._made, to, at=at) > 0
        if not to.email:
            return False
        letter = letters.letter(self._made, one.who, to)
        letter.connection = self._connection
        self._connection.open()
        return bool(letter.send())

    def close(self) -> None:
        """Hang up."""
        try:
            self._connection.close()
        except OSError:
            logger.debug("the mail server hung up first")


def is_stale(made: Issue, at: datetime) -> bool:
    """Tell whether nobody is to be told of an issue any more: a later one was issued, or its hour has passed."""
    if made.rank < Alert.objects.filter(pk=made.alert_id).values_list("rank", flat=True)[0]:
        return True
    return made.kind in (ALERT, UPDATE) and content_of(made.content).until <= at
