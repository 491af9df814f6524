"""The tables of a GTFS feed as columns of text: from the lake, where they are datasets, or from the publisher's zip.

A missing value is an empty string; dates are ``YYYYMMDD``; a table or a column that is not there is empty.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetSummary

MOST_ROWS = 20_000_000
MOST_BYTES = 2 << 30
READ_S, READ_MB = 300.0, 2048

ROW = "_id"
"""The number a row has in the lake: what another room names a stop by."""

# Source: GTFS Schedule Reference (gtfs.org). What the timetable and its report read, and no more.
COLUMNS: dict[str, tuple[str, ...]] = {
    "agency": ("agency_id", "agency_name", "agency_url", "agency_timezone", "agency_phone"),
    "stops": (
        "stop_id", "stop_code", "stop_name", "stop_lat", "stop_lon", "location_type", "parent_station",
        "wheelchair_boarding", "platform_code",
    ),
    "routes": (
        "route_id", "agency_id", "route_short_name", "route_long_name", "route_type", "route_color",
        "route_text_color", "route_sort_order", "route_url",
    ),
    "trips": (
        "trip_id", "route_id", "service_id", "trip_headsign", "direction_id", "shape_id", "wheelchair_accessible",
    ),
    "stop_times": (
        "trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "stop_headsign", "pickup_type",
        "drop_off_type", "shape_dist_traveled",
    ),
    "calendar": (
        "service_id", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "start_date",
        "end_date",
    ),
    "calendar_dates": ("service_id", "date", "exception_type"),
    "frequencies": ("trip_id", "start_time", "end_time", "headway_secs", "exact_times"),
    "shapes": ("shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence"),
    "feed_info": ("feed_publisher_name", "feed_start_date", "feed_end_date", "feed_version"),
    "pathways": ("pathway_id", "from_stop_id", "to_stop_id", "pathway_mode", "is_bidirectional"),
    "levels": ("level_id", "level_index"),
    "transfers": ("from_stop_id", "to_stop_id", "transfer_type", "min_transfer_time"),
}  # fmt: skip


class BadFeed(BeffroiError):
    """A feed that cannot be read at all."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns, all of one length. `first_line` is the line of the file where row 0 stands, 0 if lost."""

    columns: Mapping[str, Sequence[str]]
    rows: int
    first_line: int = 0

    def __getitem__(self, name: str) -> Sequence[str]:
        found = self.columns.get(name)
        return [""] * self.rows if found is None else found

    def has(self, name: str) -> bool:
        """Tell whether the table has this column."""
        return name in self.columns

    def each(self, *names: str) -> Iterator[tuple[str, ...]]:
        """Yield the values of these columns, row by row."""
        return zip(*(self[name] for name in names), strict=True)


EMPTY = Table({}, 0)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one feed by name; `lines` of shapes read already as lines (the lake does so), in degrees."""

    by_name: Mapping[str, Table]
    lines: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Table:
        return self.by_name.get(name, EMPTY)

    def __contains__(self, name: object) -> bool:
        return name in self.by_name


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed of a territory in the lake: `slug` is what its datasets begin with (``bus`` for ``bus-stops``)."""

    territory: str
    slug: str
    parts: Mapping[str, DatasetSummary]

    def versions(self) -> list[dict[str, str]]:
        """Return each dataset and its version, JSON-ready."""
        return [{"dataset": str(one.ref), "version": one.version} for _, one in sorted(self.parts.items())]


def feeds_of(territory: str) -> list[Feed]:
    """Return the feeds the lake holds in public for a territory: those whose four needed tables are there."""
    known = {one.ref.slug: one for one in lake.datasets(ANONYMOUS, territory=territory)}
    found = []
    for slug in sorted(known):
        if not slug.endswith("-stop-times"):
            continue
        prefix = slug.removesuffix("-stop-times")
        parts = {name: known[part_slug(prefix, name)] for name in COLUMNS if part_slug(prefix, name) in known}
        if {"stops", "routes", "trips", "stop_times"} <= parts.keys():
            found.append(Feed(territory, prefix, parts))
    return found


def part_slug(feed: str, table: str) -> str:
    """Return the slug of the dataset that holds a table of a feed.

    >>> part_slug("bus", "stop_times")
    'bus-stop-times'
    """
    return f"{feed}-{table.replace('_', '-')}"


def is_part(slug: str) -> bool:
    """Tell whether a dataset may be a table of a feed, by its name."""
    return any(slug.endswith(f"-{name.replace('_', '-')}") for name in COLUMNS)


def from_lake(feed: Feed) -> Tables:
    """Read the tables of a feed in the versions the lake serves."""
    tables = {}
    lines: dict[str, list[tuple[float, float]]] = {}
    for name, summary in feed.parts.items():
        if name == "shapes" and summary.geometry_type:
            lines = _lines(summary)
            continue
        keys = {column.key for column in lake.dataset(ANONYMOUS, summary.ref).columns}
        wanted = [key for key in COLUMNS[name] if key in keys]
        if not wanted:
            continue
        wanted += [ROW] if name == "stops" else []
        rows = lake.rows(
            ANONYMOUS, summary.ref, columns=wanted, version=summary.version, max_rows=MOST_ROWS, timeout_s=READ_S,
            memory_mb=READ_MB,
        ).rows  # fmt: skip
        columns = zip(*rows, strict=True) if rows else ([] for _ in wanted)
        tables[name] = Table(
            {key: [_text(value) for value in column] for key, column in zip(wanted, columns, strict=True)}, len(rows)
        )
    return Tables(tables, lines)


def _lines(summary: DatasetSummary) -> dict[str, list[tuple[float, float]]]:
    import shapely

    rows = lake.rows(
        ANONYMOUS, summary.ref, columns=["shape_id", "geometry"], max_rows=MOST_ROWS, timeout_s=READ_S,
        memory_mb=READ_MB,
    ).rows  # fmt: skip
    shapes = shapely.from_wkb([bytes(row[1]) for row in rows])
    return {str(row[0]): shapely.get_coordinates(shape).tolist() for row, shape in zip(rows, shapes, strict=True)}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, date):
        return f"{value:%Y%m%d}"
    return str(value)


def from_zip(path: Path) -> Tables:
    """Read the tables of a publisher's archive, wherever they stand in it.

    Raises:
        BadFeed: it is no archive, a table is no text in UTF-8, or it is too large.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {Path(info.filename).name: info for info in archive.infolist() if not info.is_dir()}
            wanted = {name: members[f"{name}.txt"] for name in COLUMNS if f"{name}.txt" in members}
            if sum(info.file_size for info in wanted.values()) > MOST_BYTES:
                raise BadFeed(
                    "plus de {most} Go de tables",
                    where=path.name,
                    remedy="coupez le réseau en plusieurs fichiers",
                    most=2,
                )
            return Tables({name: _from_csv(archive.read(info), COLUMNS[name]) for name, info in wanted.items()})
    except (OSError, zipfile.BadZipFile) as error:
        raise BadFeed(
            "archive illisible ({reason})", where=path.name, remedy="donnez le GTFS en ZIP", reason=str(error)
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadFeed(
            "table illisible ({reason})", where=path.name, remedy="écrivez les tables en UTF-8, séparées de virgules",
            reason=str(error),
        ) from error  # fmt: skip


def _from_csv(content: bytes, wanted: Iterable[str]) -> Table:
    rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    head = [title.strip() for title in next(rows, [])]
    body = [row for row in rows if any(row)]
    width = len(head)
    # A short row ends with missing values, as the reference says of trailing fields.
    full = [row if len(row) >= width else row + [""] * (width - len(row)) for row in body]
    columns = {name: [row[head.index(name)].strip() for row in full] for name in wanted if name in head}
    return Table(columns, len(full), first_line=2)
