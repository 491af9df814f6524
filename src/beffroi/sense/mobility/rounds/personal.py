"""The end of rounds over needs: what says where somebody sleeps goes soon, the rounds of collection stay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from beffroi.sense.mobility.models import Round

BATCH = 200


def expire(before: datetime, *, at: datetime, dry_run: bool = False) -> Iterator[int]:
    """Delete the rounds over needs of before an instant; yield the count of each batch."""
    old = Round.objects.filter(created_at__lt=before).exclude(use_case="").order_by("pk")
    if dry_run:
        yield old.count()
        return
    while keys := list(old.values_list("pk", flat=True)[:BATCH]):
        Round.objects.filter(pk__in=keys).delete()
        yield len(keys)
