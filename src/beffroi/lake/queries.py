"""What the lake knows, cut to what the viewer may read. The one way in for faces and other rooms.

Every function takes the viewer first. A dataset that is absent and one the viewer may not see raise the same
`DatasetNotFound` (404); a column the viewer may not see does not exist for her. Coordinates are longitude,
latitude in degrees (OGC:CRS84).
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import downloads, rights, serving, sql, tiles
from beffroi.lake.downloads import FORMATS, Download
from beffroi.lake.manifest import ID, ImportReport, Manifest, SourceInfo
from beffroi.lake.reading import GEOMETRY, Column, ColumnType, Evidence
from beffroi.lake.sql import FILTER_OPS, BadQuery, Filter, QueryTooCostly
from beffroi.lake.store import DatasetNotFound, DatasetRef, InForce, Lake, not_found

if TYPE_CHECKING:
    from beffroi.lake.uploads import UploadInfo, UploadPreview

__all__ = [
    "FILTER_OPS",
    "FORMATS",
    "MEASURES",
    "BadQuery",
    "DatasetDetail",
    "DatasetNotFound",
    "DatasetRef",
    "DatasetSummary",
    "Download",
    "FeaturePage",
    "Filter",
    "ImportReport",
    "Measure",
    "QueryTooCostly",
    "RowSet",
    "SourceInfo",
    "TablePage",
    "TilesState",
    "VersionSummary",
    "aggregate",
    "dataset",
    "datasets",
    "download",
    "feature",
    "features",
    "import_report",
    "rows",
    "table",
    "tile",
    "tilejson",
    "tiles_archive",
    "tiles_state",
    "upload",
    "upload_preview",
    "uploads",
    "versions",
]


class TilesState(StrEnum):
    """Where the map tiles of a version stand. NONE: the dataset has no geometry."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """One line of the list of datasets. `access` is ``public``, ``agents`` or ``service:<slug>``.

    `geometry_type` is a GeoJSON type, ``Geometry`` when mixed, None for a plain table. `period` is (first, last) as
    ISO dates. `formats` are those `download` accepts.
    """

    ref: DatasetRef
    title: str
    theme: str
    description: str
    producer: str
    licence: str
    rhythm: str
    rows: int
    geometry_type: str | None
    bbox: BBox | None
    version: str
    updated_at: datetime
    period: tuple[str, str] | None
    access: str
    fictional: bool
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VersionSummary:
    """One line of a dataset's history."""

    version: str
    created_at: datetime
    rows: int
    rows_rejected: int
    source: SourceInfo
    period: tuple[str, str] | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class DatasetDetail:
    """A dataset at one version: its summary, the columns the viewer may read and where it comes from."""

    summary: DatasetSummary
    columns: tuple[Column, ...]
    versions: tuple[VersionSummary, ...]
    evidences: tuple[Evidence, ...]
    source: SourceInfo
    definition: Mapping[str, Any]
    tiles: TilesState
    checked_at: datetime | None = None
    crs: str | None = None


@dataclass(frozen=True, slots=True)
class FeaturePage:
    """Ready GeoJSON features (one UTF-8 fragment each), in the order of the dataset.

    `next_cursor` goes back as `after` for the following page, None on the last one. `number_matched` is None when
    counting would cost a scan.
    """

    features: tuple[bytes, ...]
    next_cursor: str | None
    number_matched: int | None

    @property
    def number_returned(self) -> int:
        """Return how many features this page holds."""
        return len(self.features)

    def feature_collection(self) -> bytes:
        """Return the page as a GeoJSON FeatureCollection."""
        return b'{"type":"FeatureCollection","features":[' + b",".join(self.features) + b"]}"


@dataclass(frozen=True, slots=True)
class TablePage:
    """Rows of a sorted, filtered table from `offset` on. `ids[i]` is the id of `rows[i]`; `total` counts all."""

    columns: tuple[Column, ...]
    ids: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: int
    offset: int
    limit: int

    @property
    def next_offset(self) -> int | None:
        """Return the offset of the next page, None on the last."""
        end = self.offset + len(self.rows)
        return end if end < self.total else None


@dataclass(frozen=True, slots=True)
class RowSet:
    """Plain typed rows for other rooms; `columns` name each value of a row."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of an aggregate: `function` is one of `MEASURES`, `column` is not used by ``count``."""

    name: str
    function: str = "count"
    column: str | None = None


MEASURES = ("count", "sum", "mean", "min", "max", "median", "distinct")


MAX_FEATURES = 10_000
MAX_TABLE = 1_000
TABLE_TIMEOUT_S = 10.0
TABLE_MEMORY_MB = 512


def datasets(
    viewer: Viewer, *, territory: str | None = None, theme: str | None = None, text: str = ""
) -> list[DatasetSummary]:
    """Return the datasets the viewer may see, by title; `text` looks in titles and descriptions, without accents."""
    lake = _lake()
    wanted = _folded(text)
    found = []
    for ref in lake.refs(territory):
        seen = _seen(lake, viewer, ref)
        if seen is None or (theme is not None and seen.manifest.theme != theme):
            continue
        if wanted in _folded(f"{seen.manifest.title} {seen.manifest.description} {ref.slug}"):
            found.append(_summary(seen))
    return sorted(found, key=lambda summary: (_folded(summary.title), summary.ref))


def dataset(viewer: Viewer, ref: DatasetRef, *, version: str | None = None) -> DatasetDetail:
    """Return one dataset at its current version, or at `version`.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    seen = _required(viewer, ref, version)
    checked = seen.lake.checked(ref)
    return DatasetDetail(
        summary=_summary(seen),
        columns=seen.columns,
        versions=tuple(versions(viewer, ref)),
        evidences=seen.manifest.evidences,
        source=seen.manifest.source,
        definition=seen.manifest.definition,
        tiles=_tiles_state(seen),
        checked_at=datetime.fromisoformat(checked["at"]) if checked else None,
        crs=seen.manifest.crs,
    )


def versions(viewer: Viewer, ref: DatasetRef) -> list[VersionSummary]:
    """Return every version, newest first.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    seen = _required(viewer, ref, None)
    manifests = [seen.lake.manifest(ref, version) for version in seen.lake.versions(ref)]
    return [
        VersionSummary(
            version=manifest.version,
            created_at=manifest.created_at,
            rows=manifest.rows,
            rows_rejected=manifest.rows_rejected,
            source=manifest.source,
            period=manifest.period,
            is_current=manifest.version == seen.manifest.version,
        )
        for manifest in manifests
    ]


def import_report(viewer: Viewer, ref: DatasetRef, *, version: str | None = None) -> ImportReport:
    """Return what the import of a version read, kept and refused.

    Excerpts of rejected rows are kept only for viewers who may read every column: they quote the source.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    seen = _required(viewer, ref, version)
    report = seen.lake.report(ref, seen.manifest.version)
    if len(seen.columns) == len(seen.manifest.columns):
        return report
    # Rejected rows and corrections quote the source, hidden columns included.
    return replace(report, rejects=(), rejected_by_reason={}, corrections=(), evidences=())


def features(
    viewer: Viewer,
    ref: DatasetRef,
    *,
    version: str | None = None,
    bbox: BBox | None = None,
    limit: int = 100,
    after: str | None = None,
) -> FeaturePage:
    """Return features whose own box meets `bbox`, as ready GeoJSON, from the serving index (well under 1 ms for 100).

    Raises:
        DatasetNotFound: absent, or not for this viewer.
        BadQuery: `limit` out of 1…10 000, or a cursor that is not ours.
    """
    if not 1 <= limit <= MAX_FEATURES:
        raise BadQuery(
            "{limit} éléments demandés", where="limit", remedy="de 1 à {most}", limit=limit, most=MAX_FEATURES
        )
    index = _index(_required(viewer, ref, version))
    page = index.page(bbox=bbox, limit=limit, after=_cursor(after))
    return FeaturePage(
        tuple(body.encode() for body in page.bodies), None if page.last is None else str(page.last), page.matched
    )


def feature(viewer: Viewer, ref: DatasetRef, feature_id: str, *, version: str | None = None) -> bytes:
    """Return one GeoJSON feature.

    Raises:
        DatasetNotFound: the dataset or the feature is absent, or not for this viewer.
    """
    body = _index(_required(viewer, ref, version)).feature(feature_id)
    if body is None:
        raise DatasetNotFound(
            "élément « {id} » introuvable", where=str(ref), remedy="consultez la liste", id=feature_id[:80]
        )
    return body.encode()


def table(
    viewer: Viewer,
    ref: DatasetRef,
    *,
    version: str | None = None,
    columns: Sequence[str] | None = None,
    where: Sequence[Filter] = (),
    order_by: str | None = None,
    descending: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> TablePage:
    """Return one page of a table, sorted and filtered, with the number of rows that match.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
        BadQuery: a column unknown to this viewer, an operator or a value that does not suit its type.
        QueryTooCostly: over the time or memory allowed.
    """
    if not 1 <= limit <= MAX_TABLE or offset < 0:
        raise BadQuery(
            "page illisible (limit={limit}, offset={offset})",
            remedy="limit de 1 à {most}, offset positif",
            limit=limit,
            offset=offset,
            most=MAX_TABLE,
        )
    seen = _required(viewer, ref, version)
    known = {column.key: column for column in seen.columns}
    shown = [sql.known_column(key, known) for key in columns] if columns is not None else list(seen.columns)
    condition, values = sql.conditions(where, known)
    order = "file_row_number"
    if order_by is not None:
        direction = "DESC" if descending else "ASC"
        order = f"{sql.name(sql.known_column(order_by, known).key)} {direction} NULLS LAST, file_row_number"
    selected = ", ".join([ID, *(sql.name(column.key) for column in shown)])
    source = "read_parquet(?, file_row_number = true)"
    with sql.reading(seen.lake.root, timeout_s=TABLE_TIMEOUT_S, memory_mb=TABLE_MEMORY_MB) as con:
        total = seen.manifest.rows
        if where:
            total = _one(con, f"SELECT count(*) FROM {source} WHERE {condition}", [seen.data, *values])  # noqa: S608
        found = con.execute(
            f"SELECT {selected} FROM {source} WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?",  # noqa: S608
            [seen.data, *values, limit, offset],
        ).fetchall()
    return TablePage(
        columns=tuple(shown),
        ids=tuple(row[0] for row in found),
        rows=tuple(row[1:] for row in found),
        total=total,
        offset=offset,
        limit=limit,
    )


def rows(
    viewer: Viewer,
    ref: DatasetRef,
    *,
    columns: Sequence[str],
    where: Sequence[Filter] = (),
    bbox: BBox | None = None,
    version: str | None = None,
    max_rows: int = 100_000,
    timeout_s: float = 10.0,
    memory_mb: int = 512,
) -> RowSet:
    """Return typed rows for another room. `columns` may also name ``_id`` and ``geometry`` (WKB, CRS84).

    Raises:
        DatasetNotFound: absent, or not for this viewer.
        BadQuery: as `table`, or more than `max_rows` rows match.
        QueryTooCostly: over `timeout_s` or `memory_mb`.
    """
    seen = _required(viewer, ref, version)
    known = {column.key: column for column in seen.columns}
    condition, values = sql.conditions(where, known, bbox=_placed(seen, bbox))
    selected = ", ".join(_selectable(key, seen, known) for key in columns)
    if not selected:
        raise BadQuery("aucune colonne demandée", where="columns", remedy="nommez-en une au moins")
    with sql.reading(seen.lake.root, timeout_s=timeout_s, memory_mb=memory_mb) as con:
        found = con.execute(
            f"SELECT {selected} FROM read_parquet(?) WHERE {condition} LIMIT ?",  # noqa: S608
            [seen.data, *values, max_rows + 1],
        ).fetchall()
    return RowSet(tuple(columns), _bounded(found, max_rows))


def aggregate(
    viewer: Viewer,
    ref: DatasetRef,
    *,
    group_by: Sequence[str] = (),
    measures: Sequence[Measure] = (Measure("count"),),
    where: Sequence[Filter] = (),
    bbox: BBox | None = None,
    version: str | None = None,
    max_rows: int = 10_000,
    timeout_s: float = 10.0,
    memory_mb: int = 512,
) -> RowSet:
    """Return `measures` for each value of `group_by`, ordered by it; one row in all when it is empty.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
        BadQuery: an unknown column or measure, or more than `max_rows` groups.
        QueryTooCostly: over `timeout_s` or `memory_mb`.
    """
    seen = _required(viewer, ref, version)
    known = {column.key: column for column in seen.columns}
    condition, values = sql.conditions(where, known, bbox=_placed(seen, bbox))
    keys = [sql.name(sql.known_column(key, known).key) for key in group_by]
    figures = [_measured(measure, known) for measure in measures]
    if not figures and not keys:
        raise BadQuery("aucune mesure demandée", where="measures", remedy="nommez-en une au moins")
    grouped = f"GROUP BY {', '.join(keys)} ORDER BY {', '.join(f'{key} NULLS LAST' for key in keys)}" if keys else ""
    with sql.reading(seen.lake.root, timeout_s=timeout_s, memory_mb=memory_mb) as con:
        found = con.execute(
            f"SELECT {', '.join(keys + figures)} FROM read_parquet(?) WHERE {condition} {grouped} LIMIT ?",  # noqa: S608
            [seen.data, *values, max_rows + 1],
        ).fetchall()
    return RowSet((*group_by, *(measure.name for measure in measures)), _bounded(found, max_rows))


def tile(viewer: Viewer, ref: DatasetRef, z: int, x: int, y: int, *, version: str | None = None) -> bytes | None:
    """Return one vector tile (MVT, gzipped), None where there is nothing or while tiles are being baked.

    Raises:
        DatasetNotFound: absent, without geometry, or not for this viewer.
    """
    seen = _required(viewer, ref, version)
    if seen.manifest.geometry_type is None:
        raise not_found(ref)
    return tiles.tile(seen.folder, seen.class_name, seen.class_columns, z, x, y)


def tiles_archive(viewer: Viewer, ref: DatasetRef, *, version: str | None = None) -> Download:
    """Return all the tiles of a dataset in one PMTiles file.

    Raises:
        DatasetNotFound: absent, not baked yet, or not for this viewer.
    """
    seen = _required(viewer, ref, version)
    path = tiles.archive_path(seen.folder, seen.class_name, seen.class_columns)
    if path is None:
        raise not_found(ref)
    name = f"{ref.territory}-{ref.slug}-{seen.manifest.created_at:%Y%m%d}.pmtiles"
    return Download(name, "application/vnd.pmtiles", path=path, size_bytes=path.stat().st_size)


def tilejson(viewer: Viewer, ref: DatasetRef, *, tiles_url: str, version: str | None = None) -> dict[str, Any]:
    """Return the TileJSON 3.0 of a dataset. `tiles_url` is the address with ``{z}/{x}/{y}``.

    Raises:
        DatasetNotFound: absent, without geometry, or not for this viewer.
    """
    seen = _required(viewer, ref, version)
    if seen.manifest.geometry_type is None:
        raise not_found(ref)
    return tiles.tilejson(seen.folder, seen.class_name, seen.manifest, seen.class_columns, tiles_url=tiles_url)


def tiles_state(viewer: Viewer, ref: DatasetRef, *, version: str | None = None) -> TilesState:
    """Return where the tiles the viewer would get stand.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    return _tiles_state(_required(viewer, ref, version))


def download(viewer: Viewer, ref: DatasetRef, format: str, *, version: str | None = None) -> Download:
    """Return the whole dataset in one of `FORMATS`, with the columns the viewer may read.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
        BadQuery: unknown format, or one that needs a geometry the dataset has not.
    """
    seen = _required(viewer, ref, version)
    return downloads.download(
        seen.lake, seen.manifest, seen.class_name, seen.class_columns, format, index=lambda: _index_path(seen)
    )


def uploads(viewer: Viewer, *, territory: str) -> list[UploadInfo]:
    """Return the last hundred files that agents of a territory sent, newest first.

    Raises:
        Refused: the viewer is neither agent nor administrator of the territory.
    """
    from beffroi.lake import uploads as room

    return room.uploads(viewer, territory=territory)


def upload(viewer: Viewer, upload_id: int) -> UploadInfo:
    """Return one upload.

    Raises:
        NotFound: absent, or of another territory.
    """
    from beffroi.lake import uploads as room

    return room.upload(viewer, upload_id)


def upload_preview(viewer: Viewer, upload_id: int) -> UploadPreview:
    """Return what an upload would publish.

    Raises:
        NotFound: absent, of another territory, or no longer waiting.
    """
    from beffroi.lake import uploads as room

    return room.upload_preview(viewer, upload_id)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One version of a dataset as one viewer may see it: `columns` are hers, `class_name` her class."""

    lake: Lake
    ref: DatasetRef
    folder: Path
    manifest: Manifest
    access: str
    columns: tuple[Column, ...]
    class_name: str
    class_columns: tuple[Column, ...]

    @property
    def data(self) -> str:
        """Return the path of the data as DuckDB wants it."""
        return str(self.folder / "data.parquet")


def _lake() -> Lake:
    return Lake(Path(settings.LAKE_DIR))


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


def _seen(lake: Lake, viewer: Viewer, ref: DatasetRef, version: str | None = None) -> _Seen | None:
    """Return what `viewer` sees of a dataset, None when it is not for her. The rights are those of today."""
    force = lake.in_force(ref)
    clearances = viewer.clearances(ref.territory)
    if force.access not in clearances:
        return None
    folder = lake.version_folder(ref, version or force.version)
    manifest = lake.manifest(ref, version or force.version)
    cut = _cut(folder, force, clearances, _Same(manifest))
    if cut is None:
        return None
    class_name, columns, class_columns = cut
    return _Seen(lake, ref, folder, manifest, force.access, columns, class_name, class_columns)


def _required(viewer: Viewer, ref: DatasetRef, version: str | None) -> _Seen:
    seen = _seen(_lake(), viewer, ref, version)
    if seen is None:
        raise not_found(ref)
    return seen


def _summary(seen: _Seen) -> DatasetSummary:
    manifest = seen.manifest
    return DatasetSummary(
        ref=seen.ref,
        title=manifest.title,
        theme=manifest.theme,
        description=manifest.description,
        producer=manifest.producer,
        licence=manifest.licence,
        rhythm=manifest.rhythm,
        rows=manifest.rows,
        geometry_type=manifest.geometry_type,
        bbox=manifest.bbox,
        version=manifest.version,
        updated_at=manifest.created_at,
        period=manifest.period,
        access=seen.access,
        fictional=manifest.fictional,
        formats=tuple(downloads.formats(manifest)),
    )


def _tiles_state(seen: _Seen) -> TilesState:
    if seen.manifest.geometry_type is None:
        return TilesState.NONE
    return TilesState(tiles.state(seen.folder, seen.class_name, seen.class_columns))


_baking = threading.Lock()


def _index_path(seen: _Seen) -> Path:
    """Return the serving index of the viewer's class, baked again when rights moved since the version was made."""
    mark = rights.signature(seen.class_columns)
    path = seen.folder / f"serving.{rights.file_part(seen.class_name)}.sqlite"
    with suppress(FileNotFoundError):
        if serving.opened(path).mark == mark:
            return path
    with _baking, seen.lake.writing(seen.ref):
        aside = path.with_name(f".{path.name}.part")
        con = sql.connect(threads=2)
        try:
            serving.bake(
                con,
                seen.folder / "data.parquet",
                aside,
                columns=seen.class_columns,
                has_geometry=seen.manifest.geometry_type is not None,
                mark=mark,
            )
        finally:
            con.close()
        aside.replace(path)
    return path


def _index(seen: _Seen) -> serving.Index:
    return serving.opened(_index_path(seen))


def _cursor(after: str | None) -> int:
    if after is None or after == "":
        return -1
    if not after.isascii() or not after.isdigit() or len(after) > 12:
        raise BadQuery(
            "repère de page « {cursor} » inconnu", where="after", remedy="suivez le lien « suivant »", cursor=after[:40]
        )
    return int(after)


def _selectable(key: str, seen: _Seen, known: Mapping[str, Column]) -> str:
    if key == ID:
        return ID
    if key == GEOMETRY and seen.manifest.geometry_type is not None:
        return f"ST_AsWKB({GEOMETRY})"
    return sql.name(sql.known_column(key, known).key)


def _placed(seen: _Seen, bbox: BBox | None) -> BBox | None:
    if bbox is not None and seen.manifest.geometry_type is None:
        raise BadQuery("ce jeu de données n'est pas situé", where="bbox", remedy="retirez l'emprise")
    return bbox


_FUNCTIONS = {
    "sum": "sum({0})",
    "mean": "avg({0})",
    "min": "min({0})",
    "max": "max({0})",
    "median": "median({0})",
    "distinct": "count(DISTINCT {0})",
}
_NUMERIC_ONLY = ("sum", "mean", "median")


def _measured(measure: Measure, known: Mapping[str, Column]) -> str:
    if measure.function == "count":
        return "count(*)"
    if measure.function not in _FUNCTIONS or measure.column is None:
        raise BadQuery(
            "mesure « {function} » illisible",
            remedy="mesures : {known}, chacune sur une colonne",
            function=measure.function,
            known=", ".join(MEASURES),
        )
    column = sql.known_column(measure.column, known)
    if measure.function in _NUMERIC_ONLY and column.type not in (ColumnType.INTEGER, ColumnType.NUMBER):
        raise BadQuery(
            "la colonne « {column} » n'est pas un nombre",
            remedy="demandez min, max, distinct ou count",
            column=column.key,
        )
    return _FUNCTIONS[measure.function].format(sql.name(column.key))


def _bounded(found: list[tuple[Any, ...]], most: int) -> list[tuple[Any, ...]]:
    if len(found) > most:
        raise BadQuery("plus de {most} lignes répondent", remedy="filtrez davantage", most=most)
    return found


def _one(con: Any, query: str, values: Sequence[Any]) -> int:
    return int(con.execute(query, list(values)).fetchone()[0])


def _folded(text: str) -> str:
    """Return a text without case or accents, for searching."""
    return "".join(mark for mark in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(mark))
