"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any


def fsync_folder(folder: Path) -> None:
    """Make the names in `folder` durable: a rename survives a power cut only once its folder is synced."""
    _fsync(folder)


def fsync_tree(folder: Path) -> None:
    """Make every file under `folder`, and the names leading to it, durable."""
    fsync_all([folder, *(path for path in folder.rglob("*") if path.is_dir() or path.is_file())])


def fsync_all(paths: Iterable[Path]) -> None:
    """Make files, and the names in folders, durable: asked for at once, they cost the disk little more than one."""
    list(_syncing(os.getpid()).map(_fsync, paths))


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@lru_cache(maxsize=1)
def _syncing(_process: int) -> ThreadPoolExecutor:
    # A forked child has none of its parent's threads, hence the process.
    return ThreadPoolExecutor(max_workers=6, thread_name_prefix="fsync")


@contextmanager
def written_whole(path: Path, mode: str = "wb", **options: Any) -> Iterator[IO[Any]]:
    """Yield a file that replaces `path` when the block ends well and leaves no trace when it does not."""
    with _aside(path, Path.replace, mode, **options) as handle:
        yield handle


def written_once(path: Path, content: bytes) -> None:
    """Write a private file (mode 0600), whole and durable, unless it is there: of two who start, one writes."""
    with _aside(path, _take_name) as handle:
        handle.write(content)


@contextmanager
def _aside(path: Path, take: Callable[[Path, Path], object], mode: str = "wb", **options: Any) -> Iterator[IO[Any]]:
    """Yield a private file beside `path`; once it is durable, `take(aside, path)` gives it its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    aside = Path(name)
    try:
        with os.fdopen(descriptor, mode, **options) as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        take(aside, path)
        fsync_folder(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def _take_name(aside: Path, path: Path) -> None:
    try:
        # A link, unlike a rename, fails where the name is taken.
        os.link(aside, path)
    except FileExistsError:
        return
    except OSError:
        # A disk without hard links (a shared folder): the best it can do.
        if not path.exists():
            aside.replace(path)
