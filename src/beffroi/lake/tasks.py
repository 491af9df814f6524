"""What the lake does in the background: bake tiles, read big uploads, let forgotten ones go."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.conf import settings
from django_tasks import task

from beffroi.base.kernel.time import now
from beffroi.lake import rights, serving, tiles
from beffroi.lake.aggregating import refresh_public_views
from beffroi.lake.seeing import bake_index
from beffroi.lake.store import DatasetNotFound, DatasetRef, Lake


@task()
def bake_tiles(territory: str, slug: str, version: str) -> None:
    """Bake the tiles of every visibility class of a version that has none yet; safe to run twice."""
    bake_missing_tiles(Lake(Path(settings.LAKE_DIR)), DatasetRef(territory, slug), version)


def bake_missing_tiles(lake: Lake, ref: DatasetRef, version: str) -> int:
    """Bake what is missing of a version's indexes and tiles under the rights of today; return how many got tiles.

    Raises:
        TilesFailed: tippecanoe refuses; the state of the tiles says so.
    """
    try:
        folder, force, manifest = lake.version_folder(ref, version), lake.in_force(ref), lake.manifest(ref, version)
    except DatasetNotFound:
        # Removed since the task was queued: nothing to bake.
        return 0
    bake_missing_indexes(lake, ref, version)
    if manifest.geometry_type is None:
        return 0
    columns = rights.in_force(manifest.columns, dict(force.columns))
    baked = 0
    for class_name in rights.classes(force.access, columns):
        visible = rights.visible(columns, rights.clearance(class_name))
        if tiles.state(folder, class_name, visible) != "ready":
            tiles.bake(folder, manifest, class_name, visible)
            baked += 1
    return baked


def bake_missing_indexes(lake: Lake, ref: DatasetRef, version: str) -> None:
    """Bake the serving indexes of a version so large that it entered service without: its data answer meanwhile."""
    manifest = lake.manifest(ref, version)
    if manifest.rows < serving.LATER_FROM_ROWS:
        return
    force, folder = lake.in_force(ref), lake.version_folder(ref, version)
    columns = rights.in_force(manifest.columns, dict(force.columns))
    for class_name in rights.classes(force.access, columns):
        bake_index(lake, ref, folder, manifest, class_name, rights.visible(columns, rights.clearance(class_name)))


@task()
def read_upload(upload_id: int) -> None:
    """Read a big file an agent sent."""
    from beffroi.lake import uploads

    uploads.read_upload(upload_id, at=now())


@task()
def make_crossing(crossing_id: int) -> None:
    """Make the dataset of an agent's recipe from its sources of today; safe to run twice."""
    from beffroi.lake.crossing import operations

    operations.refresh_crossing(crossing_id, at=now())


@task()
def refresh_sources(territory: str, slugs: list[str]) -> None:
    """Ask these national sources of a commune again, and put in service what they bring; safe to run twice."""
    from beffroi.lake import asking

    asking.refresh_sources(territory, slugs, at=now())


@task()
def refresh_connected(source_id: int) -> None:
    """Ask a source that an agent connected, and put in service what it brings; safe to run twice."""
    from beffroi.lake.connected import running

    running.run_source(source_id, at=now())


def nightly_sources(at: datetime) -> None:
    """Queue the national sources whose turn has come, commune by commune, then those that agents connected."""
    from beffroi.lake import asking
    from beffroi.lake.connected import operations

    for territory, slugs in asking.due_sources(at=at):
        refresh_sources.enqueue(territory, slugs)
    for source_id in operations.due_connected(at=at):
        refresh_connected.enqueue(source_id)


def daily(at: datetime) -> None:
    """Make versions of what was corrected, tell the public of the periods that are over, announce, clear.

    Files half baked and forgotten uploads go; who answers for late data is told.
    """
    from beffroi.lake import late_notices, operations, uploads
    from beffroi.lake.connected.operations import expire_connected

    lake = Lake(Path(settings.LAKE_DIR))
    tiles.clear_abandoned(lake.root)
    for ref in lake.refs():
        operations.merge_edits(lake, ref, at=at)
        # A task killed on the way leaves a version without its index: slow, never wrong.
        bake_missing_indexes(lake, ref, lake.in_force(ref).version)
    refresh_public_views(lake, lake.refs(), at=at)
    operations.announce_published(at=at)
    uploads.expire_uploads(at)
    expire_connected(at)
    late_notices.tell_owners(at=at)
