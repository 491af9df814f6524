"""Makers of sensors for tests: a key that sends, a thing, its series, its readings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.sense.live import operations
from beffroi.sense.live.definition import Reading, Receipt
from territory_makers import TOWN

SENDER = Viewer(None, (Grant(TOWN, Role.AGENT),), frozenset({"observations:write"}))


def make_stream(*, at: datetime, thing: str = "Piscine", **facts: Any) -> tuple[int, int]:
    """Add a thing with one series of people present, and return both numbers."""
    whose = {key: facts.pop(key) for key in ("use_case", "access", "service") if key in facts}
    number = operations.add_thing(
        SENDER, TOWN, operations.ThingDraft(thing, 3.88, 43.61, **{"access": "public", **whose}), at=at
    )
    draft = operations.StreamDraft(**{"property": "presents", "unit_symbol": "pers.", **facts})
    return number, operations.add_stream(SENDER, number, draft)


def send(stream: int, readings: Iterable[tuple[datetime, float]], *, at: datetime) -> Receipt:
    """Send readings of one series, as its sensor does."""
    return operations.receive(SENDER, [Reading(stream, when, result) for when, result in readings], at=at)
