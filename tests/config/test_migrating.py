"""A migration and the note that it was made hold together: a process killed between the two leaves neither."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from beffroi.config.migrating import NotedWithin

WANTED = ("journal", "0001_initial")


@pytest.fixture
def aside(tmp_path: Path, django_db_blocker: Any) -> Iterator[Any]:
    """Open an empty registry of its own."""
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


def test_a_migration_killed_before_its_note_goes_on_from_there(aside: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = MigrationRecorder.record_applied

    def note(recorder: MigrationRecorder, app: str, name: str) -> None:
        if (app, name) == WANTED:
            raise KeyboardInterrupt
        noted(recorder, app, name)

    monkeypatch.setattr(MigrationRecorder, "record_applied", note)
    with pytest.raises(KeyboardInterrupt):
        NotedWithin(aside).migrate([WANTED])
    assert aside.introspection.table_names() == ["django_migrations"]
    monkeypatch.setattr(MigrationRecorder, "record_applied", noted)
    NotedWithin(aside).migrate([WANTED])
    assert WANTED in MigrationRecorder(aside).applied_migrations()
    with aside.cursor() as cursor:
        assert cursor.execute("PRAGMA foreign_keys").fetchone() == (1,)
        assert cursor.execute("PRAGMA foreign_key_check").fetchall() == []
