"""What a worker does for sensors: summaries every few minutes, silences, and at night what is kept no longer."""

from __future__ import annotations

from datetime import datetime

from beffroi.sense.live import silence, summing


def turn(at: datetime) -> None:
    """Sum up the days that changed, then tell of the silences."""
    summing.sum_up(at=at)
    silence.tell_silences(at)


def daily(at: datetime) -> None:
    """Remove the readings older than their series keeps them; their hours and days stay."""
    summing.sum_up(at=at)
    summing.forget_old(at=at)
