"""What a network tells now, as each process sees it: one small read, a message parsed again when it changed.

Trips and vehicles hold for five minutes after the instant the network gives; beyond, departures are those planned, and
said to be. Incidents hold until they end, for a day at most without news.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from beffroi.base.kernel.sentences import Sentence
from beffroi.sense.mobility.models import LiveMessage
from beffroi.sense.mobility.transit.messages import Alert, BadMessage, Message, Vehicle, read_message
from beffroi.sense.mobility.transit.realtime import Moment, gathered
from beffroi.sense.mobility.transit.sources import source_of

HOLDS = timedelta(minutes=5)
ALERTS_HOLD = timedelta(days=1)
AHEAD = timedelta(minutes=2)


class Status(StrEnum):
    """What there is to say of the moment: nobody tells it, not heard yet, heard, heard too long ago."""

    NONE = "none"
    WAITING = "waiting"
    FRESH = "fresh"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Live:
    """What is told now of one feed. `trips` is None unless fresh. `told_at` is the instant of the last message.

    `problem` says why the last attempt failed, None when it did not.
    """

    status: Status = Status.NONE
    told_at: datetime | None = None
    trips: Moment | None = None
    alerts: tuple[Alert, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    problem: Sentence | None = None


_PARSED: dict[tuple[str, str, str], tuple[tuple[Any, ...], Message]] = {}
_MOMENTS: dict[tuple[str, str], tuple[tuple[Any, ...], Moment]] = {}
_LOCK = threading.Lock()
_FIELDS = ("kind", "number", "told_at", "fetched_at", "problem")


def live_of(territory: str, feed: str, *, at: datetime) -> Live:
    """Return what is told now of a feed."""
    source = source_of(territory, feed)
    if source is None:
        return Live()
    asked = {kind for kind, _ in source.addresses}
    rows = {
        row["kind"]: row
        for row in LiveMessage.objects.filter(territory=territory, feed=feed).values(*_FIELDS)
        if row["kind"] in asked
    }
    messages = {kind: _message(territory, feed, kind, row["number"]) for kind, row in rows.items() if row["fetched_at"]}
    ages = {kind: _of(row, messages) for kind, row in rows.items() if kind in messages}
    fresh = {kind for kind, moment in ages.items() if at - moment <= HOLDS}
    problem = next((Sentence.from_json(row["problem"]) for row in rows.values() if row["problem"]), None)
    alerts = [
        one
        for kind, message in messages.items()
        if at - rows[kind]["fetched_at"] <= ALERTS_HOLD
        for one in message.alerts
    ]
    tells_trips = _telling(messages, "trip_updates") & fresh
    return Live(
        status=_status(asked, messages, fresh),
        told_at=_told_at(ages),
        trips=_moment(territory, feed, {kind: messages[kind] for kind in tells_trips}, ages) if tells_trips else None,
        alerts=tuple({one.id: one for one in alerts}.values()),
        vehicles=tuple(
            one for kind in fresh for one in messages[kind].vehicles if one.at is None or at - one.at <= HOLDS
        ),
        problem=problem,
    )  # fmt: skip


def _telling(messages: Mapping[str, Message], kind: str) -> set[str]:
    """Return which messages tell of trips: the one asked for that, and any that does so besides."""
    return {one for one, message in messages.items() if one == kind or message.updates or message.extras}


def _status(asked: set[str], messages: Mapping[str, Message], fresh: set[str]) -> Status:
    """Tell by the trips when they are asked for, else by whatever is."""
    telling = {"trip_updates"} & asked or asked
    if not telling & messages.keys():
        return Status.WAITING
    return Status.FRESH if telling & fresh else Status.STALE


def _told_at(ages: Mapping[str, datetime]) -> datetime | None:
    return ages.get("trip_updates") or max(ages.values(), default=None)


def _of(row: Mapping[str, Any], messages: Mapping[str, Message]) -> datetime:
    """Return the instant of a message: its own, or when it came for one that gives none or one yet to come."""
    told, came = row["told_at"], row["fetched_at"]
    moment: datetime = came if told is None or told > came + AHEAD else told
    return moment


def _message(territory: str, feed: str, kind: str, number: int) -> Message:
    key = (territory, feed, kind)
    with _LOCK:
        kept = _PARSED.get(key)
    row = LiveMessage.objects.filter(territory=territory, feed=feed, kind=kind)
    if kept is not None and kept[0] == (number,):
        return kept[1]
    content = row.values_list("content", flat=True).first()
    try:
        message = read_message(bytes(content or b""), where=kind)
    except BadMessage:
        message = Message()
    with _LOCK:
        _PARSED[key] = ((number,), message)
    return message


def _moment(territory: str, feed: str, messages: Mapping[str, Message], ages: Mapping[str, datetime]) -> Moment:
    key = tuple(sorted((kind, id(message)) for kind, message in messages.items()))
    with _LOCK:
        kept = _MOMENTS.get((territory, feed))
        if kept is None or kept[0] != key:
            told_at = max(ages[kind] for kind in messages)
            kept = _MOMENTS[territory, feed] = (key, gathered(messages.values(), told_at=told_at))
        return kept[1]
