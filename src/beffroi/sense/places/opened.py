"""An SQLite file that is never written again, read by every thread of every process."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path
from urllib.parse import quote


class Opened:
    """A file open for reading: one connection for each thread, and for each process forked from it."""

    def __init__(self, path: Path) -> None:
        self._path, self._local = path, threading.local()

    @property
    def _db(self) -> sqlite3.Connection:
        # A forked process must not use the connection of its parent.
        if getattr(self._local, "process", None) != os.getpid():
            self._local.process = os.getpid()
            self._local.db = sqlite3.connect(
                f"file:{quote(str(self._path))}?mode=ro&immutable=1", uri=True, isolation_level=None
            )
        db: sqlite3.Connection = self._local.db
        return db
