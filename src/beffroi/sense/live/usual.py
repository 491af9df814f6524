"""The usual of an hour and what the next hours may be, from the hours of past weeks. Knows no Django."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from zoneinfo import ZoneInfo

LEAST_RATIO, MOST_RATIO = 0.2, 5.0
RATIO_HOURS = 3


@dataclass(frozen=True, slots=True)
class Usual:
    """The median of an hour over the `weeks` known; `weeks` may be fewer than were asked for."""

    value: float
    weeks: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """An hour to come: its usual, and the usual scaled by how today goes. Both None when the usual is not known."""

    start: datetime
    usual: Usual | None
    estimate: float | None


def same_hours(start: datetime, weeks: int, zone: ZoneInfo) -> list[datetime]:
    """Return the same hour of the same day of the past weeks in the town's time, as instants (UTC).

    >>> [one.hour for one in same_hours(datetime(2026, 4, 2, 8, tzinfo=UTC), 2, ZoneInfo("Europe/Paris"))]
    [9, 9]
    """
    wall = start.astimezone(zone).replace(tzinfo=None)
    return [(wall - timedelta(weeks=back)).replace(tzinfo=zone).astimezone(UTC) for back in range(1, weeks + 1)]


def usual_of(past: Sequence[float], least: int) -> Usual | None:
    """Return the median of what past weeks read at one hour, None where fewer than `least` of them are known.

    >>> usual_of([10, 90, 20], 3)
    Usual(value=20, weeks=3)
    >>> usual_of([10, 90], 3)
    """
    return Usual(median(past), len(past)) if len(past) >= least else None


def ratio_of_today(today: Mapping[datetime, float], usual: Mapping[datetime, Usual | None], now: datetime) -> float:
    """Return how today goes beside the usual: over the last three whole hours that both know, 1 where none is.

    Bounded between a fifth and five times: a school visiting an empty pool does not make the evening twenty times full.
    """
    known = [
        (today[start], expected.value)
        for start, expected in sorted(usual.items())
        if expected is not None and start in today and start + timedelta(hours=1) <= now
    ][-RATIO_HOURS:]
    expected_sum = sum(expected for _real, expected in known)
    if expected_sum <= 0:
        return 1.0
    return min(MOST_RATIO, max(LEAST_RATIO, sum(real for real, _expected in known) / expected_sum))


def hours_ahead(
    today: Mapping[datetime, float], usual: Mapping[datetime, Usual | None], now: datetime, count: int
) -> list[Ahead]:
    """Return the next hours of today, the present one not among them."""
    ratio = ratio_of_today(today, usual, now)
    coming = [start for start in sorted(usual) if start > now][:count]
    return [_ahead(start, usual[start], ratio) for start in coming]


def _ahead(start: datetime, expected: Usual | None, ratio: float) -> Ahead:
    return Ahead(start, expected, expected.value * ratio if expected is not None else None)


def hours_of_day(now: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return the instants (UTC) at which the hours of the town's day of `now` start: 23 or 25 when time changes.

    >>> len(hours_of_day(datetime(2026, 10, 25, 8, tzinfo=UTC), ZoneInfo("Europe/Paris")))
    25
    """
    first, after = day_bounds(now.astimezone(zone).date(), zone)
    return [first + timedelta(hours=rank) for rank in range((after - first) // timedelta(hours=1))]


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the instants (UTC) at which a day of the town begins and ends."""
    return (
        datetime.combine(day, time(), zone).astimezone(UTC),
        datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC),
    )
