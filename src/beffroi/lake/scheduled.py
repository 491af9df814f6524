"""The national sources of a commune, asked again by themselves at the rhythm they promise. Knows no Django.

<folder>/asked.json   {slug: when it was last asked, when it last brought something, what failed}

Only the sources of a commune that was once brought (`beffroi territory add`) are asked: its folder is there. What was
asked is noted source by source, so that a refresh cut short goes on with those that are left.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from beffroi.lake.definitions import Definition
from beffroi.lake.fetching import Wait
from beffroi.lake.importing import FolderImport, import_groups, one_group, several
from beffroi.lake.operations import ImportStatus
from beffroi.lake.refreshing import Source, address_of, fetch_all, fetched
from beffroi.lake.report import DatasetReport
from beffroi.lake.store import write_note

NOTE = "asked.json"
ASKED_EVERY_DAYS = {
    "quotidien": 1,
    "hebdomadaire": 2,
    "mensuel": 7,
    "trimestriel": 14,
    "semestriel": 30,
    "annuel": 30,
}
"""A few times per period: a publisher keeps no exact day, and asking what has not changed costs one question."""

USUALLY_DAYS = 30
AFTER_FAILURE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AskedSource:
    """One source of a commune: when it was last asked and brought something new, when it is next, what failed.

    `told`: who answers for it was told of this failure.
    """

    slug: str
    title: str
    rhythm: str
    url: str
    next_at: datetime
    asked_at: datetime | None = None
    came_at: datetime | None = None
    fault: str = ""
    absent: bool = False
    told: bool = False


def is_brought(folder: Path) -> bool:
    """Tell whether the sources of a commune were once brought to its folder."""
    return folder.is_dir()


def sources(definitions: Sequence[Definition], territory: str, folder: Path, *, at: datetime) -> list[AskedSource]:
    """Return the sources of a commune, by title; one never asked is due at once."""
    notes = _notes(folder)
    found = [_source(one, territory, notes.get(one.slug, {}), at) for one in fetched(definitions, territory)]
    return sorted(found, key=lambda one: one.title)


def due(definitions: Sequence[Definition], territory: str, folder: Path, *, at: datetime) -> list[str]:
    """Return the slugs of the sources whose turn has come."""
    return [one.slug for one in sources(definitions, territory, folder, at=at) if one.next_at <= at]


def failing(folder: Path) -> int:
    """Return how many sources failed when they were last asked; what does not exist for the commune did not."""
    return sum(1 for said in _notes(folder).values() if said.get("fault") and not said.get("absent"))


def _source(one: Definition, territory: str, said: dict[str, Any], at: datetime) -> AskedSource:
    asked = _moment(said.get("at"))
    days = ASKED_EVERY_DAYS.get(one.rhythm.strip().lower(), USUALLY_DAYS)
    wait = AFTER_FAILURE if said.get("fault") and not said.get("absent") else timedelta(days=days)
    return AskedSource(
        slug=one.slug,
        title=one.title or one.slug,
        rhythm=one.rhythm,
        url=address_of(one, territory),
        next_at=at if asked is None else asked + wait,
        asked_at=asked,
        came_at=_moment(said.get("came")),
        fault=said.get("fault", ""),
        absent=bool(said.get("absent")),
        told=bool(said.get("told")),
    )


def refresh(
    definitions: Sequence[Definition],
    slugs: Collection[str],
    how: FolderImport,
    *,
    folder: Path,
    wait: Wait,
    mirror: Path | None = None,
) -> list[AskedSource]:
    """Ask the sources named again, import those that came, note each; return them. Announces nothing.

    Two refreshes of one commune take turns: the second finds what the first brought, unchanged.
    """
    asked = [one for one in definitions if one.slug in slugs]
    with _turn(folder):
        for came in fetch_all(asked, how.territory, folder=folder, wait=wait, mirror=mirror):
            reports: Sequence[DatasetReport] = ()
            if came.path is not None:
                groups = several([one_group(came.path, slug=came.definition.slug)], how.territory, definitions)
                reports = import_groups(groups, folder, how).datasets
            note_asked(folder, came, reports, at=how.at)
    return [one for one in sources(definitions, how.territory, folder, at=how.at) if one.slug in slugs]


def note_asked(folder: Path, came: Source, reports: Sequence[DatasetReport], *, at: datetime) -> None:
    """Note that a source was asked at `at`, and what came of it; `reports` are those of the datasets it became."""
    notes = _notes(folder)
    said = {"at": at.astimezone(UTC).isoformat(), "came": notes.get(came.definition.slug, {}).get("came", "")}
    fault: object = came.fault
    tables = [table for report in reports for table in report.tables]
    if any(table.status is ImportStatus.PUBLISHED for table in tables):
        said["came"] = said["at"]
    if tables:
        fault = next((table.reason for table in tables if table.status is ImportStatus.REFUSED), None)
    if fault is not None:
        said["fault"] = str(fault)[:500]
        # A failure that goes on is no news.
        said |= {"told": True} if notes.get(came.definition.slug, {}).get("told") else {}
    notes[came.definition.slug] = said | ({"absent": True} if came.absent else {})
    write_note(folder / NOTE, notes)


def note_told(folder: Path, slugs: Collection[str]) -> None:
    """Note that those who answer for these sources know that they fail."""
    notes = _notes(folder)
    for slug in slugs:
        notes[slug] = notes.get(slug, {}) | {"told": True}
    write_note(folder / NOTE, notes)


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".asking.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _notes(folder: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        notes: dict[str, Any] = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        return notes
    return {}
