"""What a reading is, what can go wrong with one, and instants as this room keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from beffroi.base.kernel.errors import BeffroiError, NotFound

ENGINE = "live"

ACTIVE, SUSPENDED = "active", "suspended"
STATES = (ACTIVE, SUSPENDED)
OPEN, KEPT_IN = "public", "agents"
ACCESSES = (OPEN, KEPT_IN)

GOOD, MARKED = 0, 1
"""A reading within the range its series declares, and one that is not: kept, shown as such, in no mean."""

CLOCK_AHEAD = timedelta(minutes=5)
"""How far a sensor's clock may be ahead of ours."""


class BadReading(BeffroiError):
    """A reading cannot be kept; the message says why."""


class BadSensor(BeffroiError):
    """What is said of a thing or of a series cannot be."""


class UnknownStream(NotFound):
    """No such series, or none that the reader may know of."""


class SuspendedThing(BeffroiError):
    """The town has suspended this sensor: it is not listened to."""

    http_status = 409


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a series: the instant of the phenomenon, and its result in the unit of the series."""

    stream: int
    at: datetime
    result: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of readings: new, already known, out of range; `refused` tells why by the rank of the reading."""

    kept: int = 0
    repeated: int = 0
    marked: int = 0
    refused: Mapping[int, BeffroiError] = field(default_factory=dict)


def ms_of(at: datetime) -> int:
    """Return an instant as the registry keeps it: whole milliseconds since 1970, UTC.

    >>> ms_of(datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC))
    1500
    """
    return (at - _EPOCH) // timedelta(milliseconds=1)


def instant(ms: int) -> datetime:
    """Return the instant of so many milliseconds.

    >>> instant(1500).isoformat()
    '1970-01-01T00:00:01.500000+00:00'
    """
    return _EPOCH + timedelta(milliseconds=ms)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
