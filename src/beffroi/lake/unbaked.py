"""The answers of a serving index before it is baked: read from the data themselves, slower, never other.

A version of millions of rows enters service as soon as its data are durable; its index is baked behind it. `Unbaked` is
asked as `serving.Index` is. Knows no Django.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from beffroi.base.kernel.geo import BBox
from beffroi.lake import serving, sql
from beffroi.lake.manifest import ID
from beffroi.lake.reading import Column
from beffroi.lake.serving import Page

TIMEOUT_S = 20.0
MEMORY_MB = 512


@dataclass(frozen=True, slots=True)
class Unbaked:
    """One version as one class of readers sees it: `columns` are hers, `mark` theirs."""

    root: Path
    data: Path
    columns: tuple[Column, ...]
    has_geometry: bool
    mark: str
    count: int

    def close(self) -> None:
        """Nothing is held open."""

    def feature(self, feature_id: str) -> str | None:
        """See `serving.Index.feature`."""
        found = self._features(f"{ID} = ?", [feature_id])
        return found[0][1] if found else None

    def numbers(self, ids: Sequence[str]) -> list[int]:
        """See `serving.Index.numbers`."""
        return self._numbers(f"list_contains(?, {ID})", [list(ids)])

    def page(self, *, bbox: BBox | None, limit: int, after: int) -> Page:
        """See `serving.Index.page`."""
        if bbox is None:
            rows = self._between(after + 1, after + limit + 1)
            return serving.page_of(rows, limit, self.count)
        condition, values = sql.conditions((), {}, bbox=bbox)
        numbers = self._numbers(f"{condition} AND file_row_number > ?", [*values, after], limit + 1)
        complete = after < 0 and len(numbers) <= limit
        return serving.page_of(self._these(numbers), limit, len(numbers) if complete else None)

    def span(self, first: int, limit: int) -> bytes:
        """See `serving.Index.span`."""
        return ",".join(body for _, body in self._between(first, first + limit - 1)).encode()

    def picked(self, numbers: Sequence[int]) -> bytes:
        """See `serving.Index.picked`."""
        return ",".join(self.bodies(numbers)).encode()

    def bodies(self, numbers: Sequence[int]) -> list[str]:
        """See `serving.Index.bodies`."""
        found = dict(self._these(numbers))
        return [found[number] for number in numbers if number in found]

    def _between(self, first: int, last: int) -> list[tuple[int, str]]:
        return self._features("file_row_number BETWEEN ? AND ?", [first, last])

    def _these(self, numbers: Sequence[int]) -> list[tuple[int, str]]:
        if not numbers:
            return []
        # The bounds let whole groups of rows be left unread.
        asked = [min(numbers), max(numbers), list(numbers)]
        return self._features("file_row_number BETWEEN ? AND ? AND list_contains(?, file_row_number)", asked)

    def _features(self, condition: str, values: list[Any]) -> list[tuple[int, str]]:
        file = f"read_parquet({sql.literal(str(self.data))}, file_row_number = true)"
        rows = f"(SELECT *, file_row_number AS _n FROM {file} WHERE {condition})"  # noqa: S608 - ours, values are bound
        query = serving.features_sql(rows, self.columns, has_geometry=self.has_geometry)
        with sql.reading(self.root, timeout_s=TIMEOUT_S, memory_mb=MEMORY_MB) as con:
            return [(row[0], row[2]) for row in con.execute(f"{query} ORDER BY _n", values).fetchall()]

    def _numbers(self, condition: str, values: list[Any], limit: int | None = None) -> list[int]:
        file = f"read_parquet({sql.literal(str(self.data))}, file_row_number = true)"
        most = "" if limit is None else f" LIMIT {int(limit)}"
        query = f"SELECT file_row_number FROM {file} WHERE {condition} ORDER BY file_row_number{most}"  # noqa: S608 - as above
        with sql.reading(self.root, timeout_s=TIMEOUT_S, memory_mb=MEMORY_MB) as con:
            return [row[0] for row in con.execute(query, values).fetchall()]


Served: TypeAlias = "serving.Index | Unbaked"
"""What answers for a version: its index, or its data until the index is there."""
