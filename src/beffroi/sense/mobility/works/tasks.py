"""What works do in the background."""

from __future__ import annotations

from django_tasks import task

from beffroi.base.kernel.time import now
from beffroi.sense.mobility.works import operations


@task()
def compute_works(works_id: int) -> None:
    """Compute the effects of works that wait for them."""
    operations.compute_now(works_id, at=now())
