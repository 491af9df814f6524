"""What a reader types of a directory, answered from what each sheet says: her age, the most she pays, which days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import numpy as np

from beffroi.base.clock.recurring import BadRecurrence, moment_read, next_of
from beffroi.sense.places.directory.file import File, Numbers
from beffroi.sense.places.directory.settings import Facet
from beffroi.sense.places.directory.sheets import SEPARATOR, WHEN

Span = tuple[datetime, datetime]


def answering(file: File, facet: Facet, value: float) -> Numbers:
    """Return the sheets that suit a number: of an age between their bounds, or at a price no higher.

    What a sheet does not say keeps it: an activity without an age is for all. A price that is not told does not.
    """
    suits = _ages if facet.kind == "age" else _prices
    return _joined(file.facets.get(facet.name, {}), lambda text: suits(text, value))


def _ages(text: str, age: float) -> bool:
    least, _mark, most = text.partition(SEPARATOR)
    low, high = _number(least), _number(most)
    return (low is None or low <= age) and (high is None or age <= high)


def _prices(text: str, most: float) -> bool:
    price = _number(text)
    return price is not None and price <= most


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _joined(values: Mapping[str, Numbers], suits: Callable[[str], bool]) -> Numbers:
    found = [numbers for text, numbers in values.items() if suits(text)]
    return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)


def next_times(file: File, span: Span) -> dict[int, datetime | None]:
    """Return the sheets that happen within a span, each with its next start; None for what is there all the time."""
    found: dict[int, datetime | None] = {}
    for text, numbers in file.facets.get(WHEN, {}).items():
        when = next_time(text, span)
        if when is not None or not text.partition(SEPARATOR)[0]:
            found |= dict.fromkeys(numbers.tolist(), when)
    return found


def next_time(text: str, span: Span) -> datetime | None:
    """Return the next start, within a span, of what a sheet says of when; None without one, or when it is not read."""
    begins, ends, rule = [*text.split(SEPARATOR), "", ""][:3]
    start = moment_read(begins)
    if start is None:
        return None
    try:
        return next_of(start, moment_read(ends), rule, first=span[0], last=span[1])
    except BadRecurrence:
        # Its first time is told; nothing is guessed of the others.
        return next_of(start, moment_read(ends), "", first=span[0], last=span[1])
