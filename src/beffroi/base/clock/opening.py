"""Opening hours as publishers write them (OpenStreetMap's ``opening_hours``), read into days and times.

The part of the syntax that French public bodies use: months, days, public holidays (``PH``), times, ``off``, ``24/7``.
What lies beyond is refused, never guessed: the reader is then shown the text as published.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from beffroi.base.kernel.errors import BeffroiError

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HOLIDAYS = "PH"
MOST_CHARACTERS = 500

_DAY = "|".join(DAYS)
_DAYS = rf"(?:(?:{_DAY})(?:-(?:{_DAY}))?|PH)"
_MONTH = "|".join(MONTHS)
_TIME = r"\d{1,2}:\d{2}"
_RULE = re.compile(
    rf"(?:(?P<months>(?:{_MONTH})(?:-(?:{_MONTH}))?)\b:?\s*)?"
    rf"(?:(?P<days>{_DAYS}(?:\s*,\s*{_DAYS})*)\s*)?"
    rf"(?P<times>off|closed|24/7|{_TIME}\s*-\s*{_TIME}(?:\s*,\s*{_TIME}\s*-\s*{_TIME})*)?"
)


class BadHours(BeffroiError):
    """The text is not opening hours, or says them in a way this reader does not know."""


@dataclass(frozen=True, slots=True)
class OpeningRule:
    """One rule. `days` counts from Monday 0, `months` from January 1 (first, last); `spans` are minutes of the day.

    A span that ends past 24 h (1,440 minutes) ends the next day. No span means closed. A rule with neither days nor
    `holidays` holds every day.
    """

    days: tuple[int, ...] = ()
    holidays: bool = False
    months: tuple[int, int] | None = None
    spans: tuple[tuple[int, int], ...] = ()


def opening_rules(text: str) -> tuple[OpeningRule, ...]:
    """Return the rules of an ``opening_hours`` text, in order: a later one overrides an earlier one on its days.

    Raises:
        BadHours: empty, too long, or not in the part of the syntax that is read.

    Source: https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification.

    >>> opening_rules("Mo-Fr 08:30-12:00,13:30-17:00; PH off")[0].spans
    ((510, 720), (810, 1020))
    >>> opening_rules("Sa-Mo 10:00-18:00")[0].days
    (0, 5, 6)
    """
    if not text.strip() or len(text) > MOST_CHARACTERS:
        raise _bad(text)
    return tuple(_rule(part.strip(), text) for part in text.strip().rstrip(";").split(";"))


def is_open(rules: Sequence[OpeningRule], at: datetime, *, is_holiday: Callable[[date], bool]) -> bool:
    """Tell whether a place is open at `at`, an hour of where it is; the night of the day before goes on.

    >>> monday = datetime(2026, 3, 2, 12, 15)
    >>> lunch = opening_rules("Mo-Fr 08:30-12:00,13:30-17:00; PH off")
    >>> is_open(lunch, monday, is_holiday=lambda day: False), is_open(lunch, monday.replace(hour=9), is_holiday=bool)
    (False, False)
    """
    minute = at.hour * 60 + at.minute
    for day, now in ((at.date(), minute), (at.date() - timedelta(days=1), minute + 1440)):
        if any(start <= now < end for start, end in spans_of(rules, day, is_holiday=is_holiday(day))):
            return True
    return False


def spans_of(rules: Sequence[OpeningRule], day: date, *, is_holiday: bool) -> tuple[tuple[int, int], ...]:
    """Return the hours of a day in minutes, those of the last rule that holds; an end past 1,440 is the day after.

    >>> spans_of(opening_rules("Mo-Fr 08:00-12:00; PH off"), date(2026, 5, 1), is_holiday=True)
    ()
    """
    spans: tuple[tuple[int, int], ...] = ()
    for rule in rules:
        first, last = rule.months or (1, 12)
        in_season = first <= day.month <= last if first <= last else day.month >= first or day.month <= last
        any_day = not rule.days and not rule.holidays
        if in_season and (any_day or day.weekday() in rule.days or (is_holiday and rule.holidays)):
            spans = rule.spans
    return spans


def _rule(part: str, text: str) -> OpeningRule:
    match = _RULE.fullmatch(part)
    if match is None or not part:
        raise _bad(text)
    days, holidays = _days(match["days"] or "")
    return OpeningRule(days, holidays, _months(match["months"]), _spans(match["times"] or "24/7", text))


def _days(text: str) -> tuple[tuple[int, ...], bool]:
    found: set[int] = set()
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        if part != HOLIDAYS:
            first, _, last = part.partition("-")
            start, end = DAYS.index(first), DAYS.index(last or first)
            found |= {day % 7 for day in range(start, end + 1 if end >= start else end + 8)}
    return tuple(sorted(found)), HOLIDAYS in parts


def _months(text: str | None) -> tuple[int, int] | None:
    if not text:
        return None
    first, _, last = text.partition("-")
    return MONTHS.index(first) + 1, MONTHS.index(last or first) + 1


def _spans(text: str, whole: str) -> tuple[tuple[int, int], ...]:
    if text in ("off", "closed"):
        return ()
    if text == "24/7":
        return ((0, 1440),)
    return tuple(_span(part, whole) for part in text.split(","))


def _span(text: str, whole: str) -> tuple[int, int]:
    start, end = (_minutes(part.strip(), whole) for part in text.split("-"))
    return start, end if end > start else end + 1440


def _minutes(text: str, whole: str) -> int:
    hours, _, minutes = text.partition(":")
    if int(hours) > 48 or int(minutes) > 59:
        raise _bad(whole)
    return int(hours) * 60 + int(minutes)


def _bad(text: str) -> BadHours:
    return BadHours(
        "horaires illisibles : « {text} »",
        where="opening_hours",
        remedy="écrivez-les comme « Mo-Fr 08:30-12:00,13:30-17:00; PH off »",
        text=text[:80],
    )
