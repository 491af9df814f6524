"""What an installation takes of its machine: memory and processor of its processes, space of its folder.

Read from ``/proc`` (Linux); elsewhere the processes are not known, and are told as such. Nothing is estimated.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Taken:
    """What the processes take. `memory_mb` is each one's own share now, `peak_mb` the sum of their highest.

    `cores` is the processor time spent since they started, as a number of cores kept busy; `since_s` the age of the
    oldest.
    """

    processes: int
    memory_mb: float
    peak_mb: float
    cores: float
    since_s: float

    @property
    def hours(self) -> float:
        """Return the age of the oldest process, in hours."""
        return self.since_s / 3600


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is: memory in megabytes (None when it is not told), cores, bytes free where the data are."""

    memory_mb: float | None
    cores: int
    free_bytes: int


def taken(data_dir: Path, *, apart: int | None = None, proc: Path = _PROC) -> Taken | None:
    """Return what the processes that serve a data folder take, but for the process `apart`; None when none is known.

    A process is one of them when its command names Beffroi, or its parent's does, and its environment names the folder.
    """
    own = _processes(data_dir.resolve(), proc)
    numbers = [one for one in own if one != apart]
    measured = [found for one in numbers if (found := _measured(proc / str(one))) is not None]
    if not measured:
        return None
    memory, peak, spent, ages = zip(*measured, strict=True)
    busy = sum(seconds / age for seconds, age in zip(spent, ages, strict=True) if age > 0)
    return Taken(len(measured), sum(memory) / 1024, sum(peak) / 1024, busy, max(ages))


def machine(data_dir: Path) -> Machine:
    """Return what the machine has."""
    memory = None
    with suppress(OSError, ValueError):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20
    return Machine(memory, os.cpu_count() or 1, shutil.disk_usage(data_dir).free)


def sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of each entry of a folder, the heaviest first; links are not followed."""
    with suppress(OSError):
        found = {entry.name: _weight(entry) for entry in os.scandir(folder)}
        return dict(sorted(found.items(), key=lambda one: -one[1]))
    return {}


def _weight(entry: os.DirEntry[str]) -> int:
    # What is swept while one counts weighs nothing any more.
    with suppress(OSError):
        if not entry.is_dir(follow_symlinks=False):
            return entry.stat(follow_symlinks=False).st_size
        return sum(_weight(one) for one in os.scandir(entry.path))
    return 0


def _processes(folder: Path, proc: Path) -> list[int]:
    known = {number: _said(proc / str(number)) for number in _numbers(proc)}
    ours = {number for number, (command, _parent, where) in known.items() if where == folder and "beffroi" in command}
    children = {n for n, (_command, parent, where) in known.items() if parent in ours and where == folder}
    return sorted(ours | children)


def _numbers(proc: Path) -> Iterator[int]:
    with suppress(OSError):
        yield from (int(entry.name) for entry in os.scandir(proc) if entry.name.isdigit())


def _said(process: Path) -> tuple[str, int, Path | None]:
    """Return the command of a process, its parent, and the data folder its environment names; None when unknown."""
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        pairs = (one.partition(b"=") for one in (process / "environ").read_bytes().split(b"\0"))
        named = next((value.decode(errors="replace") for key, _is, value in pairs if key == b"BEFFROI_DATA_DIR"), "")
        if "--data-dir" in words[:-1]:
            named = words[words.index("--data-dir") + 1]
        where = Path(os.readlink(process / "cwd"), named or "data")  # noqa: PTH115 - of another process
        return " ".join(words), parent, where.resolve()
    except (OSError, ValueError, IndexError):
        # Gone meanwhile, or another account's.
        return "", 0, None


def _measured(process: Path) -> tuple[float, float, float, float] | None:
    """Return kB now, kB at the highest, processor seconds, and age in seconds."""
    try:
        status = dict(line.partition(":")[::2] for line in (process / "status").read_text().splitlines())
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        beat = os.sysconf("SC_CLK_TCK")
        spent = (int(fields[11]) + int(fields[12])) / beat
        up = float(Path(process.parent / "uptime").read_text().split()[0])
        now = float(status["VmRSS"].split()[0])
        with suppress(OSError, KeyError, ValueError):
            rollup = dict(line.partition(":")[::2] for line in (process / "smaps_rollup").read_text().splitlines())
            now = float(rollup["Pss"].split()[0])
        return now, float(status["VmHWM"].split()[0]), spent, max(up - int(fields[19]) / beat, 1.0)
    except (OSError, KeyError, ValueError, IndexError):
        return None
