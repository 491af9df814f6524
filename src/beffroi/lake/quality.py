"""How good a dataset is, in parts one may check: what is filled in, what follows its schema, what came in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from beffroi.base.territory.viewer import Viewer
from beffroi.lake import sql
from beffroi.lake.manifest import ImportReport
from beffroi.lake.seeing import Seen, required
from beffroi.lake.store import DatasetRef

RHYTHM_DAYS = {
    "quotidien": 2,
    "hebdomadaire": 9,
    "mensuel": 38,
    "trimestriel": 114,
    "semestriel": 228,
    "annuel": 456,
}
"""The rhythm a dataset file promises, and the days after which it is late: the period and a quarter of grace."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Three parts out of a hundred, None where nothing tells it. `days_late` is None without a rhythm.

    `filled` of `cells` cells hold something; `sound` of `read` rows are kept and break no rule of the schema.
    """

    filled: int
    cells: int
    sound: int
    read: int
    days_late: int | None

    @property
    def completeness(self) -> int | None:
        """Return the share of cells that hold something."""
        return _percent(self.filled, self.cells)

    @property
    def validity(self) -> int | None:
        """Return the share of rows read that are kept and follow the schema."""
        return _percent(self.sound, self.read)

    @property
    def freshness(self) -> int | None:
        """Return a hundred in time, nothing when late, None without a rhythm."""
        return None if self.days_late is None else 0 if self.days_late else 100

    @property
    def score(self) -> int | None:
        """Return the mean of the parts that are known.

        >>> Quality(90, 100, 50, 50, None).score, Quality(90, 100, 50, 50, 3).score
        (95, 63)
        """
        known = [one for one in (self.completeness, self.validity, self.freshness) if one is not None]
        return round(sum(known) / len(known)) if known else None


def days_late(rhythm: str, updated: date, *, today: date) -> int | None:
    """Return by how many days data are later than their rhythm allows, 0 in time, None when they promise none.

    >>> days_late("mensuel", date(2026, 1, 1), today=date(2026, 2, 10)), days_late("", date(2026, 1, 1), today=date.max)
    (2, None)
    """
    allowed = RHYTHM_DAYS.get(rhythm.strip().lower())
    return None if allowed is None else max(0, (today - updated - timedelta(days=allowed)).days)


def quality(viewer: Viewer, ref: DatasetRef, *, today: date, version: str | None = None) -> Quality:
    """Return how good a version is, over the columns the viewer may read; nothing is scanned.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    seen = required(viewer, ref, version)
    manifest = seen.manifest
    filled, cells = _filled(seen)
    shown = {column.key for column in seen.columns}
    read, sound = _sound(seen.lake.report(ref, manifest.version), shown)
    # An earlier version is not awaited any more.
    is_served = seen.lake.in_force(ref).version == manifest.version
    late = days_late(manifest.rhythm, manifest.created_at.date(), today=today) if is_served else None
    return Quality(filled, cells, sound, read, late)


def _filled(seen: Seen) -> tuple[int, int]:
    """Return how many cells are filled, of how many, from the statistics of the file."""
    keys = [column.key for column in seen.columns]
    with sql.reading(seen.lake.root, timeout_s=5, memory_mb=512) as con:
        found = con.execute(
            "SELECT sum(num_values), sum(stats_null_count) FROM parquet_metadata(?) "
            "WHERE list_contains(?, path_in_schema) AND stats_null_count IS NOT NULL",
            [seen.data, keys],
        ).fetchone()
    cells, empty = (int(one or 0) for one in found or (0, 0))
    return cells - empty, cells


def _sound(report: ImportReport, shown: set[str]) -> tuple[int, int]:
    # Faults are counted by rule: a row that breaks two is taken for two, and validity told no better than it is.
    faults = sum(fault.count for fault in report.schema_faults if fault.column in shown)
    return report.rows_read, max(0, report.rows_kept - faults)


def _percent(part: int, whole: int) -> int | None:
    # Never a hundred while something lacks.
    return None if whole <= 0 else 100 * part // whole
