"""Bookings by the hour as iCalendar: one's own, with its alarm; and what is taken of a place, naming nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from beffroi.faces.shell.calendars import escaped, folded_line
from beffroi.serve.bookings.hours.queries import SlotInfo


def own_calendar(booked: SlotInfo, *, url: str, host: str, notice: str, at: datetime) -> str:
    """Return a booking as an iCalendar file, with an alarm an hour before.

    Taken again after a move, it takes the place of the former: same UID, a higher SEQUENCE.

    Source: RFC 5545, RFC 7986.
    """
    title = f"{booked.session or _(booked.title)} : {booked.place_name}"
    return _calendar(host, [
        "BEGIN:VEVENT",
        f"UID:{booked.number}@{host}",
        f"DTSTAMP:{_utc(at)}",
        f"SEQUENCE:{int(booked.case.changed_at.timestamp())}",
        f"DTSTART:{_utc(booked.starts)}",
        f"DTEND:{_utc(booked.ends)}",
        f"SUMMARY:{escaped(title)}",
        *([f"LOCATION:{escaped(booked.address)}"] if booked.address else []),
        *([f"DESCRIPTION:{escaped(notice)}"] if notice else []),
        f"URL:{url}",
        f"STATUS:{'CONFIRMED' if booked.stage == 'confirmed' else 'TENTATIVE' if booked.case.is_open else 'CANCELLED'}",
        "BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{escaped(title)}", "TRIGGER:-PT1H", "END:VALARM",
        "END:VEVENT",
    ])  # fmt: skip


def place_calendar(name: str, busy: Iterable[tuple[int, datetime, datetime]], *, host: str, at: datetime) -> str:
    """Return what is taken of a place as an iCalendar feed: hours only. `busy` are (key, start, end)."""
    lines = [f"X-WR-CALNAME:{escaped(name)}", f"NAME:{escaped(name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT1H"]
    for key, start, end in busy:
        lines += [
            "BEGIN:VEVENT", f"UID:slot-{key}@{host}", f"DTSTAMP:{_utc(at)}", f"DTSTART:{_utc(start)}",
            f"DTEND:{_utc(end)}", f"SUMMARY:{escaped(_('Occupé'))}", "TRANSP:OPAQUE", "END:VEVENT",
        ]  # fmt: skip
    return _calendar(host, lines)


def _calendar(host: str, lines: Sequence[str]) -> str:
    whole = [
        "BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//Beffroi//{host}//FR", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
        *lines, "END:VCALENDAR",
    ]  # fmt: skip
    return "".join(f"{folded_line(line)}\r\n" for line in whole)


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
