"""When something happens again: one day, or by a rule of iCalendar (RFC 5545, RRULE), in the hour of the town."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from dateutil.rrule import rrulestr

from beffroi.base.kernel.errors import BeffroiError

MOST_YEARS = 3
_MOST = 2_000


class BadRecurrence(BeffroiError):
    """A rule of recurrence that cannot be read."""


def next_of(start: datetime, end: datetime | None, rule: str, *, first: datetime, last: datetime) -> datetime | None:
    """Return the start of the first occurrence that is not over at `first` and begins before `last`, None without one.

    Args:
        start, end: the first occurrence, in the hour of the town; without an end it lasts until midnight.
        rule: an RRULE, empty for something that happens once.

    Raises:
        BadRecurrence: the rule cannot be read, or happens too often to be looked through.

    >>> next_of(datetime(2026, 9, 2, 14), datetime(2026, 9, 2, 16), "FREQ=WEEKLY;BYDAY=WE",
    ...         first=datetime(2026, 9, 9, 15), last=datetime(2026, 9, 30))
    datetime.datetime(2026, 9, 9, 14, 0)
    """
    over = end or datetime.combine(start.date() + timedelta(days=1), time())
    lasts = max(over - start, timedelta(minutes=1))
    if not rule:
        return start if start < last and start + lasts > first else None
    try:
        found = rrulestr(rule.removeprefix("RRULE:"), dtstart=start)
        for rank, one in enumerate(found.xafter(first - lasts, inc=False)):
            if one >= last or rank > _MOST:
                return None
            return one
    except (ValueError, TypeError, AttributeError) as error:
        raise BadRecurrence(
            "récurrence illisible : « {rule} »", where="recurrence", remedy="écrivez-la comme FREQ=WEEKLY;BYDAY=WE",
            rule=rule[:80],
        ) from error  # fmt: skip
    return None


def moment_read(text: str) -> datetime | None:
    """Return a day or an instant as a dataset writes it, without its zone; None when it is neither.

    >>> moment_read("2026-09-02T14:00:00"), moment_read("2026-09-02"), moment_read("mercredi")
    (datetime.datetime(2026, 9, 2, 14, 0), datetime.datetime(2026, 9, 2, 0, 0), None)
    """
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def weekend_of(day: date) -> tuple[date, date]:
    """Return the Saturday and the Sunday of a week; on a Sunday, those of this one.

    >>> weekend_of(date(2026, 11, 26))
    (datetime.date(2026, 11, 28), datetime.date(2026, 11, 29))
    """
    saturday = day + timedelta(days=5 - day.weekday())
    return saturday, saturday + timedelta(days=1)
