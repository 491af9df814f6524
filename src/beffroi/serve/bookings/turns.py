"""The days of an agenda: which are open, how many places each has left, and the giving of one.

A place is a row of `Hold`, one per agenda, lane, day and seat, unique: the registry itself refuses to hold it twice.
Places are given while the agenda's row is locked, so that rules about persons hold under concurrency too; on SQLite
the one writer at a time does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count

from beffroi.base.clock import queries as clock
from beffroi.serve.bookings.definition import Full
from beffroi.serve.bookings.lanes import Lane
from beffroi.serve.bookings.models import Agenda, Booking, DayChange, Hold
from beffroi.serve.bookings.things import Thing
from beffroi.serve.cases import events
from beffroi.serve.cases.queries import CaseInfo

NEAREST = 3


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a lane. `why` says why it is not as usual, or closed; `bookable`: it is open, free, in time."""

    day: date
    lane: str
    capacity: int
    taken: int
    why: str = ""
    bookable: bool = False

    @property
    def free(self) -> int:
        """Return how many places are left."""
        return max(0, self.capacity - self.taken)

    @property
    def is_full(self) -> bool:
        """Tell whether it is open and has no place left."""
        return 0 < self.capacity <= self.taken


def starts_at(territory: str, thing: Thing, day: date) -> datetime:
    """Return the instant from which one must be ready, in the town's hour."""
    return datetime.combine(day, thing.rules.starts, clock.timezone_of(territory))


def today_in(territory: str, at: datetime) -> date:
    """Return the day it is in a town."""
    return at.astimezone(clock.timezone_of(territory)).date()


def days_of(territory: str, thing: Thing, lane: Lane, *, first: date, last: date, at: datetime) -> list[Day]:
    """Return each day of a lane from `first` to `last`, closed ones too; two queries."""
    return days_of_lanes(territory, thing, [lane], first=first, last=last, at=at)[lane.slug]


def days_of_lanes(
    territory: str, thing: Thing, lanes: Iterable[Lane], *, first: date, last: date, at: datetime
) -> dict[str, list[Day]]:
    """Return each day of several lanes, by lane; two queries however many."""
    key = {"agenda__territory": territory, "agenda__use_case": thing.use_case, "day__range": (first, last)}
    changes = {(one.lane, one.day): one for one in DayChange.objects.filter(**key).order_by("pk")}
    counted = Hold.objects.filter(**key).order_by().values_list("lane", "day").annotate(n=Count("pk"))
    taken = {(lane, day): many for lane, day, many in counted}
    found: dict[str, list[Day]] = {}
    for lane in lanes:
        found[lane.slug] = [
            _day(territory, thing, lane, day, changes, taken.get((lane.slug, day), 0), at) for day in _each(first, last)
        ]
    return found


def _each(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _day(
    territory: str,
    thing: Thing,
    lane: Lane,
    day: date,
    changes: dict[tuple[str, date], DayChange],
    taken: int,
    at: datetime,
) -> Day:
    capacity, why = _capacity(territory, thing, lane, day)
    change = changes.get((lane.slug, day)) or changes.get(("", day))
    # What is closed for the whole town gives no place to a sector that does not come that day.
    if change is not None and (change.lane or capacity or not change.capacity):
        capacity, why = change.capacity, change.reason
    start = starts_at(territory, thing, day)
    in_time = at + timedelta(hours=thing.rules.notice_hours) <= start <= at + timedelta(days=thing.rules.ahead_days)
    return Day(day, lane.slug, capacity, taken, why, bookable=in_time and taken < capacity)


def _capacity(territory: str, thing: Thing, lane: Lane, day: date) -> tuple[int, str]:
    """Return the places of a day by the rules alone, and why when they are not the usual ones."""
    if day.weekday() not in lane.weekdays:
        return 0, ""
    for one in thing.rules.except_:
        if one.is_on(day):
            return one.capacity, one.label
    holiday = clock.holiday_on(day, clock.region_of(territory).id)
    if holiday is not None and thing.rules.holidays == "closed":
        return 0, holiday.name
    return lane.capacity, ""


def bookable_days(territory: str, thing: Thing, lane: Lane, *, at: datetime) -> list[date]:
    """Return the days of a lane that still have a place and may be booked now; two queries."""
    first = at.astimezone(clock.timezone_of(territory)).date()
    last = first + timedelta(days=thing.rules.ahead_days)
    return [one.day for one in days_of(territory, thing, lane, first=first, last=last, at=at) if one.bookable]


def nearest_days(free: Iterable[date], day: date) -> list[date]:
    """Return the few days nearest to one, in order.

    >>> [found.day for found in nearest_days([date(2026, 3, n) for n in (2, 9, 16, 23, 30)], date(2026, 3, 17))]
    [9, 16, 23]
    """
    return sorted(sorted(free, key=lambda one: (abs((one - day).days), one))[:NEAREST])


# --- Places ---------------------------------------------------------------------------------------------------------


def locked_agenda(territory: str, use_case: str) -> Agenda:
    """Return the agenda of a thing, locked until the end of the caller's transaction."""
    Agenda.objects.get_or_create(territory=territory, use_case=use_case)
    return Agenda.objects.select_for_update().get(territory=territory, use_case=use_case)


def check_free(agenda: Agenda, thing: Thing, lane: Lane, day: date, *, at: datetime) -> int:
    """Return the first free seat of a day, of a locked agenda.

    Raises:
        Full: there is none; it names the nearest days that have one.
    """
    found = days_of(agenda.territory, thing, lane, first=day, last=day, at=at)[0]
    seats = set(Hold.objects.filter(agenda=agenda, lane=lane.slug, day=day).order_by().values_list("seat", flat=True))
    if not found.bookable:
        raise Full(day, nearest_days(bookable_days(agenda.territory, thing, lane, at=at), day))
    return next(seat for seat in range(len(seats) + 1) if seat not in seats)


def hold(booking: Booking, agenda: Agenda, lane: str, day: date, seat: int) -> None:
    """Have a booking hold one place, and no other any more."""
    free(booking.pk)
    Hold.objects.create(agenda=agenda, lane=lane, day=day, seat=seat, booking=booking)


def free(booking_id: int) -> None:
    """Give back the place a booking holds."""
    Hold.objects.filter(booking=booking_id).delete()


def follow_move(info: CaseInfo, kind: str, at: datetime) -> None:
    """Give back the place of a request that ends before its day, in the very transaction of its end."""
    if kind == events.CLOSED and not Booking.objects.filter(pk=info.id).exclude(result="").exists():
        free(info.id)
