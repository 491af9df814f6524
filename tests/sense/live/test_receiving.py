"""Readings are kept once each, late or not; those out of range are marked, those of the future refused."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test.utils import CaptureQueriesContext

from beffroi.base.journal import events as journal_events
from beffroi.base.journal.models import Event
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.sense.live import events, notices, operations, queries, silence, summing
from beffroi.sense.live.definition import BadReading, Reading, SuspendedThing, UnknownStream
from beffroi.sense.live.models import Datastream, Observation, StaleDay, Summary
from sense.live.sensors import SENDER, make_stream, send
from territory_makers import OTHER_TOWN, TOWN, make_person, make_town

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def stream() -> int:
    make_town()
    territory.add_service(territory=TOWN, slug="sports", name="Sports", at=AT)
    return make_stream(at=AT, use_case="12-04", service="sports", low=0, high=500, capacity=200)[1]


def minutes(*results: float, start: datetime = AT - timedelta(hours=1), every: int = 5) -> list[tuple[datetime, float]]:
    return [(start + timedelta(minutes=every * rank), result) for rank, result in enumerate(results)]


def test_readings_are_kept_once_in_any_order(stream: int) -> None:
    found = send(stream, reversed(minutes(10, 20, 30)), at=AT)
    assert (found.kept, found.repeated, found.marked, dict(found.refused)) == (3, 0, 0, {})
    again = send(stream, minutes(10, 20, 99), at=AT)
    assert (again.kept, again.repeated) == (0, 3)
    known = queries.thing(ANONYMOUS, Datastream.objects.get(pk=stream).thing_id, at=AT).streams[0]
    points = queries.readings(known, AT - timedelta(days=1), AT)
    assert [one.result for one in points] == [10, 20, 30]
    assert known.last_result == 30
    late = send(stream, [(AT - timedelta(hours=3), 5)], at=AT)
    assert late.kept == 1
    assert Datastream.objects.get(pk=stream).last_result == 30


def test_a_reading_out_of_range_is_kept_marked_and_in_no_mean(stream: int) -> None:
    found = send(stream, minutes(100, -999, 120), at=AT)
    assert (found.kept, found.marked) == (3, 1)
    operations.sum_up(at=AT)
    day = Summary.objects.get(datastream=stream, span="d")
    assert (day.count, day.marked, day.mean, day.low, day.high) == (2, 1, 110, 100, 120)


@pytest.mark.parametrize(
    ("when", "result", "fault"),
    [
        (AT + timedelta(hours=1), 1.0, BadReading),
        (AT - timedelta(days=401), 1.0, BadReading),
        (AT, float("nan"), BadReading),
        (AT, float("inf"), BadReading),
    ],
)
def test_what_cannot_be_true_is_refused_and_the_rest_kept(
    stream: int, when: datetime, result: float, fault: type[Exception]
) -> None:
    found = operations.receive(SENDER, [Reading(stream, when, result), Reading(stream, AT, 7)], at=AT)
    assert found.kept == 1
    assert [(rank, type(error)) for rank, error in found.refused.items()] == [(0, fault)]
    assert str(found.refused[0])


def test_a_clock_a_little_ahead_is_forgiven(stream: int) -> None:
    assert send(stream, [(AT + timedelta(minutes=4), 3)], at=AT).kept == 1


def test_only_who_may_sends(stream: int) -> None:
    make_town(OTHER_TOWN, "Castelnau-le-Lez")
    strangers = [
        ANONYMOUS,
        replace(SENDER, scopes=frozenset({"data:agents"})),
        replace(SENDER, grants=tuple(replace(one, territory=OTHER_TOWN) for one in SENDER.grants)),
        replace(SENDER, scopes=None),  # an agent, of no service
    ]
    for one in strangers:
        found = operations.receive(one, [Reading(stream, AT, 1)], at=AT)
        assert type(found.refused[0]) is UnknownStream
    agent = replace(
        SENDER, scopes=None, grants=tuple(replace(one, services=frozenset({"sports"})) for one in SENDER.grants)
    )
    assert operations.receive(agent, [Reading(stream, AT, 1)], at=AT).kept == 1
    assert Observation.objects.count() == 1


def test_a_suspended_thing_is_not_listened_to(stream: int) -> None:
    thing = Datastream.objects.get(pk=stream).thing_id
    operations.suspend_thing(SENDER, thing, at=AT)
    assert type(send(stream, [(AT, 1)], at=AT).refused[0]) is SuspendedThing
    operations.resume_thing(SENDER, thing, at=AT)
    assert send(stream, [(AT, 1)], at=AT).kept == 1


def test_what_is_for_agents_is_not_for_everybody() -> None:
    make_town()
    thing, _stream = make_stream(at=AT, access="agents")
    assert queries.things(ANONYMOUS, TOWN, at=AT) == []
    with pytest.raises(UnknownStream):
        queries.thing(ANONYMOUS, thing, at=AT)
    agent = replace(SENDER, scopes=None)
    assert [one.id for one in queries.things(agent, TOWN, at=AT)] == [thing]


def test_many_readings_cost_few_statements(stream: int, django_assert_max_num_queries: Any) -> None:
    many = [(AT - timedelta(seconds=rank), float(rank % 50)) for rank in range(3_000)]
    with django_assert_max_num_queries(11) as found:
        assert send(stream, many, at=AT).kept == 3_000
    one = len(found)
    with CaptureQueriesContext(found.connection) as single:
        send(stream, [(AT + timedelta(seconds=1), 1)], at=AT)
    assert len(single) == one


def test_hours_and_days_are_the_town_s_and_counted_again_when_late_readings_come(stream: int) -> None:
    # 23:30 UTC is already tomorrow in Paris.
    night = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)
    send(stream, [(night - timedelta(hours=1), 10), (night, 20), (night + timedelta(minutes=5), 40)], at=AT)
    assert operations.sum_up(at=AT) == 2
    assert not StaleDay.objects.exists()
    days = {row.start_ms: row.mean for row in Summary.objects.filter(span="d")}
    assert list(days.values()) == [10, 30]
    send(stream, [(night + timedelta(minutes=10), 60)], at=AT)
    operations.sum_up(at=AT)
    hour = Summary.objects.get(span="h", start_ms=int(night.replace(minute=0).timestamp() * 1000))
    assert (hour.count, hour.mean, hour.low, hour.high, hour.p95) == (3, 40, 20, 60, pytest.approx(58))


def test_old_readings_go_and_their_days_stay(stream: int) -> None:
    old = AT - timedelta(days=399)
    send(stream, [(old, 10), (AT, 20)], at=AT)
    later = AT + timedelta(days=30)
    assert operations.forget_old(at=later) == 0  # not summed up yet
    operations.sum_up(at=later)
    assert operations.forget_old(at=later) == 1
    assert Summary.objects.filter(span="d", mean=10).exists()
    assert type(send(stream, [(old, 11)], at=later).refused[0]) is BadReading


def test_a_crossing_that_lasts_is_told_once_and_written_to_its_service(stream: int) -> None:
    person = make_person(Role.AGENT, services=("sports",), email="sports@exemple.fr")
    send(stream, minutes(60, 190, 60), at=AT)
    assert not Event.objects.filter(kind=events.LEVEL_CROSSED).exists()
    send(stream, minutes(190, 195, 192, 196, start=AT - timedelta(minutes=20)), at=AT)
    crossed = Event.objects.get(kind=events.LEVEL_CROSSED)
    assert (crossed.payload["before"], crossed.payload["alert"], crossed.territory) == ("calme", True, TOWN)
    assert crossed.subject == f"datastream:{stream}"
    notices.tell_service(_recorded(crossed))
    assert person
    assert [one.to for one in mail.outbox] == [["sports@exemple.fr"]]
    assert "Presque plein" in mail.outbox[0].subject


def test_the_history_of_a_sensor_crosses_nothing(stream: int) -> None:
    send(stream, minutes(60, 190, 190, 190, 190, start=AT - timedelta(days=3)), at=AT)
    assert not Event.objects.filter(kind=events.LEVEL_CROSSED).exists()
    assert Datastream.objects.get(pk=stream).level == "sature"


def test_a_silence_is_told_once_a_spell(stream: int) -> None:
    make_person(Role.ADMINISTRATOR, email="admin@exemple.fr")
    send(stream, [(AT, 1)], at=AT)
    for hours in (0.5, 2, 3):
        silence.tell_silences(AT + timedelta(hours=hours))
    later = AT + timedelta(hours=4)
    send(stream, [(later, 2)], at=later)
    silence.tell_silences(later)
    kinds = list(Event.objects.filter(subject=f"datastream:{stream}").order_by("pk").values_list("kind", flat=True))
    assert kinds == [events.SILENT, events.HEARD]
    notices.tell_service(_recorded(Event.objects.get(kind=events.SILENT)))
    assert [one.to for one in mail.outbox] == [["admin@exemple.fr"]]


def _recorded(row: Event) -> journal_events.RecordedEvent:
    return journal_events.RecordedEvent(
        row.pk, row.at, row.kind, row.subject, row.territory, row.actor, row.on_behalf_of, row.payload
    )


def test_the_usual_follows_the_town_s_clock_across_a_change_of_time() -> None:
    make_town()
    _thing, number = make_stream(at=AT, use_case="12-04", capacity=200)
    # A Tuesday after the change of 29 March: 16:00 in Paris is 14:00 UTC, and was 15:00 UTC the weeks before.
    now = datetime(2026, 3, 31, 14, 20, tzinfo=UTC)
    past = [(datetime(2026, 3, day, 15, 10, tzinfo=UTC), 40.0 + rank) for rank, day in enumerate((10, 17, 24))]
    past += [(datetime(2026, 3, day, 16, 10, tzinfo=UTC), 80.0) for day in (10, 17, 24)]
    past += [(datetime(2026, 3, day, 14, 10, tzinfo=UTC), 20.0) for day in (10, 17, 24)]
    today = [(now.replace(hour=13), 30.0), (now - timedelta(minutes=1), 60.0)]
    send(number, itertools.chain(past, today), at=now)
    summing.sum_up(at=now)
    (found,) = queries.attendances(ANONYMOUS, TOWN, "12-04", at=now)
    assert found.usual is not None
    assert (found.usual.value, found.usual.weeks) == (41, 3)
    # Three o'clock read 30 for a usual of 20: half as much again.
    assert [(one.start.hour, one.estimate) for one in found.ahead][:1] == [(15, 120)]
    assert found.ahead[1].estimate is None
