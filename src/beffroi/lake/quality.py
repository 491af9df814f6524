"""How good a dataset is, in parts one may check: what is filled in, what follows its schema, what came in time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path

from beffroi.base.territory.viewer import Viewer
from beffroi.lake import sql
from beffroi.lake.manifest import ImportReport
from beffroi.lake.rhythms import days_late as days_late
from beffroi.lake.seeing import Seen, required
from beffroi.lake.store import DatasetRef


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


def quality(viewer: Viewer, ref: DatasetRef, *, today: date, version: str | None = None) -> Quality:
    """Return how good a version is, over the columns the viewer may read; nothing is scanned.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    seen = required(viewer, ref, version)
    found = quality_of(seen, today=today)
    # An earlier version is not awaited any more.
    is_served = seen.lake.in_force(ref).version == seen.manifest.version
    return found if is_served else replace(found, days_late=None)


def quality_of(seen: Seen, *, today: date) -> Quality:
    """Return how good a version is on a day on which it is the one served."""
    manifest, shown = seen.manifest, {column.key for column in seen.columns}
    cells = [one for key, one in _cells(seen.lake.root, seen.folder).items() if key in shown]
    read, sound = sound_rows(seen.lake.report(seen.ref, manifest.version), shown)
    late = days_late(seen.rhythm.words, manifest.created_at.date(), today=today)
    return Quality(sum(filled for filled, _all in cells), sum(every for _filled, every in cells), sound, read, late)


@lru_cache(maxsize=4096)
def _cells(root: Path, folder: Path) -> dict[str, tuple[int, int]]:
    """Return how many cells are filled, of how many, by column, from the statistics of the file.

    Kept for good: a version never changes.
    """
    with sql.reading(root, timeout_s=5, memory_mb=512) as con:
        rows = con.execute(
            "SELECT path_in_schema, sum(num_values - stats_null_count), sum(num_values) FROM parquet_metadata(?) "
            "WHERE stats_null_count IS NOT NULL GROUP BY 1",
            [str(folder / "data.parquet")],
        ).fetchall()
    return {str(key): (int(filled), int(cells)) for key, filled, cells in rows}


def sound_rows(report: ImportReport, shown: set[str]) -> tuple[int, int]:
    """Return how many rows were read, and how many of them are kept and break no rule of the columns shown."""
    # Faults are counted by rule: a row that breaks two is taken for two, and validity told no better than it is.
    faults = sum(fault.count for fault in report.schema_faults if fault.column in shown)
    return report.rows_read, max(0, report.rows_kept - faults)


def _percent(part: int, whole: int) -> int | None:
    # Never a hundred while something lacks.
    return None if whole <= 0 else 100 * part // whole
