"""Series that fall silent, and those that speak again: told to the journal once a spell."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.sense.live import events
from beffroi.sense.live.definition import ACTIVE, instant
from beffroi.sense.live.models import Datastream
from beffroi.sense.live.queries import is_silent


def tell_silences(at: datetime) -> None:
    """Tell of each series whose silence, or the end of it, is news."""
    rows = Datastream.objects.filter(thing__state=ACTIVE, last_ms__isnull=False).order_by("pk")
    for key, last_ms, every_s, told in rows.values_list("pk", "last_ms", "every_s", "silence_told"):
        if is_silent(last_ms, every_s, at) != told:
            _tell(key, at)


@transaction.atomic
def _tell(key: int, at: datetime) -> None:
    row = Datastream.objects.select_for_update(of=("self",)).select_related("thing").get(pk=key)
    silent = is_silent(row.last_ms, row.every_s, at)
    # Read again under the lock: another worker may have told it meanwhile.
    if row.last_ms is None or silent == row.silence_told:
        return
    row.silence_told = silent
    row.save(update_fields=["silence_told"])
    payload = {"thing": row.thing_id, "name": row.name, "service": row.thing.service}
    if silent:
        payload["since"] = instant(row.last_ms).isoformat()
    record(
        kind=events.SILENT if silent else events.HEARD, subject=events.subject_of(row.pk), payload=payload,
        territory=row.thing.territory, at=at,
    )  # fmt: skip
