"""Receive readings: who may send them, which are kept, what they change. One transaction, series locked in turn."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import BeffroiError, Refused
from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import SERVICE_PREFIX, Role, Viewer
from beffroi.sense.live import events
from beffroi.sense.live.definition import (
    ACTIVE,
    CLOCK_AHEAD,
    GOOD,
    MARKED,
    BadReading,
    Reading,
    Receipt,
    SuspendedThing,
    UnknownStream,
    instant,
    ms_of,
)
from beffroi.sense.live.models import Datastream, Thing
from beffroi.sense.live.settings import Rule, rule_of
from beffroi.sense.live.storing import Row, insert_observations, mark_stale
from beffroi.sense.live.thresholds import Standing, measured, stepped

SCOPE = "observations:write"
MOST_AT_ONCE = 20_000
# What is told of late is history: a crossing of yesterday wakes nobody.
FRESH = timedelta(hours=1)
_UPDATED = ("last_ms", "last_result", "last_quality", "received_at", "level", "level_ms", "candidate", "candidate_ms")


def may_send(viewer: Viewer, territory: str, service: str = "") -> bool:
    """Tell whether a viewer may give readings: a key with the scope, an agent of the service, an administrator."""
    if viewer.scopes is not None:
        return SCOPE in viewer.scopes and any(viewer.has(role, territory) for role in Role)
    if viewer.has(Role.ADMINISTRATOR, territory):
        return True
    return viewer.has(Role.AGENT, territory) and (
        not service or SERVICE_PREFIX + service in viewer.clearances(territory)
    )


@transaction.atomic
def receive(viewer: Viewer, readings: Sequence[Reading], *, at: datetime) -> Receipt:
    """Keep readings and return what became of each; those refused do not keep the others out.

    A reading of a series and an instant already known changes nothing: it may be sent again until it is acknowledged.
    One out of the range of its series is kept, marked. Late ones take their place; they do not move thresholds.

    Raises:
        Refused: more than `MOST_AT_ONCE` at once.
    """
    if len(readings) > MOST_AT_ONCE:
        raise Refused(
            "{n} mesures d’un coup : {most} au plus",
            where="Observations",
            remedy="envoyez-les en plusieurs fois",
            n=len(readings),
            most=MOST_AT_ONCE,
        )
    wanted = {one.stream for one in readings}
    # In one order for everybody: two senders wait for each other, and never cross.
    rows = Datastream.objects.select_for_update(of=("self",)).select_related("thing", "property")
    streams = {row.pk: row for row in rows.filter(pk__in=wanted).order_by("pk")}
    zones = _zones(row.thing for row in streams.values())
    closed = {number: fault for number, row in streams.items() if (fault := _fault_of(viewer, row)) is not None}
    refused: dict[int, BeffroiError] = {}
    kept: dict[int, list[Row]] = defaultdict(list)
    for rank, reading in enumerate(readings):
        row = streams.get(reading.stream)
        fault = closed.get(reading.stream) if row is not None else _unknown(reading.stream)
        fault = fault or _fault(row, reading, at)
        if fault is not None or row is None:
            refused[rank] = fault or _unknown(reading.stream)
        else:
            kept[row.pk].append((row.pk, ms_of(reading.at), float(reading.result), _quality(row, reading.result)))
    every = [row for number in sorted(kept) for row in sorted(kept[number])]
    new = insert_observations(every)
    days = {
        (number, instant(ms).astimezone(zones[streams[number].thing.territory]).date()) for number, ms, *_rest in every
    }
    mark_stale(days)
    _moved([streams[number] for number in sorted(kept)], kept, at)
    marked = sum(1 for row in every if row[3] == MARKED)
    return Receipt(new, len(every) - new, marked, refused)


def _zones(things: Iterable[Thing]) -> dict[str, ZoneInfo]:
    codes = {one.territory for one in things}
    return {code: ZoneInfo(territories.territory(code).timezone) for code in codes}


def _fault_of(viewer: Viewer, row: Datastream) -> BeffroiError | None:
    """Return why this viewer may not send to a series at all."""
    if not may_send(viewer, row.thing.territory, row.thing.service):
        return _unknown(row.pk)
    if row.thing.state != ACTIVE:
        return SuspendedThing(
            "le capteur « {name} » est suspendu : ses mesures ne sont pas gardées",
            where=f"Datastreams({row.pk})",
            remedy="un agent peut le reprendre dans « Capteurs »",
            name=row.thing.name,
        )
    return None


def _unknown(number: int) -> UnknownStream:
    return UnknownStream(
        "aucune série n’a le numéro {number}, ou pas pour vous",
        where=f"Datastreams({number})",
        remedy="la liste est à /sta/v1.1/Datastreams ; la clé doit être celle de la commune",
        number=number,
    )


def _fault(row: Datastream | None, reading: Reading, at: datetime) -> BadReading | None:
    where = f"Datastreams({reading.stream})"
    if isinstance(reading.result, bool) or not math.isfinite(reading.result):
        return BadReading("le résultat n’est pas un nombre", where=where, remedy="envoyez un nombre fini")
    if reading.at > at + CLOCK_AHEAD:
        return BadReading(
            "la mesure est datée du {when}, dans le futur",
            where=where,
            remedy="mettez le capteur à l’heure (UTC, ou avec son décalage)",
            when=reading.at.isoformat(timespec="seconds"),
        )
    if row is not None and reading.at < at - timedelta(days=row.keep_days):
        return BadReading(
            "la mesure est datée du {when} : les mesures de cette série ne sont gardées que {days} jours",
            where=where,
            remedy="allongez sa durée de conservation avant d’envoyer un historique",
            when=reading.at.isoformat(timespec="seconds"),
            days=row.keep_days,
        )
    return None


def _quality(row: Datastream, result: float) -> int:
    below = row.low is not None and result < row.low
    above = row.high is not None and result > row.high
    return MARKED if below or above else GOOD


def _moved(streams: Sequence[Datastream], kept: dict[int, list[Row]], at: datetime) -> None:
    """Give each series its last word and its level, and tell of the levels crossed just now."""
    for row in streams:
        row.received_at = at
        rule = rule_of(row.thing.use_case, row.property.code)
        for _stream, ms, result, quality in sorted(kept[row.pk]):
            if row.last_ms is not None and ms <= row.last_ms:
                continue
            row.last_ms, row.last_result, row.last_quality = ms, result, quality
            if rule is not None and quality == GOOD:
                _step(row, rule, at)
    Datastream.objects.bulk_update(streams, _UPDATED)


@dataclass(frozen=True, slots=True)
class _Crossing:
    before: str
    after: str


def _step(row: Datastream, rule: Rule, at: datetime) -> None:
    if row.last_ms is None or row.last_result is None:
        return
    value = measured(rule, row.last_result, row.capacity)
    if value is None:
        return
    before = row.level
    now = stepped(Standing(before, row.level_ms, row.candidate, row.candidate_ms), rule, value, row.last_ms)
    row.level, row.level_ms, row.candidate, row.candidate_ms = (
        now.level, now.since, now.candidate, now.candidate_since,
    )  # fmt: skip
    if now.level != before and instant(row.last_ms) >= at - FRESH:
        _tell_crossing(row, rule, _Crossing(before, now.level), at)


def _tell_crossing(row: Datastream, rule: Rule, crossing: _Crossing, at: datetime) -> None:
    before, after = rule.level_named(crossing.before), rule.level_named(crossing.after)
    if after is None or (before is None and not after.alert):
        # A series that begins at an ordinary level crosses nothing.
        return
    payload = {
        "thing": row.thing_id,
        "name": row.thing.name,
        "service": row.thing.service,
        "use_case": row.thing.use_case,
        "property": rule.label,
        "before": crossing.before,
        "after": crossing.after,
        "label": after.label,
        "alert": after.alert,
        "result": row.last_result,
        "unit": row.unit_symbol,
        "at": instant(row.last_ms or 0).isoformat(),
    }
    record(
        kind=events.LEVEL_CROSSED, subject=events.subject_of(row.pk), payload=payload,
        territory=row.thing.territory, at=at,
    )  # fmt: skip
