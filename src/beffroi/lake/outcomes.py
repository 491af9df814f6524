"""How the import of a source ended, and whether a source must be read again at all.

Loads nothing heavy: a command that imports a folder knows this much, and leaves the reading to other processes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from beffroi import __version__
from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.beside import files_beside
from beffroi.lake.definitions import Definition
from beffroi.lake.manifest import ImportReport, SourceInfo
from beffroi.lake.reading import ReadOptions
from beffroi.lake.store import DatasetRef, Lake, write_note


class ImportStatus(StrEnum):
    """How an import ended."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    HELD = "held"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """How the import of one source ended. `reason` is set when refused, `version` otherwise.

    A source that holds several tables (GTFS, workbooks) gives one outcome per table in `parts`, and is itself
    published when one of them is, refused when all are.
    """

    status: ImportStatus
    ref: DatasetRef
    version: str | None = None
    report: ImportReport | None = None
    reason: Sentence | None = None
    parts: tuple[ImportOutcome, ...] = ()


def unchanged(
    path: Path,
    *,
    territory: str,
    at: datetime,
    slug: str,
    definition: Definition,
    options: ReadOptions | None = None,
    lake: Path | None = None,
) -> ImportOutcome | None:
    """Return the outcome of an import whose source, definition and options are those of the version served.

    None when the source must be read. Takes the time of hashing the file, and none when it was never imported.

    Raises:
        LakeNotWritable: the lake itself cannot be written.
    """
    home, ref = Lake(lake_folder(lake)), DatasetRef(territory, slug)
    if not (home.checked(ref) or home.parts(ref)):
        return None
    read = merged_options(definition.reading, options)
    fingerprint = fingerprint_of(source_info(path), definition, read, beside=beside_of(path, definition))
    return known_outcome(home, ref, fingerprint, at)


def lake_folder(lake: Path | None) -> Path:
    """Return the lake given, else the one of the settings."""
    if lake is not None:
        return lake
    from django.conf import settings

    return Path(settings.LAKE_DIR)


def source_info(path: Path) -> SourceInfo:
    """Return the name, size and SHA-256 of a source file; a folder has only its name."""
    if not path.is_file():
        return SourceInfo(path.name)
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return SourceInfo(path.name, path.suffix.lstrip(".").lower(), path.stat().st_size, digest)


def beside_of(path: Path, definition: Definition) -> list[str]:
    """Return the SHA-256 of each file that holds a linked table of the dataset, beside its source."""
    return [source_info(one).sha256 for one in files_beside(path, definition.tables)]


def fingerprint_of(
    source: SourceInfo, definition: Definition, options: ReadOptions, *, beside: Sequence[str] = ()
) -> str:
    """Return the hash of all that an import depends on, empty when the source's bytes are not known."""
    if not source.sha256:
        return ""
    read = {
        item.name: getattr(options, item.name) for item in fields(options) if item.name not in ("work_dir", "stays")
    }
    parts = [__version__, source.sha256, definition.as_json(), read, *beside]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def known_outcome(home: Lake, ref: DatasetRef, fingerprint: str, at: datetime) -> ImportOutcome | None:
    """Return "unchanged" without reading when the served version came from these very bytes and definition."""
    if not fingerprint:
        return None
    parts = home.parts(ref)
    if parts.get("fingerprint") == fingerprint:
        outcomes = [_known_part(home, DatasetRef(ref.territory, slug), said, at) for slug, said in parts["parts"]]
        return None if None in outcomes else gathered(ref, [outcome for outcome in outcomes if outcome])
    checked = home.checked(ref)
    if checked.get("fingerprint") != fingerprint:
        return None
    return _known_part(home, ref, checked["version"], at)


def _known_part(home: Lake, ref: DatasetRef, said: Any, at: datetime) -> ImportOutcome | None:
    """Return the outcome of a table that became version `said`, if it is still served, or was refused for `said`."""
    if not isinstance(said, str):
        return ImportOutcome(ImportStatus.REFUSED, ref, reason=Sentence.from_json(said))
    with home.writing(ref) as folder:
        if not (folder / "current").is_file() or home.in_force(ref).version != said:
            return None
        write_note(folder / "checked.json", home.checked(ref) | {"at": at.astimezone(UTC).isoformat()})
    return ImportOutcome(ImportStatus.UNCHANGED, ref, version=said, report=home.report(ref, said))


def note_parts(home: Lake, ref: DatasetRef, fingerprint: str, outcomes: list[ImportOutcome]) -> None:
    """Remember what became of each table of a source, so that the same source is not read again for nothing."""
    parts = [(part.ref.slug, part.version or (part.reason.as_json() if part.reason else None)) for part in outcomes]
    with home.writing(ref) as folder:
        write_note(folder / "parts.json", {"fingerprint": fingerprint, "parts": parts})


def merged_options(declared: ReadOptions, given: ReadOptions | None) -> ReadOptions:
    """Return the options of the dataset file, and those of the call where it says nothing."""
    if given is None:
        return declared
    filled = {item.name: getattr(declared, item.name) or getattr(given, item.name) for item in fields(ReadOptions)}
    return ReadOptions(**filled)


def gathered(ref: DatasetRef, outcomes: list[ImportOutcome]) -> ImportOutcome:
    if len(outcomes) == 1:
        return outcomes[0]
    if not outcomes:
        return ImportOutcome(ImportStatus.REFUSED, ref, reason=Sentence("la source ne contient aucune table"))
    best = min(outcomes, key=lambda outcome: list(ImportStatus).index(outcome.status))
    return replace(best, ref=ref, parts=tuple(outcomes))
