"""The worker: outbox, background tasks and daily jobs side by side in one process, stopped without losing anything."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable
from datetime import datetime

from django.db import close_old_connections, connection

from beffroi.base.journal.outbox import run_outbox
from beffroi.base.journal.tasks import beat, leave, requeue_orphans, run_daily_jobs, run_frequent_jobs
from beffroi.base.kernel.time import now

logger = logging.getLogger(__name__)
BEAT_S = 5.0


def run_worker(stop: threading.Event, *, clock: Callable[[], datetime] = now, beat_s: float = BEAT_S) -> None:
    """Work until `stop` is set, then finish the delivery and the task under way, and return.

    Four threads, so that a long import delays no delivery: the outbox, the tasks, the daily jobs and the tasks of
    workers that died, the frequent jobs; and this one, which beats. A thread that ends before its time stops the
    worker, for a supervisor to start it anew.

    Args:
        clock: gives the present instant.
        beat_s: seconds between two signs of life.
    """
    name = f"{os.getpid()}-{secrets.token_hex(6)}"
    threads = [
        threading.Thread(target=_until, args=(stop, lambda: run_outbox(stop, clock=clock)), name="outbox"),
        threading.Thread(target=_until, args=(stop, lambda: _run_tasks(stop, name)), name="tasks"),
        threading.Thread(target=_until, args=(stop, lambda: _run_daily(stop, clock)), name="daily"),
        threading.Thread(target=_until, args=(stop, lambda: _run_frequent(stop, clock)), name="frequent"),
    ]
    _try(lambda: beat(name, at=clock()))
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        # Beats go on while a long task ends: its worker is not dead.
        _try(lambda: beat(name, at=clock()))
        if stop.is_set():
            for thread in threads:
                thread.join(timeout=beat_s / len(threads))
        else:
            stop.wait(beat_s)
    _try(lambda: leave(name))
    connection.close()


def _until(stop: threading.Event, work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        logger.exception("%s stops the worker", threading.current_thread().name)
    finally:
        stop.set()
        connection.close()


def _try(action: Callable[[], object]) -> None:
    """Run `action`; a database that is away for a moment is no reason to stop."""
    try:
        close_old_connections()
        action()
    except Exception:
        logger.exception("the worker could not write its sign of life or its chores")


def _run_daily(stop: threading.Event, clock: Callable[[], datetime]) -> None:
    while not stop.is_set():
        _try(lambda: requeue_orphans(at=clock()))
        _try(lambda: run_daily_jobs(clock()))
        stop.wait(20)


def _run_frequent(stop: threading.Event, clock: Callable[[], datetime]) -> None:
    while not stop.is_set():
        _try(lambda: run_frequent_jobs(clock()))
        stop.wait(1)


def _run_tasks(stop: threading.Event, name: str) -> None:
    """Run background tasks with django-tasks' own worker, in this thread, until `stop` is set."""
    from django_tasks_db.management.commands.db_worker import Worker
    from django_tasks_db.models import DBTaskResult

    worker = Worker(
        queue_names=["*"],
        interval=0,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=1,
        worker_id=name,
        excluded_queue_names=[],
    )
    while not stop.is_set():
        try:
            # One task at most, then look at `stop`: the library's own loop only knows signals. It takes the write lock
            # of SQLite even for nothing: ask first.
            close_old_connections()
            if DBTaskResult.objects.ready().exists():
                worker.run()
                worker._run_tasks = 0
            else:
                stop.wait(1)
        except Exception:
            logger.exception("the tasks pause")
            stop.wait(5)
