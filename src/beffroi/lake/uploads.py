"""Files that agents send: kept, read aside, shown before they count, then published or let go.

A file is read into a small lake of its own, under ``UPLOAD_DIR``, by the very path every import takes: what the preview
shows is what publishing gives.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import transaction

from beffroi.base.journal import operations as journal
from beffroi.base.kernel.errors import BeffroiError, NotFound, Refused
from beffroi.base.kernel.files import fsync_folder
from beffroi.base.kernel.sentences import Sentence
from beffroi.base.territory.viewer import AGENTS, PUBLIC, Viewer
from beffroi.lake import operations, queries
from beffroi.lake.definitions import Definition, definition_from_json, restricted
from beffroi.lake.isolation import ImportRequest, Limits, import_isolated
from beffroi.lake.manifest import SchemaFault
from beffroi.lake.models import Upload
from beffroi.lake.operations import ImportOutcome, ImportStatus, require_agent, slug_of
from beffroi.lake.store import DatasetNotFound, DatasetRef, Lake
from beffroi.lake.upload_previews import UploadPreview, preview

READ_AT_ONCE_BYTES = 8 << 20
"""Up to this size a file is read while its sender waits; beyond, in the background."""
KEPT = timedelta(days=7)


class UploadState(StrEnum):
    """The life of a file sent by an agent."""

    STAGED = "staged"
    PUBLISHED = "published"
    REFUSED = "refused"
    EXPIRED = "expired"


class BadUpload(BeffroiError):
    """The file sent cannot be kept: empty, too big, or of a kind the lake does not read."""


@dataclass(frozen=True, slots=True)
class UploadInfo:
    """One upload as its pages show it. `is_read` is False while it is being read; `reason` says why it was refused."""

    id: int
    ref: DatasetRef
    filename: str
    size_bytes: int
    state: UploadState
    is_read: bool
    reason: Sentence | None
    version: str
    created_at: datetime
    closed_at: datetime | None

    @property
    def expires_at(self) -> datetime:
        """Return when a staged file is let go."""
        return self.created_at + KEPT


def uploads(viewer: Viewer, *, territory: str) -> list[UploadInfo]:
    """Return the last hundred uploads of a territory, newest first.

    Raises:
        Refused: the viewer is neither agent nor administrator of the territory.
    """
    require_agent(viewer, territory)
    return [_info(row) for row in Upload.objects.filter(territory=territory)[:100]]


def upload(viewer: Viewer, upload_id: int) -> UploadInfo:
    """Return one upload.

    Raises:
        NotFound: absent, or of another territory.
    """
    return _info(_owned(viewer, upload_id))


def stage_upload(
    viewer: Viewer, *, territory: str, file: IO[bytes], filename: str, at: datetime, slug: str | None = None
) -> int:
    """Keep a file an agent sends and return the id of the upload; nothing is published yet.

    A small file is read at once, a big one in the background. What cannot be read is refused, with the reason.

    Raises:
        Refused: the viewer is neither agent nor administrator of the territory, or may not see the dataset `slug`.
        BadUpload: too big or empty.
    """
    from beffroi.lake import tasks

    require_agent(viewer, territory)
    name = _safe_name(filename)
    ref = DatasetRef(territory, slug_of(slug or Path(name).stem))
    _check_visible(viewer, ref)
    token = uuid.uuid4().hex
    size = _keep(file, _source(token, name))
    with transaction.atomic():
        row = Upload.objects.create(
            territory=territory,
            person_id=viewer.person_id,
            token=token,
            filename=name,
            size_bytes=size,
            slug=ref.slug,
            state=UploadState.STAGED,
            created_at=at,
        )
        _tell(row, "upload.staged", viewer.person_id, at)
        if size > READ_AT_ONCE_BYTES:
            tasks.read_upload.enqueue(row.pk)
    if size <= READ_AT_ONCE_BYTES:
        read_upload(row.pk, at=at)
    return int(row.pk)


def read_upload(upload_id: int, *, at: datetime) -> None:
    """Read a staged file into its own small lake; refuse it with the reason when it cannot be."""
    row = Upload.objects.filter(pk=upload_id, state=UploadState.STAGED).first()
    if row is None:
        return
    definition = _definition(DatasetRef(row.territory, row.slug))
    shutil.rmtree(_aside(row.token), ignore_errors=True)
    outcome = _import(row, definition, at=at, lake=_aside(row.token))
    if outcome.status is ImportStatus.REFUSED:
        _close(row, UploadState.REFUSED, at=at, actor=None, reason=outcome.reason)
        return
    Upload.objects.filter(pk=row.pk).update(read_at=at, reason=None)


def upload_preview(viewer: Viewer, upload_id: int) -> UploadPreview:
    """Return what the upload would publish.

    Raises:
        NotFound: absent, of another territory, or no longer waiting.
    """
    row = _owned(viewer, upload_id)
    if row.state != UploadState.STAGED or row.read_at is None:
        raise _absent()
    found = preview(Lake(_aside(row.token)), DatasetRef(row.territory, row.slug))
    if found is None:
        raise _absent()
    return found


def publish_upload(
    viewer: Viewer,
    upload_id: int,
    *,
    at: datetime,
    title: str = "",
    theme: str = "",
    licence: str = "",
    access: str | None = None,
    column_access: Mapping[str, str] | None = None,
) -> ImportOutcome:
    """Publish a staged upload; what is left empty stays as the dataset has it, agents only when it is new.

    A file that breaks a rule of the dataset's schema is refused, with the first line that does.

    Raises:
        NotFound: absent, of another territory, or no longer waiting.
        Refused: rights the viewer may not give.
    """
    row = _owned(viewer, upload_id)
    if row.state != UploadState.STAGED:
        raise _absent()
    ref = DatasetRef(row.territory, row.slug)
    _check_visible(viewer, ref)
    given = {access, *(column_access or {}).values()} - {None}
    allowed = viewer.clearances(row.territory) | {PUBLIC, AGENTS}
    if not given <= allowed:
        raise Refused(
            "vous ne pouvez pas réserver des données à « {access} »",
            remedy="choisissez public, agents ou l'un de vos services",
            access=", ".join(sorted(str(item) for item in given - allowed)),
        )
    broken = schema_faults(row)
    if broken:
        return ImportOutcome(ImportStatus.REFUSED, ref, reason=_broken(broken))
    definition = _definition(ref)
    told = {"title": title.strip()[:200], "theme": theme.strip(), "licence": licence.strip()}
    definition = replace(definition, **{key: value for key, value in told.items() if value})  # type: ignore[arg-type]
    definition = restricted(definition, access or definition.access, column_access or {})
    outcome = _import(row, definition, at=at, lake=Path(settings.LAKE_DIR))
    if outcome.status is ImportStatus.REFUSED:
        return outcome
    _close(row, UploadState.PUBLISHED, at=at, actor=viewer.person_id, version=outcome.version or "")
    operations.announce_published(at=at)
    return outcome


def schema_faults(row: Upload) -> list[SchemaFault]:
    """Return the rules of its dataset's schema that a staged file breaks, in the order of its tables and columns."""
    home = Lake(_aside(row.token))
    return [
        fault
        for ref in home.refs(row.territory)
        for fault in home.report(ref, home.in_force(ref).version).schema_faults
    ]


def _broken(faults: Sequence[SchemaFault]) -> Sentence:
    first, lines = faults[0], sum(max(1, fault.count) for fault in faults)
    line, value = next(iter(first.examples), (None, ""))
    values = {
        "column": first.title, "expected": first.expected, "line": line, "value": value, "lines": lines,
    }  # fmt: skip
    if line is None:
        return Sentence(
            "colonne « {column} » : le schéma demande {expected} ; corrigez le fichier et redéposez-le", values
        )
    return Sentence(
        "ligne {line}, colonne « {column} » : « {value} » ; le schéma demande {expected} ({lines} écarts en tout) ; "
        "corrigez le fichier et redéposez-le",
        values,
    )


def discard_upload(viewer: Viewer, upload_id: int, *, at: datetime) -> None:
    """Delete a staged upload's file and mark it refused; an upload already closed stays as it is.

    Raises:
        NotFound: absent, or of another territory.
    """
    row = _owned(viewer, upload_id)
    if row.state == UploadState.STAGED:
        reason = Sentence("retiré par l'agent")
        _close(row, UploadState.REFUSED, at=at, actor=viewer.person_id, reason=reason)


def expire_uploads(at: datetime) -> int:
    """Let go of the files nobody published within a week; return how many."""
    old = Upload.objects.filter(state=UploadState.STAGED, created_at__lt=at - KEPT)
    for row in old:
        _close(row, UploadState.EXPIRED, at=at, actor=None)
    return len(old)


def _import(row: Upload, definition: Definition, *, at: datetime, lake: Path) -> ImportOutcome:
    request = ImportRequest(
        _source(row.token, row.filename), row.slug, definition, row.territory, at, lake, actor=row.person_id
    )
    limits = Limits(settings.IMPORT_TIMEOUT_S, settings.IMPORT_MEMORY_MB, jobs=1)
    return import_isolated(request, limits)


def _definition(ref: DatasetRef) -> Definition:
    """Return the definition of the dataset as it stands; a new one is for agents until its sender says otherwise."""
    lake = Lake(Path(settings.LAKE_DIR))
    with suppress(DatasetNotFound):
        force = lake.in_force(ref)
        # Columns restricted today stay so, even those the dataset file does not name.
        return restricted(definition_from_json(lake.definition(ref)), force.access, dict(force.columns))
    return Definition(ref.slug, access=AGENTS)


def _check_visible(viewer: Viewer, ref: DatasetRef) -> None:
    lake = Lake(Path(settings.LAKE_DIR))
    with suppress(DatasetNotFound):
        lake.in_force(ref)
        try:
            queries.dataset(viewer, ref)
        except DatasetNotFound:
            raise Refused(
                "le nom « {slug} » est déjà pris", remedy="choisissez un autre nom de jeu de données", slug=ref.slug
            ) from None


def _keep(file: IO[bytes], target: Path) -> int:
    """Write the file sent, durable before anyone is told it is kept; return its size.

    Raises:
        BadUpload: too big or empty.
    """
    most = settings.UPLOAD_MAX_MB << 20
    target.parent.mkdir(parents=True)
    size = 0
    try:
        with target.open("xb") as handle:
            while chunk := file.read(1 << 20):
                size += len(chunk)
                if size > most:
                    raise BadUpload(
                        "ce fichier dépasse {most} Mo",
                        where=target.name,
                        remedy="compressez-le ou découpez-le",
                        most=settings.UPLOAD_MAX_MB,
                    )
                handle.write(chunk)
            handle.flush()
            os.fsync(handle.fileno())
        if not size:
            raise BadUpload("ce fichier est vide", where=target.name, remedy="choisissez-en un autre")
        fsync_folder(target.parent)
    except BaseException:
        shutil.rmtree(target.parent.parent, ignore_errors=True)
        raise
    return size


def _safe_name(filename: str) -> str:
    """Return a bare file name: no path, no control character, at most 150 characters with its extension."""
    bare = re.sub(r"[\x00-\x1f/\\:*?\"<>|]", "_", filename.replace("\\", "/").rsplit("/", 1)[-1]).strip(". ")
    stem, suffix = os.path.splitext(bare or "donnees")  # noqa: PTH122 - a name, not a path
    return f"{stem[:120]}{suffix[:30]}"


def forget_all(territory: str) -> None:
    """Remove every file deposited for a territory and what was known of it; for sandboxes."""
    for row in Upload.objects.filter(territory=territory):
        shutil.rmtree(_folder(row.token), ignore_errors=True)
        row.delete()


def _folder(token: str) -> Path:
    return Path(settings.UPLOAD_DIR) / "lake" / token


def _source(token: str, name: str) -> Path:
    return _folder(token) / "source" / name


def _aside(token: str) -> Path:
    return _folder(token) / "aside"


def _owned(viewer: Viewer, upload_id: int) -> Upload:
    row = Upload.objects.filter(pk=upload_id).first()
    if row is None:
        raise _absent()
    try:
        require_agent(viewer, row.territory)
        _check_visible(viewer, DatasetRef(row.territory, row.slug))
    except Refused:
        raise _absent() from None
    return row


def _absent() -> NotFound:
    return NotFound("ce dépôt n'existe pas ou n'attend plus", remedy="revenez à la liste des dépôts")


def _close(
    row: Upload,
    state: UploadState,
    *,
    at: datetime,
    actor: int | None,
    reason: Sentence | None = None,
    version: str = "",
) -> None:
    told = None if reason is None else reason.as_json()
    with transaction.atomic():
        changed = Upload.objects.filter(pk=row.pk, state=UploadState.STAGED).update(
            state=state, closed_at=at, reason=told, version=version
        )
        if changed:
            _tell(row, f"upload.{state.value}", actor, at)
    shutil.rmtree(_folder(row.token), ignore_errors=True)


def _tell(row: Upload, kind: str, actor: int | None, at: datetime) -> None:
    payload = {"upload": row.pk, "dataset": row.slug, "size_bytes": row.size_bytes}
    subject = f"dataset:{row.territory}/{row.slug}"
    journal.record(kind=kind, subject=subject, payload=payload, actor=actor, territory=row.territory, at=at)


def _info(row: Upload) -> UploadInfo:
    return UploadInfo(
        id=row.pk,
        ref=DatasetRef(row.territory, row.slug),
        filename=row.filename,
        size_bytes=row.size_bytes,
        state=UploadState(row.state),
        is_read=row.read_at is not None,
        reason=None if row.reason is None else Sentence.from_json(row.reason),
        version=row.version,
        created_at=row.created_at,
        closed_at=row.closed_at,
    )
