"""When bins are collected: the days of the week of a sector, and what a public holiday changes to them.

Nothing of it is law: each collecting authority says its days, and how a holiday shifts them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from beffroi.base.clock.opening import DAYS
from beffroi.base.kernel.errors import BeffroiError

KEPT, SKIPPED, NEXT_DAY, WHOLE_WEEK = "maintenue", "supprimee", "lendemain", "semaine"
ON_HOLIDAYS = (KEPT, SKIPPED, NEXT_DAY, WHOLE_WEEK)
"""What a holiday does: nothing, no collection, the day after it, or one day later until the end of the week."""

EVEN, ODD = "paires", "impaires"
_SUNDAY = 6
_EXCEPTION = re.compile(r"(\d{4}-\d{2}-\d{2})\s*>\s*(\d{4}-\d{2}-\d{2})?")


class BadRhythm(BeffroiError):
    """The days of a collection are written in a way that is not known."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The days of a collection, from Monday 0; `weeks` is empty, ``paires`` or ``impaires`` (ISO weeks).

    `moved` says days one by one, whatever the rest: to another, or to none.
    """

    days: tuple[int, ...]
    weeks: str = ""
    on_holiday: str = KEPT
    moved: Mapping[date, date | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collected:
    """A day of collection; `instead_of` is the usual day when another takes its place."""

    day: date
    instead_of: date | None = None


def rhythm_of(days: str, *, weeks: str = "", on_holiday: str = "", moved: str = "") -> Rhythm:
    """Return a rhythm as a dataset writes it: ``Mo,Th``, ``paires``, ``lendemain``, ``2026-12-25>2026-12-26``.

    Raises:
        BadRhythm: a word that is none of those.

    >>> rhythm_of("Mo,Th", on_holiday="lendemain").days
    (0, 3)
    """
    names = [part.strip() for part in days.split(",") if part.strip()]
    if not names or not set(names) <= set(DAYS):
        raise _bad(days, "écrivez les jours comme « Mo,Th »")
    if weeks not in ("", EVEN, ODD):
        raise _bad(weeks, "écrivez « paires », « impaires », ou rien")
    if on_holiday not in ("", *ON_HOLIDAYS):
        raise _bad(on_holiday, "écrivez « maintenue », « supprimee », « lendemain » ou « semaine »")
    found: dict[date, date | None] = {}
    for part in filter(None, (one.strip() for one in moved.split(";"))):
        match = _EXCEPTION.fullmatch(part)
        if match is None:
            raise _bad(part, "écrivez « 2026-12-25>2026-12-26 », ou « 2026-12-25> » quand il n’y en a pas")
        found[date.fromisoformat(match[1])] = date.fromisoformat(match[2]) if match[2] else None
    return Rhythm(tuple(sorted(DAYS.index(one) for one in names)), weeks, on_holiday or KEPT, found)


def collected(rhythm: Rhythm, first: date, last: date, *, is_holiday: Callable[[date], bool]) -> list[Collected]:
    """Return the collections from `first` to `last`, both included, in order.

    >>> christmas = rhythm_of("Fr", on_holiday="lendemain")
    >>> collected(christmas, date(2026, 12, 21), date(2026, 12, 27), is_holiday=lambda day: day == date(2026, 12, 25))
    [Collected(day=datetime.date(2026, 12, 26), instead_of=datetime.date(2026, 12, 25))]
    """
    found = []
    # A day of the week before may be put off into this one.
    day = first - timedelta(days=7)
    while day <= last:
        if day.weekday() in rhythm.days and _is_week(rhythm, day):
            done = rhythm.moved[day] if day in rhythm.moved else _put_off(rhythm, day, is_holiday)
            if done is not None and first <= done <= last:
                found.append(Collected(done, None if done == day else day))
        day += timedelta(days=1)
    return sorted(found, key=lambda one: one.day)


def _is_week(rhythm: Rhythm, day: date) -> bool:
    even = day.isocalendar().week % 2 == 0
    return not rhythm.weeks or even == (rhythm.weeks == EVEN)


def _put_off(rhythm: Rhythm, day: date, is_holiday: Callable[[date], bool]) -> date | None:
    if rhythm.on_holiday == SKIPPED:
        return None if is_holiday(day) else day
    if rhythm.on_holiday == NEXT_DAY:
        return _worked(day + timedelta(days=1), is_holiday) if is_holiday(day) else day
    if rhythm.on_holiday == WHOLE_WEEK:
        monday = day - timedelta(days=day.weekday())
        holidays = sum(is_holiday(monday + timedelta(days=step)) for step in range(day.weekday() + 1))
        return _worked(day + timedelta(days=holidays), is_holiday) if holidays else day
    return day


def _worked(day: date, is_holiday: Callable[[date], bool]) -> date:
    while day.weekday() == _SUNDAY or is_holiday(day):
        day += timedelta(days=1)
    return day


def _bad(text: str, remedy: str) -> BadRhythm:
    return BadRhythm("jours de collecte illisibles : « {text} »", where="jours", remedy=remedy, text=text[:80])
