"""Export, erasure and retention of one model's rows, from its declaration alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from beffroi.base.clock.deadlines import after_months
from beffroi.base.kernel.personal import Fate, Purpose, Retention
from beffroi.base.privacy.registry import Declaration

BATCH = 500


def rows_of(declaration: Declaration, person_id: int) -> models.QuerySet[Any]:
    """Return the rows that are about a person; none when the declaration leads to nobody."""
    found = Q(pk__in=())
    for path in declaration.purpose.person:
        found |= Q(**{path: person_id})
    return declaration.model._default_manager.filter(found).order_by("pk").distinct()


def exported_fields(declaration: Declaration) -> list[str]:
    """Return the names of the fields given to the person, in the model's order."""
    purpose = declaration.purpose
    names = [field.name for field in declaration.model._meta.concrete_fields if not _is_binary(field)]
    chosen = [name for name in names if name in purpose.exported] if purpose.exported else names
    return [name for name in chosen if name not in (*purpose.hidden, *purpose.sealed)]


def _is_binary(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, models.BinaryField)


def export_rows(declaration: Declaration, person_id: int) -> list[dict[str, Any]]:
    """Return the person's rows as dictionaries of plain values."""
    handler = declaration.handler("export")
    if handler is not None:
        return list(handler(person_id))
    return list(rows_of(declaration, person_id).values(*exported_fields(declaration)))


def erase_rows(declaration: Declaration, person_id: int, *, erased_number: int, at: datetime) -> int:
    """Delete, anonymise or keep the person's rows, as declared; return how many were."""
    handler = declaration.handler("erase")
    if handler is not None:
        return int(handler(person_id, erased_number=erased_number, at=at))
    rows = rows_of(declaration, person_id)
    if declaration.purpose.on_erasure is Fate.KEEP:
        return rows.count()
    keys = list(rows.values_list("pk", flat=True))
    end_rows(declaration, keys, declaration.purpose.on_erasure)
    return len(keys)


def end_rows(declaration: Declaration, keys: list[Any], fate: Fate) -> None:
    """Give the rows of these keys their fate: delete them, or replace their personal fields as declared."""
    rows = declaration.model._default_manager.filter(pk__in=keys)
    if fate is Fate.DELETE:
        rows.delete()
        return
    for key in keys:
        values = {
            name: value.replace("{pk}", str(key)) if isinstance(value, str) else value
            for name, value in declaration.purpose.erased.items()
        }
        declaration.model._default_manager.filter(pk=key).update(**values)


def threshold(retention: Retention, at: datetime) -> datetime:
    """Return the instant before which what started has lived its retention at `at`."""
    if retention.unit == "day":
        return at - timedelta(days=retention.amount)
    months = retention.amount * (12 if retention.unit == "year" else 1)
    return datetime.combine(after_months(at.date(), -months), at.timetz())


def expired_rows(declaration: Declaration, at: datetime) -> models.QuerySet[Any]:
    """Return the rows whose retention has ended at `at` and that have not met their fate yet."""
    retention = declaration.purpose.retention
    rows = declaration.model._default_manager.all()
    if not retention.start:
        return rows.none()
    first = declaration.model._meta.get_field(retention.start[0].split("__")[0])
    before: datetime | date = threshold(retention, at)
    if isinstance(first, models.DateField) and not isinstance(first, models.DateTimeField):
        before = before.date() if isinstance(before, datetime) else before
    started = Coalesce(*retention.start) if len(retention.start) > 1 else F(retention.start[0])
    rows = rows.alias(retention_start=started).filter(retention_start__lt=before)
    if retention.fate is Fate.ANONYMISE:
        rows = _not_yet_anonymised(rows, declaration.purpose)
    return rows.order_by("pk")


def _not_yet_anonymised(rows: models.QuerySet[Any], purpose: Purpose) -> models.QuerySet[Any]:
    fixed = {name: value for name, value in purpose.erased.items() if not (isinstance(value, str) and "{pk}" in value)}
    done = Q()
    for name, value in fixed.items():
        done &= Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
    return rows.exclude(done) if fixed else rows


def expire_rows(declaration: Declaration, *, at: datetime, dry_run: bool) -> Iterator[int]:
    """Give the rows whose time has come their fate, in batches; yield the count of each, inside its transaction.

    The caller holds the transaction open around each step, and journals there. A batch follows the key of the last
    one: what cannot be ended is not met twice in one run.
    """
    handler = declaration.handler("expire")
    if handler is not None:
        yield from handler(threshold(declaration.purpose.retention, at), at=at, dry_run=dry_run)
        return
    rows = expired_rows(declaration, at)
    if dry_run:
        yield rows.count()
        return
    last: Any = None
    while keys := list((rows if last is None else rows.filter(pk__gt=last)).values_list("pk", flat=True)[:BATCH]):
        end_rows(declaration, keys, declaration.purpose.retention.fate)
        last = keys[-1]
        yield len(keys)


def batches(declaration: Declaration, *, at: datetime, dry_run: bool) -> Iterator[int]:
    """Yield the count of each batch; each is committed when the next one is asked for."""
    steps = expire_rows(declaration, at=at, dry_run=dry_run)
    while True:
        with transaction.atomic():
            count = next(steps, None)
            if count is None:
                return
            if count:
                yield count
