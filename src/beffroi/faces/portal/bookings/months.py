"""A month of days as a table, and a booking as a calendar file."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.faces.shell.calendars import escaped, folded_line
from beffroi.serve.bookings.definition import BookingInfo, spoken
from beffroi.serve.bookings.queries import Day


@dataclass(frozen=True, slots=True)
class Cell:
    """One square of a month: `day` is None outside it; `word` says how it stands."""

    day: Day | None
    number: int = 0
    word: str = ""


@dataclass(frozen=True, slots=True)
class Month:
    """A month as people read it: its first day, its weeks from Monday, and the months before and after, if any."""

    first: date
    weeks: tuple[tuple[Cell, ...], ...]
    notes: tuple[tuple[date, str], ...]
    before: str = ""
    after: str = ""


def month_of(days: Sequence[Day], wanted: str) -> Month | None:
    """Return the month named (``2026-03``), else the first with a free day, of consecutive days; None of none."""
    if not days:
        return None
    names = sorted({f"{one.day:%Y-%m}" for one in days})
    first_free = next((one.day for one in days if one.bookable), days[0].day)
    name = wanted if wanted in names else f"{first_free:%Y-%m}"
    rank, known = names.index(name), {one.day: one for one in days}
    first = date.fromisoformat(f"{name}-01")
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    notes = [(one.day, one.why) for one in days if one.why and f"{one.day:%Y-%m}" == name]
    return Month(
        first,
        tuple(tuple(_cell(day, first, known) for day in week) for week in weeks),
        tuple(notes),
        names[rank - 1] if rank else "",
        names[rank + 1] if rank + 1 < len(names) else "",
    )


def _cell(day: date, first: date, known: dict[date, Day]) -> Cell:
    if day.month != first.month:
        return Cell(None)
    found = known.get(day)
    if found is None:
        return Cell(None, day.day)
    if found.bookable:
        return Cell(found, day.day, ngettext("{n} place", "{n} places", found.free).format(n=found.free))
    return Cell(found, day.day, _("complet") if found.is_full else "")


def free_days(days: Iterable[Day]) -> list[tuple[str, str]]:
    """Return the free days as the choices of a form: the day, and its words."""
    return [
        (
            one.day.isoformat(),
            ngettext("{day} ({n} place)", "{day} ({n} places)", one.free).format(day=spoken(one.day), n=one.free),
        )
        for one in days
        if one.bookable
    ]


# --- Calendar file --------------------------------------------------------------------------------------------------


def ics_of(booked: BookingInfo, *, url: str, host: str, notice: str, at: datetime) -> str:
    """Return a booking as an iCalendar file: a whole day, with an alarm the evening before.

    Taken again after a move, it takes the place of the former: same UID, a higher SEQUENCE.

    Source: RFC 5545 (lines of 75 octets, CRLF, escapes of § 3.3.11), RFC 7986.
    """
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//Beffroi//{host}//FR", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{booked.number}@{host}",
        f"DTSTAMP:{at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"SEQUENCE:{booked.moved}",
        f"DTSTART;VALUE=DATE:{booked.day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{booked.day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{escaped(f'{_(booked.title)} ({booked.number})')}",
        *([f"LOCATION:{escaped(booked.address)}"] if booked.address else []),
        *([f"DESCRIPTION:{escaped(notice)}"] if notice else []),
        f"URL:{url}",
        f"STATUS:{'CONFIRMED' if booked.case.is_open else 'CANCELLED'}",
        # The evening before a day that begins at midnight.
        "BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{escaped(_(booked.title))}", "TRIGGER:-PT5H", "END:VALARM",
        "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    return "".join(f"{folded_line(line)}\r\n" for line in lines)
