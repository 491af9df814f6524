"""One worker at a time per consumer and subject, without a transaction held open while the consumer works.

PostgreSQL: session advisory locks, freed when the connection ends. SQLite: `flock` on files beside the registry, freed
by the system when the process ends, however it ends. Neither needs a lease or agreeing clocks (docs/decisions/0022).
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from django.db import connection

# A few files serve all subjects: two subjects of one file wait for each other, which costs time but no order.
LOCK_FILES = 256
_in_memory: dict[int, threading.Lock] = {}
_in_memory_guard = threading.Lock()


@contextmanager
def stream_lock(consumer: str, subject: str) -> Iterator[bool]:
    """Yield whether the lock of (`consumer`, `subject`) could be taken at once; free it when the block ends."""
    key = int.from_bytes(blake2b(f"{consumer}\0{subject}".encode(), digest_size=8).digest(), signed=True)
    if connection.vendor == "postgresql":
        with _advisory(key) as held:
            yield held
    elif _registry_file() is None:
        with _local(key % LOCK_FILES) as held:
            yield held
    else:
        with _file(key % LOCK_FILES) as held:
            yield held


@contextmanager
def _advisory(key: int) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        held = bool(cursor.fetchone()[0])
    try:
        yield held
    finally:
        if held and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _registry_file() -> Path | None:
    name = str(connection.settings_dict["NAME"])
    return None if ":memory:" in name or "mode=memory" in name else Path(name)


@contextmanager
def _file(number: int) -> Iterator[bool]:
    registry = _registry_file()
    assert registry is not None  # noqa: S101 - the caller has just asked
    folder = registry.with_name(registry.name + ".locks")
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder / f"{number:03}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)


@contextmanager
def _local(number: int) -> Iterator[bool]:
    with _in_memory_guard:
        lock = _in_memory.setdefault(number, threading.Lock())
    held = lock.acquire(blocking=False)
    try:
        yield held
    finally:
        if held:
            lock.release()
