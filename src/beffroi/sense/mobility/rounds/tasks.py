"""What rounds do in the background."""

from __future__ import annotations

from datetime import datetime, timedelta

from django_tasks import task

from beffroi.base.kernel.time import now
from beffroi.sense.mobility.models import Round
from beffroi.sense.mobility.rounds import operations

KEPT_DAYS = 400


@task()
def compute_round(round_id: int) -> None:
    """Compute a round that waits."""
    operations.compute_now(round_id, at=now())


def forget_old_rounds(at: datetime) -> None:
    """Let go of rounds of long ago; the journal keeps that they were."""
    Round.objects.filter(day__lt=(at - timedelta(days=KEPT_DAYS)).date()).delete()
