"""The worker: one process that delivers, runs tasks and daily jobs, stops gracefully and takes up what was cut."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django_tasks_db.models import DBTaskResult

import warm
from beffroi.base.journal import events, queries, tasks
from beffroi.base.journal.models import WorkerBeat
from servers import PATIENCE_S

HERE = Path(__file__).parent
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def environment(sqlite_registry) -> dict[str, str]:
    """The environment of a worker that can import the tasks of the tests."""
    return sqlite_registry | {"PYTHONPATH": str(HERE), "BEFFROI_LOG_LEVEL": "ERROR"}


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def status(folder: Path) -> str:
    connection = sqlite3.connect(folder / "registry.sqlite3")
    [(found,)] = connection.execute("SELECT status FROM django_tasks_database_dbtaskresult").fetchall()
    connection.close()
    return str(found)


@pytest.mark.slow
def test_a_worker_asked_to_stop_finishes_its_task(environment, tmp_path):
    sheet = tmp_path / "sheet.txt"
    warm.run(HERE / "worker_tasks.py", sheet, "1", env=environment, check=True)
    worker = warm.start(*warm.BEFFROI, "worker", env=environment)
    wait_for(sheet.exists)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert sheet.read_text() == "done"
    assert status(tmp_path) == "SUCCESSFUL"


@pytest.mark.slow
def test_a_second_signal_stops_at_once_and_leaves_the_task_to_be_taken_up(environment, tmp_path):
    sheet = tmp_path / "sheet.txt"
    warm.run(HERE / "worker_tasks.py", sheet, "3600", env=environment, check=True)
    worker = warm.start(*warm.BEFFROI, "worker", env=environment)
    wait_for(sheet.exists)

    def ended_by_another() -> bool:
        # Two signals that come before a busy machine has told it of the first are but one.
        worker.send_signal(signal.SIGTERM)
        return worker.poll() is not None

    wait_for(ended_by_another)
    assert worker.wait() == 128 + signal.SIGTERM
    assert status(tmp_path) == "RUNNING"


def running_task(worker: str, *, lives: int = 1, since: datetime = AT) -> DBTaskResult:
    return DBTaskResult.objects.create(
        status="RUNNING",
        started_at=since,
        args_kwargs={"args": [], "kwargs": {}},
        task_path="worker_tasks.write_slowly",
        worker_ids=[worker] * lives,
        backend_name="default",
        run_after=AT,
        exception_class_path="",
        traceback="",
    )


@pytest.mark.django_db
def test_the_task_of_a_dead_worker_goes_back_to_the_queue_and_a_living_one_keeps_its_own():
    orphan, kept = running_task("dead"), running_task("alive")
    later = AT + timedelta(hours=2)
    tasks.beat("alive", at=later)
    assert tasks.requeue_orphans(at=later) == 1
    orphan.refresh_from_db()
    kept.refresh_from_db()
    assert (orphan.status, kept.status) == ("READY", "RUNNING")


@pytest.mark.django_db
def test_a_task_just_begun_is_not_taken_from_its_worker():
    running_task("not-yet-beaten")
    assert tasks.requeue_orphans(at=AT + timedelta(seconds=30)) == 0


@pytest.mark.django_db
def test_a_task_that_kills_its_workers_is_given_up():
    killer = running_task("dead", lives=tasks.MOST_LIVES)
    assert tasks.requeue_orphans(at=AT + timedelta(hours=1)) == 0
    killer.refresh_from_db()
    assert killer.status == "FAILED"
    assert "died 3 times" in killer.traceback


@pytest.mark.django_db
def test_health_says_whether_a_worker_lives():
    assert not queries.worker_health(at=AT).alive
    tasks.beat("one", at=AT)
    tasks.beat("one", at=AT + timedelta(seconds=5))
    health = queries.worker_health(at=AT + timedelta(seconds=30))
    assert (health.alive, health.last_beat, health.waiting, health.dead) == (True, AT + timedelta(seconds=5), 0, 0)
    assert not queries.worker_health(at=AT + timedelta(seconds=90)).alive
    tasks.leave("one")
    assert not WorkerBeat.objects.exists()


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 2, tzinfo=UTC)),
        (datetime(2026, 7, 1, 0, 59, tzinfo=UTC), datetime(2026, 7, 1, 1, tzinfo=UTC)),
    ],
)
def test_daily_jobs_keep_their_hour_when_clocks_change(at, due):
    assert tasks.next_run(3, at) == due


def test_consumers_are_replaced_by_name():
    events.subscribe("tests.twice", ["a"], lambda event: None)
    events.subscribe("tests.twice", [events.ANY], lambda event: None)
    known = events.consumer("tests.twice")
    events.unsubscribe("tests.twice")
    assert known is not None
    assert known.hears("anything")
