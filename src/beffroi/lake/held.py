"""Versions that wait for an agent's word: a refresh that loses too many rows does not enter service by itself.

The version is written whole, as any other, and stays beside the one served; ``held.json`` says why.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from beffroi.base.territory.viewer import Viewer
from beffroi.lake.seeing import lake_in_use, required
from beffroi.lake.store import DatasetNotFound, DatasetRef, Lake, write_note

NOTE = "held.json"


@dataclass(frozen=True, slots=True)
class Held:
    """A version that waits: how many rows it has, how many the one served has, since when."""

    ref: DatasetRef
    title: str
    version: str
    rows: int
    before: int
    at: datetime

    @property
    def lost_percent(self) -> int:
        """Return the share of the rows that would be lost, in percent."""
        return round(100 * (self.before - self.rows) / self.before)


def loses_too_much(lake: Lake, ref: DatasetRef, *, rows: int, most_lost: float) -> int | None:
    """Return how many rows the version served has when `rows` would lose more than the share `most_lost`, else None."""
    if not (lake.folder(ref) / "current").is_file():
        return None
    before = lake.manifest(ref, lake.in_force(ref).version).rows
    return before if before and before - rows > most_lost * before else None


def hold(lake: Lake, ref: DatasetRef, version: str, *, rows: int, before: int, at: datetime) -> None:
    """Say that a version waits."""
    said = {"version": version, "rows": rows, "before": before, "at": at.astimezone(UTC).isoformat()}
    write_note(lake.folder(ref) / NOTE, said)


def let_go(lake: Lake, ref: DatasetRef) -> None:
    """Forget that a version waits: it stays in the history, out of service."""
    (lake.folder(ref) / NOTE).unlink(missing_ok=True)


def held(viewer: Viewer, *, territory: str) -> list[Held]:
    """Return the versions of a territory that wait, of the datasets the viewer may see, oldest first."""
    lake = lake_in_use()
    found = []
    for ref in lake.refs(territory):
        said = _read(lake.folder(ref) / NOTE)
        if said is None:
            continue
        with suppress(DatasetNotFound):
            title = required(viewer, ref, None).manifest.title
            at = datetime.fromisoformat(said["at"])
            found.append(Held(ref, title, said["version"], said["rows"], said["before"], at))
    return sorted(found, key=lambda one: one.at)


def _read(path: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return said
    return None
