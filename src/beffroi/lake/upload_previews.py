"""What a file sent would publish, told before it counts: its columns, its first rows, and the difference it makes."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from beffroi.base.kernel.geo import BBox
from beffroi.lake import sql
from beffroi.lake.manifest import ID, ImportReport, Manifest
from beffroi.lake.reading import GEOMETRY, Column, Evidence
from beffroi.lake.store import DatasetNotFound, DatasetRef, Lake

PREVIEW_ROWS = 20


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """What publishing would change against the current version, by id of row; changed columns by key."""

    added: int
    removed: int
    changed: int
    unchanged: int
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UploadPreview:
    """What an upload would publish: its columns, first rows, findings, extent and the difference it makes.

    `diff` is None for a dataset that does not exist yet; `access` are the rights it would be published with.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    rows_total: int
    evidences: tuple[Evidence, ...]
    report: ImportReport
    geometry_type: str | None
    bbox: BBox | None
    diff: VersionDiff | None
    access: str


def preview(home: Lake, ref: DatasetRef) -> UploadPreview | None:
    """Return what the small lake `home` of a file would publish as `ref`; None when it holds nothing."""
    staged = home.refs(ref.territory)
    if not staged:
        return None
    # A workbook of several sheets shows its first; publishing keeps them all.
    read = staged[0]
    manifest = home.manifest(read, home.in_force(read).version)
    keys = [sql.name(column.key) for column in manifest.columns] or [ID]
    data = str(home.version_folder(read, manifest.version) / "data.parquet")
    with sql.reading(home.root, timeout_s=10, memory_mb=512) as con:
        rows = con.execute(f"SELECT {', '.join(keys)} FROM read_parquet(?) LIMIT {PREVIEW_ROWS}", [data]).fetchall()  # noqa: S608
    return UploadPreview(
        title=manifest.title,
        columns=manifest.columns,
        rows=tuple(rows),
        rows_total=manifest.rows,
        evidences=manifest.evidences,
        report=home.report(read, manifest.version),
        geometry_type=manifest.geometry_type,
        bbox=manifest.bbox,
        diff=_diff(ref, manifest, data),
        access=home.in_force(read).access,
    )


def _diff(ref: DatasetRef, new: Manifest, new_data: str) -> VersionDiff | None:
    lake = Lake(Path(settings.LAKE_DIR))
    try:
        old = lake.manifest(ref, lake.in_force(ref).version)
    except DatasetNotFound:
        return None
    old_data = str(lake.version_folder(ref, old.version) / "data.parquet")
    before, after = [column.key for column in old.columns], [column.key for column in new.columns]
    shared = [key for key in after if key in before]
    marks = ", ".join(f"CAST({sql.name(key)} AS VARCHAR)" for key in shared)
    if old.geometry_type and new.geometry_type:
        marks = ", ".join(part for part in (marks, f"md5(ST_AsWKB({GEOMETRY}))") if part)
    marked = f"md5(CAST([{marks}] AS VARCHAR))" if marks else "''"
    with closing(sql.connect(memory_mb=1024, threads=2)) as con:
        added, removed, changed, unchanged = con.execute(
            "SELECT count(*) FILTER (WHERE o.id IS NULL), count(*) FILTER (WHERE n.id IS NULL), "  # noqa: S608
            "count(*) FILTER (WHERE o.mark <> n.mark), count(*) FILTER (WHERE o.mark = n.mark) "
            f"FROM (SELECT {ID} AS id, {marked} AS mark FROM read_parquet(?)) n "
            f"FULL OUTER JOIN (SELECT {ID} AS id, {marked} AS mark FROM read_parquet(?)) o ON n.id = o.id",
            [new_data, old_data],
        ).fetchone()
    return VersionDiff(
        added,
        removed,
        changed,
        unchanged,
        tuple(key for key in after if key not in before),
        tuple(key for key in before if key not in after),
    )
