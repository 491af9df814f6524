"""What a connector makes of a source: the one shape between files as published and the lake. Knows no Django."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import Sentence

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from beffroi.lake import duck


class ColumnType(StrEnum):
    """The types of the lake, each with one DuckDB type (see `DUCKDB_TYPE`)."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"


DUCKDB_TYPE: dict[ColumnType, str] = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.DATE: "DATE",
    ColumnType.DATETIME: "TIMESTAMP",
    ColumnType.TIME: "TIME",
}

GEOMETRY = "geometry"
"""Name of the one geometry column: WKB (BLOB), OGC:CRS84 (longitude, latitude), Z kept when the source has it."""

SURFACES = "surfaces_cityjson"
"""Key of the text column that holds the surfaces of a building, as `lake/volumes.py` writes them. A map draws it: pages
and tiles leave it out."""

LINE = "_line"
"""Name of the column that carries where a row stood in its source (1-based line or feature number); never published."""


ABSENCE = "_absence"
"""End of the key of the column that says why another holds nothing."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a dataset. `key` is snake_case ASCII, unique; `title` is what the publisher wrote.

    `labels` say what its coded values mean: (value as text, meaning).
    """

    key: str
    title: str
    type: ColumnType = ColumnType.TEXT
    unit: str | None = None
    description: str = ""
    access: str = "public"
    labels: tuple[tuple[str, str], ...] = ()

    def label(self, value: object) -> str | None:
        """Return what a coded value means, None when nothing says it."""
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        return dict(self.labels).get(text) if self.labels else None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something the file did not say and that was found out: `subject` (encoding, separator, decimal, dates, crs,
    format, header, geometry), the `value` retained and `why`, in a French sentence."""

    subject: str
    value: str
    why: Sentence


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not kept: `line` (1-based in the source, None when unknown), the reason, a short excerpt."""

    line: int | None
    reason: Sentence
    excerpt: str = ""


@dataclass(slots=True)
class Rejects:
    """Count every rejected row and keep the first `kept` of them, by reason, for the report."""

    kept: int = 200
    total: int = 0
    rows: list[Reject] = field(default_factory=list)
    by_reason: dict[str, int] = field(default_factory=dict)

    def add(self, line: int | None, reason: Sentence, excerpt: str = "", *, count: int = 1) -> None:
        """Record one rejected row (or `count` of them under one example)."""
        self.total += count
        self.by_reason[reason.template] = self.by_reason.get(reason.template, 0) + count
        if len(self.rows) < self.kept:
            self.rows.append(Reject(line, reason, excerpt[:200]))


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a text, a row each: in the file `path`, after `skip` others. `points` (n, 2) says where each row is,
    NaN nowhere; `blank` are the ranks of those that hold nothing, and are no rows. `read` returns the SQL of the rows
    that such lines are, in files that hold nothing else, each behind its name and a `separator`: see `Streamed.rows`.
    """

    path: Path
    skip: int
    separator: str
    points: npt.NDArray[np.float32]
    blank: npt.NDArray[np.intp]
    read: Callable[[Sequence[Path]], str]


@dataclass(frozen=True, slots=True)
class Streamed:
    """Rows left in their file, read again by each question: a view of the source, which holds them in no memory.

    `numbered` is the view of the same rows with their `LINE`, `rows` the SQL of the same with what was published in
    each column, as text, under the name that `texts` gives. Where the rows have a place, `x` and `y` are the columns
    that hold it (CRS84), `box` is west, south, east, north of them all; `lines`, when they are known, are theirs.
    """

    numbered: str
    rows: str
    texts: Mapping[str, str]
    x: str = ""
    y: str = ""
    box: tuple[float, float, float, float] | None = None
    lines: Lines | None = None


@dataclass(slots=True)
class Reading:
    """A source as read: a temporary table of `con` named `table`, whose columns are those of `columns` (by key, in the
    type `DUCKDB_TYPE` gives), an optional `GEOMETRY` column and an optional `LINE` column.

    `rows_read` counts every record of the source; rows of the table + `rejects.total` == `rows_read`.
    `period` is (first, last) as ISO dates when the source or its README states or shows one. With `streamed`, `table`
    is a view, `rows_read` an upper bound and `period` unknown until the rows are prepared.
    """

    con: duck.Connection
    table: str
    columns: tuple[Column, ...]
    rows_read: int
    has_geometry: bool = False
    evidences: list[Evidence] = field(default_factory=list)
    rejects: Rejects = field(default_factory=Rejects)
    crs: str | None = None
    title: str = ""
    licence: str = ""
    description: str = ""
    period: tuple[str, str] | None = None
    streamed: Streamed | None = None


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a dataset file imposes on reading, over what detection finds; None means "detect".

    `layer` names the sheet, layer or member to read. `crs` is an authority code (``EPSG:2154``). `x` and `y` name the
    published columns that hold a point, in `crs` (CRS84 when None); `types` forces published titles to types and
    `rename` maps them to keys. `extent` is the box (west, south, east, north) where coordinates are expected, in
    CRS84, used as evidence to find a CRS. `tags` name what is taken of an OpenStreetMap extract (`connectors.osm`).
    `stays` is the file that is still there while what was read of it is published: not a member of an archive.
    """

    format: str | None = None
    encoding: str | None = None
    separator: str | None = None
    decimal: str | None = None
    header_line: int | None = None
    layer: str | None = None
    crs: str | None = None
    x: str | None = None
    y: str | None = None
    types: dict[str, ColumnType] = field(default_factory=dict)
    rename: dict[str, str] = field(default_factory=dict)
    date_format: str | None = None
    tags: tuple[str, ...] = ()
    extent: tuple[float, float, float, float] | None = None
    work_dir: Path | None = None
    stays: Path | None = None


class Unreadable(BeffroiError):
    """The source cannot be read at all; the sentence says why and how the publisher can mend it."""


Connector: TypeAlias = "Callable[[Path, ReadOptions, duck.Connection], list[Reading]]"
"""Read one source. Most give one Reading; GTFS, workbooks and geopackages may give several (their `title` tells them
apart). Tables are created in `con` under a name unique to the call. Raises `Unreadable`, and nothing else."""


def as_json(evidence: Evidence) -> dict[str, Any]:
    """Return the JSON form of an evidence, for manifests and reports."""
    return {"subject": evidence.subject, "value": evidence.value, "why": evidence.why.as_json()}
