"""When a place may be taken, by its rules alone: opening hours, school and public holidays, closures, sessions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from beffroi.base.clock import queries as clock
from beffroi.base.clock.opening import OpeningRule, opening_rules, spans_of
from beffroi.serve.bookings.hours.rules import Opening, Place, Session, SlotSettings, SlotThing, weekday_of


@dataclass(frozen=True, slots=True)
class Time:
    """A time that may be asked for at a place, in the town's hour; `places` is how many can take it together."""

    place: str
    starts: datetime
    ends: datetime
    places: int
    title: str = ""
    level: str = ""
    link: str = ""


@lru_cache(maxsize=512)
def _read(hours: str) -> tuple[OpeningRule, ...]:
    return opening_rules(hours)


def local(territory: str, at: datetime) -> datetime:
    """Return an instant in the hour of a town."""
    return at.astimezone(clock.timezone_of(territory))


def why_closed(rules: SlotSettings, place: Place, day: date) -> str:
    """Return why a place is closed on a day by its file, "" when it is not."""
    for one in rules.closure:
        if one.first <= day <= one.last and (not one.places or place.slug in one.places):
            return one.label
    return ""


def _is_school_holiday(rules: SlotSettings, day: date) -> bool:
    return any(one.first <= day <= one.last for one in rules.school_holiday)


def _holds(one: Opening | Session, day: date, *, holiday: bool) -> bool:
    return one.holds_on(day) and (one.during == "always" or (one.during == "holidays") == holiday)


def open_spans(territory: str, rules: SlotSettings, place: Place, day: date) -> list[tuple[datetime, datetime]]:
    """Return from when to when a place is open on a day, in order; those that touch are one."""
    if why_closed(rules, place, day):
        return []
    school = _is_school_holiday(rules, day)
    public = clock.holiday_on(day, clock.region_of(territory).id) is not None
    spans: list[tuple[int, int]] = []
    for one in rules.opening:
        if _holds(one, day, holiday=school) and (not one.places or place.slug in one.places):
            spans += spans_of(_read(one.hours), day, is_holiday=public)
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return [(_instant(territory, day, start), _instant(territory, day, end)) for start, end in merged]


def _instant(territory: str, day: date, minutes: int) -> datetime:
    """Return a minute of a day in the town's hour, so that eight o'clock stays so when the hour changes."""
    whole = day + timedelta(days=minutes // 1440)
    return datetime.combine(whole, time(minutes % 1440 // 60, minutes % 60), clock.timezone_of(territory))


def times_of(territory: str, thing: SlotThing, place: Place, day: date) -> list[Time]:
    """Return the times of a place that begin on a day, whoever holds them; free ones have the least length."""
    rules = thing.rules
    if rules.unit == "session":
        return list(_sessions(territory, rules, place, day))
    free = rules.unit == "free"
    length = timedelta(minutes=rules.least_minutes if free else rules.slot_minutes)
    step = timedelta(minutes=rules.step_minutes if free else rules.slot_minutes)
    found = []
    for start, end in open_spans(territory, rules, place, day):
        at = start
        # Hours of the wall: on the night the hour changes, each slot keeps its own.
        while at + length <= end:
            found.append(Time(place.slug, at, at + length, place.places))
            at += step
    return found


def _sessions(territory: str, rules: SlotSettings, place: Place, day: date) -> Iterator[Time]:
    closed = why_closed(rules, place, day) or clock.holiday_on(day, clock.region_of(territory).id)
    school = _is_school_holiday(rules, day)
    for one in sorted(rules.session, key=lambda one: one.starts):
        is_on = one.place == place.slug and day.weekday() == weekday_of(one.day) and _holds(one, day, holiday=school)
        if is_on and not closed:
            start = datetime.combine(day, one.starts, clock.timezone_of(territory))
            end = start + timedelta(minutes=one.minutes)
            yield Time(place.slug, start, end, one.places, one.title, one.who, one.link)


def time_asked(territory: str, thing: SlotThing, place: Place, starts: datetime, ends: datetime) -> Time | None:
    """Return the time that is asked for when the rules know it, None when they do not."""
    starts, ends = local(territory, starts), local(territory, ends)
    rules = thing.rules
    if rules.unit != "free":
        known = times_of(territory, thing, place, starts.date())
        return next((one for one in known if (one.starts, one.ends) == (starts, ends)), None)
    length, step = ends - starts, timedelta(minutes=rules.step_minutes)
    if not timedelta(minutes=rules.least_minutes) <= length <= timedelta(minutes=rules.most_minutes):
        return None
    for first, last in _spans_over(territory, rules, place, starts, ends):
        if first <= starts and ends <= last and not (starts - first) % step and not length % step:
            return Time(place.slug, starts, ends, place.places)
    return None


def _spans_over(
    territory: str, rules: SlotSettings, place: Place, starts: datetime, ends: datetime
) -> list[tuple[datetime, datetime]]:
    """Return the openings of the days a time touches, what is open round the clock being one: a week-end is one."""
    found: list[tuple[datetime, datetime]] = []
    for number in range(-1, (ends.date() - starts.date()).days + 1):
        for first, last in open_spans(territory, rules, place, starts.date() + timedelta(days=number)):
            if found and first <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], last))
            else:
                found.append((first, last))
    return found


def opens_on(rules: SlotSettings, starts: datetime) -> datetime:
    """Return from when a time may be booked: so many days before, at the hour the calendar opens."""
    day = starts.date() - timedelta(days=rules.ahead_days)
    return datetime.combine(day, rules.opens_at, starts.tzinfo)
