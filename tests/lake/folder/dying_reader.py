"""Reading processes that die before what they have read is durable: each stands for `isolation._serve`."""

from __future__ import annotations

import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

from beffroi.lake import isolation

_serve = isolation._serve


def dying_while_the_next_is_read(pipe: Connection, memory_mb: int, headroom_mb: int, threads: int, aside: str) -> None:
    """Say that a first source is read, take a second and die; the next process to be born serves well."""
    if _has_died(aside):
        _serve(pipe, memory_mb, headroom_mb, threads, aside)
    pipe.recv()
    pipe.send(None)
    pipe.recv()
    os.kill(os.getpid(), signal.SIGKILL)


def dying_with_nothing_to_read(pipe: Connection, memory_mb: int, headroom_mb: int, threads: int, aside: str) -> None:
    """Say that a source is read and die; the next process to be born serves well."""
    if _has_died(aside):
        _serve(pipe, memory_mb, headroom_mb, threads, aside)
    pipe.recv()
    pipe.send(None)
    os.kill(os.getpid(), signal.SIGKILL)


def _has_died(aside: str) -> bool:
    mark = Path(aside, "died")
    known = mark.exists()
    mark.touch()
    return known
