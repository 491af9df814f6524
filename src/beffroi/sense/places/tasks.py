"""What this room does in the background: bring indexes to the state of the lake."""

from __future__ import annotations

from datetime import datetime

from django_tasks import task

from beffroi.sense.places import operations


@task()
def index_territory(territory: str) -> None:
    """Index what was published in a territory; a burst of publications is read by the first of these tasks."""
    operations.index_territory(territory)


def daily(_at: datetime) -> None:
    """Make up for what was missed: an index deleted, of an older format, or never made."""
    operations.index_everything()
