"""Sources read in processes of their own: one that crashes, hangs or eats the memory costs itself and no other.

The processes are forked from a server that has loaded the heavy libraries once, and has no thread. Loads nothing heavy
itself: :func:`prepare` can be the first thing a command does.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from beffroi.base.kernel.sentences import Sentence

if TYPE_CHECKING:
    from beffroi.lake.definitions import Definition
    from beffroi.lake.outcomes import ImportOutcome
    from beffroi.lake.publishing import Later
    from beffroi.lake.reading import ReadOptions
    from beffroi.lake.store import LakeNotWritable

Box = tuple[float, float, float, float]

_EXTENT_S = 30.0
"""Seconds given to the reading of a commune's boundary, which has a handful of shapes at most."""

_HEADROOM_MB = 6144
"""Address space a child may take over the memory of its connection: libraries map far more than they use."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One source to import: what :func:`beffroi.lake.intake.import_source` is told, so that it crosses processes.

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
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one source may take: seconds of reading, megabytes, and how many are read at once."""

    timeout_s: float = 900.0
    memory_mb: int = 2048
    jobs: int = 2


def prepare() -> None:
    """Start loading, beside this process, what reading takes: a command that will read says so as soon as it can."""
    # Everything but DuckDB, which starts a thread when it is imported: a process that has threads is not to be forked.
    multiprocessing.set_forkserver_preload(["beffroi.lake.unaided", "beffroi.lake.forked"])
    forkserver.ensure_running()


def import_isolated(request: ImportRequest, limits: Limits) -> ImportOutcome:
    """Import one source in a process of its own.

    Raises:
        LakeNotWritable: the lake itself cannot be written.
    """
    # One file is not worth a server that would stay: this process may live for months.
    return next(outcomes([request], [0], limits, method="spawn"))[1]


def extent_apart(paths: Sequence[Path]) -> Box | None:
    """Return the box of the first boundary among `paths` (see `extents.boundary_box`), read in another process."""
    prepare()
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_tell_extent, args=(theirs, list(paths)), daemon=True)
    process.start()
    theirs.close()
    found: Box | None = None
    # Nothing comes of a process that dies: the pipe ends.
    with ours, suppress(EOFError):
        found = ours.recv() if ours.poll(_EXTENT_S) else None
    process.kill()
    process.join()
    return found


def _tell_extent(pipe: Connection, paths: Sequence[Path]) -> None:
    from beffroi.lake.extents import boundary_box

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pipe.send(boundary_box(paths))


@dataclass(slots=True)
class _Worker:
    """A child process: what it is reading, and what it has read that is not durable yet; each with its beginning."""

    process: BaseProcess
    pipe: Connection
    task: tuple[int, float] | None = None
    behind: tuple[int, float] | None = None

    @property
    def is_busy(self) -> bool:
        return self.task is not None or self.behind is not None


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
            while waiting or any(worker.is_busy for worker in workers):
                _hire(workers, len(waiting), limits, aside, method)
                _give(workers, waiting, requests, begun)
                yield from _finished(workers, waiting, requests, limits)
                workers = [worker for worker in workers if worker.is_busy or worker.process.is_alive()]
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
            index = waiting.pop()
            worker.task = (index, time.monotonic())
            # A child that has just died is found out, and its task accounted for, by `_finished`.
            with suppress(OSError):
                worker.pipe.send(requests[index])
            begun(index)


def _finished(
    workers: list[_Worker], waiting: list[int], requests: Sequence[ImportRequest], limits: Limits
) -> Iterator[tuple[int, ImportOutcome, float]]:
    """Wait until a child speaks, dies or is late; yield what ended. What a dead one had only read goes to `waiting`."""
    busy = [worker for worker in workers if worker.is_busy]
    ends = [worker.task[1] + limits.timeout_s for worker in busy if worker.task is not None]
    wait(
        [end for worker in busy for end in (worker.pipe, worker.process.sentinel)],
        timeout=max(0.0, min(ends) - time.monotonic()) if ends else None,
    )
    for worker in busy:
        for (index, since), outcome in _heard(worker, waiting, requests, limits):
            yield index, outcome, time.monotonic() - since


def _heard(
    worker: _Worker, waiting: list[int], requests: Sequence[ImportRequest], limits: Limits
) -> Iterator[tuple[tuple[int, float], ImportOutcome]]:
    try:
        while worker.pipe.poll():
            answer: ImportOutcome | LakeNotWritable | None = worker.pipe.recv()
            if isinstance(answer, Exception):
                raise answer
            if answer is None:
                worker.behind, worker.task = worker.task, None
            elif worker.behind is not None:
                done, worker.behind = worker.behind, None
                yield done, answer
    except (EOFError, ConnectionError):
        worker.process.join(5)
    late = worker.task is not None and time.monotonic() - worker.task[1] > limits.timeout_s
    if late:
        worker.process.kill()
        worker.process.join()
    if worker.process.is_alive() or not worker.is_busy:
        return
    # The fault lies with what was being read; what was read before is read again.
    guilty = worker.task or worker.behind
    if worker.task is not None and worker.behind is not None:
        waiting.append(worker.behind[0])
    worker.task = worker.behind = None
    if guilty is not None:
        request = requests[guilty[0]]
        yield guilty, _refused(request, _late(request, limits) if late else _died(request, worker.process.exitcode))


def _late(request: ImportRequest, limits: Limits) -> Sentence:
    return Sentence(
        "{name} : lecture arrêtée au bout de {seconds} s ; le fichier est peut-être endommagé, ou trop volumineux "
        "(BEFFROI_IMPORT_TIMEOUT_S)",
        {"name": request.path.name, "seconds": round(limits.timeout_s)},
    )


def _died(request: ImportRequest, code: int | None) -> Sentence:
    return Sentence(
        "{name} : le processus de lecture s’est arrêté net (code {code}) ; le fichier est endommagé ou demande trop de "
        "mémoire (BEFFROI_IMPORT_MEMORY_MB)",
        {"name": request.path.name, "code": code},
    )


def _refused(request: ImportRequest, reason: Sentence) -> ImportOutcome:
    from beffroi.lake.outcomes import ImportOutcome, ImportStatus
    from beffroi.lake.store import DatasetRef

    return ImportOutcome(ImportStatus.REFUSED, DatasetRef(request.territory, request.slug), reason=reason)


def _serve(pipe: Connection, memory_mb: int, headroom_mb: int, threads: int, aside: str) -> None:
    """Import what comes through the pipe until it closes: the life of a child process.

    While the disk makes one source durable, the next is read. Says None when a source is read, its outcome when it is
    published for good.
    """
    tempfile.tempdir = aside
    most = (memory_mb + headroom_mb) << 20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What is loaded stays, and rows are no cycles: looking for them took a twentieth of an import.
    gc.freeze()
    gc.set_threshold(500_000, 20, 50)
    import beffroi.lake.unaided  # noqa: F401 - not that of the site, which may have them

    behind: Future[None] | None = None
    with ThreadPoolExecutor(1, "behind") as disk:
        while True:
            try:
                request: ImportRequest = pipe.recv()
            except (EOFError, OSError, KeyboardInterrupt):
                sys.exit(0)
            handed: list[Future[None]] = []
            answer = _imported(request, memory_mb, threads, partial(_hand, disk, handed))
            # One source at most waits for the disk: its answer has left before the word that the next is read.
            if behind is not None:
                behind.result()
            pipe.send(None)
            behind = disk.submit(_answer, pipe, request, answer, handed)


def _hand(disk: ThreadPoolExecutor, handed: list[Future[None]], act: Callable[[], None]) -> None:
    handed.append(disk.submit(act))


def _answer(
    pipe: Connection, request: ImportRequest, answer: ImportOutcome | LakeNotWritable, handed: list[Future[None]]
) -> None:
    """Tell how the import ended, now that what it handed to the disk is done."""
    fault = next((error for act in handed if (error := act.exception()) is not None), None)
    pipe.send(answer if fault is None else _told(request, fault))


def _imported(request: ImportRequest, memory_mb: int, threads: int, later: Later) -> ImportOutcome | LakeNotWritable:
    from beffroi.lake.intake import import_source

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
            later=later,
            guarded=request.guarded,
        )
    except Exception as error:
        # Whatever a source does to a library is a fault of that source, told in one sentence; the others go on.
        return _told(request, error)


def _told(request: ImportRequest, error: BaseException) -> ImportOutcome | LakeNotWritable:
    """Return what the fault of an import is to its caller: only that of the lake itself stops the others."""
    from beffroi.lake.store import LakeNotWritable

    if isinstance(error, LakeNotWritable):
        return error
    reason = Sentence(
        "{name} : import impossible ({error})",
        {"name": request.path.name, "error": f"{type(error).__name__} : {error}"[:300]},
    )
    if isinstance(error, MemoryError):
        reason = Sentence("{name} : mémoire insuffisante (BEFFROI_IMPORT_MEMORY_MB)", {"name": request.path.name})
    return _refused(request, reason)
