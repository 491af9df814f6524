"""What changes the lake: imports, uploads, going back to an earlier version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.sentences import Sentence
from beffroi.base.territory.viewer import Viewer
from beffroi.lake.definitions import Definition
from beffroi.lake.manifest import ImportReport, SourceInfo
from beffroi.lake.queries import DatasetRef
from beffroi.lake.reading import Column, Evidence, Reading, ReadOptions

Progress = Callable[[Sentence, float | None], None]
"""Called as an import goes on: what it is doing, and the share done (0…1, None when unknown)."""


class ImportStatus(StrEnum):
    """How an import ended."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
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


class ImportRefused(BeffroiError):
    """The source was read but cannot become a dataset as its definition stands."""


class UploadState(StrEnum):
    """The life of a file sent by an agent."""

    STAGED = "staged"
    PUBLISHED = "published"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """What publishing would change against the current version, by feature id."""

    added: int
    removed: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class UploadPreview:
    """What an upload would publish: its columns, first rows, findings, extent and the difference it makes."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    evidences: tuple[Evidence, ...]
    report: ImportReport
    bbox: BBox | None
    diff: VersionDiff | None


def import_source(
    path: Path,
    *,
    territory: str,
    at: datetime,
    slug: str | None = None,
    definition: Definition | None = None,
    options: ReadOptions | None = None,
    source: SourceInfo | None = None,
    progress: Progress | None = None,
    actor: int | None = None,
    lake: Path | None = None,
    announce: bool = True,
) -> ImportOutcome:
    """Read `path`, and publish it as a version of the dataset; the same content is left as it is.

    `slug` defaults to the definition's, else to the file's name. `lake` defaults to the setting ``LAKE_DIR``. With
    `announce`, ``dataset.published`` is recorded in the journal when Django is set up, and tiles are queued; else
    the caller owes a call of :func:`announce_published`.

    Raises:
        BeffroiError: the lake itself cannot be written (disk full, permission). Faults of the source are outcomes.
    """
    raise NotImplementedError


def publish_reading(
    reading: Reading,
    *,
    territory: str,
    slug: str,
    at: datetime,
    source: SourceInfo,
    definition: Definition | None = None,
    progress: Progress | None = None,
    lake: Path | None = None,
    fingerprint: str = "",
    memory_mb: int = 2048,
) -> ImportOutcome:
    """Publish what a connector has read. Django-free: announces nothing.

    Raises:
        BeffroiError: the lake itself cannot be written (disk full, permission). Faults of the source are outcomes.
    """
    raise NotImplementedError


def announce_published(*, at: datetime, actor: int | None = None, lake: Path | None = None) -> int:
    """Record ``dataset.published`` for every version that waits for it and queue its tiles; return how many.

    A version published by a process that died before it could tell the journal waits in the lake and is announced
    by the next call.
    """
    raise NotImplementedError


def restore_version(viewer: Viewer, ref: DatasetRef, version: str, *, at: datetime) -> None:
    """Make an earlier version the current one; nothing is deleted.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
        Refused: the viewer is neither agent nor administrator of the territory.
    """
    raise NotImplementedError


def stage_upload(
    viewer: Viewer,
    *,
    territory: str,
    file: IO[bytes],
    filename: str,
    at: datetime,
    slug: str | None = None,
    options: ReadOptions | None = None,
) -> int:
    """Keep a file an agent sends, read it, and return the id of the upload; nothing is published yet.

    Raises:
        Refused: the viewer is neither agent nor administrator of the territory.
        BeffroiError: too big, empty, or of a kind the lake does not read.
    """
    raise NotImplementedError


def upload_preview(viewer: Viewer, upload_id: int) -> UploadPreview:
    """Return what the upload would publish.

    Raises:
        NotFound: absent, or of another territory.
        BeffroiError: the file cannot be read; says why.
    """
    raise NotImplementedError


def publish_upload(
    viewer: Viewer,
    upload_id: int,
    *,
    at: datetime,
    title: str = "",
    theme: str = "",
    licence: str = "",
    access: str = "agents",
    column_access: dict[str, str] | None = None,
) -> ImportOutcome:
    """Publish a staged upload.

    Raises:
        NotFound: absent, or of another territory.
        Refused: the viewer is neither agent nor administrator of the territory.
    """
    raise NotImplementedError


def discard_upload(viewer: Viewer, upload_id: int, *, at: datetime) -> None:
    """Delete a staged upload's file and mark it refused.

    Raises:
        NotFound: absent, or of another territory.
    """
    raise NotImplementedError
