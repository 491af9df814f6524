"""A folder of open data into the lake, and into GeoPackages by GDAL: wall time and processor of both."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.config.bench.measure import in_child

_ONE_FILE_S = 600
_CONVERT = "from beffroi.config.bench.child import main; main()"


@dataclass(slots=True)
class Cost:
    """Seconds of wall and of processor (user and system, children included)."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a folder cost: all of it, the `same` files as GDAL, all of it again unchanged; and what GDAL took."""

    sources: int
    kept: int
    rows: int
    converted: int
    import_: Cost
    same: Cost
    again: Cost
    gdal: Cost


def compare(folder: Path, *, territory: str, jobs: int, told: Callable[[str], object]) -> Comparison:
    """Import `folder` into a lake that is thrown away, then convert the same sources by GDAL, `jobs` at a time.

    GDAL goes over the files once before, unmeasured: the files it refuses are left out, the others are in memory for
    both. Each file has a process, as a script around ogr2ogr would do.

    Raises:
        BeffroiError: nothing to import in the folder.
    """
    from beffroi.lake.folder import plan

    sources = [group.path for group in plan(folder)]
    if not sources:
        raise BeffroiError("aucun fichier de données", where=str(folder), remedy="désignez un dossier qui en contient")
    with tempfile.TemporaryDirectory(prefix="beffroi-bench-") as name:
        told(f"{len(sources)} sources ; GDAL cherche celles qu'il lit…")
        readable = _converted(sources, Path(name, "essai"), jobs)
        told(f"{len(readable)} lues par GDAL ; import par Beffroi…")
        first, same, again = Cost(), Cost(), Cost()
        values = {"folder": str(folder), "territory": territory, "jobs": jobs}
        with _measured(first):
            found = in_child("import_tree", **values, lake=str(Path(name, "lac")))
        with _measured(again):
            in_child("import_tree", **values, lake=str(Path(name, "lac")))
        with _measured(same):
            in_child("import_tree", **values, lake=str(Path(name, "lac-2")), only=[str(path) for path in readable])
        told("conversion par GDAL…")
        gdal = Cost()
        with _measured(gdal):
            _converted(readable, Path(name, "gdal"), jobs)
    return Comparison(len(sources), found["kept"], found["rows"], len(readable), first, same, again, gdal)


@contextmanager
def _measured(cost: Cost) -> Iterator[None]:
    before, start = _children_s(), time.perf_counter()
    yield
    cost.wall_s, cost.cpu_s = time.perf_counter() - start, _children_s() - before


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _converted(sources: Sequence[Path], target: Path, jobs: int) -> list[Path]:
    """Convert each source to a GeoPackage in `target`; return those GDAL could read."""
    target.mkdir()
    with ThreadPoolExecutor(jobs) as pool:
        done = list(pool.map(lambda item: _convert(item[1], target / f"{item[0]}.gpkg"), enumerate(sources)))
    shutil.rmtree(target)
    return [source for source, is_read in zip(sources, done, strict=True) if is_read]


def _convert(source: Path, target: Path) -> bool:
    tool = shutil.which("ogr2ogr")
    name = f"/vsizip/{source}" if source.suffix.lower() == ".zip" else str(source)
    command: list[Any] = [tool, "-q", "-f", "GPKG", "-oo", "AUTODETECT_TYPE=YES", str(target), name]
    if tool is None:
        values = f'{{"source": "{name}", "target": "{target}"}}'
        command = [sys.executable, "-c", _CONVERT, "convert", values]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_ONE_FILE_S, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and target.exists()
