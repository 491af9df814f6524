"""Versions that wait for an agent's word: a refresh that loses too many rows does not enter service by itself.

The version is written whole, as any other, and stays beside the one served; ``held.json`` says why. Agents see them
through `waiting`.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from beffroi.lake.store import DatasetRef, Lake, write_note

_NOTE = "held.json"


def loses_too_much(lake: Lake, ref: DatasetRef, *, rows: int, most_lost: float) -> int | None:
    """Return how many rows the version served has when `rows` would lose more than the share `most_lost`, else None."""
    if not (lake.folder(ref) / "current").is_file():
        return None
    before = lake.manifest(ref, lake.in_force(ref).version).rows
    return before if before and before - rows > most_lost * before else None


def hold(lake: Lake, ref: DatasetRef, version: str, *, rows: int, before: int, at: datetime) -> None:
    """Say that a version waits."""
    said = {"version": version, "rows": rows, "before": before, "at": at.astimezone(UTC).isoformat()}
    write_note(lake.folder(ref) / _NOTE, said)


def let_go(lake: Lake, ref: DatasetRef) -> None:
    """Forget that a version waits: it stays in the history, out of service."""
    (lake.folder(ref) / _NOTE).unlink(missing_ok=True)


def held_note(lake: Lake, ref: DatasetRef) -> dict[str, Any] | None:
    """Return which version of a dataset waits, with its rows and those served; None when none does."""
    with suppress(OSError, ValueError):
        said: dict[str, Any] = json.loads((lake.folder(ref) / _NOTE).read_text(encoding="utf-8"))
        return said
    return None
