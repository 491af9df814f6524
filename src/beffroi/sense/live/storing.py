"""Readings written many at a time, each once: what the ORM does row by row, one statement does here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from django.db import connection

from beffroi.sense.live.models import Observation, StaleDay

Row = tuple[int, int, float, int]


def insert_observations(rows: Sequence[Row]) -> int:
    """Write (series, instant in ms, result, quality), leave those already there, and return how many were new."""
    if not rows:
        return 0
    table = connection.ops.quote_name(Observation._meta.db_table)
    head = f"INSERT INTO {table} (datastream_id, at_ms, result, quality) "
    tail = " ON CONFLICT (datastream_id, at_ms) DO NOTHING"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            values = "SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::double precision[], %s::smallint[])"
            cursor.execute(head + values + tail, [list(column) for column in zip(*rows, strict=True)])
        else:
            cursor.executemany(head + "VALUES (%s, %s, %s, %s)" + tail, rows)
        return int(cursor.rowcount)


def mark_stale(days: Iterable[tuple[int, date]]) -> None:
    """Note the days of series whose summaries must be made again. The rows of the series are locked by the caller."""
    StaleDay.objects.bulk_create(
        [StaleDay(datastream_id=stream, day=day) for stream, day in sorted(days)], ignore_conflicts=True
    )
