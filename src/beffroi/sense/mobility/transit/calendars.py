"""Days of service: which services run on a date, and when the clock of a service day starts.

GTFS counts the times of a day from noon minus twelve hours, in the time of the network: midnight on all days but
those when clocks change, on which it is an hour away from it.

Source: GTFS Schedule Reference, field type Time, and calendar.txt, calendar_dates.txt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from beffroi.sense.mobility.streets import Array

NOON = time(12)
ADDED, REMOVED = 1, 2
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def zero_of(day: date, zone: ZoneInfo) -> int:
    """Return the instant (seconds since 1970, UTC) that times of the service day `day` are counted from.

    >>> from zoneinfo import ZoneInfo
    >>> paris = ZoneInfo("Europe/Paris")
    >>> zero_of(date(2026, 3, 30), paris) - zero_of(date(2026, 3, 29), paris) == 24 * 3600
    True
    >>> datetime.fromtimestamp(zero_of(date(2026, 3, 29), paris), paris).isoformat()
    '2026-03-28T23:00:00+01:00'
    """
    return int(datetime.combine(day, NOON, tzinfo=zone).timestamp()) - 12 * 3600


@dataclass(frozen=True, slots=True)
class Calendar:
    """Services of a feed. `first`, `last` (n) int32: ordinals of the days of `week` (n) uint8, a bit per week day from
    Monday; 0 for a service that has exceptions alone. `except_day`, `except_service` int32 and `except_kind` uint8,
    in the order of days."""

    first: Array
    last: Array
    week: Array
    except_day: Array
    except_service: Array
    except_kind: Array

    def running(self, day: date) -> Array:
        """Return, for each service, whether it runs on `day` (n, bool)."""
        number = day.toordinal()
        runs: Array = (self.first <= number) & (number <= self.last) & ((self.week >> day.weekday()) & 1 == 1)
        start, end = np.searchsorted(self.except_day, [number, number + 1])
        runs[self.except_service[start:end]] = self.except_kind[start:end] == ADDED
        return runs

    def period(self) -> tuple[date, date] | None:
        """Return the first and last day on which some service may run; None when none does."""
        weekly = (self.week > 0) & (self.first <= self.last)
        added = self.except_day[self.except_kind == ADDED]
        days = [int(one) for one in (*self.first[weekly], *self.last[weekly], *added)]
        return (date.fromordinal(min(days)), date.fromordinal(max(days))) if days else None

    def active_days(self, first: date, last: date) -> Array:
        """Return, for each service, on how many days from `first` to `last` it runs (n) int64."""
        total = np.zeros(len(self.week), np.int64)
        for offset in range((last - first).days + 1):
            total += self.running(first + timedelta(days=offset))
        return total
