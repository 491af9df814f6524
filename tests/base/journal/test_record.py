"""Events are written in the transaction of the change, and never change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from beffroi.base.journal import events, operations
from beffroi.base.journal.models import Delivery, Event, Redaction

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def recorded(**changes: object) -> Event:
    fields = {"kind": "tree.planted", "subject": "tree:1", "payload": {"species": "orme"}, "at": AT} | changes
    return Event.objects.get(pk=operations.record(**fields))


def _fail_after(change: Callable[[], object]) -> None:
    change()
    raise ZeroDivisionError


@pytest.fixture
def heard():
    seen: list[events.RecordedEvent] = []
    events.subscribe("tests.heard", ["tree.planted"], seen.append)
    yield seen
    events.unsubscribe("tests.heard")


@pytest.mark.django_db(transaction=True)
def test_recording_outside_a_transaction_is_refused():
    with pytest.raises(operations.NotInTransaction, match="hors de toute transaction"):
        operations.record(kind="tree.planted", subject="tree:1", payload={})


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [{"kind": ""}, {"subject": ""}, {"subject": "x" * 201}, {"kind": "k" * 81}])
def test_an_event_says_what_happened_to_what(wrong):
    with pytest.raises(operations.BadEvent):
        recorded(**wrong)


@pytest.mark.django_db(transaction=True)
def test_a_change_that_fails_leaves_no_event_and_no_delivery(heard):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        _fail_after(recorded)
    assert (Event.objects.count(), Delivery.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_only_consumers_of_the_kind_get_a_delivery(heard):
    planted = recorded()
    recorded(kind="tree.felled")
    assert list(Delivery.objects.values_list("event", "consumer")) == [(planted.pk, "tests.heard")]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal_event SET kind = 'tree.felled'",
        "UPDATE journal_event SET payload = '{}'",
        "UPDATE journal_event SET actor = 2",
        "UPDATE journal_event SET redactions = redactions + 1, payload = '{}'",
        "DELETE FROM journal_event",
        "DELETE FROM journal_redaction",
        "UPDATE journal_redaction SET keys = '[]'",
    ],
)
def test_the_database_refuses_to_change_the_past(statement):
    event = recorded(actor=1)
    operations.strike_out(event.pk, persons={}, keys=["species"], reason="essai", at=AT)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_a_permit_does_not_let_what_happened_change():
    event = recorded(actor=1)
    Redaction.objects.create(event=event, number=1, at=AT, reason="fraude", keys=[])
    for forged in (
        {"kind": "tree.felled"},
        {"subject": "tree:2"},
        {"actor": 7},
        {"at": datetime(2020, 1, 1, tzinfo=UTC)},
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            Event.objects.filter(pk=event.pk).update(redactions=1, **forged)


@pytest.mark.django_db
def test_replacing_a_row_is_refused():
    event = recorded()
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        Event.objects.create(pk=event.pk, at=AT, kind="tree.felled", subject="tree:1")
    assert Event.objects.get().kind == "tree.planted"


@pytest.mark.django_db
def test_striking_out_leaves_the_fact_and_a_trace():
    event = recorded(actor=5, on_behalf_of=6, payload={"species": "orme", "e-mail": "a@b.fr"})
    operations.strike_out(event.pk, persons={5: -1}, keys=["e-mail", "absent"], reason="effacement", at=AT)
    event.refresh_from_db()
    assert (event.actor, event.on_behalf_of) == (-1, 6)
    assert event.payload == {"species": "orme", "e-mail": None}
    assert list(Redaction.objects.values_list("number", "keys", "reason")) == [(1, ["actor", "e-mail"], "effacement")]
    operations.strike_out(event.pk, persons={5: -1}, keys=["e-mail"], reason="encore", at=AT)
    assert Redaction.objects.count() == 1
