"""Registries for the tests that start processes: one is migrated per run and kind, the others are copies of it."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import warm

_FILE = "registry.sqlite3"


def environment_of(folder: Path, url: str = "", **more: str) -> dict[str, str]:
    """Return the environment of a process whose data are in `folder` and whose registry is at `url` (else in it)."""
    given = {"DJANGO_SETTINGS_MODULE": "beffroi.config.settings", "BEFFROI_DATA_DIR": str(folder), "DATABASE_URL": url}
    return os.environ | given | more


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SQLite file of an empty registry, made by the first of the processes of this run that asks for it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "migrated"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            warm.run(*warm.BEFFROI, "migrate", env=environment_of(folder), check=True)
            _gather(folder / _FILE)
            (folder / "done").touch()
    return folder / _FILE


def _gather(file: Path) -> None:
    """Bring into the file what is still in the journal beside it: a process that leaves in haste does not."""
    with closing(sqlite3.connect(file)) as registry:
        registry.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.fixture(scope="session")
def migrated_database(postgresql_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a PostgreSQL database that holds an empty registry."""
    name = f"migrated_{secrets.token_hex(8)}"
    url = new_database(postgresql_url, name)
    warm.run(*warm.BEFFROI, "migrate", env=environment_of(tmp_path_factory.mktemp(name), url), check=True)
    return name


def new_database(server_url: str, name: str, template: str = "template1") -> str:
    """Create a database, empty or as a copy of another, and return its URL."""
    import psycopg

    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return f"{server_url.rpartition('/')[0]}/{name}"


def copy_registry(file: Path, folder: Path) -> None:
    """Give `folder` a registry of its own, as its own installation would have made it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, folder / _FILE)


@pytest.fixture
def sqlite_registry(tmp_path: Path, migrated_file: Path) -> dict[str, str]:
    """The environment of processes that share a new SQLite registry."""
    copy_registry(migrated_file, tmp_path)
    return environment_of(tmp_path)


@pytest.fixture
def postgresql_registry(tmp_path: Path, postgresql_url: str, migrated_database: str) -> dict[str, str]:
    """The environment of processes that share a new PostgreSQL registry."""
    url = new_database(postgresql_url, f"copy_{secrets.token_hex(8)}", migrated_database)
    return environment_of(tmp_path, url)
