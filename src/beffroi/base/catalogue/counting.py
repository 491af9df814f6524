"""Counts uses, and devices, in memory and writes them down now and then, after a page has been sent.

A process holds its counts at most `FLUSH_AFTER_S` seconds while it answers requests, and writes what is left when
it stops. A process killed outright loses what it held: seconds of a statistic, never a fact.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable
from datetime import date
from multiprocessing.util import Finalize
from typing import Generic, TypeVar

from django.db import connection, transaction

from beffroi.base.catalogue import presence
from beffroi.base.catalogue.models import UseCaseUsage

logger = logging.getLogger(__name__)

FLUSH_AFTER_S = 10.0
Key = tuple[str, str, date, str]
K = TypeVar("K", bound=Hashable)


class UsageBuffer(Generic[K]):
    """Hold counts by key, as (territory, use case, day, audience); safe between threads and between processes."""

    def __init__(self, write: Callable[[Counter[K]], None], *, tick: Callable[[], float] = time.monotonic) -> None:
        self._write, self._tick = write, tick
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._counts: Counter[K] = Counter()
        self._since: float | None = None

    def add(self, key: K, count: int = 1) -> None:
        """Count `count` more uses; never touches the registry."""
        with self._lock:
            self._counts[key] += count
            if self._since is None:
                self._since = self._tick()

    @property
    def is_due(self) -> bool:
        """Tell whether the oldest count has waited long enough to be written."""
        since = self._since
        return since is not None and self._tick() - since >= FLUSH_AFTER_S

    def flush(self) -> int:
        """Write what is held and return how many uses that was; on failure they are held again, and it raises."""
        with self._writing:
            with self._lock:
                counts, self._counts, self._since = self._counts, Counter(), None
            if not counts:
                return 0
            try:
                self._write(counts)
            except BaseException:
                with self._lock:
                    self._counts.update(counts)
                    self._since = self._tick()
                raise
            return counts.total()


def _write_counts(counts: Counter[Key]) -> None:
    """Add the counts to the registry in one transaction; the sum is the database's, so processes add up."""
    table = connection.ops.quote_name(UseCaseUsage._meta.db_table)
    # In one order, so that two processes that write together never wait for each other in a circle.
    rows = [(*key, count) for key, count in sorted(counts.items())]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} (territory, use_case, day, audience, count) VALUES (%s, %s, %s, %s, %s) "  # noqa: S608
            f"ON CONFLICT (territory, use_case, day, audience) DO UPDATE SET count = {table}.count + excluded.count",
            rows,
        )


BUFFER = UsageBuffer(_write_counts)
DEVICES = UsageBuffer(presence.write_counts)
_promised_in: int | None = None


def hold(key: Key, count: int = 1) -> None:
    """Count a use in this process, which will write what is left when it ends."""
    _promise()
    BUFFER.add(key, count)


def hold_device(key: presence.Key) -> None:
    """Count a device in this process, likewise."""
    _promise()
    DEVICES.add(key)


def _promise() -> None:
    global _promised_in
    # Web workers are forked after start-up and skip `atexit`: the promise is made in each, by what it does run.
    if _promised_in != os.getpid():
        _promised_in = os.getpid()
        Finalize(None, flush_at_exit, exitpriority=10)


def flush_when_due(**_: object) -> None:
    """Write the counts when they have waited long enough; connected to Django's ``request_finished``."""
    if BUFFER.is_due or DEVICES.is_due:
        _flush_quietly()


def flush_at_exit() -> None:
    """Write what is left when the process ends."""
    _flush_quietly()


def _flush_quietly() -> None:
    try:
        BUFFER.flush()
        DEVICES.flush()
    except Exception:
        # A statistic never breaks a page; the counts are held again and the next request tries.
        logger.warning("usage counts could not be written; they will be with the next", exc_info=True)
