"""Calendars that one subscribes to: iCalendar files of several events.

Source: RFC 5545 (lines of 75 octets, CRLF, escapes of § 3.3.11), RFC 7986 (name and refresh of a calendar).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.http import HttpResponse

_FOLD = 75


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `start` and `end` are days (the end included), or instants; those without a zone are read as the hour
    of the town. `rule` is its RRULE, empty for what happens once.

    `alarm` is how long before the start one is told, None for never. `uid` is the same each time the event is given.
    """

    uid: str
    start: date
    end: date | None
    title: str
    place: str = ""
    description: str = ""
    url: str = ""
    alarm: timedelta | None = None
    rule: str = ""


def calendar_response(name: str, file: str, events: Iterable[Event], *, host: str, at: datetime) -> HttpResponse:
    """Return a calendar as a file that calendars read again every day."""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//Beffroi//{host}//FR", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
        f"NAME:{escaped(name)}", f"X-WR-CALNAME:{escaped(name)}", "REFRESH-INTERVAL;VALUE=DURATION:P1D",
    ]  # fmt: skip
    for one in events:
        lines += _event(one, host, at)
    body = "".join(f"{folded_line(line)}\r\n" for line in [*lines, "END:VCALENDAR"])
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = f'inline; filename="{file}.ics"'
    return response


def _event(one: Event, host: str, at: datetime) -> list[str]:
    lines = ["BEGIN:VEVENT", f"UID:{one.uid}@{host}", f"DTSTAMP:{_instant(at)}"]
    if isinstance(one.start, datetime):
        lines.append(f"DTSTART:{_instant(one.start)}")
        lines += [f"DTEND:{_instant(one.end)}"] if isinstance(one.end, datetime) else []
    else:
        last = one.end or one.start
        lines += [f"DTSTART;VALUE=DATE:{one.start:%Y%m%d}", f"DTEND;VALUE=DATE:{last + timedelta(days=1):%Y%m%d}"]
    told = (("SUMMARY", one.title), ("LOCATION", one.place), ("DESCRIPTION", one.description))
    lines += [f"{key}:{escaped(text)}" for key, text in told if text]
    lines += [f"RRULE:{one.rule.removeprefix('RRULE:')}"] if one.rule else []
    lines += [f"URL:{one.url}"] if one.url else []
    if one.alarm is not None:
        minutes = int(one.alarm.total_seconds() // 60)
        lines += ["BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{escaped(one.title)}", f"TRIGGER:-PT{minutes}M",
                  "END:VALARM"]  # fmt: skip
    return [*lines, "END:VEVENT"]


def _instant(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%S}" if at.tzinfo is None else f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(text: str) -> str:
    """Return a text as iCalendar writes it.

    >>> escaped("a; b, c")
    'a\\\\; b\\\\, c'
    """
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def folded_line(line: str) -> str:
    """Return a line cut so that no part is longer than 75 octets, and no character is cut in two."""
    parts, part = [], ""
    for letter in line:
        if len((part + letter).encode()) > _FOLD:
            parts.append(part)
            part = " "
        part += letter
    return "\r\n".join([*parts, part])
