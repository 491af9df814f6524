"""What the lake knows, cut to what the viewer may read. The one way in for faces and other rooms.

Every function takes the viewer first. A dataset that is absent and one the viewer may not see raise the same
`DatasetNotFound` (404); a column the viewer may not see does not exist for her. Coordinates are longitude,
latitude in degrees (OGC:CRS84).
"""

from __future__ import annotations

import gzip
import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import download_sizes as sizes
from beffroi.lake import downloads, terrain, tiles
from beffroi.lake.answers import (
    MEASURES,
    DatasetDetail,
    DatasetSummary,
    FeaturePage,
    Measure,
    RowSet,
    TablePage,
    TilesState,
    VersionSummary,
)
from beffroi.lake.areas import AREA_MEASURES, AreaFigure, by_area
from beffroi.lake.differences import MAX_CHANGES, Change, Differences, differences_between
from beffroi.lake.download_sizes import DownloadSize
from beffroi.lake.downloads import FORMATS, Download
from beffroi.lake.editing_rights import is_counted, may_edit
from beffroi.lake.edits import Laid, laid_over
from beffroi.lake.finding import (
    FoundFeatures,
    first_published,
    formats,
    found_features,
    found_item,
    seen_dataset,
    seen_datasets,
    version_valid,
)
from beffroi.lake.manifest import ImportReport, SourceInfo
from beffroi.lake.rowsets import aggregate, rows, table
from beffroi.lake.schema_check import demands_anything
from beffroi.lake.seeing import (
    Seen,
    all_datasets,
    index_of,
    lake_in_use,
    missing,
    own_index,
    reading_classes,
    required,
    seen_by,
    summary_of,
    tiles_state_of,
    using_lake,
    what_is_seen,
)
from beffroi.lake.sql import FILTER_OPS, BadQuery, Filter, QueryTooCostly
from beffroi.lake.store import DatasetNotFound, DatasetRef, not_found
from beffroi.lake.terrain import Terrain
from beffroi.lake.tile_classes import with_classes
from beffroi.lake.tilesets import limits_of, tile_at, tilejson_of, tiles_ready
from beffroi.lake.waiting import Held, held

if TYPE_CHECKING:
    from beffroi.lake.scheduled import AskedSource
    from beffroi.lake.upload_previews import UploadPreview
    from beffroi.lake.uploads import UploadInfo

__all__ = [
    "AREA_MEASURES",
    "FILTER_OPS",
    "FORMATS",
    "MAX_CHANGES",
    "MEASURES",
    "AreaFigure",
    "BadQuery",
    "Change",
    "DatasetDetail",
    "DatasetNotFound",
    "DatasetRef",
    "DatasetSummary",
    "Differences",
    "Download",
    "DownloadSize",
    "FeaturePage",
    "Filter",
    "FoundFeatures",
    "Held",
    "ImportReport",
    "Laid",
    "Measure",
    "QueryTooCostly",
    "RowSet",
    "Seen",
    "SourceInfo",
    "TablePage",
    "Terrain",
    "TilesState",
    "VersionSummary",
    "aggregate",
    "all_datasets",
    "altitude_m",
    "asked_sources",
    "by_area",
    "classed_tile",
    "dataset",
    "datasets",
    "differences_between",
    "download",
    "download_sizes",
    "edits_laid",
    "edits_mark",
    "failing_sources",
    "feature",
    "features",
    "first_published",
    "formats",
    "found_features",
    "found_item",
    "has_schema",
    "held",
    "import_report",
    "limits_of",
    "may_be_edited",
    "missing",
    "reading_classes",
    "relief",
    "relief_tile",
    "rows",
    "seen_dataset",
    "seen_datasets",
    "table",
    "tile",
    "tile_at",
    "tilejson",
    "tilejson_of",
    "tiles_archive",
    "tiles_ready",
    "tiles_state",
    "upload",
    "upload_preview",
    "uploads",
    "using_lake",
    "version_valid",
    "versions",
    "what_is_seen",
]


MAX_FEATURES = 10_000


def datasets(
    viewer: Viewer, *, territory: str | None = None, theme: str | None = None, text: str = ""
) -> list[DatasetSummary]:
    """Return the datasets the viewer may see, by title; `text` looks in titles and descriptions, without accents."""
    lake = lake_in_use()
    wanted = _folded(text)
    found = []
    for ref in lake.refs(territory):
        seen = seen_by(lake, viewer, ref)
        if seen is None or (theme is not None and seen.manifest.theme != theme):
            continue
        if wanted in _folded(f"{seen.manifest.title} {seen.manifest.description} {ref.slug}"):
            found.append(summary_of(seen))
    return sorted(found, key=lambda summary: (_folded(summary.title), summary.ref))


def dataset(viewer: Viewer, ref: DatasetRef, *, version: str | None = None) -> DatasetDetail:
    """Return one dataset at its current version, or at `version`.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    seen = required(viewer, ref, version)
    checked = seen.lake.checked(ref)
    return DatasetDetail(
        summary=summary_of(seen),
        columns=seen.columns,
        versions=tuple(versions(viewer, ref)),
        evidences=seen.manifest.evidences,
        source=seen.manifest.source,
        definition=seen.manifest.definition,
        tiles=tiles_state_of(seen),
        checked_at=datetime.fromisoformat(checked["at"]) if checked else None,
        crs=seen.manifest.crs,
    )


def versions(viewer: Viewer, ref: DatasetRef) -> list[VersionSummary]:
    """Return every version, newest first.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    seen = required(viewer, ref, None)
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
    seen = required(viewer, ref, version)
    report = seen.lake.report(ref, seen.manifest.version)
    if len(seen.columns) == len(seen.manifest.columns):
        return report
    # Rejected rows and corrections quote the source, hidden columns included.
    shown = {column.key for column in seen.columns}
    faults = tuple(one for one in report.schema_faults if one.column in shown)
    return replace(report, rejects=(), rejected_by_reason={}, corrections=(), evidences=(), schema_faults=faults)


def has_schema(detail: DatasetDetail) -> bool:
    """Tell whether the dataset file of a version demands anything of its columns."""
    return demands_anything(detail.definition)


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
    seen = required(viewer, ref, version)
    if seen.edits is not None:
        found = found_features(seen, bbox=bbox, limit=limit, after=_cursor(after))
        return FeaturePage(
            tuple(json.dumps(one, ensure_ascii=False).encode() for one in json.loads(b"[" + found.joined + b"]")),
            None if found.last is None else str(found.last),
            found.matched,
        )
    index = index_of(seen)
    page = index.page(bbox=bbox, limit=limit, after=_cursor(after))
    return FeaturePage(
        tuple(body.encode() for body in page.bodies), None if page.last is None else str(page.last), page.matched
    )


def feature(viewer: Viewer, ref: DatasetRef, feature_id: str, *, version: str | None = None) -> bytes:
    """Return one GeoJSON feature.

    Raises:
        DatasetNotFound: the dataset or the feature is absent, or not for this viewer.
    """
    return found_item(required(viewer, ref, version), feature_id)


def edits_mark(territory: str) -> int:
    """Return a number that moves with every edit of the territory's data; one `stat` call."""
    return lake_in_use().edits_mark(territory)


def edits_laid(viewer: Viewer, territory: str) -> list[Laid]:
    """Return what was corrected since the versions in force were made, as the viewer may see it."""
    return laid_over(viewer, lake_in_use(), territory)


def may_be_edited(viewer: Viewer, ref: DatasetRef) -> bool:
    """Tell whether the viewer may correct the things of a dataset.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    return may_edit(viewer, ref) and not is_counted(required(viewer, ref, None).manifest.definition, ref)


def tile(viewer: Viewer, ref: DatasetRef, z: int, x: int, y: int, *, version: str | None = None) -> bytes | None:
    """Return one vector tile (MVT, gzipped), None where there is nothing or while tiles are being baked.

    Raises:
        DatasetNotFound: absent, without geometry, or not for this viewer.
    """
    seen = required(viewer, ref, version)
    if seen.manifest.geometry_type is None:
        raise not_found(ref)
    return tiles.tile(seen.folder, seen.class_name, seen.class_columns, z, x, y)


def classed_tile(
    viewer: Viewer,
    ref: DatasetRef,
    z: int,
    x: int,
    y: int,
    *,
    class_of: Callable[[str], int | None],
    version: str | None = None,
) -> bytes | None:
    """Return one vector tile as `tile`, not compressed, whose things bear the class that `class_of` tells of their id.

    Raises:
        DatasetNotFound: absent, without geometry, or not for this viewer.
    """
    found = tile(viewer, ref, z, x, y, version=version)
    return None if found is None else with_classes(gzip.decompress(found), class_of)


def relief(territory: str) -> Terrain | None:
    """Return what is known of the relief of a territory, None when nothing is; relief is public."""
    return terrain.terrain_of(lake_in_use().root, territory)


def relief_tile(territory: str, version: str, z: int, x: int, y: int) -> bytes | None:
    """Return a terrain-RGB PNG tile, None outside the relief.

    Raises:
        DatasetNotFound: no such version.
    """
    path = terrain.archive_path(lake_in_use().root, territory, version)
    if path is None:
        raise not_found(DatasetRef(territory, "relief"))
    return tiles.archived(path, z, x, y)


def altitude_m(territory: str, *, lon: float, lat: float) -> float | None:
    """Return the altitude of the ground (metres) at a place (CRS84), None where the relief is not known."""
    return terrain.altitude_m(lake_in_use().root, territory, lon=lon, lat=lat)


def tiles_archive(viewer: Viewer, ref: DatasetRef, *, version: str | None = None) -> Download:
    """Return all the tiles of a dataset in one PMTiles file.

    Raises:
        DatasetNotFound: absent, not baked yet, or not for this viewer.
    """
    seen = required(viewer, ref, version)
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
    seen = required(viewer, ref, version)
    if seen.manifest.geometry_type is None:
        raise not_found(ref)
    return tiles.tilejson(seen.folder, seen.class_name, seen.manifest, seen.class_columns, tiles_url=tiles_url)


def tiles_state(viewer: Viewer, ref: DatasetRef, *, version: str | None = None) -> TilesState:
    """Return where the tiles the viewer would get stand.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    return tiles_state_of(required(viewer, ref, version))


def download(viewer: Viewer, ref: DatasetRef, format: str, *, version: str | None = None) -> Download:
    """Return the whole dataset in one of `FORMATS`, with the columns the viewer may read.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
        BadQuery: unknown format, or one that needs a geometry the dataset has not.
    """
    seen = required(viewer, ref, version)
    return downloads.download(
        seen.lake, seen.manifest, seen.class_name, seen.class_columns, format, index=lambda: own_index(seen)
    )


def download_sizes(viewer: Viewer, ref: DatasetRef, *, version: str | None = None) -> dict[str, DownloadSize]:
    """Return what the dataset weighs in each format, known or guessed, with the columns the viewer may read.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    seen = required(viewer, ref, version)
    return sizes.download_sizes(seen.lake, seen.manifest, seen.class_name, seen.class_columns)


def asked_sources(viewer: Viewer, territory: str, *, at: datetime) -> list[AskedSource]:
    """Return the national sources of a territory, when each was asked and is next, and what failed.

    Raises:
        Refused: the viewer is neither agent nor administrator of the territory.
    """
    from beffroi.lake import asking, operations

    operations.require_agent(viewer, territory)
    return asking.asked_sources(territory, at=at)


def failing_sources(viewer: Viewer, territory: str) -> int:
    """Return how many national sources of a territory failed when they were last asked.

    Raises:
        Refused: the viewer is neither agent nor administrator of the territory.
    """
    from beffroi.lake import asking, operations

    operations.require_agent(viewer, territory)
    return asking.failing_sources(territory)


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


def _cursor(after: str | None) -> int:
    if after is None or after == "":
        return -1
    if not after.isascii() or not after.isdigit() or len(after) > 12:
        raise BadQuery(
            "repère de page « {cursor} » inconnu", where="after", remedy="suivez le lien « suivant »", cursor=after[:40]
        )
    return int(after)


def _folded(text: str) -> str:
    """Return a text without case or accents, for searching."""
    return "".join(mark for mark in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(mark))
