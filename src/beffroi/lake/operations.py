"""What changes the lake: imports, uploads, going back to an earlier version.

Imports need no Django; telling the journal and keeping uploads do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import IO

from beffroi.base.kernel.errors import NotFound, Refused
from beffroi.base.territory.viewer import Role, Viewer
from beffroi.lake.announcing import announce_published
from beffroi.lake.editing import edit_feature, merge_edits, undo_edit
from beffroi.lake.held import let_go
from beffroi.lake.intake import import_source, publish_reading, slug_of
from beffroi.lake.outcomes import ImportOutcome, ImportStatus, lake_folder, unchanged
from beffroi.lake.preparing import ImportRefused
from beffroi.lake.publishing import Progress
from beffroi.lake.store import DatasetRef, Lake, LakeNotWritable, not_found
from beffroi.lake.terrain import import_terrain
from beffroi.lake.waiting import Held, held

__all__ = [
    "ImportOutcome",
    "ImportRefused",
    "ImportStatus",
    "LakeNotWritable",
    "Progress",
    "announce_published",
    "ask_source_again",
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
    "undo_edit",
]


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


def ask_source_again(viewer: Viewer, territory: str, slug: str, *, at: datetime) -> None:
    """Have a worker ask one national source again now.

    Raises:
        Refused: the viewer is neither agent nor administrator of the territory.
        NotFound: the commune has no such source.
    """
    from beffroi.lake import asking, tasks

    require_agent(viewer, territory)
    if slug not in {one.slug for one in asking.asked_sources(territory, at=at)}:
        raise NotFound("source « {name} » inconnue", where=territory, remedy="consultez la liste", name=slug[:80])
    tasks.refresh_sources.enqueue(territory, [slug])


def require_agent(viewer: Viewer, territory: str) -> None:
    """Let agents and administrators of the territory through.

    Raises:
        Refused: anybody else.
    """
    if not any(viewer.has(role, territory) for role in (Role.AGENT, Role.ADMINISTRATOR)):
        raise Refused(
            "seuls les agents de la commune peuvent changer ses données", remedy="demandez ce rôle à un administrateur"
        )
