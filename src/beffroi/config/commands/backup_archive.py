"""Writes a backup: one tar that holds rows and files, and last of all a manifest with the checksum of each."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import connection, connections, transaction

from beffroi import __version__
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.files import written_whole
from beffroi.config.commands import backup_registry as registry

FORMAT = 1
MANIFEST = "manifest.json"
SNAPSHOT = "backup_snapshot"
KEPT_FOLDERS = ("lake", "uploads", "attachments", "papers", "usecases")
KEPT_FILES = ("secret.key", "push.key", "notes.key", "seal.key")


class BackupFailed(BeffroiError):
    """The backup cannot be written."""


@dataclass(slots=True)
class Done:
    """What a backup or a restoration moved. `kept_aside` is where what was replaced is."""

    rows: int = 0
    files: int = 0
    kept_aside: Path | None = None


@dataclass(slots=True)
class _Writing:
    tar: tarfile.TarFile
    at: datetime
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, content: IO[bytes], size: int) -> None:
        """Add `size` bytes of `content` under `name`, and note their checksum."""
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = size, int(self.at.timestamp()), 0o600
        reader = _Hashing(content)
        self.tar.addfile(member, reader)
        self.files[name] = {"sha256": reader.digest.hexdigest(), "size": size}


class _Hashing:
    def __init__(self, content: IO[bytes]) -> None:
        self.content, self.digest = content, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self.content.read(size)
        self.digest.update(chunk)
        return chunk


def write_backup(path: Path, *, at: datetime) -> Done:
    """Write the registry, the lake, what was deposited or attached, the town's use cases and the keys to `path`.

    Whole or not at all.

    The registry is that of one instant; the lake is read after it, and its versions never change.

    Raises:
        BackupFailed: the disk is full or the folder refuses.
    """
    done = Done()
    try:
        # The temporary file is private (0600) and so is what it becomes: it holds personal data and a key.
        with (
            written_whole(path.resolve()) as handle,
            tarfile.open(fileobj=handle, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            writing = _Writing(tar, at)
            with _registry_of_one_instant() as using:
                migrations = registry.applied_migrations(using)
                counts = {table: _add_table(writing, table, using) for table in registry.tables()}
            for name, file in _files(Path(settings.DATA_DIR)):
                _add_file(writing, name, file)
            done.rows, done.files = sum(counts.values()), len(writing.files) - len(counts)
            manifest = {
                "format": FORMAT,
                "version": __version__,
                "created_at": at.isoformat(),
                "registry": connection.vendor,
                "migrations": migrations,
                "tables": counts,
                "files": writing.files,
            }
            body = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
            writing.add(MANIFEST, io.BytesIO(body), len(body))
    except OSError as error:
        raise BackupFailed(
            "la sauvegarde ne peut pas être écrite ({reason})",
            where=str(path),
            remedy="vérifiez la place et les droits de ce dossier",
            reason=error.strerror or str(error),
        ) from error
    return done


@contextlib.contextmanager
def _registry_of_one_instant() -> Iterator[str]:
    """Yield the name of a connection on which the registry does not move, without stopping those who write."""
    if connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield "default"
        return
    with tempfile.TemporaryDirectory(prefix="beffroi-backup-", dir=settings.DATA_DIR) as folder:
        copy = Path(folder, "registry.sqlite3")
        connection.ensure_connection()
        with closing(sqlite3.connect(copy)) as target:
            connection.connection.backup(target)
        with sqlite_alias(SNAPSHOT, copy):
            yield SNAPSHOT


@contextlib.contextmanager
def sqlite_alias(name: str, path: Path) -> Iterator[None]:
    """Give Django a connection called `name` to the SQLite file at `path`."""
    defaults = connections.configure_settings({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": path}})
    connections.settings[name] = defaults["default"]
    try:
        yield
    finally:
        connections[name].close()
        del connections[name]
        del connections.settings[name]


def _add_table(writing: _Writing, table: str, using: str) -> int:
    with tempfile.TemporaryFile() as rows:
        count = registry.write_rows(registry.tables()[table], rows, using=using)
        size = rows.tell()
        rows.seek(0)
        writing.add(f"registry/{table}.jsonl", rows, size)
    return count


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    for name in KEPT_FILES:
        if (root / name).is_file():
            yield name, root / name
    for name in KEPT_FOLDERS:
        yield from _walked(root / name, root)


def _walked(folder: Path, root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of a folder before looking into its sub-folders.

    A dataset's `current` is thus read before the list of its versions: the version it names is among them. Names that
    begin with a dot are work under way or caches.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    kept = [entry for entry in entries if not entry.name.startswith(".") and not entry.is_symlink()]
    for entry in kept:
        if entry.is_file():
            yield Path(entry.path).relative_to(root).as_posix(), Path(entry.path)
    for entry in kept:
        if entry.is_dir():
            yield from _walked(Path(entry.path), root)


def _add_file(writing: _Writing, name: str, file: Path) -> None:
    try:
        handle = file.open("rb")
    except FileNotFoundError:
        # An old version or a discarded upload, removed since its folder was listed.
        return
    with handle:
        writing.add(name, handle, os.fstat(handle.fileno()).st_size)
