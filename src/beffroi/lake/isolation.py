"""Sources read in processes of their own: one that crashes, hangs or eats the memory costs itself and no other.

The processes are forked from a server that has loaded the heavy libraries once, and has no thread. Loads nothing heavy
itself: :func:`prepare` can be the first thing a command does.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from beffroi.base.kernel.sentences import Sentence

if TYPE_CHECKING:
    from beffroi.lake.definitions import Definition
    from beffroi.lake.operations import ImportOutcome
    from beffroi.lake.reading import ReadOptions
    from beffroi.lake.store import LakeNotWritable

_HEADROOM_MB = 6144
"""Address space a child may take over the memory of its connection: libraries map far more than they use."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One source to import: what :func:`beffroi.lake.operations.import_source` is told, so that it crosses processes.

    Without `options`, those of the definition. `actor` is the person who asked.
    """

    path: Path
    slug: str
    definition: Definition
    territory: str
    at: datetime
    lake: Path
    options: ReadOptions | None = None
    actor: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one source may take: seconds of reading, megabytes, and how many are read at once."""

    timeout_s: float = 900.0
    memory_mb: int = 2048
    jobs: int = 2


def prepare() -> None:
    """Start loading, beside this process, what reading takes: a command that will read says so as soon as it can."""
    # Everything but DuckDB, which starts a thread when it is imported: a process that has threads is not to be forked.
    multiprocessing.set_forkserver_preload(["beffroi.lake.forked"])
    forkserver.ensure_running()


def import_isolated(request: ImportRequest, limits: Limits) -> ImportOutcome:
    """Import one source in a process of its own.

    Raises:
        LakeNotWritable: the lake itself cannot be written.
    """
    # One file is not worth a server that would stay: this process may live for months.
    return next(outcomes([request], [0], limits, method="spawn"))[1]


@dataclass(slots=True)
class _Worker:
    """A child process, and what it is doing."""

    process: BaseProcess
    pipe: Connection
    task: int | None = None
    since: float = field(default=0.0)


def outcomes(
    requests: Sequence[ImportRequest],
    wanted: Sequence[int],
    limits: Limits,
    *,
    begun: Callable[[int], object] = lambda _index: None,
    method: str = "forkserver",
) -> Iterator[tuple[int, ImportOutcome, float]]:
    """Yield the outcome of each wanted request as it comes, with its seconds; the largest sources are begun first.

    Raises:
        LakeNotWritable: the lake itself cannot be written.
    """
    waiting = sorted(wanted, key=lambda index: _size(requests[index].path))
    workers: list[_Worker] = []
    # What killed processes leave goes with the folder that all of them write aside in.
    with tempfile.TemporaryDirectory(prefix="beffroi-import-", ignore_cleanup_errors=True) as aside:
        try:
            while waiting or any(worker.task is not None for worker in workers):
                _hire(workers, len(waiting), limits, aside, method)
                _give(workers, waiting, requests, begun)
                yield from _finished(workers, requests, limits)
                workers = [worker for worker in workers if worker.process.is_alive()]
        finally:
            for worker in workers:
                worker.process.kill()
                worker.process.join()


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _hire(workers: list[_Worker], waiting: int, limits: Limits, aside: str, method: str) -> None:
    idle = sum(1 for worker in workers if worker.task is None)
    context = multiprocessing.get_context(method)
    # As many threads as the machine has, once shared: more would wait for each other.
    threads = max(1, (os.cpu_count() or 1) // limits.jobs)
    for _ in range(min(limits.jobs - len(workers), waiting - idle)):
        ours, theirs = context.Pipe()
        arguments = (theirs, limits.memory_mb, _HEADROOM_MB, threads, aside)
        process = context.Process(target=_serve, args=arguments, daemon=True)  # type: ignore[attr-defined]
        process.start()
        theirs.close()
        workers.append(_Worker(process, ours))


def _give(
    workers: list[_Worker], waiting: list[int], requests: Sequence[ImportRequest], begun: Callable[[int], object]
) -> None:
    for worker in workers:
        if worker.task is None and waiting and worker.process.is_alive():
            worker.task, worker.since = waiting.pop(), time.monotonic()
            # A child that has just died is found out, and its task accounted for, by `_outcome`.
            with suppress(OSError):
                worker.pipe.send(requests[worker.task])
            begun(worker.task)


def _finished(
    workers: list[_Worker], requests: Sequence[ImportRequest], limits: Limits
) -> Iterator[tuple[int, ImportOutcome, float]]:
    """Wait until a child answers, dies or is late; yield what ended."""
    busy = [worker for worker in workers if worker.task is not None]
    first_end = min((worker.since for worker in busy), default=0.0) + limits.timeout_s
    wait(
        [end for worker in busy for end in (worker.pipe, worker.process.sentinel)],
        timeout=max(0.0, first_end - time.monotonic()),
    )
    for worker in busy:
        assert worker.task is not None  # noqa: S101
        outcome = _outcome(worker, requests[worker.task], limits)
        if outcome is not None:
            index, worker.task = worker.task, None
            yield index, outcome, time.monotonic() - worker.since


def _outcome(worker: _Worker, request: ImportRequest, limits: Limits) -> ImportOutcome | None:
    """Return how the worker's task ended, None while it goes on."""
    if worker.pipe.poll():
        try:
            answer: ImportOutcome | LakeNotWritable = worker.pipe.recv()
        except (EOFError, OSError):
            return _died(worker, request)
        if isinstance(answer, Exception):
            raise answer
        return answer
    if not worker.process.is_alive():
        return _died(worker, request)
    if time.monotonic() - worker.since > limits.timeout_s:
        worker.process.kill()
        worker.process.join()
        reason = Sentence(
            "{name} : lecture arrêtée au bout de {seconds} s ; le fichier est peut-être endommagé, ou trop volumineux "
            "(BEFFROI_IMPORT_TIMEOUT_S)",
            {"name": request.path.name, "seconds": round(limits.timeout_s)},
        )
        return _refused(request, reason)
    return None


def _died(worker: _Worker, request: ImportRequest) -> ImportOutcome:
    worker.process.join(5)
    reason = Sentence(
        "{name} : le processus de lecture s’est arrêté net (code {code}) ; le fichier est endommagé ou demande trop de "
        "mémoire (BEFFROI_IMPORT_MEMORY_MB)",
        {"name": request.path.name, "code": worker.process.exitcode},
    )
    return _refused(request, reason)


def _refused(request: ImportRequest, reason: Sentence) -> ImportOutcome:
    from beffroi.lake.operations import ImportOutcome, ImportStatus
    from beffroi.lake.store import DatasetRef

    return ImportOutcome(ImportStatus.REFUSED, DatasetRef(request.territory, request.slug), reason=reason)


def _serve(pipe: Connection, memory_mb: int, headroom_mb: int, threads: int, aside: str) -> None:
    """Import what comes through the pipe until it closes: the life of a child process."""
    tempfile.tempdir = aside
    most = (memory_mb + headroom_mb) << 20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            request: ImportRequest = pipe.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            sys.exit(0)
        pipe.send(_imported(request, memory_mb, threads))


def _imported(request: ImportRequest, memory_mb: int, threads: int) -> ImportOutcome | LakeNotWritable:
    from beffroi.lake.operations import import_source
    from beffroi.lake.store import LakeNotWritable

    try:
        return import_source(
            request.path,
            territory=request.territory,
            at=request.at,
            slug=request.slug,
            definition=request.definition,
            options=request.options,
            actor=request.actor,
            lake=request.lake,
            announce=False,
            memory_mb=memory_mb,
            threads=threads,
        )
    except LakeNotWritable as error:
        return error
    except MemoryError:
        reason = Sentence("{name} : mémoire insuffisante (BEFFROI_IMPORT_MEMORY_MB)", {"name": request.path.name})
        return _refused(request, reason)
    except Exception as error:
        # Whatever a source does to a library is a fault of that source, told in one sentence; the others go on.
        reason = Sentence(
            "{name} : import impossible ({error})",
            {"name": request.path.name, "error": f"{type(error).__name__} : {error}"[:300]},
        )
        return _refused(request, reason)
