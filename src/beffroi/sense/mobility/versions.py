"""Versions of what is built, on disk and in this process: made aside, put in place whole, the newest one answered from.

<folder>/current              name of the version in use
        /versions/<version>/  what was written for it
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Generic, TypeVar

from beffroi.base.kernel.files import fsync_folder, fsync_tree, written_whole

KEPT = 2
"""Versions kept: the one in use, and the one that processes may still be answering from."""

T = TypeVar("T")


def put_in_place(folder: Path, version: str, write: Callable[[Path], object]) -> None:
    """Have `write` make a version in the new folder it is given, then put it in use, durable.

    An interruption leaves the previous version in use.
    """
    versions = folder / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder, prefix=".building-"))
    try:
        write(aside / version)
        fsync_tree(aside)
        place = versions / version
        if place.exists():
            shutil.rmtree(place)
        (aside / version).rename(place)
        fsync_folder(versions)
        with written_whole(folder / "current", "w", encoding="utf-8") as handle:
            handle.write(version)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for old in sorted(versions.iterdir(), key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def current_version(folder: Path) -> str | None:
    """Return the version in use, None when there is none."""
    try:
        return (folder / "current").read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


class Newest(Generic[T]):
    """What this process has loaded of each name; a version put in place meanwhile is taken up, by any process."""

    def __init__(self, load: Callable[[Path], T]) -> None:
        self._load = load
        self._known: dict[Hashable, tuple[tuple[str, int], T]] = {}
        self._lock = threading.Lock()

    def of(self, name: Hashable, folder: Path) -> T:
        """Return what is loaded of the version of `folder` in use; a `stat` when nothing moved.

        Raises:
            FileNotFoundError: no version is in use.
        """
        pointer = folder / "current"
        key = (str(pointer), pointer.stat().st_mtime_ns)
        kept = self._known.get(name)
        if kept is not None and kept[0] == key:
            return kept[1]
        with self._lock:
            kept = self._known.get(name)
            if kept is None or kept[0] != key:
                version = pointer.read_text(encoding="utf-8").strip()
                kept = self._known[name] = (key, self._load(folder / "versions" / version))
            return kept[1]
