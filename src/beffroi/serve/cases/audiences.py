"""Who follows a place, whichever room she told so: what is sent about a place reaches her by that room's own word.

A room that keeps followers of its own names its audience here. Whoever sends asks each of them, by a number that stays
the same from one sending to the next, so that nobody is told twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import shapely


@dataclass(frozen=True, slots=True)
class Ground:
    """What something is about. `zone` is CRS84, None for the whole town; `origin` the report it comes from, if any."""

    territory: str
    zone: shapely.Geometry | None
    districts: frozenset[str] = frozenset()
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Addressee:
    """One who is told. `why` says, in the language in force, what she follows; `device_topic` names her devices."""

    email: str
    language: str
    device_topic: str
    why: Callable[[], str]
    manage_url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Audience:
    """The followers a room keeps: the numbers of those whom a ground concerns, and each of them by her number."""

    concerned: Callable[[Ground], Sequence[tuple[int, str, str]]]
    """Returns (number, address, topic of her devices), nobody twice."""

    addressee: Callable[[int], Addressee | None]
    """Returns None for one who has left meanwhile."""


AUDIENCES: dict[str, Audience] = {}
"""By the name of the room; each names its own when it is ready."""
