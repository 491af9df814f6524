"""What is told of the moment, laid over the timetable.

A delay told at a stop holds for the stops after it, until another is told; stops before the first one told are unknown.
An update that tells no day is of the service day whose trip runs nearest to its time.

Source: GTFS Realtime Reference 2.0, « Stop Time Updates ».
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from beffroi.sense.mobility.transit.calendars import zero_of
from beffroi.sense.mobility.transit.messages import Alert, Call, Extra, Message, Update, Vehicle
from beffroi.sense.mobility.transit.timetable import NO_TIME, Timetable


class State(StrEnum):
    """Whether a vehicle comes."""

    RUNS = "runs"
    CANCELLED = "cancelled"
    SKIPS = "skips"


@dataclass(frozen=True, slots=True)
class Corrected:
    """What is told of one departure: whether it runs, and how late (seconds, negative when early; None unknown)."""

    state: State
    delay_s: int | None = None


@dataclass
class Moment:
    """All that is told of the moment for one feed, read from its messages. `told_at` is the instant of the trips."""

    updates: tuple[Update, ...] = ()
    extras: tuple[Extra, ...] = ()
    alerts: tuple[Alert, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    told_at: datetime | None = None
    _by_trip: dict[str, list[Update]] = field(default_factory=dict)
    _told: dict[tuple[int, int], dict[int, Corrected]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.updates:
            self._by_trip.setdefault(one.trip_id, []).append(one)

    def of(self, timetable: Timetable, row: int, day: date) -> Corrected | None:
        """Return what is told of a stop time on a service day; None when nothing is."""
        trip = int(timetable.of_trip[row])
        key = (trip, day.toordinal())
        if key not in self._told:
            update = self._update(timetable, trip, day)
            self._told[key] = {} if update is None else _along(timetable, trip, day, update)
        return self._told[key].get(row)

    def _update(self, timetable: Timetable, trip: int, day: date) -> Update | None:
        start = int(timetable.trip_start[trip])
        for one in self._by_trip.get(timetable.name_of_trip(trip), ()):
            if start != NO_TIME and one.start_s not in (NO_TIME, start):
                continue
            if (one.start_day or self._nearest_day(timetable, trip)) == day.toordinal():
                return one
        return None

    def _nearest_day(self, timetable: Timetable, trip: int) -> int:
        told = self.told_at
        if told is None:
            return 0
        local = told.astimezone(timetable.zone).date()
        middle = float(timetable.departure[timetable.first[trip] : timetable.first[trip + 1]].mean())
        days = [local + timedelta(days=offset) for offset in (0, -1, 1)]
        service = int(timetable.trip_service[trip])
        running = [one for one in days if timetable.calendar.running(one)[service]] or days
        nearest = min(running, key=lambda one: abs(zero_of(one, timetable.zone) + middle - told.timestamp()))
        return nearest.toordinal()


def gathered(messages: Iterable[Message], *, told_at: datetime | None) -> Moment:
    """Make one moment of several messages."""
    those = list(messages)
    return Moment(
        updates=tuple(one for message in those for one in message.updates),
        extras=tuple(one for message in those for one in message.extras),
        alerts=tuple(one for message in those for one in message.alerts),
        vehicles=tuple(one for message in those for one in message.vehicles),
        told_at=told_at,
    )


def _along(timetable: Timetable, trip: int, day: date, update: Update) -> dict[int, Corrected]:
    """Follow a trip from stop to stop; return what is known of each of its stop times."""
    rows = range(int(timetable.first[trip]), int(timetable.first[trip + 1]))
    if update.cancelled:
        return dict.fromkeys(rows, Corrected(State.CANCELLED))
    calls = _placed(timetable, rows, update.calls)
    # The delay of a whole trip holds where no stop is told.
    delay = update.delay_s if not calls else None
    zero = zero_of(day, timetable.zone)
    found = {}
    for row in rows:
        call = calls.get(row)
        if call is not None and call.skipped:
            found[row] = Corrected(State.SKIPS)
            continue
        if call is not None:
            delay = None if call.unknown else _delay(timetable, row, zero, call)
        if delay is not None:
            found[row] = Corrected(State.RUNS, delay)
    return found


def _placed(timetable: Timetable, rows: range, calls: Iterable[Call]) -> dict[int, Call]:
    """Return each call by the stop time it is about: by its sequence, else by its stop not passed yet."""
    by_sequence = {int(timetable.sequence[row]): row for row in rows}
    found: dict[int, Call] = {}
    at = rows.start
    for call in calls:
        row = by_sequence.get(call.sequence)
        if row is None and call.stop_id:
            stop = timetable.stop_number.get(call.stop_id, -1)
            row = next((one for one in range(at, rows.stop) if timetable.at_stop[one] == stop), None)
        if row is not None:
            found[row] = call
            at = row + 1
    return found


def _delay(timetable: Timetable, row: int, zero: int, call: Call) -> int | None:
    """Return how late the vehicle leaves; an instant told counts before a delay, as the reference asks."""
    if call.at_s is None:
        return call.delay_s
    planned = timetable.arrival if call.at_arrival else timetable.departure
    return call.at_s - zero - int(planned[row])
