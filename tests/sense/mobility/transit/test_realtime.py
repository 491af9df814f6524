"""What a network tells of the moment: delays that run along a trip, cancellations, added trips, incidents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from beffroi.sense.mobility.transit.departures import Source, grouped, next_departures
from beffroi.sense.mobility.transit.messages import BadMessage, read_message
from beffroi.sense.mobility.transit.realtime import Moment, State, gathered
from beffroi.sense.mobility.transit.timetable import Timetable
from sense.mobility.transit_feeds import NETWORK, PARIS, message, timetable_of, trip_update

EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=PARIS)
DAY = "20260302"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Timetable:
    return timetable_of(tmp_path_factory.mktemp("reseau"))


def moment(*entities: dict[str, object], at: datetime = EIGHT) -> Moment:
    read = read_message(message(at, *entities))
    return gathered([read], told_at=read.told_at)


def told(network: Timetable, stop: str, at: datetime, now: Moment, hours: float = 3) -> list[str]:
    found = next_departures(network, [network.stop_number[stop]], at, most=20, hours=hours, moment=now)
    return [f"{one.at.astimezone(PARIS):%H:%M} {one.trip_id} {one.state} {one.delay_s} {one.source}" for one in found]


def test_a_delay_holds_until_another_is_told(network: Timetable) -> None:
    late = moment(
        trip_update("a1", DAY, calls=[{"stop_sequence": 1, "departure": {"delay": 300}}]),
        trip_update("r1", DAY, calls=[{"stop_id": "M", "departure": {"time": int(EIGHT.timestamp()) + 45 * 60}}]),
    )
    assert told(network, "G1", EIGHT, late, hours=0.5) == ["08:05 a1 runs 300 live"]
    assert told(network, "M", EIGHT, late, hours=1) == ["08:16 a1 runs 300 live", "08:45 r1 runs 300 live"]
    # Nothing is known of the stops before the first one told.
    assert told(network, "E", EIGHT, late, hours=1) == ["08:30 r1 runs None planned"]


def test_what_is_late_stays_until_it_goes_and_what_is_early_is_gone(network: Timetable) -> None:
    nine = EIGHT + timedelta(minutes=15)
    late = moment(trip_update("a1", DAY, delay=600))
    assert told(network, "M", nine, late, hours=0.2) == ["08:21 a1 runs 600 live"]
    early = moment(trip_update("a1", DAY, delay=-120))
    assert told(network, "M", EIGHT + timedelta(minutes=10), early, hours=0.2) == []


def test_cancelled_skipped_and_unknown(network: Timetable) -> None:
    now = moment(
        trip_update("a1", DAY, relation="CANCELED"),
        trip_update("a2", DAY, calls=[
            {"stop_sequence": 1, "departure": {"delay": 60}},
            {"stop_sequence": 2, "schedule_relationship": "SKIPPED"},
        ]),
        trip_update("r1", DAY, calls=[
            {"stop_sequence": 1, "departure": {"delay": 60}},
            {"stop_sequence": 2, "schedule_relationship": "NO_DATA"},
        ]),
    )  # fmt: skip
    assert told(network, "M", EIGHT, now) == [
        "08:11 a1 cancelled None live",
        "08:40 r1 runs None planned",
        "09:10 a2 skips None live",
    ]
    assert told(network, "E", EIGHT, now, hours=1) == ["08:31 r1 runs 60 live"]


def test_an_added_trip_is_shown_and_one_of_an_unknown_line_is_not(network: Timetable) -> None:
    calls = [{"stop_id": stop, "departure": {"time": int(EIGHT.timestamp()) + 60 * minutes}}
             for stop, minutes in (("M", 5), ("E", 12))]  # fmt: skip
    now = moment(
        trip_update("plus", relation="ADDED", of={"route_id": "L1"}, calls=calls),
        trip_update("ailleurs", relation="ADDED", of={"route_id": "L9"}, calls=calls),
    )
    assert told(network, "M", EIGHT, now, hours=0.15) == ["08:05 plus runs None added"]
    assert told(network, "E", EIGHT, now, hours=0.3) == [], "one does not board at the last stop"
    groups = grouped(network, [network.stop_number["M"]], EIGHT, moment=now)
    assert [[one.source for one in group.departures] for group in groups if group.way == -1] == [[Source.ADDED]]


def test_without_a_day_an_update_is_of_the_trip_running_now(network: Timetable, tmp_path: Path) -> None:
    timetable = timetable_of(tmp_path, {**NETWORK, "stop_times": NETWORK["stop_times"].replace("E,6,1", "E,6,0")})
    midnight = datetime(2026, 3, 8, 0, 5, tzinfo=PARIS)
    now = moment(trip_update("n1", delay=120), at=midnight)
    assert told(timetable, "E", midnight, now, hours=1) == ["00:12 n1 runs 120 live"]
    # That of the next Saturday is another one.
    assert told(timetable, "E", midnight + timedelta(days=7), now, hours=1) == ["00:10 n1 runs None planned"]


def test_a_late_departure_takes_its_place_in_the_order(network: Timetable) -> None:
    now = moment(trip_update("a1", DAY, delay=3600))
    assert [one[:8] for one in told(network, "M", EIGHT, now)] == ["08:40 r1", "09:10 a2", "09:11 a1"]
    (first,) = next_departures(network, [network.stop_number["M"]], EIGHT, most=1, moment=now)
    assert first.trip_id == "r1"
    groups = grouped(network, [network.stop_number["M"]], EIGHT, each=1, moment=now)
    assert [one.trip_id for group in groups for one in group.departures] == ["a2", "r1"]
    assert first.state is State.RUNS


def test_incidents_say_whom_they_concern_and_when() -> None:
    since, until = EIGHT.timestamp(), (EIGHT + timedelta(days=1)).timestamp()
    french = {"translation": [{"text": "Works", "language": "en"}, {"text": "Travaux", "language": "fr-FR"}]}
    read = read_message(message(EIGHT, {"alert": {
        "active_period": [{"start": int(since), "end": int(until)}],
        "informed_entity": [{"route_id": "L1", "stop_id": "M"}, {"route_type": 0}],
        "cause": "CONSTRUCTION", "effect": "DETOUR", "header_text": french,
        "url": {"translation": [{"text": "javascript:alert(1)"}]},
    }}))  # fmt: skip
    (alert,) = read.alerts
    assert (alert.title, alert.effect, alert.cause, alert.url) == ("Travaux", "detour", "construction", "")
    assert alert.concerns(route_ids=["L1"], stop_ids=["M"])
    assert not alert.concerns(route_ids=["L1"], stop_ids=["E"])
    assert not alert.concerns(route_ids=["T"], stop_ids=["M"])
    assert alert.concerns(route_types=[0])
    assert [alert.holds(EIGHT + timedelta(hours=hours)) for hours in (-1, 0, 23, 24)] == [False, True, True, False]
    assert alert.is_over(EIGHT + timedelta(days=2))


def test_the_incidents_of_brest_read_as_they_were_sent(open_data: Path) -> None:
    path = open_data / "autres" / "transit" / "rt_samples" / "bibus-brest-gtfs-rt-alerts.pb"
    read = read_message(path.read_bytes())
    assert read.told_at == datetime(2021, 12, 16, 15, 29, 2, tzinfo=UTC)
    assert len(read.alerts) >= 5
    assert all(one.title and one.periods and one.entities for one in read.alerts)
    assert read.alerts[0].concerns(route_ids=["45"])


@pytest.mark.parametrize("content", [b"", b"<html>502</html>", message(EIGHT, trip_update("a1", DAY, delay=60))[:-4]])
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(BadMessage, match="GTFS-RT illisible"):
        read_message(content, where="trip_updates")
