"""Hours and days of a series, made again when readings come; readings end after their time, summaries stay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.db import transaction

from beffroi.base.territory import queries as territories
from beffroi.sense.live.definition import GOOD, instant, ms_of
from beffroi.sense.live.models import Datastream, Observation, StaleDay, Summary
from beffroi.sense.live.usual import day_bounds

HOUR_MS = 3_600_000
MOST_DAYS = 5_000
HOUR, DAY = "h", "d"


def sum_up(*, at: datetime, most: int = MOST_DAYS) -> int:
    """Make the hours and the day of every day that changed, the oldest first, and return how many days were made."""
    stale = list(StaleDay.objects.order_by("day", "datastream_id").values_list("pk", "datastream_id", "day")[:most])
    zones: dict[int, ZoneInfo] = {}
    for _key, stream, _day in stale:
        if stream not in zones:
            code = Datastream.objects.values_list("thing__territory", flat=True).get(pk=stream)
            zones[stream] = ZoneInfo(territories.territory(code).timezone)
    return sum(_sum_day(key, stream, day, zones[stream]) for key, stream, day in stale)


@transaction.atomic
def _sum_day(key: int, stream: int, day: date, zone: ZoneInfo) -> int:
    # The same lock as who receives: a reading is counted here, or its mark remains.
    if not Datastream.objects.select_for_update(of=("self",)).filter(pk=stream).exists():
        return 0
    done, _ = StaleDay.objects.filter(pk=key).delete()
    first, after = (ms_of(one) for one in day_bounds(day, zone))
    rows = Observation.objects.filter(datastream_id=stream, at_ms__gte=first, at_ms__lt=after).order_by("at_ms")
    by_hour: dict[int, list[tuple[float, int]]] = defaultdict(list)
    everything: list[tuple[float, int]] = []
    for ms, result, quality in rows.values_list("at_ms", "result", "quality"):
        # Hours start with those of UTC, everywhere the offset is whole hours: all of France.
        by_hour[ms - ms % HOUR_MS].append((result, quality))
        everything.append((result, quality))
    made = [_summary(stream, HOUR, start, found) for start, found in sorted(by_hour.items())]
    if everything:
        made.append(_summary(stream, DAY, first, everything))
    Summary.objects.filter(datastream_id=stream, start_ms__gte=first, start_ms__lt=after).delete()
    Summary.objects.bulk_create(made)
    return done


def _summary(stream: int, span: str, start: int, found: Sequence[tuple[float, int]]) -> Summary:
    good = np.array([result for result, quality in found if quality == GOOD], dtype=np.float64)
    row = Summary(datastream_id=stream, span=span, start_ms=start, count=len(good), marked=len(found) - len(good))
    if len(good):
        row.mean, row.low, row.high = float(good.mean()), float(good.min()), float(good.max())
        row.p95 = float(np.percentile(good, 95))
    return row


def forget_old(*, at: datetime) -> int:
    """Remove the readings older than their series keeps them, once their days are summed up; return how many."""
    removed = 0
    for number, days in Datastream.objects.order_by("pk").values_list("pk", "keep_days"):
        limit = at - timedelta(days=days)
        oldest_stale = StaleDay.objects.filter(datastream_id=number).order_by("day").values_list("day", flat=True)
        # What is refused as too old is what is removed, a day of margin for the day being summed.
        if (first := oldest_stale.first()) is not None and first <= limit.date():
            continue
        old = Observation.objects.filter(datastream_id=number, at_ms__lt=ms_of(limit - timedelta(days=2)))
        removed += old._raw_delete(old.db)
    return removed


def day_of(ms: int, zone: ZoneInfo) -> date:
    """Return the day of the town an instant is in."""
    return instant(ms).astimezone(zone).date()
