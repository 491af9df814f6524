"""Which national sources of which communes are asked again, by the worker or an agent: `scheduled`, with settings."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings

from beffroi.base.territory import queries as territories
from beffroi.lake import operations, scheduled, source_notices
from beffroi.lake.definitions import Definition, load_definitions
from beffroi.lake.importing import FolderImport
from beffroi.lake.isolation import Limits
from beffroi.lake.scheduled import AskedSource


def folder_of(territory: str) -> Path:
    """Return where the national sources of a commune are brought."""
    return Path(settings.DATA_DIR) / "sources" / territory


def asked_sources(territory: str, *, at: datetime) -> list[AskedSource]:
    """Return the national sources of a commune and what came of them; none where they were never brought."""
    folder = folder_of(territory)
    if not scheduled.is_brought(folder):
        return []
    return scheduled.sources(load_definitions()[0], territory, folder, at=at)


def failing_sources(territory: str) -> int:
    """Return how many national sources of a commune failed when they were last asked; reads one small file."""
    return scheduled.failing(folder_of(territory))


def due_sources(*, at: datetime) -> Iterator[tuple[str, list[str]]]:
    """Yield the communes whose sources were brought, each with the slugs of those whose turn has come."""
    definitions = load_definitions()[0]
    for commune in territories.communes():
        folder = folder_of(commune.code)
        slugs = scheduled.due(definitions, commune.code, folder, at=at) if scheduled.is_brought(folder) else []
        if slugs:
            yield commune.code, slugs


def refresh_sources(territory: str, slugs: Sequence[str], *, at: datetime) -> list[AskedSource]:
    """Ask these sources of a commune again, import what came, announce it; return what came of each."""
    definitions = load_definitions()[0]
    found = scheduled.refresh(
        definitions, slugs, import_of(territory, definitions, at=at),
        folder=folder_of(territory), wait=time.sleep, mirror=settings.MIRROR_DIR,
    )  # fmt: skip
    operations.announce_published(at=at)
    if told := source_notices.tell_failures(territory, found, definitions, at=at):
        scheduled.note_told(folder_of(territory), told)
    return found


def import_of(territory: str, definitions: Sequence[Definition], *, at: datetime) -> FolderImport:
    """Return how what was brought for a commune is imported: what loses too many rows waits for an agent."""
    commune = territories.commune(territory)
    return FolderImport(
        territory=territory,
        at=at,
        lake=Path(settings.LAKE_DIR),
        extent=tuple(commune.bbox) if commune.bbox else None,  # type: ignore[arg-type]
        definitions=definitions,
        limits=Limits(settings.IMPORT_TIMEOUT_S, settings.IMPORT_MEMORY_MB),
        guarded=True,
    )
