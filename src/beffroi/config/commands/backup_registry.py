"""The registry as lines of JSON, table by table: the same from SQLite and from PostgreSQL, into either."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from typing import IO, Any
from uuid import UUID

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, connections, models
from django.db.migrations.recorder import MigrationRecorder

BATCH = 500
Model = type[models.Model]


def tables() -> dict[str, Model]:
    """Return the model of every table the registry keeps, by table name, in one order."""
    found = {
        model._meta.db_table: model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }
    return dict(sorted(found.items()))


def applied_migrations(using: str) -> list[list[str]]:
    """Return the migrations applied, as ``[app, name]``, in one order."""
    return sorted([app, name] for app, name in MigrationRecorder(connections[using]).applied_migrations())


def write_rows(model: Model, out: IO[bytes], *, using: str) -> int:
    """Write one JSON array per row of a table, by primary key, and return how many."""
    fields = model._meta.local_concrete_fields
    # A child table holds only its own columns here; its parent's are written with the parent's table.
    query = model._base_manager.using(using).order_by("pk").values_list(*(str(field.attname) for field in fields))
    count = 0
    for row in query.iterator(chunk_size=2000):
        out.write(json.dumps([_written(value) for value in row], ensure_ascii=False).encode() + b"\n")
        count += 1
    return count


def read_rows(model: Model, lines: Iterator[bytes]) -> int:
    """Insert the rows written by `write_rows` as they were, dates and keys included, and return how many."""
    fields = model._meta.local_concrete_fields
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(field.column)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    insert = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({marks})"  # noqa: S608 - names of models
    count = 0
    with connection.cursor() as cursor:
        while batch := list(islice(lines, BATCH)):
            rows = [
                [
                    field.get_db_prep_save(_read(field, value), connection)
                    for field, value in zip(fields, json.loads(line), strict=True)
                ]
                for line in batch
            ]
            cursor.executemany(insert, rows)
            count += len(rows)
    return count


def empty_tables() -> None:
    """Take out the rows that migrations put in (content types, permissions): the backup holds its own."""
    with connection.cursor() as cursor:
        for table in tables():
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608 - names of models


def reset_sequences() -> None:
    """Have the next keys follow those restored."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(tables().values())):
            cursor.execute(statement)


def _written(value: Any) -> Any:
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    return value


def _read(field: models.Field[Any, Any], value: Any) -> Any:
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    if value is None or isinstance(target, models.JSONField):
        return value
    if isinstance(target, models.BinaryField):
        return base64.b64decode(value)
    if isinstance(target, models.DurationField):
        return timedelta(seconds=value)
    return target.to_python(value)
