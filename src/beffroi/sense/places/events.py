"""What this room hears: a dataset is served, another version of it is, or some are no more. It announces nothing."""

from __future__ import annotations

from beffroi.base.journal.events import RecordedEvent, subscribe
from beffroi.lake.events import DATASET_PUBLISHED, DATASET_RESTORED, VERSIONS_WITHDRAWN


def listen() -> None:
    """Have what is published indexed in the background."""
    subscribe("places.index", (DATASET_PUBLISHED, DATASET_RESTORED, VERSIONS_WITHDRAWN), _published)


def _published(event: RecordedEvent) -> None:
    from beffroi.sense.places.tasks import index_territory

    index_territory.enqueue(event.territory)
