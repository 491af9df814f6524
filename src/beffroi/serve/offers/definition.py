"""What an offer is to those who read it, and what can go wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from beffroi.base.kernel.errors import BeffroiError, NotFound

MOST_HELD = 3
"""Things one person may have reserved at once."""

FLAGS_TO_HIDE = 3
"""An offer that so many people said should not be there waits for an agent, out of sight."""

STEP_M = 50.0
_METRES_PER_DEGREE = 111_195.0


class BadOffer(BeffroiError):
    """An offer cannot be made, or done with, as asked."""


class OfferNotFound(NotFound):
    """No such offer, or it is no longer one."""


class OfferHeld(BeffroiError):
    """Somebody else was quicker."""

    http_status = 409


@dataclass(frozen=True, slots=True)
class OfferInfo:
    """An offer as one reader sees it. `pickup` is empty for all but its giver and the one who reserved it.

    `lon`, `lat` are CRS84 degrees, true to about 35 m. `held_until` is None while nobody has reserved it.
    """

    id: int
    title: str
    description: str
    street: str
    lon: float
    lat: float
    made_at: datetime
    until: datetime
    state: str
    reason: str
    has_photo: bool
    held_until: datetime | None
    is_given: bool
    is_held_by_reader: bool
    pickup: str
    flags: int
    is_hidden: bool

    @property
    def is_held(self) -> bool:
        """Tell whether somebody is coming for it."""
        return self.held_until is not None


def blurred(lon: float, lat: float) -> tuple[float, float]:
    """Return the middle of the 50 m square that holds a point (CRS84): a street, not a house.

    >>> blurred(3.87671, 43.61081) == blurred(3.87673, 43.61083)
    True
    """
    high = STEP_M / _METRES_PER_DEGREE
    row = math.floor(lat / high) + 0.5
    wide = high / max(0.01, math.cos(math.radians(row * high)))
    return round((math.floor(lon / wide) + 0.5) * wide, 6), round(row * high, 6)
