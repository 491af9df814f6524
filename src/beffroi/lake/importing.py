"""Many sources into the lake: each read in a process of its own, so that none can take the others down with it."""

from __future__ import annotations

import multiprocessing
import os
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.definitions import ColumnDefinition, Definition, definition_for
from beffroi.lake.detect.headers import keys_of
from beffroi.lake.folder import Kind, SourceGroup, plan
from beffroi.lake.operations import ImportOutcome, ImportStatus, unchanged
from beffroi.lake.reading import ReadOptions
from beffroi.lake.readme import licence_of
from beffroi.lake.report import DatasetReport, FolderReport, tables_of
from beffroi.lake.store import DatasetNotFound, LakeNotWritable

Told = Callable[[int, int, SourceGroup, DatasetReport | None], None]
"""Called when a source is begun (without report) and when it is done: how many are done, of how many, which."""

Box = tuple[float, float, float, float]
_HEADROOM_MB = 6144
"""Address space a child may take over the memory of its connection: libraries map far more than they use."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a child process is asked to import."""

    path: Path
    slug: str
    definition: Definition
    options: ReadOptions
    territory: str
    at: datetime
    lake: Path
    memory_mb: int
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one source may take: seconds of reading, megabytes, and how many are read at once."""

    timeout_s: float = 900.0
    memory_mb: int = 2048
    jobs: int = 2


def import_folder(
    folder: Path,
    *,
    territory: str,
    at: datetime,
    lake: Path,
    extent: Box | None = None,
    definitions: Sequence[Definition] = (),
    limits: Limits | None = None,
    told: Told | None = None,
) -> FolderReport:
    """Import every dataset of `folder`; a source that crashes, hangs or eats the memory is refused with a sentence.

    Without `extent`, that of the commune's own boundary is used when the folder holds one.

    Raises:
        LakeNotWritable: the lake itself cannot be written.
    """
    return import_groups(
        plan(folder),
        source=folder,
        territory=territory,
        at=at,
        lake=lake,
        extent=extent,
        definitions=definitions,
        limits=limits,
        told=told,
    )


def import_groups(
    groups: Sequence[SourceGroup],
    *,
    source: Path,
    territory: str,
    at: datetime,
    lake: Path,
    extent: Box | None = None,
    definitions: Sequence[Definition] = (),
    limits: Limits | None = None,
    told: Told | None = None,
) -> FolderReport:
    """Import the datasets of a plan (see :func:`import_folder`), and report on them in the order of the plan."""
    limits = limits or Limits()
    started = time.monotonic()
    extent = extent or boundary_extent(groups)
    tasks = [
        Task(
            group.path,
            group.slug,
            definition_of(group, territory, definitions),
            ReadOptions(extent=extent),
            territory,
            at,
            lake,
            limits.memory_mb,
            # As many threads as the machine has, once shared: more would wait for each other.
            max(1, (os.cpu_count() or 1) // limits.jobs),
        )
        for group in groups
    ]
    reports: dict[int, DatasetReport] = {}
    for index, outcome, seconds in _outcomes(
        tasks, limits, lambda i: told and told(len(reports), len(tasks), groups[i], None)
    ):
        reports[index] = _report(groups[index], tasks[index], outcome, seconds, source)
        if told:
            told(len(reports), len(tasks), groups[index], reports[index])
    ordered = tuple(reports[index] for index in sorted(reports))
    return FolderReport(territory, str(source), ordered, time.monotonic() - started)


def one_group(path: Path, *, slug: str | None = None) -> SourceGroup:
    """Return the plan of a single source.

    Raises:
        BeffroiError: there is no such file.
    """
    if not path.is_file():
        raise BeffroiError(
            "aucun fichier de ce nom", where=str(path), remedy="vérifiez le chemin ; un dossier demande --recursive"
        )
    found = next((group for group in plan(path.parent) if path.resolve() in _paths(group)), None)
    if found is None:
        found = SourceGroup(path.stem, path.stem, "", path, Kind("autre", 40), Sentence("fichier désigné"))
    kept = replace(found, path=path.resolve(), twins=(), why=Sentence("fichier désigné"))
    return replace(kept, slug=slug) if slug else kept


def _paths(group: SourceGroup) -> list[Path]:
    return [group.path, *(twin.path for twin in group.twins)]


_BOUNDARY = re.compile(r"(limites?|contour|perimetre)-?(de-la-)?(commun|ville)", re.IGNORECASE)


def boundary_extent(groups: Sequence[SourceGroup]) -> Box | None:
    """Return the box of the commune's boundary when one of `groups` is that boundary (by its name), else None."""
    import duckdb

    from beffroi.lake.connectors.vector import read_vector
    from beffroi.lake.reading import GEOMETRY, Unreadable

    for group in groups:
        if not group.kind.has_geometry or not _BOUNDARY.search(group.slug):
            continue
        try:
            reading = read_vector(group.path, ReadOptions(), duckdb.connect())[0]
        except Unreadable:
            continue
        if reading.has_geometry and reading.rows_read <= 3:
            import numpy as np
            import shapely

            query = f"SELECT {GEOMETRY} FROM {reading.table} WHERE {GEOMETRY} IS NOT NULL"  # noqa: S608
            shapes = shapely.from_wkb(np.array([row[0] for row in reading.con.execute(query).fetchall()], dtype=object))
            west, south, east, north = (float(value) for value in shapely.total_bounds(shapes))
            return (west, south, east, north) if west <= east else None
    return None


def definition_of(group: SourceGroup, territory: str, definitions: Sequence[Definition]) -> Definition:
    """Return the dataset file that names the source, completed by its notice; else what the notice says."""
    declared = definition_for(group.path.name, territory, definitions)
    notice = group.notice
    said: dict[str, Any] = {"theme": group.theme, "title": group.title[:200]}
    if notice:
        said |= {
            "description": notice.description,
            "producer": notice.producer or notice.publisher,
            "licence": licence_of(notice.licence).name,
            "rhythm": notice.rhythm,
            "columns": {
                keys_of([title])[0]: ColumnDefinition(description=text) for title, text in notice.columns.items()
            },
        }
    if declared is None:
        return Definition(group.slug, **said)
    return replace(declared, **{name: value for name, value in said.items() if not getattr(declared, name)})


def _report(group: SourceGroup, task: Task, outcome: ImportOutcome, seconds: float, source: Path) -> DatasetReport:
    base = source.resolve() if source.is_dir() else source.resolve().parent
    tables = tables_of(outcome)
    periods = [table.report.period for table in tables if table.report and table.report.period]
    licence = licence_of(group.notice.licence if group.notice else "")
    return DatasetReport(
        slug=task.slug,
        title=task.definition.title or group.title,
        source=_inside(group.path, base),
        kind=group.kind.name,
        why=group.why,
        tables=tables,
        twins=tuple((_inside(twin.path, base), twin.why) for twin in group.twins),
        licence=task.definition.licence,
        licence_why=None if task.definition.licence and not licence.name else licence.why,
        period=(min(first for first, _ in periods), max(last for _, last in periods)) if periods else None,
        seconds=seconds,
    )


def _inside(path: Path, base: Path) -> str:
    return str(path.relative_to(base)) if path.is_relative_to(base) else path.name


@dataclass(slots=True)
class _Worker:
    """A child process, and what it is doing."""

    process: BaseProcess
    pipe: Connection
    task: int | None = None
    since: float = field(default=0.0)


def _outcomes(
    tasks: Sequence[Task], limits: Limits, begun: Callable[[int], object]
) -> Iterator[tuple[int, ImportOutcome, float]]:
    """Yield the outcome of each task as it comes, with its seconds: at once for the sources that have not changed."""
    changed = []
    for index, task in enumerate(tasks):
        started = time.monotonic()
        known = _unchanged(task)
        if known is None:
            changed.append(index)
        else:
            begun(index)
            yield index, known, time.monotonic() - started
    # What killed processes leave goes with the folder that all of them write aside in.
    with tempfile.TemporaryDirectory(prefix="beffroi-import-", ignore_cleanup_errors=True) as aside:
        yield from _run(tasks, changed, limits, begun, aside)


def _unchanged(task: Task) -> ImportOutcome | None:
    try:
        return unchanged(
            task.path,
            territory=task.territory,
            at=task.at,
            slug=task.slug,
            definition=task.definition,
            options=task.options,
            lake=task.lake,
        )
    except (DatasetNotFound, OSError):
        # A name or a file that cannot be used: the import itself says so, for this source alone.
        return None


def _run(
    tasks: Sequence[Task], wanted: Sequence[int], limits: Limits, begun: Callable[[int], object], aside: str
) -> Iterator[tuple[int, ImportOutcome, float]]:
    """Yield the outcome of each wanted task as it comes, with its seconds; the longest are begun first."""
    waiting = sorted(wanted, key=lambda index: _size(tasks[index].path))
    workers: list[_Worker] = []
    try:
        while waiting or any(worker.task is not None for worker in workers):
            _give(workers, waiting, tasks, limits, begun, aside)
            busy = {worker.pipe: worker for worker in workers if worker.task is not None}
            first_end = min((worker.since for worker in busy.values()), default=0.0) + limits.timeout_s
            wait(
                [*busy, *(worker.process.sentinel for worker in busy.values())],
                timeout=max(0.0, first_end - time.monotonic()),
            )
            for worker in busy.values():
                outcome = _outcome(worker, tasks, limits)
                if outcome is not None and worker.task is not None:
                    index, worker.task = worker.task, None
                    yield index, outcome, time.monotonic() - worker.since
            workers = [worker for worker in workers if worker.process.is_alive()]
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.join()


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _give(
    workers: list[_Worker],
    waiting: list[int],
    tasks: Sequence[Task],
    limits: Limits,
    begun: Callable[[int], object],
    aside: str,
) -> None:
    idle = sum(1 for worker in workers if worker.task is None)
    for _ in range(min(limits.jobs - len(workers), len(waiting) - idle)):
        workers.append(_started(limits, aside))
    for worker in workers:
        if worker.task is None and waiting and worker.process.is_alive():
            worker.task, worker.since = waiting.pop(), time.monotonic()
            # A child that has just died is found out, and its task accounted for, by `_outcome`.
            with suppress(OSError):
                worker.pipe.send(tasks[worker.task])
            begun(worker.task)


def _started(limits: Limits, aside: str) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, limits.memory_mb + _HEADROOM_MB, aside), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _outcome(worker: _Worker, tasks: Sequence[Task], limits: Limits) -> ImportOutcome | None:
    """Return how the worker's task ended, None while it goes on."""
    assert worker.task is not None  # noqa: S101
    task = tasks[worker.task]
    if worker.pipe.poll():
        try:
            answer = worker.pipe.recv()
        except (EOFError, OSError):
            return _died(worker, task)
        if isinstance(answer, LakeNotWritable):
            raise answer
        outcome: ImportOutcome = answer
        return outcome
    if not worker.process.is_alive():
        return _died(worker, task)
    if time.monotonic() - worker.since > limits.timeout_s:
        worker.process.kill()
        worker.process.join()
        reason = Sentence(
            "{name} : lecture arrêtée au bout de {seconds} s ; le fichier est peut-être endommagé, ou trop volumineux "
            "(BEFFROI_IMPORT_TIMEOUT_S)",
            {"name": task.path.name, "seconds": round(limits.timeout_s)},
        )
        return _refused(task, reason)
    return None


def _died(worker: _Worker, task: Task) -> ImportOutcome:
    worker.process.join(5)
    reason = Sentence(
        "{name} : le processus de lecture s’est arrêté net (code {code}) ; le fichier est endommagé ou demande trop de "
        "mémoire (BEFFROI_IMPORT_MEMORY_MB)",
        {"name": task.path.name, "code": worker.process.exitcode},
    )
    return _refused(task, reason)


def _refused(task: Task, reason: Sentence) -> ImportOutcome:
    from beffroi.lake.store import DatasetRef

    return ImportOutcome(ImportStatus.REFUSED, DatasetRef(task.territory, task.slug), reason=reason)


def _serve(pipe: Connection, address_space_mb: int, aside: str) -> None:
    """Import what comes through the pipe until it closes: the life of a child process."""
    tempfile.tempdir = aside
    most = address_space_mb * 1024**2
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            task: Task = pipe.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            sys.exit(0)
        pipe.send(_imported(task))


def _imported(task: Task) -> ImportOutcome | LakeNotWritable:
    from beffroi.lake.operations import import_source

    try:
        return import_source(
            task.path,
            territory=task.territory,
            at=task.at,
            slug=task.slug,
            definition=task.definition,
            options=task.options,
            lake=task.lake,
            announce=False,
            memory_mb=task.memory_mb,
            threads=task.threads,
        )
    except LakeNotWritable as error:
        return error
    except MemoryError:
        reason = Sentence("{name} : mémoire insuffisante (BEFFROI_IMPORT_MEMORY_MB)", {"name": task.path.name})
        return _refused(task, reason)
    except Exception as error:
        # Whatever a source does to a library is a fault of that source, told in one sentence; the others go on.
        reason = Sentence(
            "{name} : import impossible ({error})",
            {"name": task.path.name, "error": f"{type(error).__name__} : {error}"[:300]},
        )
        return _refused(task, reason)
