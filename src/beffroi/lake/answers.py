"""The values that `queries` answers with: frozen, typed, and free of any file or connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from beffroi.base.kernel.geo import BBox
from beffroi.lake.manifest import SourceInfo
from beffroi.lake.reading import Column, Evidence
from beffroi.lake.store import DatasetRef


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
    ISO dates. `formats` are those `download` accepts. `has_volumes`: its buildings have their real surfaces, for this
    viewer (see `lake/volumes.py`). `owner` is the service its file names (see `lake/owners.py`). `rhythm` is that of
    today: said by an agent, by its file, or deduced from its versions (see `lake/rhythms.py`).
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
    has_volumes: bool = False
    owner: str = ""
    rhythm_is_deduced: bool = False

    @property
    def short_title(self) -> str:
        """Return the title where a banner says already that the town is fictional."""
        return self.title.removesuffix(" (ville fictive)") if self.fictional else self.title


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
