"""How full places are: hours open, hours taken, by month, by place and by hour of the day. Nobody is in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from beffroi.base.clock import queries as clock
from beffroi.serve.bookings.hours.definition import Presence
from beffroi.serve.bookings.hours.models import Slot
from beffroi.serve.bookings.hours.rules import Place, SlotThing
from beffroi.serve.bookings.hours.times import local, open_spans, times_of
from beffroi.serve.cases.definition import OPEN, Outcome

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Hours of a place (or of an hour of the day): open for booking, and taken."""

    name: str
    open_hours: float
    taken_hours: float

    @property
    def rate(self) -> float | None:
        """Return the part of the open hours that is taken, None when none is open."""
        return self.taken_hours / self.open_hours if self.open_hours else None


@dataclass(frozen=True, slots=True)
class Figures:
    """What a period was: bookings kept, given up, refused, missed; euros noted as paid; how full, by place and hour."""

    booked: int
    given_up: int
    refused: int
    absent: int
    paid_cents: int
    places: tuple[Occupancy, ...]
    hours: tuple[Occupancy, ...]


def slot_figures(territory: str, thing: SlotThing, *, first: date, last: date) -> Figures:
    """Return the figures of the days from `first` to `last`; one query."""
    zone = clock.timezone_of(territory)
    start, end = datetime.combine(first, time(0), zone), datetime.combine(last + timedelta(days=1), time(0), zone)
    rows = list(
        Slot.objects.filter(agenda__territory=territory, agenda__use_case=thing.use_case, starts_at__gte=start,
                            starts_at__lt=end)
        .order_by("starts_at", "pk")
        .values_list("place", "starts_at", "ends_at", "result", "paid", "price_cents", "case__status", "case__outcome",
                     "waits", "offered_until", "decide_by")
    )  # fmt: skip
    kept = [row for row in rows if row[7] == Outcome.DONE or row[3] or (row[6] in OPEN and not any(row[8:]))]
    taken = [(row[0], local(territory, row[1]), local(territory, row[2])) for row in kept]
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    opened = [
        (place.slug, span, places) for place in thing.rules.place for day in days
        for span, places in _openings(territory, thing, place, day)
    ]  # fmt: skip
    return Figures(
        booked=len(kept),
        given_up=sum(row[7] == Outcome.WITHDRAWN for row in rows),
        refused=sum(row[7] == Outcome.REFUSED and not row[3] for row in rows),
        absent=sum(row[3] == Presence.ABSENT for row in rows),
        paid_cents=sum(row[5] for row in rows if row[4]),
        places=tuple(_by_place(thing.rules.place, opened, taken)),
        hours=tuple(_by_hour(opened, taken)),
    )


Span = tuple[datetime, datetime]


def _openings(territory: str, thing: SlotThing, place: Place, day: date) -> list[tuple[Span, int]]:
    if thing.rules.unit == "session":
        return [((one.starts, one.ends), one.places) for one in times_of(territory, thing, place, day)]
    return [(span, place.places) for span in open_spans(territory, thing.rules, place, day)]


def _by_place(
    places: Iterable[Place], opened: list[tuple[str, Span, int]], taken: list[tuple[str, datetime, datetime]]
) -> Iterable[Occupancy]:
    for place in places:
        hours = sum((end - start) / HOUR * seats for slug, (start, end), seats in opened if slug == place.slug)
        spent = sum((end - start) / HOUR for slug, start, end in taken if slug == place.slug)
        yield Occupancy(place.label, hours, spent)


def _by_hour(opened: list[tuple[str, Span, int]], taken: list[tuple[str, datetime, datetime]]) -> Iterable[Occupancy]:
    had, spent = [0.0] * 24, [0.0] * 24
    for _slug, (start, end), seats in opened:
        _spread(start, end, seats, had)
    for _slug, start, end in taken:
        _spread(start, end, 1, spent)
    for hour in range(24):
        if had[hour] or spent[hour]:
            yield Occupancy(f"{hour} h", had[hour], spent[hour])


def _spread(start: datetime, end: datetime, seats: int, hours: list[float]) -> None:
    """Add a span to the hours of the day it covers."""
    at = start
    while at < end:
        following = min(at.replace(minute=0, second=0, microsecond=0) + HOUR, end)
        hours[at.hour] += (following - at) / HOUR * seats
        at = following
