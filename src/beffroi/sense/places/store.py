"""The folder of the indexes: ``<BEFFROI_DATA_DIR>/search/<territory>/<class>.sqlite``, made from the lake alone.

Deleting it loses nothing: it is not in backups, and is made again by the next publication or by the daily
work. A file takes its name once it is whole and on the disk.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from beffroi.base.kernel.files import fsync_folder
from beffroi.base.territory.viewer import SERVICE_PREFIX
from beffroi.sense.places.index import Gathered, Index, opened, write_index


def root() -> Path:
    """Return the folder of all indexes, beside the lake."""
    return Path(settings.LAKE_DIR).parent / "search"


def index_path(territory: str, class_name: str) -> Path:
    """Return where the index of a class of readers is."""
    return root() / territory / f"{class_name.replace(SERVICE_PREFIX, 'service-')}.sqlite"


def index_of(territory: str, class_name: str) -> Index | None:
    """Return the index of a class of readers, None when nothing was published for it."""
    # A code comes from an address: it must not wander in the file system.
    if not territory.isalnum():
        return None
    return opened(index_path(territory, class_name), territory=territory, class_name=class_name)


def territories() -> list[str]:
    """Return the territories that have an index."""
    return sorted(path.name for path in root().glob("*") if path.is_dir())


def classes(territory: str) -> list[str]:
    """Return the classes of readers that have an index of a territory."""
    stems = sorted(path.stem for path in (root() / territory).glob("[!.]*.sqlite"))
    return [SERVICE_PREFIX + stem.removeprefix("service-") if stem.startswith("service-") else stem for stem in stems]


@contextmanager
def indexing(territory: str) -> Iterator[None]:
    """Hold the indexes of a territory for one writer, clear what killed ones left. The lock dies with its process."""
    folder = root() / territory
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in folder.glob(".*.part"):
            leftover.unlink(missing_ok=True)
        yield


def replace_index(territory: str, class_name: str, gathered: list[Gathered]) -> None:
    """Put a new index in place of the one in service; none when nothing is left in it. The lock is held."""
    path = index_path(territory, class_name)
    if not gathered:
        path.unlink(missing_ok=True)
        return
    aside = path.with_name(f".{path.name}.part")
    write_index(aside, gathered)
    with aside.open("rb") as handle:
        os.fsync(handle.fileno())
    aside.replace(path)
    fsync_folder(path.parent)
