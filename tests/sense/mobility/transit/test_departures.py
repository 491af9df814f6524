"""The next departures: nights past midnight, days when clocks change, exceptions; equal to a second computation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from beffroi.sense.mobility.transit.building import build
from beffroi.sense.mobility.transit.departures import grouped, next_departures
from beffroi.sense.mobility.transit.tables import from_zip
from beffroi.sense.mobility.transit.timetable import BadTimetable, Timetable, load, save
from sense.mobility.transit_feeds import AT, NETWORK, PARIS, PlainFeed, archive, timetable_of


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Timetable:
    return timetable_of(tmp_path_factory.mktemp("reseau"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def told(timetable: Timetable, stops: Sequence[str], moment: str, **asked: float) -> list[str]:
    numbers = [timetable.stop_number[stop] for stop in stops]
    found = next_departures(timetable, numbers, at(moment), most=20, **asked)  # type: ignore[arg-type]
    return [f"{one.at.astimezone(PARIS):%d %H:%M} {one.trip_id} {one.destination}" for one in found]


def test_a_working_day_at_a_stop_of_two_directions(network: Timetable) -> None:
    assert told(network, ["M"], "2026-03-02T08:00") == [
        "02 08:11 a1 Église", "02 08:40 r1 Gare", "02 09:10 a2 Église",
    ]  # fmt: skip


def test_at_its_last_stop_and_where_none_may_board_nothing_leaves(network: Timetable) -> None:
    assert told(network, ["E"], "2026-03-02T00:00") == ["02 08:30 r1 Gare"]
    assert told(network, ["E"], "2026-03-07T23:00", hours=8) == []


def test_a_time_left_out_lies_between_its_neighbours_and_says_so(network: Timetable) -> None:
    (one,) = next_departures(network, [network.stop_number["M"]], at("2026-03-02T09:00"), most=5, hours=9)
    assert (one.about, one.on_request, one.wheelchair) == (True, 2, 2)


def test_the_night_of_saturday_goes_on_after_midnight(network: Timetable) -> None:
    assert told(network, ["G2"], "2026-03-07T23:00", hours=3) == ["07 23:50 n1 Mairie par le pont"]


def test_after_midnight_the_day_before_still_runs(tmp_path: Path) -> None:
    tables = {**NETWORK, "stop_times": NETWORK["stop_times"].replace("E,6,1", "E,6,0")}
    timetable = timetable_of(tmp_path, tables)
    assert told(timetable, ["E"], "2026-03-08T00:05", hours=2) == ["08 00:10 n1 Mairie"]
    # The first of May has the service of Saturdays, so that its night ends on the second, beside its own.
    assert told(timetable, ["E"], "2026-05-02T00:05", hours=1) == ["02 00:10 n1 Mairie"]
    assert told(timetable, ["M"], "2026-05-01T06:00", hours=12) == []


@pytest.mark.parametrize(
    ("day", "instant", "clock"),
    [
        # Noon minus twelve hours is 23:00 on the eve: the tram of « 02:30 » leaves an hour earlier by the clock.
        ("2026-03-29", "2026-03-29T00:30:00+00:00", "01:30"),
        # In autumn it is 01:00 in summer time: « 02:30 » is the second 02:30 of the night, in winter time.
        ("2026-10-25", "2026-10-25T01:30:00+00:00", "02:30"),
    ],
)
def test_times_count_from_noon_minus_twelve_hours_when_clocks_change(
    network: Timetable, day: str, instant: str, clock: str
) -> None:
    start = at(f"{day}T00:00") - timedelta(hours=1)
    (one,) = [
        one
        for one in next_departures(network, [network.stop_number["G2"]], start, most=5, hours=8)
        if one.trip_id == "d1"
    ]
    assert one.at == datetime.fromisoformat(instant)
    assert f"{one.at.astimezone(PARIS):%H:%M}" == clock
    assert one.service_day == date.fromisoformat(day)


def test_a_station_gathers_its_platforms_and_every_line_is_told(network: Timetable) -> None:
    station = network.children[network.stop_number["G"]]
    groups = grouped(network, station, at("2026-03-02T08:30"))
    bus, tram = sorted(groups, key=lambda one: network.routes.ids[one.route])
    assert [one.trip_id for one in bus.departures] == ["a2"]
    assert tram.departures == ()
    assert tram.first_after is not None
    assert f"{tram.first_after.at.astimezone(PARIS):%d %H:%M}" == "07 23:50"
    (silent,) = [one for one in grouped(network, station, at("2027-06-01T08:00")) if one.route == bus.route]
    assert (silent.departures, silent.first_after) == ((), None)


def test_platforms_take_from_their_station_what_they_do_not_say(network: Timetable) -> None:
    chairs = {name: int(network.stop_wheelchair[number]) for name, number in network.stop_number.items()}
    assert chairs == {"G": 1, "G1": 1, "G2": 2, "M": 1, "E": 2, "X": 0}


def test_a_frequency_is_so_many_departures(tmp_path: Path) -> None:
    tables = {
        **NETWORK,
        "frequencies": "trip_id,start_time,end_time,headway_secs,exact_times\na1,10:00:00,11:00:00,1200,0\n"
        "a2,12:00:00,12:30:00,900,1\n",
    }
    timetable = timetable_of(tmp_path, tables)
    assert [one[3:8] for one in told(timetable, ["G1"], "2026-03-02T00:00")] == [
        "10:00", "10:20", "10:40", "12:00", "12:15",
    ]  # fmt: skip
    found = next_departures(timetable, [timetable.stop_number["M"]], at("2026-03-02T10:00"), most=9, hours=9)
    assert [(one.trip_id, one.about) for one in found] == [
        ("a1", True), ("a1", True), ("a1", True), ("a2", True), ("a2", True),
    ]  # fmt: skip
    assert len(timetable.trips_of("a1")) == 3


def test_what_is_saved_is_what_was_built(network: Timetable, tmp_path: Path) -> None:
    save(network, tmp_path / "essai")
    loaded = load(tmp_path / "essai")
    assert told(loaded, ["M", "G1"], "2026-03-02T07:00") == told(network, ["M", "G1"], "2026-03-02T07:00")
    (tmp_path / "essai" / "departure.npy").unlink()
    with pytest.raises(BadTimetable, match="beffroi transit build"):
        load(tmp_path / "essai")


@pytest.mark.parametrize("seed", range(3))
def test_small_networks_drawn_at_random_equal_the_second_computation(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = archive(tmp_path, _drawn(rng))
    timetable = build(from_zip(path), feed="x", territory="00001", version="x", at=AT)
    _compare(
        timetable, PlainFeed(path), rng, _moments(rng, date(2026, 3, 26), 7) + _moments(rng, date(2026, 10, 22), 7)
    )


def _drawn(rng: random.Random) -> dict[str, str]:
    """Draw a network whose trips leave at any hour up to 30 h, on services full of exceptions."""
    times, trips = (
        ["trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type"],
        ["route_id,service_id,trip_id"],
    )
    for number in range(60):
        trips.append(f"L,S{number % 6},t{number}")
        clock = rng.randrange(28 * 3600)
        for rank, stop in enumerate(rng.sample("ABCDEFGH", 5)):
            clock += rng.randrange(60, 900)
            text = f"{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}"
            times.append(f"t{number},{text},{text},{stop},{rank * 3 + 1},{rng.choice(('', '0', '1'))}")
    week = [",".join(rng.choice("01") for _ in range(7)) for _ in range(5)]
    days = sorted({(f"S{rng.randrange(6)}", date(2026, 3, 20) + timedelta(days=rng.randrange(20))) for _ in range(40)})
    return {
        "stops": "stop_id,stop_name,stop_lat,stop_lon\n" + "".join(f"{one},{one},45,3\n" for one in "ABCDEFGH"),
        "routes": "route_id,route_short_name,route_type\nL,1,3\n",
        "trips": "\n".join(trips),
        "stop_times": "\n".join(times),
        "calendar": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        + "".join(f"S{rank},{one},20260101,20261130\n" for rank, one in enumerate(week)),
        "calendar_dates": "service_id,date,exception_type\n"
        + "".join(f"{service},{day:%Y%m%d},{rng.choice('12')}\n" for service, day in days),
    }  # fmt: skip


def _moments(rng: random.Random, first: date, days: int, count: int = 25) -> list[datetime]:
    """Draw instants over some days, a third of them about midnight and the hours when clocks change."""
    start = datetime(first.year, first.month, first.day, tzinfo=PARIS).astimezone(UTC)
    found = []
    for number in range(count):
        day = start + timedelta(days=rng.randrange(days))
        hour = rng.uniform(-1.5, 4) if number % 3 == 0 else rng.uniform(0, 24)
        found.append((day + timedelta(hours=hour)).replace(microsecond=0))
    return found


def _compare(timetable: Timetable, plain: PlainFeed, rng: random.Random, moments: Sequence[datetime]) -> int:
    """Compare all that leaves in six hours, and the first five; return how many departures were compared."""
    seen = 0
    for moment in moments:
        stop = rng.choice(timetable.stops.ids)
        number = timetable.stop_number[stop]
        stops = (number, *timetable.children.get(number, ()))
        ids = [timetable.stops.ids[one] for one in stops]
        expected = plain.departures(ids, moment, 6)
        found = next_departures(timetable, stops, moment, most=100_000, hours=6)
        assert sorted((one.at, one.trip_id) for one in found) == expected, (stop, moment)
        first = next_departures(timetable, stops, moment, most=5, hours=6)
        assert [one.at for one in first] == [leaves for leaves, _ in expected[:5]]
        seen += len(expected)
    return seen


def _moved(timetable: Timetable, days: int) -> Timetable:
    """Move a calendar by whole weeks: a week day stays one."""
    known = timetable.calendar
    moved = replace(known, first=known.first + days, last=known.last + days, except_day=known.except_day + days)
    return replace(timetable, calendar=moved)


def test_the_network_of_montpellier_equals_the_second_computation_500_times(open_data: Path) -> None:
    """As it is (January to March 2026); and its calendar moved by whole weeks over both changes of clocks."""
    path = open_data / "montpellier" / "transit" / "TaM_GTFS_2026-04.zip"
    if not path.exists():
        pytest.skip("no GTFS of Montpellier in the open data")
    rng = random.Random(2026)
    network, plain = build(from_zip(path), feed="tam", territory="34172", version="x", at=AT), PlainFeed(path)
    compared = 0
    for shift, first, days, count in (
        (0, date(2026, 1, 5), 63, 200),
        (35, date(2026, 3, 27), 4, 150),
        (287, date(2026, 10, 23), 4, 150),
    ):
        plain.shift = timedelta(days=shift)
        compared += _compare(_moved(network, shift), plain, rng, _moments(rng, first, days, count))
    assert compared > 5_000
