"""What this room does in the background: bring indexes to the state of the lake."""

from __future__ import annotations

from datetime import datetime

from django_tasks import task

from beffroi.sense.places import operations, store
from beffroi.sense.places.directory import operations as directories


@task()
def index_territory(territory: str) -> None:
    """Index what was published in a territory; a burst of publications is read by the first of these tasks."""
    operations.index_territory(territory)
    directories.make_directories(territory)


def daily(_at: datetime) -> None:
    """Make up for what was missed: an index deleted, of an older format, or never made."""
    for territory in operations.index_everything():
        directories.make_directories(territory)


def nightly_papers(at: datetime) -> None:
    """Bring the documents that directories refer to, a few for each town."""
    for territory in store.territories():
        directories.keep_papers(territory, at=at)
