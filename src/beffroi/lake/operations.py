"""What changes the lake: imports, uploads, going back to an earlier version.

Imports need no Django; telling the journal and keeping uploads do.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import duckdb

from beffroi.base.kernel.errors import BeffroiError, Refused
from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.base.territory.engine import is_sandbox
from beffroi.base.territory.viewer import AGENTS, PUBLIC, Role, Viewer
from beffroi.lake import sql
from beffroi.lake.aggregating import check_view, refresh_public_views
from beffroi.lake.definitions import Definition
from beffroi.lake.editing import edit_feature, merge_edits
from beffroi.lake.held import Held, held, let_go
from beffroi.lake.linking import linked
from beffroi.lake.manifest import SourceInfo
from beffroi.lake.outcomes import (
    ImportOutcome,
    ImportStatus,
    beside_of,
    fingerprint_of,
    gathered,
    known_outcome,
    lake_folder,
    merged_options,
    note_parts,
    source_info,
    unchanged,
)
from beffroi.lake.preparing import ImportRefused, resolved_columns
from beffroi.lake.publishing import Later, Progress, at_once, publish
from beffroi.lake.reading import Reading, ReadOptions
from beffroi.lake.store import DatasetRef, Lake, LakeNotWritable, not_found
from beffroi.lake.terrain import import_terrain

__all__ = [
    "ImportOutcome",
    "ImportRefused",
    "ImportStatus",
    "LakeNotWritable",
    "Progress",
    "announce_published",
    "discard_upload",
    "edit_feature",
    "import_source",
    "import_terrain",
    "lake_folder",
    "merge_edits",
    "publish_reading",
    "publish_upload",
    "refuse_held",
    "release_held",
    "restore_version",
    "slug_of",
    "stage_upload",
    "unchanged",
]


Reader = Callable[[Path, ReadOptions, duckdb.DuckDBPyConnection], list[Reading]]


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
    memory_mb: int = 2048,
    threads: int | None = None,
    read: Reader | None = None,
    later: Later = at_once,
    guarded: bool = False,
) -> ImportOutcome:
    """Read `path`, and publish it as a version of the dataset; the same content is left as it is.

    `slug` defaults to the definition's, else to the file's name. `lake` defaults to the setting ``LAKE_DIR``, `read`
    to the connector registry; `threads` bounds what DuckDB takes of the machine. With `announce`,
    ``dataset.published`` is recorded in the journal when Django is set up, and tiles are queued; else the caller owes
    a call of :func:`announce_published`. Where `later` is given, the outcome holds once what it was handed is done
    (see `publishing.publish`).

    Raises:
        BeffroiError: the lake itself cannot be written (disk full, permission). Faults of the source are outcomes.
    """
    slug = slug or (definition.slug if definition else slug_of(path.stem))
    definition = definition or Definition(slug)
    ref = DatasetRef(territory, slug)
    options = merged_options(definition.reading, options)
    source = source or source_info(path)
    fingerprint = fingerprint_of(source, definition, options, beside=beside_of(path, definition))
    home = Lake(lake_folder(lake))
    known = known_outcome(home, ref, fingerprint, at)
    if known is not None:
        return known
    with sql.workbench(memory_mb=memory_mb, threads=threads) as con:
        try:
            reader, asked = read or _registry(), replace(options, stays=path)
            readings = linked(reader(path, asked, con), definition, path=path, options=options, read=reader)
        except BeffroiError as fault:
            return ImportOutcome(ImportStatus.REFUSED, ref, reason=_as_sentence(fault))
        outcomes = [
            publish_reading(
                reading,
                territory=territory,
                slug=slug if len(readings) == 1 else _part_slug(slug, reading, position),
                at=at,
                source=source,
                definition=definition,
                progress=progress,
                actor=actor,
                lake=home.root,
                fingerprint=fingerprint,
                later=later,
                guarded=guarded,
            )
            for position, reading in enumerate(readings, start=1)
        ]
    if announce and _django_is_ready():
        announce_published(at=at, lake=home.root)
    if len(outcomes) > 1:
        note_parts(home, ref, fingerprint, outcomes)
    return gathered(ref, outcomes)


def publish_reading(
    reading: Reading,
    *,
    territory: str,
    slug: str,
    at: datetime,
    source: SourceInfo,
    definition: Definition | None = None,
    progress: Progress | None = None,
    actor: int | None = None,
    lake: Path | None = None,
    fingerprint: str = "",
    later: Later = at_once,
    guarded: bool = False,
) -> ImportOutcome:
    """Publish what a connector has read. Announces nothing: the caller owes :func:`announce_published`.

    Raises:
        BeffroiError: the lake itself cannot be written (disk full, permission). Faults of the source are outcomes.
    """
    ref = DatasetRef(territory, slug)
    definition = definition or Definition(slug)
    if is_sandbox(territory) and definition.access == PUBLIC:
        # What is tried in a sandbox is never anyone's to read: no page, no API, no catalogue shows it outside.
        definition = replace(definition, access=AGENTS)
    home = Lake(lake_folder(lake))
    try:
        check_view(home, territory, definition, resolved_columns(reading.columns, definition.columns))
        with sql.planned_for(reading.con, reading.rows_read):
            done = publish(
                home,
                ref,
                reading,
                source=source,
                definition=definition,
                at=at,
                fingerprint=fingerprint,
                actor=actor,
                progress=progress,
                later=later,
                guarded=guarded,
            )
    except LakeNotWritable:
        raise
    except BeffroiError as fault:
        return ImportOutcome(ImportStatus.REFUSED, ref, reason=_as_sentence(fault))
    except duckdb.Error as error:
        reason = Sentence(
            "les données lues ne peuvent pas être écrites ({reason})", {"reason": str(error).splitlines()[0][:200]}
        )
        return ImportOutcome(ImportStatus.REFUSED, ref, reason=reason)
    if done.held_from is not None:
        kept = done.report.rows_kept
        why = Sentence(
            gettext_noop("la source passe de {before} à {rows} lignes : un agent doit approuver la mise en service"),
            {"before": done.held_from, "rows": kept},
        )
        return ImportOutcome(ImportStatus.HELD, ref, version=done.version, report=done.report, reason=why)
    status = ImportStatus.PUBLISHED if done.is_new else ImportStatus.UNCHANGED
    return ImportOutcome(status, ref, version=done.version, report=done.report)


def announce_published(*, at: datetime, lake: Path | None = None) -> int:
    """Record every change of version the journal was not told about and queue its tiles; return how many.

    A version put in service by a process that died before it could tell the journal waits in the lake and is
    announced by the next call: at least once, never not at all. What the public may be told of it (see `aggregating`)
    is published first.
    """
    from django.db import transaction

    from beffroi.base.journal import operations as journal
    from beffroi.lake import tasks

    home = Lake(lake_folder(lake))
    refresh_public_views(home, [ref for ref, _ in home.waiting_announcements()], at=at)
    waiting = home.waiting_announcements()
    for ref, version in waiting:
        # Taking the writer's turn: one who has said what to announce has also put it in service.
        with home.writing(ref) as folder:
            note = folder / "announce" / version
            if not note.is_file():
                continue
            told = json.loads(note.read_text(encoding="utf-8"))
            manifest = home.manifest(ref, version)
            with transaction.atomic():
                journal.record(
                    kind=told.get("kind", "dataset.published"),
                    subject=f"dataset:{ref}",
                    payload={"version": version, "title": manifest.title, "rows": manifest.rows},
                    actor=told.get("actor"),
                    territory=ref.territory,
                    at=at,
                )
                if manifest.geometry_type is not None:
                    tasks.bake_tiles.enqueue(ref.territory, ref.slug, version)
            home.announced(ref, version)
    return len(waiting)


def restore_version(viewer: Viewer, ref: DatasetRef, version: str, *, at: datetime) -> None:
    """Make an earlier version the current one; nothing is deleted, and the rights stay those of today.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
        Refused: the viewer is neither agent nor administrator of the territory.
    """
    from beffroi.lake import queries

    queries.dataset(viewer, ref, version=version)
    require_agent(viewer, ref.territory)
    home = Lake(lake_folder(None))
    with home.writing(ref):
        if home.in_force(ref).version == version:
            return
        home.put_in_force(ref, version, announce={"kind": "dataset.restored", "actor": viewer.person_id})
    announce_published(at=at)


def release_held(viewer: Viewer, ref: DatasetRef, *, at: datetime) -> None:
    """Put in service the version that waits for an agent's word.

    Raises:
        DatasetNotFound: no version of this dataset waits, or not for this viewer.
        Refused: the viewer is neither agent nor administrator of the territory.
    """
    waiting = _waiting(viewer, ref)
    restore_version(viewer, ref, waiting.version, at=at)
    let_go(Lake(lake_folder(None)), ref)


def refuse_held(viewer: Viewer, ref: DatasetRef) -> None:
    """Leave out of service the version that waits; it stays in the history.

    Raises:
        DatasetNotFound: no version of this dataset waits, or not for this viewer.
        Refused: the viewer is neither agent nor administrator of the territory.
    """
    require_agent(viewer, ref.territory)
    _waiting(viewer, ref)
    let_go(Lake(lake_folder(None)), ref)


def _waiting(viewer: Viewer, ref: DatasetRef) -> Held:
    found = next((one for one in held(viewer, territory=ref.territory) if one.ref == ref), None)
    if found is None:
        raise not_found(ref)
    return found


def stage_upload(
    viewer: Viewer, *, territory: str, file: IO[bytes], filename: str, at: datetime, slug: str | None = None
) -> int:
    """Keep a file an agent sends and return the id of the upload; see `uploads.stage_upload`."""
    from beffroi.lake import uploads

    return uploads.stage_upload(viewer, territory=territory, file=file, filename=filename, at=at, slug=slug)


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
    """Publish a staged upload; see `uploads.publish_upload`."""
    from beffroi.lake import uploads

    return uploads.publish_upload(
        viewer,
        upload_id,
        at=at,
        title=title,
        theme=theme,
        licence=licence,
        access=access,
        column_access=column_access,
    )


def discard_upload(viewer: Viewer, upload_id: int, *, at: datetime) -> None:
    """Let go of a staged upload; see `uploads.discard_upload`."""
    from beffroi.lake import uploads

    uploads.discard_upload(viewer, upload_id, at=at)


def require_agent(viewer: Viewer, territory: str) -> None:
    """Let agents and administrators of the territory through.

    Raises:
        Refused: anybody else.
    """
    if not any(viewer.has(role, territory) for role in (Role.AGENT, Role.ADMINISTRATOR)):
        raise Refused(
            "seuls les agents de la commune peuvent changer ses données", remedy="demandez ce rôle à un administrateur"
        )


def slug_of(text: str) -> str:
    """Return a slug for a file or a title.

    >>> slug_of("VilleMTP_MTP_Arbres d'alignement (été)")
    'villemtp-mtp-arbres-d-alignement-ete'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:100].strip("-") or "donnees"


def _part_slug(slug: str, reading: Reading, position: int) -> str:
    return f"{slug[:60]}-{slug_of(reading.title) if reading.title else position}"


def _as_sentence(fault: BeffroiError) -> Sentence:
    """Return one sentence for an outcome: what, where and remedy in one template."""
    values: dict[str, Any] = {**fault.what.values, **fault.remedy.values, "_where": fault.where}
    template = ("{_where} : " if fault.where else "") + fault.what.template
    return Sentence(template + (f" ; {fault.remedy.template}" if fault.remedy.template else ""), values)


def _registry() -> Reader:
    from beffroi.lake.connectors import registry

    return registry.read


def _django_is_ready() -> bool:
    from django.apps import apps

    return apps.ready
