"""Many communes at once: a folder holds one of sources for each, named by its INSEE code. Knows no Django.

A commune is one partition: the same function imports it here, in a pool of processes, or on the workers of a Dask
cluster, which read and write the same folders. Same sources, same day, same files: the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.engine import checked_insee
from beffroi.lake.definitions import Definition
from beffroi.lake.folder import plan
from beffroi.lake.importing import boundary_extent, definition_of, several
from beffroi.lake.operations import ImportStatus, import_source
from beffroi.lake.reading import ReadOptions

LOCAL, DASK = "local", "dask"
ENGINES = (LOCAL, DASK)
MEMORY_MB = 1_024
_QUIET = {
    # A hundred looks a second at what each process does, for a graph that nobody asked for.
    "distributed.worker.profile.enabled": False,
    # No result is copied from one process to another: there are no replicas to take away.
    "distributed.scheduler.active-memory-manager.start": False,
    # Fifty times a second, each of five processes woke to see whether it was late.
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}
"""What Dask does beside the work: at rest, 12 % of a processor for two processes and their scheduler; 3 % so."""


class CannotRefresh(BeffroiError):
    """The communes cannot be refreshed as asked; says what to install, or which folder to give."""


@dataclass(frozen=True, slots=True)
class CommuneRefreshed:
    """What became of one commune: how many of its datasets are new, unchanged, refused (each with its reason)."""

    code: str
    published: int
    unchanged: int
    refused: tuple[str, ...]


def communes_in(folder: Path) -> list[tuple[str, Path]]:
    """Return the code and the folder of each commune, by code.

    Raises:
        CannotRefresh: there is none.
    """
    found = [(one.name.upper(), one) for one in sorted(folder.iterdir()) if one.is_dir() and _is_code(one.name)]
    if not found:
        raise CannotRefresh(
            "aucun sous-dossier nommé par un code INSEE", where=str(folder), remedy="un dossier de sources par commune"
        )
    return found


def _is_code(name: str) -> bool:
    try:
        checked_insee(name.upper())
    except BeffroiError:
        return False
    return True


def refresh_commune(
    commune: tuple[str, Path], *, lake: Path, at: datetime, definitions: Sequence[Definition]
) -> CommuneRefreshed:
    """Import every source of one commune, one after the other, in this process; announces nothing."""
    code, folder = commune
    groups = several(plan(folder), code, definitions)
    options = ReadOptions(extent=boundary_extent(groups))
    published, unchanged, refused = 0, 0, []
    for group in groups:
        outcome = import_source(
            group.path,
            territory=code,
            at=at,
            slug=group.slug,
            definition=definition_of(group, code, definitions),
            options=options,
            lake=lake,
            announce=False,
            memory_mb=MEMORY_MB,
            # One thread: the machine's processors are shared by the communes, and the order of rows is the same.
            threads=1,
        )
        if outcome.status is ImportStatus.REFUSED:
            refused.append(f"{code}/{group.slug} : {outcome.reason}")
        elif outcome.status is ImportStatus.PUBLISHED:
            published += 1
        else:
            unchanged += 1
    return CommuneRefreshed(code, published, unchanged, tuple(refused))


def refresh_communes(
    folder: Path,
    *,
    lake: Path,
    at: datetime,
    definitions: Sequence[Definition] = (),
    engine: str = LOCAL,
    scheduler: str = "",
    workers: int = 2,
) -> Iterator[CommuneRefreshed]:
    """Refresh every commune of `folder` and yield what became of each as it comes.

    With Dask, on the cluster of `scheduler` (``tcp://…``), whose workers see both folders under the same names; on
    `workers` processes of this machine when none is given.

    Raises:
        CannotRefresh: no commune, or Dask is not installed.
        LakeNotWritable: the lake cannot be written.
    """
    communes = communes_in(folder)
    work = partial(refresh_commune, lake=lake, at=at, definitions=tuple(definitions))
    if engine == DASK:
        yield from _on_dask(work, communes, scheduler, workers)
    else:
        yield from map(work, communes)


def _on_dask(
    work: Callable[[tuple[str, Path]], CommuneRefreshed],
    communes: Sequence[tuple[str, Path]],
    scheduler: str,
    workers: int,
) -> Iterator[CommuneRefreshed]:
    try:
        from distributed import Client, as_completed
    except ImportError as missing:
        raise CannotRefresh("Dask n'est pas installé", remedy="pip install beffroi[dask]") from missing
    with ExitStack() as opened:
        cluster = scheduler or opened.enter_context(local_cluster(workers))
        client = opened.enter_context(Client(cluster))
        for _future, done in as_completed(client.map(work, communes, pure=False), with_results=True):
            yield done


@contextmanager
def local_cluster(workers: int) -> Iterator[Any]:
    """Yield a Dask cluster of `workers` processes of this machine."""
    import dask
    from distributed import LocalCluster

    with dask.config.set(_QUIET):
        # One thread each: DuckDB and GDAL keep states of their own. Its page to look at stays on this machine.
        cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0")
    try:
        yield cluster
    finally:
        cluster.close()
