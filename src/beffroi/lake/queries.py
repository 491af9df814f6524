"""What the lake knows, cut to what the viewer may read. The one way in for faces and other rooms.

Every function takes the viewer first. A dataset that is absent and one the viewer may not see raise the same
`DatasetNotFound` (404); a column the viewer may not see does not exist for her. Coordinates are longitude,
latitude in degrees (OGC:CRS84).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Viewer
from beffroi.lake.manifest import ImportReport, SourceInfo
from beffroi.lake.reading import Column, Evidence


@dataclass(frozen=True, slots=True, order=True)
class DatasetRef:
    """Name a dataset: the INSEE (or SIREN) code of its territory and its slug."""

    territory: str
    slug: str

    def __str__(self) -> str:
        return f"{self.territory}/{self.slug}"


class DatasetNotFound(NotFound):
    """The dataset, version or feature does not exist, or the viewer may not know that it does."""


class BadQuery(BeffroiError):
    """A filter, a column, an order or a page that cannot be answered; says which and what would do."""


class QueryTooCostly(BeffroiError):
    """The query ran over its time or memory."""

    http_status = 422


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
class Filter:
    """One condition on a column, by key. `op` is one of `FILTER_OPS`; `value` is text or a typed value.

    ``null`` takes True (is empty) or False (is filled). ``contains`` and ``starts`` ignore case and accents.
    """

    column: str
    op: str
    value: Any = None


FILTER_OPS = ("eq", "ne", "lt", "le", "gt", "ge", "contains", "starts", "null")


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


@dataclass(frozen=True, slots=True)
class Download:
    """A file to hand over: either a finished file (`path`) or bytes to stream (`chunks`), never both."""

    filename: str
    media_type: str
    path: Path | None = None
    chunks: Iterator[bytes] | None = None
    size_bytes: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


FORMATS = ("geojson", "csv", "parquet", "gpkg", "xlsx")


def datasets(
    viewer: Viewer, *, territory: str | None = None, theme: str | None = None, text: str = ""
) -> list[DatasetSummary]:
    """Return the datasets the viewer may see, by title; `text` looks in titles and descriptions, without accents."""
    raise NotImplementedError


def dataset(viewer: Viewer, ref: DatasetRef, *, version: str | None = None) -> DatasetDetail:
    """Return one dataset at its current version, or at `version`.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    raise NotImplementedError


def versions(viewer: Viewer, ref: DatasetRef) -> list[VersionSummary]:
    """Return every version, newest first.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    raise NotImplementedError


def import_report(viewer: Viewer, ref: DatasetRef, *, version: str | None = None) -> ImportReport:
    """Return what the import of a version read, kept and refused.

    Excerpts of rejected rows are kept only for viewers who may read every column: they quote the source.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    raise NotImplementedError


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
    raise NotImplementedError


def feature(viewer: Viewer, ref: DatasetRef, feature_id: str, *, version: str | None = None) -> bytes:
    """Return one GeoJSON feature.

    Raises:
        DatasetNotFound: the dataset or the feature is absent, or not for this viewer.
    """
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


def tile(viewer: Viewer, ref: DatasetRef, z: int, x: int, y: int, *, version: str | None = None) -> bytes | None:
    """Return one vector tile (MVT, gzipped), None where there is nothing or while tiles are being baked.

    Raises:
        DatasetNotFound: absent, without geometry, or not for this viewer.
    """
    raise NotImplementedError


def tilejson(viewer: Viewer, ref: DatasetRef, *, tiles_url: str, version: str | None = None) -> dict[str, Any]:
    """Return the TileJSON 3.0 of a dataset. `tiles_url` is the address with ``{z}/{x}/{y}``.

    Raises:
        DatasetNotFound: absent, without geometry, or not for this viewer.
    """
    raise NotImplementedError


def tiles_state(viewer: Viewer, ref: DatasetRef, *, version: str | None = None) -> TilesState:
    """Return where the tiles the viewer would get stand.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    raise NotImplementedError


def download(viewer: Viewer, ref: DatasetRef, format: str, *, version: str | None = None) -> Download:
    """Return the whole dataset in one of `FORMATS`, with the columns the viewer may read.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
        BadQuery: unknown format, or one that needs a geometry the dataset has not.
    """
    raise NotImplementedError
