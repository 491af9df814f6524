"""Workers killed at random moments, on both databases: no event is lost, none overtakes another of its subject."""

from __future__ import annotations

import random
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

import warm

VICTIM = Path(__file__).with_name("outbox_victim.py")


@pytest.fixture(params=["sqlite_registry", pytest.param("postgresql_registry", marks=pytest.mark.postgresql)])
def registry(request) -> dict[str, str]:
    return request.getfixturevalue(request.param) | {"BEFFROI_LOG_LEVEL": "ERROR"}


def start(registry: dict[str, str], *arguments: str) -> warm.Running:
    return warm.start(VICTIM, *arguments, env=registry)


def finish(process: warm.Running) -> None:
    assert process.wait(timeout=120) == 0


def deliveries(log: Path) -> dict[str, list[int]]:
    found = defaultdict(list)
    for line in log.read_text().splitlines():
        subject, number = line.split()
        found[subject].append(int(number))
    return found


def recorded(registry: dict[str, str]) -> dict[str, list[int]]:
    """Read what the journal holds, by a second way than the outbox."""
    query = "SELECT subject, id FROM journal_event WHERE kind = 'tree.planted' ORDER BY id"
    if registry["DATABASE_URL"]:
        with psycopg.connect(registry["DATABASE_URL"]) as connection:
            rows = connection.execute(query).fetchall()
    else:
        connection = sqlite3.connect(Path(registry["BEFFROI_DATA_DIR"]) / "registry.sqlite3")
        rows = connection.execute(query).fetchall()
        connection.close()
    found = defaultdict(list)
    for subject, number in rows:
        found[subject].append(number)
    return found


def size_of(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def first_times(numbers: list[int]) -> list[int]:
    return list(dict.fromkeys(numbers))


def repeats_only_the_last(numbers: list[int]) -> bool:
    """A delivery made twice is made again before the next one: going back further would be out of order."""
    return all(later >= earlier for earlier, later in pairwise(numbers))


@pytest.mark.slow
def test_killed_workers_lose_nothing_and_keep_the_order_of_each_subject(registry, tmp_path):
    rng = random.Random(20260301)
    log = tmp_path / "deliveries.log"
    # Two processes record at once while two workers deliver at once.
    recorders = [start(registry, "record", str(seed)) for seed in (1, 2)]
    for _ in range(6):
        seen = size_of(log)
        workers = [start(registry, "work", str(log)) for _ in range(2)]
        # However slow the machine, kill while deliveries are made: a moment after the first one.
        wait_until(lambda seen=seen, workers=workers: size_of(log) > seen or all(w.poll() is not None for w in workers))
        time.sleep(rng.uniform(0, 0.2))
        for worker in workers:
            worker.kill()
            worker.wait()
    for recorder in recorders:
        finish(recorder)
    last = [start(registry, "work", str(log)) for _ in range(2)]
    for worker in last:
        finish(worker)

    expected, made = recorded(registry), deliveries(log)
    assert sum(map(len, expected.values())) >= 80
    assert {subject: first_times(numbers) for subject, numbers in made.items()} == expected
    assert all(repeats_only_the_last(numbers) for numbers in made.values())


@pytest.mark.slow
@pytest.mark.postgresql
def test_numbers_that_commit_out_of_order_are_all_delivered_and_in_order_per_subject(postgresql_registry):
    told = warm.run(VICTIM, "race", env=postgresql_registry, check=True).stdout.split("\n")
    # The late writer of tree:x waited for the early one; tree:y, numbered in between, was delivered meanwhile.
    assert told[:4] == ["recorded tree:x 1", "recorded tree:y 2", "delivered tree:y 2", "still waiting: True"]
    assert told[4] == "recorded tree:x 3"
    assert told[5:7] == ["delivered tree:x 1", "delivered tree:x 3"]
