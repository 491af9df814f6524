"""A migration and the note that it was made hold together: a process killed between the two leaves neither."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.migrations.recorder import MigrationRecorder

from beffroi.config.migrating import NotedWithin

WANTED = ("journal", "0001_initial")


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
