"""Registries for the tests that start processes: one is migrated per run and kind, the others are copies of it."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

import warm

_FILE = "registry.sqlite3"


def environment_of(folder: Path, url: str = "", **more: str) -> dict[str, str]:
    """Return the environment of a process whose data are in `folder` and whose registry is at `url` (else in it)."""
    given = {"DJANGO_SETTINGS_MODULE": "beffroi.config.settings", "BEFFROI_DATA_DIR": str(folder), "DATABASE_URL": url}
    return os.environ | given | more


@contextmanager
def made_once(tmp_path_factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """Give a folder that all the processes of this run share, and whether this one, the first, is to fill it."""
    base = tmp_path_factory.getbasetemp()
    # Each process of a run in several has a folder of its own in that of the run.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    done = folder.with_name(f"{name}.done")
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists():
            yield folder, False
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield folder, True
        done.touch()


def made_for_each(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return this process's own copy of a folder that the first process of the run to ask for it fills by `make`."""
    with made_once(tmp_path_factory, name) as (folder, first):
        if first:
            make(folder)
    return Path(shutil.copytree(folder, tmp_path_factory.mktemp(name) / "own"))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SQLite file of an empty registry, made by the first of the processes of this run that asks for it."""
    with made_once(tmp_path_factory, "migrated") as (folder, first):
        if first:
            warm.run(*warm.BEFFROI, "migrate", env=environment_of(folder), check=True)
            _gather(folder / _FILE)
    return folder / _FILE


def _gather(file: Path) -> None:
    """Bring into the file what is still in the journal beside it: a process that leaves in haste does not."""
    with closing(sqlite3.connect(file)) as registry:
        registry.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    # Memory has no journal beside it: what is copied there must not say that it has one.
    plain = shutil.copyfile(file, file.with_name("plain.sqlite3"))
    with closing(sqlite3.connect(plain)) as registry:
        registry.execute("PRAGMA journal_mode=DELETE")


@pytest.fixture(scope="session")
def migrated_database(postgresql_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a PostgreSQL database that holds an empty registry, made once for each server."""
    name = f"migrated_{postgresql_url.rpartition(':')[2].partition('/')[0]}"
    with made_once(tmp_path_factory, name) as (folder, first):
        if first:
            url = new_database(postgresql_url, name)
            warm.run(*warm.BEFFROI, "migrate", env=environment_of(folder, url), check=True)
    return name


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, request: pytest.FixtureRequest
) -> None:
    """Begin the registry of the tests of this process as a copy of the migrated one: migrations take six seconds."""
    from django.db import connection
    from django.db.backends.signals import connection_created

    file: Path | None = None

    def fill(connection: Any, **_: Any) -> None:
        # At its first connection, the registry in memory is empty.
        connection_created.disconnect(fill)
        with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as source:
            source.backup(connection.connection)

    if connection.vendor == "postgresql":
        # A server of ours, which can tell no secret and dies with the run: never one that a contributor named.
        if os.environ.get("TESTS_POSTGRESQL"):
            connection.settings_dict["TEST"]["TEMPLATE"] = request.getfixturevalue("migrated_database")
    else:
        file = request.getfixturevalue("migrated_file").with_name("plain.sqlite3")
        connection_created.connect(fill, weak=False)


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


@pytest.fixture
def aside(tmp_path: Path, django_db_blocker: Any) -> Iterator[Any]:
    """Open an empty registry of its own."""
    from django.db import connections

    connections.settings["aside"] = connections.settings["default"] | {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": tmp_path / "registry.sqlite3",
        "OPTIONS": {},
    }
    with django_db_blocker.unblock():
        try:
            yield connections["aside"]
        finally:
            connections["aside"].close()
            del connections["aside"], connections.settings["aside"]
