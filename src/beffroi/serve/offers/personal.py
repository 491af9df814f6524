"""A person's rights over offers: hers are given back and deleted; where she only came for one, her name leaves it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from beffroi.serve.offers.models import Offer


def export(person_id: int) -> list[dict[str, Any]]:
    """Return what she offered, with the meeting she proposed, and the dates of what she came for."""
    hers = ("title", "description", "pickup", "street", "made_at", "until", "state", "ended_at", "reason")
    given = [{"offered": True, **row} for row in Offer.objects.filter(giver=person_id).order_by("pk").values(*hers)]
    taken = Offer.objects.filter(taker=person_id).order_by("pk").values("title", "held_until", "state", "ended_at")
    return [*given, *({"offered": False, **row} for row in taken)]


def erase(person_id: int, *, erased_number: int, at: datetime) -> int:
    """Delete what she offered, and let go of what she had reserved."""
    given = Offer.objects.filter(giver=person_id)
    count = given.count()
    given.delete()
    return count + Offer.objects.filter(taker=person_id).update(taker=None, held_until=None)
