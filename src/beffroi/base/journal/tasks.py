"""What a worker does beside the outbox: daily and frequent jobs, signs of life, tasks whose worker died."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from beffroi.base.journal.locks import stream_lock
from beffroi.base.journal.models import DailyRun, WorkerBeat
from beffroi.base.journal.queries import ALIVE
from beffroi.base.kernel.time import PARIS

logger = logging.getLogger(__name__)

AFTER_FAILURE = timedelta(hours=1)
FORGET_BEATS = timedelta(days=1)
# A task that killed its worker this many times is not given to another.
MOST_LIVES = 3


@dataclass(frozen=True, slots=True)
class DailyJob:
    """A job due once a day at `hour` o'clock in Paris; `run` takes the instant."""

    name: str
    run: Callable[[datetime], object]
    hour: int


_JOBS: dict[str, DailyJob] = {}


def every_day(name: str, run: Callable[[datetime], object], *, hour: int = 3) -> None:
    """Have a worker call `run` once a day from `hour` o'clock in Paris, by one worker only; call it from ``ready()``.

    A day missed because no worker ran is made up for once, when one starts. A failure is tried again an hour later.
    """
    _JOBS[name] = DailyJob(name, run, hour)


def forget_daily(name: str) -> None:
    """Forget the daily job `name`."""
    _JOBS.pop(name, None)


@dataclass(slots=True)
class FrequentJob:
    """A job due every so many seconds; `run` takes the instant. `due` is when it is next, in this process."""

    name: str
    run: Callable[[datetime], object]
    seconds: float
    due: datetime | None = None


_FREQUENT: dict[str, FrequentJob] = {}


def every_seconds(name: str, run: Callable[[datetime], object], *, seconds: float) -> None:
    """Have each worker call `run` every so many seconds; call it from ``ready()``.

    Nothing is written about it: `run` itself sees to it that two workers do not do the same twice.
    """
    _FREQUENT[name] = FrequentJob(name, run, seconds)


def run_frequent_jobs(at: datetime) -> list[str]:
    """Run the frequent jobs due at `at` in this process and return the names of those that ran well."""
    done = []
    for job in list(_FREQUENT.values()):
        if job.due is not None and job.due > at:
            continue
        job.due = at + timedelta(seconds=job.seconds)
        try:
            job.run(at)
        except Exception:  # whatever it is, the worker goes on and tries again at the next turn
            logger.exception("frequent job %s failed", job.name)
        else:
            done.append(job.name)
    return done


def run_daily_jobs(at: datetime) -> list[str]:
    """Run the daily jobs due at `at` and return the names of those that ran well."""
    done = []
    for job in list(_JOBS.values()):
        row, _ = DailyRun.objects.get_or_create(name=job.name, defaults={"next_at": at})
        if row.next_at > at:
            continue
        with stream_lock("daily", job.name) as held:
            # Read again under the lock: another worker may have run it meanwhile.
            if held and DailyRun.objects.filter(name=job.name, next_at__lte=at).exists() and _run(job, at):
                done.append(job.name)
    return done


def _run(job: DailyJob, at: datetime) -> bool:
    try:
        job.run(at)
    except Exception as error:  # whatever it is, the worker goes on and tries again later
        logger.exception("daily job %s failed", job.name)
        DailyRun.objects.filter(name=job.name).update(
            next_at=at + AFTER_FAILURE, last_error=f"{type(error).__name__}: {error}"[:500]
        )
        return False
    DailyRun.objects.filter(name=job.name).update(next_at=next_run(job.hour, at), last_at=at, last_error="")
    return True


def next_run(hour: int, at: datetime) -> datetime:
    """Return the first instant after `at` when it is `hour` o'clock in Paris.

    >>> from datetime import UTC
    >>> next_run(3, datetime(2026, 7, 1, 1, 30, tzinfo=UTC)).isoformat()
    '2026-07-02T03:00:00+02:00'
    """
    local = at.astimezone(PARIS)
    due = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    return due if due > local else (local + timedelta(days=1)).replace(hour=hour, minute=0, second=0, microsecond=0)


def beat(worker: str, *, at: datetime) -> None:
    """Write that `worker` lives at `at`."""
    WorkerBeat.objects.update_or_create(
        worker=worker, defaults={"beat_at": at}, create_defaults={"beat_at": at, "started_at": at}
    )
    WorkerBeat.objects.filter(beat_at__lt=at - FORGET_BEATS).delete()


def leave(worker: str) -> None:
    """Forget `worker`, which stops."""
    WorkerBeat.objects.filter(worker=worker).delete()


@transaction.atomic
def requeue_orphans(*, at: datetime) -> int:
    """Give back to the queue the tasks whose worker gave no sign of life for a minute; return how many.

    A task that has seen `MOST_LIVES` workers die is marked failed: it probably kills them.
    """
    from django_tasks_db.models import DBTaskResult

    alive = set(WorkerBeat.objects.filter(beat_at__gte=at - ALIVE).values_list("worker", flat=True))
    running: Any = DBTaskResult.objects.running().filter(started_at__lt=at - ALIVE).select_for_update(skip_locked=True)
    requeued = 0
    for task in running.order_by(F("started_at").asc()):
        if task.worker_ids and task.worker_ids[-1] in alive:
            continue
        if len(task.worker_ids) >= MOST_LIVES:
            task.set_failed(RuntimeError(f"its worker died {MOST_LIVES} times while it ran"))
            continue
        task.status = "READY"
        task.started_at = None
        task.save(update_fields=["status", "started_at"])
        requeued += 1
    return requeued
