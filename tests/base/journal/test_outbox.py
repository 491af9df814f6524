"""The outbox delivers each event at least once, in order per subject, and one subject in trouble delays no other."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from beffroi.base.journal import events, operations
from beffroi.base.journal.models import Delivery, Event
from beffroi.base.journal.outbox import MOST_ATTEMPTS, deliver_pending, run_outbox, wait_after
from beffroi.base.territory.operations import add_commune

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def at_nine() -> datetime:
    return AT


def planted(subject: str, number: int = 0) -> int:
    return operations.record(kind="tree.planted", subject=subject, payload={"n": number}, at=AT)


class Gardener:
    """A consumer that remembers what it handled and refuses the subjects it is told to."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []
        self.refused: set[str] = set()

    def __call__(self, event: events.RecordedEvent) -> None:
        if event.subject in self.refused:
            raise OSError("sécateur cassé")
        self.seen.append((event.subject, event.payload["n"]))


@pytest.fixture
def gardener():
    consumer = Gardener()
    events.subscribe("tests.gardener", ["tree.planted"], consumer)
    yield consumer
    events.unsubscribe("tests.gardener")


@pytest.mark.django_db
def test_events_are_delivered_in_order_and_once_when_nothing_fails(gardener):
    for number in range(3):
        planted("tree:1", number)
        planted("tree:2", number)
    assert deliver_pending(clock=at_nine) == 6
    assert deliver_pending(clock=at_nine) == 0
    assert [n for subject, n in gardener.seen if subject == "tree:1"] == [0, 1, 2]
    assert [n for subject, n in gardener.seen if subject == "tree:2"] == [0, 1, 2]
    assert Delivery.objects.count() == 0


@pytest.mark.django_db
def test_the_limit_holds(gardener):
    for number in range(10):
        planted("tree:1", number)
    assert deliver_pending(4, clock=at_nine) == 4
    assert [n for _, n in gardener.seen] == [0, 1, 2, 3]


@pytest.mark.django_db
def test_a_failing_subject_waits_longer_each_time_and_others_go_on(gardener):
    planted("tree:sick", 0)
    planted("tree:sick", 1)
    planted("tree:sound", 0)
    gardener.refused = {"tree:sick"}
    assert deliver_pending(clock=at_nine) == 1
    assert gardener.seen == [("tree:sound", 0)]
    head = Delivery.objects.earliest("event_id")
    assert (head.attempts, head.next_at, head.last_error) == (1, AT + wait_after(1), "OSError: sécateur cassé")
    assert deliver_pending(clock=at_nine) == 0
    gardener.refused = set()
    assert deliver_pending(clock=lambda: AT + wait_after(1)) == 2
    assert gardener.seen[1:] == [("tree:sick", 0), ("tree:sick", 1)]


def test_the_wait_doubles_up_to_an_hour():
    waits = [wait_after(attempts).total_seconds() for attempts in (1, 2, 3, 10, 11, 1000)]
    assert waits == [5, 10, 20, 2560, 3600, 3600]


@pytest.mark.django_db
def test_a_subject_that_fails_too_often_is_given_up_until_a_person_retries_or_skips(gardener):
    planted("tree:1", 0)
    planted("tree:1", 1)
    gardener.refused = {"tree:1"}
    instant = AT
    for _ in range(MOST_ATTEMPTS):
        deliver_pending(clock=lambda now=instant: now)
        instant += timedelta(hours=1)
    dead = Delivery.objects.get(state=Delivery.DEAD)
    assert dead.attempts == MOST_ATTEMPTS
    gardener.refused = set()
    assert deliver_pending(clock=lambda: instant) == 0, "order is kept: what follows a dead delivery waits for a person"

    operations.retry_delivery(dead.pk, by=7, at=instant)
    assert deliver_pending(clock=lambda: instant) == 2
    assert gardener.seen == [("tree:1", 0), ("tree:1", 1)]
    assert Event.objects.get(kind="delivery.retried").actor == 7
    with pytest.raises(operations.DeliveryNotFound):
        operations.retry_delivery(dead.pk, by=7, at=instant)


@pytest.mark.django_db
def test_skipping_lets_the_rest_of_the_subject_go_on(gardener):
    planted("tree:1", 0)
    planted("tree:1", 1)
    operations.skip_delivery(Delivery.objects.earliest("event_id").pk, by=7, at=AT)
    deliver_pending(clock=at_nine)
    assert gardener.seen == [("tree:1", 1)]
    assert Event.objects.get(kind="delivery.skipped").payload["consumer"] == "tests.gardener"


@pytest.mark.django_db
def test_what_a_consumer_no_longer_known_has_not_handled_stays(gardener):
    planted("tree:1")
    events.unsubscribe("tests.gardener")
    assert deliver_pending(clock=at_nine) == 0
    assert Delivery.objects.count() == 1


@pytest.mark.django_db
def test_a_set_stop_begins_no_delivery(gardener):
    planted("tree:1")
    stop = threading.Event()
    stop.set()
    assert deliver_pending(clock=at_nine, stop=stop) == 0


@pytest.mark.django_db(transaction=True)
def test_the_loop_stops_after_the_delivery_under_way():
    stop, seen = threading.Event(), []

    def last_wish(event: events.RecordedEvent) -> None:
        seen.append(event.payload["n"])
        stop.set()

    events.subscribe("tests.last", ["tree.planted"], last_wish)
    with transaction.atomic():
        planted("tree:1", 0)
        planted("tree:1", 1)
    run_outbox(stop, clock=at_nine)
    events.unsubscribe("tests.last")
    assert seen == [0]
    assert Delivery.objects.count() == 1


@pytest.mark.django_db
def test_territory_tells_the_journal_in_its_own_transaction():
    add_commune(code="34172", name="Montpellier", at=AT)
    told = Event.objects.get(kind="territory.added")
    assert (told.subject, told.territory, told.at) == ("territory:34172", "34172", AT)
