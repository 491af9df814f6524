"""The times of places as they stand: free, taken, closed by an agent, too soon or too far; and the holding of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db.models import Max, Min

from beffroi.serve.bookings.hours.definition import Taken, quarter_of
from beffroi.serve.bookings.hours.models import Closing, Slot, SlotCell
from beffroi.serve.bookings.hours.rules import Place, SlotSettings, SlotThing
from beffroi.serve.bookings.hours.times import Time, local, opens_on, time_asked, times_of, why_closed
from beffroi.serve.bookings.models import Agenda

NEAREST, SEARCHED_DAYS = 3, 21


class Standing(StrEnum):
    """How a time stands for one who would take it."""

    FREE = "free"
    TAKEN = "taken"
    CLOSED = "closed"
    SOON = "soon"  # past, or too near to be booked
    FAR = "far"  # its calendar is not open yet


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of a place and how it stands; `left` is how many may still take it, `why` what closes it."""

    time: Time
    standing: Standing
    left: int
    why: str = ""

    @property
    def is_free(self) -> bool:
        """Tell whether it may be booked now."""
        return self.standing is Standing.FREE


@dataclass(frozen=True, slots=True)
class Held:
    """What is already taken of places, read once: from which quarter to which, by place."""

    cells: dict[str, list[tuple[int, int, int, int]]]
    closings: tuple[Closing, ...]

    def seats(self, place: str, first: int, last: int, *, but: int = 0) -> set[int]:
        """Return the seats of a place held in some quarter from `first` to `last` (not in), but by one booking."""
        rows = self.cells.get(place, ())
        return {seat for seat, start, end, slot in rows if start < last and first <= end and slot != but}

    def closing(self, time: Time) -> Closing | None:
        """Return what an agent closed over a time, if anything."""
        for one in self.closings:
            if one.place in ("", time.place) and one.starts_at < time.ends and time.starts < one.ends_at:
                return one
        return None


def held_between(territory: str, use_case: str, places: Iterable[str], first: datetime, last: datetime) -> Held:
    """Return what is taken or closed of places between two instants; two queries however many."""
    # Four days before: the longest booking that may still go on.
    low, high = quarter_of(first) - 400, quarter_of(last) + 60
    rows = SlotCell.objects.filter(territory=territory, place__in=list(places), quarter__gte=low, quarter__lt=high)
    cells: dict[str, list[tuple[int, int, int, int]]] = {}
    grouped = rows.order_by().values_list("place", "seat", "slot").annotate(Min("quarter"), Max("quarter"))
    for place, seat, slot, start, end in grouped:
        cells.setdefault(place, []).append((seat, start, end, slot))
    closings = Closing.objects.filter(
        agenda__territory=territory, agenda__use_case=use_case, starts_at__lt=last, ends_at__gt=first
    )
    return Held(cells, tuple(closings.order_by("starts_at", "pk")))


def moments(
    territory: str, thing: SlotThing, places: Sequence[Place], *, first: date, last: date, at: datetime
) -> list[Moment]:
    """Return every time of places from a day to another, by hour then place; two queries however many."""
    found = [
        time
        for number in range((last - first).days + 1)
        for place in places
        for time in times_of(territory, thing, place, first + timedelta(days=number))
    ]
    if not found:
        return []
    end = max(one.ends for one in found) + timedelta(minutes=thing.rules.margin_minutes)
    held = held_between(territory, thing.use_case, [one.slug for one in places], min(t.starts for t in found), end)
    order = {one.slug: rank for rank, one in enumerate(places)}
    found.sort(key=lambda one: (one.starts, order[one.place]))
    return [moment_of(thing.rules, time, held, at) for time in found]


def moment_of(rules: SlotSettings, time: Time, held: Held, at: datetime, *, but: int = 0) -> Moment:
    """Return how a time stands; `but` is the booking that would leave its own."""
    if (closing := held.closing(time)) is not None:
        return Moment(time, Standing.CLOSED, 0, closing.reason)
    first, last = _quarters(rules, time.starts, time.ends)
    left = max(0, time.places - len(held.seats(time.place, first, last, but=but)))
    if at + timedelta(minutes=rules.notice_minutes) > time.starts:
        return Moment(time, Standing.SOON, left)
    if opens_on(rules, time.starts) > at:
        return Moment(time, Standing.FAR, left)
    return Moment(time, Standing.FREE if left else Standing.TAKEN, left)


def _quarters(rules: SlotSettings, starts: datetime, ends: datetime) -> tuple[int, int]:
    """Return the first quarter a booking holds, and the one after the last, its margin in."""
    return quarter_of(starts), quarter_of(ends + timedelta(minutes=rules.margin_minutes))


def free_seat(
    agenda: Agenda, thing: SlotThing, time: Time, *, at: datetime, but: int = 0, any_time: bool = False
) -> int:
    """Return the first free seat of a time, of a locked agenda; `any_time` is for agents, whom no calendar binds.

    Raises:
        Taken: there is none; it names the nearest times that are free.
    """
    place = thing.rules.place_of(time.place)
    held = held_between(agenda.territory, agenda.use_case, [time.place], time.starts, time.ends + timedelta(days=1))
    found = moment_of(thing.rules, time, held, at, but=but)
    first, last = _quarters(thing.rules, time.starts, time.ends)
    taken = held.seats(time.place, first, last, but=but)
    may = found.is_free or (any_time and found.standing in (Standing.SOON, Standing.FAR) and found.left)
    if not may:
        raise Taken(time.starts, nearest_free(agenda.territory, thing, place, time.starts, at=at))
    return next(seat for seat in range(time.places) if seat not in taken)


def nearest_free(territory: str, thing: SlotThing, place: Place, starts: datetime, *, at: datetime) -> list[datetime]:
    """Return the few free times of a place nearest to one, in order."""
    day = local(territory, starts).date()
    today = local(territory, at).date()
    first = max(today, day - timedelta(days=SEARCHED_DAYS))
    found = moments(territory, thing, [place], first=first, last=day + timedelta(days=SEARCHED_DAYS), at=at)
    free = sorted((one.time.starts for one in found if one.is_free), key=lambda one: (abs(one - starts), one))
    return sorted(free[:NEAREST])


def hold(slot: Slot, rules: SlotSettings, territory: str, seat: int) -> None:
    """Have a booking hold its time on one seat, and no other any more; the registry refuses what somebody holds."""
    release(slot.pk)
    first, last = _quarters(rules, slot.starts_at, slot.ends_at)
    SlotCell.objects.bulk_create(
        SlotCell(territory=territory, place=slot.place, quarter=quarter, seat=seat, slot_id=slot.pk)
        for quarter in range(first, last)
    )


def release(slot_id: int) -> None:
    """Give back the time a booking holds."""
    SlotCell.objects.filter(slot=slot_id).delete()


def asked_time(territory: str, thing: SlotThing, place: str, starts: datetime, ends: datetime) -> Time | None:
    """Return the time somebody asks for, None when the place or the rules do not know it."""
    found = next((one for one in thing.rules.place if one.slug == place), None)
    return time_asked(territory, thing, found, starts, ends) if found else None


def closed_days(territory: str, thing: SlotThing, places: Sequence[Place], first: date, last: date) -> dict[date, str]:
    """Return the days on which every place is closed by the file, and why."""
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    whys = {day: {why_closed(thing.rules, place, day) for place in places} for day in days}
    return {day: why.pop() for day, why in whys.items() if len(why) == 1 and "" not in why}


def free_ends(territory: str, thing: SlotThing, time: Time, *, at: datetime) -> list[datetime]:
    """Return until when a time that begins there may last: its only end, or each that is free, the shortest first."""
    rules = thing.rules
    if rules.unit != "free":
        return [time.ends]
    step, longest = timedelta(minutes=rules.step_minutes), time.starts + timedelta(minutes=rules.most_minutes)
    held = held_between(territory, thing.use_case, [time.place], time.starts, longest + timedelta(days=1))
    found, end = [], time.starts + timedelta(minutes=rules.least_minutes)
    while end <= longest:
        asked = asked_time(territory, thing, time.place, time.starts, end)
        if asked is None or not moment_of(rules, asked, held, at).is_free:
            break
        found.append(end)
        end += step
    return found


def is_free(territory: str, thing: SlotThing, time: Time, *, at: datetime) -> bool:
    """Tell whether a time may be booked now; two queries."""
    held = held_between(territory, thing.use_case, [time.place], time.starts, time.ends + timedelta(days=1))
    return moment_of(thing.rules, time, held, at).is_free
