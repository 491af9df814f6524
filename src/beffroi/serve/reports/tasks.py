"""What a worker does for reports: each night, visits, obstacles, proofs; at its hour, a subscriber's message."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django_tasks import task

from beffroi.base.kernel.time import now
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import OPEN, Outcome
from beffroi.serve.cases.queries import number_of
from beffroi.serve.reports import news, works_news
from beffroi.serve.reports.models import Report, SpentProof
from beffroi.serve.reports.visits import expect_visits, note_missing_visits

logger = logging.getLogger(__name__)
_EXPIRED = "Cet obstacle temporaire est arrivé à son terme sans être confirmé."


@task()
def write_to_reader(reader_id: int) -> None:
    """Send a subscriber what waits for her."""
    news.write_to(reader_id, at=now())


@task()
def write_works(event_id: int, subscription_id: int, facts: dict[str, Any]) -> None:
    """Tell one of the addresses that follow a street of works in it."""
    works_news.write_works_to(event_id, subscription_id, facts, at=now())


def daily(at: datetime) -> None:
    """Do the chores of the night."""
    expect_visits(at)
    note_missing_visits(at)
    ended = end_expired_obstacles(at)
    news.plan_forgotten(at)
    news.warn_of_ends(at)
    SpentProof.objects.filter(expires_at__lt=at).delete()
    if ended:
        logger.info("%s obstacles expired", ended)


def end_expired_obstacles(at: datetime) -> int:
    """Close the temporary obstacles whose time has passed; return how many."""
    keys = Report.objects.filter(expires_at__lt=at, case__status__in=OPEN).order_by("pk").values_list("pk", flat=True)
    for key in list(keys):
        cases.close_case(number=number_of(key), outcome=Outcome.EXPIRED, reason=_EXPIRED, by=None, at=at)
    return len(keys)
