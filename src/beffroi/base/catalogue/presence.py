"""How many devices open the portal, counted without following any: each says « first time today », or « this month ».

The device keeps one date, its own, and compares; nothing it sends tells it from another, and what is kept is a sum. So
it is an estimate of devices, not a count of people: a reader with a telephone and a computer is two, a family's one
tablet is one, a browser that forgets (private windows, cleared data) is new each time, one without JavaScript or whose
reader refuses is none, and whoever wishes to swell the sum can. Read it as an order of size and as a trend.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction

from beffroi.base.catalogue.definition import Audience
from beffroi.base.catalogue.models import DevicePresence, Span
from beffroi.base.kernel.time import PARIS

Key = tuple[str, str, date, str, bool]


@dataclass(frozen=True, slots=True)
class SpanCount:
    """The devices of one day or month: all of them, and those where the application is installed."""

    first_day: date
    devices: int
    installed: int


def first_day_of(span: Span, day: date) -> date:
    """Return the day by which a span is named: itself, or the first of its month."""
    return day.replace(day=1) if span is Span.MONTH else day


def keys_of(territory: str, spans: set[Span], at: datetime, audience: Audience, *, installed: bool) -> list[Key]:
    """Return what to count for a device that says which spans it opens for the first time."""
    day = at.astimezone(PARIS).date()
    return [(territory, span.value, first_day_of(span, day), audience.value, installed) for span in sorted(spans)]


def write_counts(counts: Counter[Key]) -> None:
    """Add the counts to the registry in one transaction; the sum is the database's, so processes add up."""
    table = connection.ops.quote_name(DevicePresence._meta.db_table)
    rows = [(*key, count) for key, count in sorted(counts.items())]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} (territory, span, first_day, audience, installed, count) "  # noqa: S608
            "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (territory, span, first_day, audience, installed) "
            f"DO UPDATE SET count = {table}.count + excluded.count",
            rows,
        )


def presence(territory: str, span: Span, *, first: date, last: date) -> list[SpanCount]:
    """Return the residents' devices of each day or month from `first` to `last`, those without any left out."""
    rows = DevicePresence.objects.filter(
        territory=territory, span=span, first_day__gte=first, first_day__lte=last, audience=Audience.RESIDENT
    )
    found: dict[date, list[int]] = {}
    for day, installed, count in rows.order_by("first_day").values_list("first_day", "installed", "count"):
        sums = found.setdefault(day, [0, 0])
        sums[0] += count
        sums[1] += count if installed else 0
    return [SpanCount(day, *sums) for day, sums in found.items()]
