"""One version of a dataset as one viewer sees it: where her rights of today meet the files of the lake."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from beffroi.base.territory.viewer import Viewer
from beffroi.lake import downloads, rights, serving, sql, tiles
from beffroi.lake.answers import DatasetSummary, TilesState
from beffroi.lake.manifest import Manifest
from beffroi.lake.reading import SURFACES, Column
from beffroi.lake.rhythms import Rhythm, rhythm_of
from beffroi.lake.store import DatasetNotFound, DatasetRef, InForce, Lake, not_found
from beffroi.lake.unbaked import Served, Unbaked

_BAKING_MB = 700
NO_RHYTHM = Rhythm()


@dataclass(frozen=True, slots=True)
class Seen:
    """One version of a dataset as one viewer may see it: `columns` are hers, `class_name` her class.

    `edits` is the folder of what is laid over the version in force (see `edits`), None when nothing is. `rhythm` is
    that of today, whatever the version.
    """

    lake: Lake
    ref: DatasetRef
    folder: Path
    manifest: Manifest
    access: str
    columns: tuple[Column, ...]
    class_name: str
    class_columns: tuple[Column, ...]
    viewer: Viewer
    edits: Path | None = None
    rhythm: Rhythm = NO_RHYTHM

    @property
    def data(self) -> str:
        """Return the path of the data as DuckDB wants it."""
        return str(self.folder / "data.parquet")

    def at(self, version: str) -> Seen:
        """Return the same dataset at another version, for the same viewer.

        Raises:
            DatasetNotFound: there is no such version, or it is not for her.
        """
        seen = seen_by(self.lake, self.viewer, self.ref, version)
        if seen is None:
            raise not_found(self.ref)
        return seen


_own: ContextVar[Path | None] = ContextVar("lake_of_its_own", default=None)


def lake_in_use() -> Lake:
    return Lake(_own.get() or Path(settings.LAKE_DIR))


@contextmanager
def using_lake(folder: Path) -> Iterator[None]:
    """Read the lake of `folder` instead of the installation's: for an example that brings its own data."""
    token = _own.set(folder)
    try:
        yield
    finally:
        _own.reset(token)


@dataclass(frozen=True, slots=True)
class _Same:
    """A manifest that does not count in a cache key: its path does."""

    value: Manifest = field(compare=False)


@lru_cache(maxsize=4096)
def _cut(
    folder: Path, force: InForce, clearances: frozenset[str], manifest: _Same
) -> tuple[str, tuple[Column, ...], tuple[Column, ...]] | None:
    """Return the class of a reader, her columns and those of her class; None when the dataset is not for her."""
    columns = rights.in_force(manifest.value.columns, dict(force.columns))
    class_name = rights.class_of(clearances, force.access, columns)
    if class_name is None:
        return None
    # The column that names the rows was restricted since this version was made: its ids would tell.
    if manifest.value.id_column not in (None, *(column.key for column in rights.visible(columns, clearances))):
        return None
    return class_name, rights.visible(columns, clearances), rights.visible(columns, rights.clearance(class_name))


def seen_by(lake: Lake, viewer: Viewer, ref: DatasetRef, version: str | None = None) -> Seen | None:
    """Return what `viewer` sees of a dataset, None when it is not for her. The rights are those of today."""
    if version is not None:
        # An earlier version may have been withdrawn since it was last read: what is remembered of it is not enough.
        lake.version_folder(ref, version)
    return _seen(lake, viewer, ref, lake.in_force(ref), version)


@lru_cache(maxsize=4096)
def _seen(lake: Lake, viewer: Viewer, ref: DatasetRef, force: InForce, version: str | None) -> Seen | None:
    clearances = viewer.clearances(ref.territory)
    if force.access not in clearances:
        return None
    folder = lake.version_folder(ref, version or force.version)
    manifest = lake.manifest(ref, version or force.version)
    cut = _cut(folder, force, clearances, _Same(manifest))
    if cut is None:
        return None
    class_name, columns, class_columns = cut
    edited = bool(force.edits) and manifest.version == force.version
    edits = lake.folder(ref) / "edits" / force.edits if edited else None
    rhythm = rhythm_of(lake, ref, force, manifest)
    return Seen(lake, ref, folder, manifest, force.access, columns, class_name, class_columns, viewer, edits, rhythm)


def all_datasets(territory: str | None = None) -> list[DatasetRef]:
    """Return every dataset served, whoever may read it: for work on all of them, never for a page."""
    return lake_in_use().refs(territory)


def missing(territory: str, slugs: Iterable[str]) -> tuple[str, ...]:
    """Return these slugs when none of their datasets holds a row in a territory, whoever may read it; else nothing.

    Two `stat` calls for each one looked at, the first that holds a row being the last.
    """
    wanted, lake = tuple(dict.fromkeys(slugs)), lake_in_use()
    for slug in wanted:
        ref = DatasetRef(territory, slug)
        with suppress(DatasetNotFound):
            force = lake.in_force(ref)
            # What agents added by hand since counts as well.
            if force.edits or lake.manifest(ref, force.version).rows:
                return ()
    return wanted


def reading_classes(ref: DatasetRef) -> tuple[str, ...]:
    """Return the classes of readers that see different columns of a dataset, the widest public first.

    Raises:
        DatasetNotFound: no version was ever published.
    """
    lake = lake_in_use()
    force = lake.in_force(ref)
    columns = rights.in_force(lake.manifest(ref, force.version).columns, dict(force.columns))
    return rights.classes(force.access, columns)


def what_is_seen(viewer: Viewer, ref: DatasetRef) -> tuple[str, str, str] | None:
    """Return the class a viewer reads a dataset by, the mark of what it holds and the version served; None: not hers.

    Two `stat` calls when nothing moved: what other rooms made for a class is checked against it at each reading.
    """
    with suppress(DatasetNotFound):
        lake = lake_in_use()
        return _seen_under(lake, ref, lake.in_force(ref), viewer.clearances(ref.territory))
    return None


@lru_cache(maxsize=4096)
def _seen_under(lake: Lake, ref: DatasetRef, force: InForce, clearances: frozenset[str]) -> tuple[str, str, str] | None:
    folder, manifest = lake.version_folder(ref, force.version), lake.manifest(ref, force.version)
    cut = _cut(folder, force, clearances, _Same(manifest)) if force.access in clearances else None
    return None if cut is None else (cut[0], rights.signature(cut[2]), force.version)


def required(viewer: Viewer, ref: DatasetRef, version: str | None) -> Seen:
    seen = seen_by(lake_in_use(), viewer, ref, version)
    if seen is None:
        raise not_found(ref)
    return seen


def summary_of(seen: Seen) -> DatasetSummary:
    manifest = seen.manifest
    return DatasetSummary(
        ref=seen.ref,
        title=manifest.title,
        theme=manifest.theme,
        description=manifest.description,
        producer=manifest.producer,
        licence=manifest.licence,
        rhythm=seen.rhythm.words,
        rows=manifest.rows,
        geometry_type=manifest.geometry_type,
        bbox=manifest.bbox,
        version=manifest.version,
        updated_at=manifest.created_at,
        period=manifest.period,
        access=seen.access,
        fictional=manifest.fictional,
        formats=tuple(downloads.formats(manifest)),
        has_volumes=any(column.key == SURFACES for column in seen.columns),
        owner=str(manifest.definition.get("owner", "")),
        rhythm_is_deduced=seen.rhythm.is_deduced,
    )


def tiles_state_of(seen: Seen) -> TilesState:
    if seen.manifest.geometry_type is None:
        return TilesState.NONE
    return TilesState(tiles.state(seen.folder, seen.class_name, seen.class_columns))


def index_of(seen: Seen) -> Served:
    """Return what answers for the viewer's class: the serving index, or a large version's data until it is baked."""
    found = serving.baked(_index_file(seen.folder, seen.class_name), rights.signature(seen.class_columns))
    return found or (_unbaked(seen) if _waits(seen) else serving.opened(index_path_in(seen, seen.folder)))


def own_index(seen: Seen) -> Served:
    """Return the same for the caller alone, who closes it: one that all share may be closed while it is streamed."""
    path, mark = _index_file(seen.folder, seen.class_name), rights.signature(seen.class_columns)
    if serving.baked(path, mark) is None:
        if _waits(seen):
            return _unbaked(seen)
        index_path_in(seen, seen.folder)
    return serving.Index(path)


def _index_file(folder: Path, class_name: str) -> Path:
    return folder / f"serving.{rights.file_part(class_name)}.sqlite"


def _waits(seen: Seen) -> bool:
    return seen.manifest.rows >= serving.LATER_FROM_ROWS


def _unbaked(seen: Seen) -> Unbaked:
    return Unbaked(
        root=seen.lake.root,
        data=seen.folder / "data.parquet",
        columns=seen.class_columns,
        has_geometry=seen.manifest.geometry_type is not None,
        mark=rights.signature(seen.class_columns),
        count=seen.manifest.rows,
    )


def index_path_in(seen: Seen, folder: Path) -> Path:
    """Return the serving index of the viewer's class for the `data.parquet` of a folder of this dataset.

    It is baked again when rights moved since the version was made.
    """
    return bake_index(seen.lake, seen.ref, folder, seen.manifest, seen.class_name, seen.class_columns)


_baking = threading.Lock()


def bake_index(
    lake: Lake, ref: DatasetRef, folder: Path, manifest: Manifest, class_name: str, columns: tuple[Column, ...]
) -> Path:
    """Return the serving index of a class for the data of a folder, baked if it is absent or of other rights."""
    mark = rights.signature(columns)
    path = _index_file(folder, class_name)
    if serving.baked(path, mark) is not None:
        return path
    with _baking, lake.baking(ref):
        if serving.baked(path, mark) is not None:
            return path
        aside = path.with_name(f".{path.name}.part")
        con = sql.connect(threads=2, memory_mb=_BAKING_MB)
        try:
            serving.bake(
                con,
                serving.rows_of_file(folder / "data.parquet"),
                aside,
                columns=columns,
                has_geometry=manifest.geometry_type is not None,
                mark=mark,
            )
        finally:
            con.close()
        aside.replace(path)
    return path
