"""Where the bytes of attachments stand: files named by their digest, written whole, shared by those that are equal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from django.conf import settings

from beffroi.base.kernel.files import written_whole

NAMED_ELSEWHERE: list[Callable[[], Iterable[str]]] = []
"""What gives the digests that rooms above name in rows of their own: the night's sweep leaves those files."""


def folder() -> Path:
    """Return the folder of the store, under the data folder."""
    return Path(settings.DATA_DIR) / "attachments"


def path_of(digest: str) -> Path:
    """Return where the content of that digest stands, whether or not it is there."""
    return folder() / digest[:2] / digest


def keep(content: bytes) -> str:
    """Make `content` durable and return its digest; content already there is written once."""
    digest = hashlib.sha256(content).hexdigest()
    path = path_of(digest)
    if path.is_file():
        # Young again: what is being attached now must not be swept away as unused.
        path.touch()
    else:
        with written_whole(path) as handle:
            handle.write(content)
    return digest


def sweep(used: Iterable[str], *, before: datetime) -> int:
    """Delete the files that no digest of `used` names and that were written before an instant; return how many.

    A file is written before the row that names it: `before` must leave that row the time to be committed.
    """
    kept, limit, deleted = set(used), before.timestamp(), 0
    for path in folder().glob("??/*"):
        if path.name not in kept and path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)
            deleted += 1
    return deleted
