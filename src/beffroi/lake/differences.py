"""What changed in a dataset between two of its versions, row by row, as one viewer sees it.

Rows are known by their id. Only the columns that both versions have and the viewer may see are compared, as text, and
the shape; a calculated id (see `publishing`) makes a changed row one removed and one added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from beffroi.lake import sql
from beffroi.lake.manifest import ID
from beffroi.lake.reading import GEOMETRY
from beffroi.lake.seeing import Seen, index_of

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
MAX_CHANGES = 1_000
TIMEOUT_S = 15.0
MEMORY_MB = 768


@dataclass(frozen=True, slots=True)
class Change:
    """One row that is not the same: its id, its kind, the columns that changed (by key), and its GeoJSON.

    `body` is the row as it was when it was removed, as it became otherwise.
    """

    id: str
    kind: str
    columns: tuple[str, ...]
    body: str


@dataclass(frozen=True, slots=True)
class Differences:
    """The exact counts of what changed, and one page of it, by kind then id."""

    added: int
    removed: int
    changed: int
    page: tuple[Change, ...]

    @property
    def total(self) -> int:
        """Return how many rows are not the same."""
        return self.added + self.removed + self.changed


def differences_between(before: Seen | None, after: Seen | None, *, limit: int = 100, offset: int = 0) -> Differences:
    """Return what changed from `before` to `after`; None is a time when there was nothing yet.

    Raises:
        BadQuery: `limit` out of 1…1 000 or `offset` below 0.
        QueryTooCostly: over the time or the memory allowed.
    """
    if not 1 <= limit <= MAX_CHANGES or offset < 0:
        raise sql.BadQuery(
            "page illisible (limit={limit}, offset={offset})",
            remedy="limit de 1 à {most}, offset positif",
            limit=limit,
            offset=offset,
            most=MAX_CHANGES,
        )
    present = after or before
    if present is None or (before is not None and after is not None and before.folder == after.folder):
        return Differences(0, 0, 0, ())
    keys = _compared(before, after)
    query, values = _query(before, after, keys)
    with sql.reading(present.lake.root, timeout_s=TIMEOUT_S, memory_mb=MEMORY_MB) as con:
        counts = dict(con.execute(f"SELECT kind, count(*) FROM ({query}) GROUP BY kind", values).fetchall())  # noqa: S608
        found = con.execute(
            f"SELECT id, kind, columns FROM ({query}) ORDER BY kind, id LIMIT ? OFFSET ?",  # noqa: S608
            [*values, limit, offset],
        ).fetchall()
    page = tuple(_change(before, after, *row) for row in found)
    return Differences(counts.get(ADDED, 0), counts.get(REMOVED, 0), counts.get(CHANGED, 0), page)


def _compared(before: Seen | None, after: Seen | None) -> list[str]:
    """Return the keys of the columns to compare, the shape last."""
    if before is None or after is None:
        return []
    known = {column.key for column in before.class_columns}
    keys = [column.key for column in after.class_columns if column.key in known]
    placed = before.manifest.geometry_type is not None and after.manifest.geometry_type is not None
    return keys + [GEOMETRY] * placed


def _query(before: Seen | None, after: Seen | None, keys: Sequence[str]) -> tuple[str, list[Any]]:
    """Return the SQL of the rows that differ (id, kind, columns) and its parameters."""
    if before is None or after is None:
        only, kind = (after, ADDED) if before is None else (before, REMOVED)
        assert only is not None  # noqa: S101 - one of the two is there
        return f"SELECT {ID} AS id, '{kind}' AS kind, []::VARCHAR[] AS columns FROM read_parquet(?)", [only.data]  # noqa: S608
    moved = [f"{_text('a', key)} IS DISTINCT FROM {_text('b', key)}" for key in keys]
    named = [f"CASE WHEN {test} THEN {sql.literal(key)} END" for test, key in zip(moved, keys, strict=True)]
    columns = f"list_filter([{', '.join(named)}]::VARCHAR[], one -> one IS NOT NULL)"
    return (
        f"SELECT coalesce(a.{ID}, b.{ID}) AS id, "  # noqa: S608 - quoted keys, bound paths
        f"CASE WHEN a.{ID} IS NULL THEN '{ADDED}' WHEN b.{ID} IS NULL THEN '{REMOVED}' ELSE '{CHANGED}' END AS kind, "
        f"CASE WHEN a.{ID} IS NULL OR b.{ID} IS NULL THEN []::VARCHAR[] ELSE {columns} END AS columns "
        f"FROM read_parquet(?) AS a FULL OUTER JOIN read_parquet(?) AS b ON a.{ID} = b.{ID} "
        f"WHERE a.{ID} IS NULL OR b.{ID} IS NULL OR {' OR '.join(moved) or 'FALSE'}",
        [before.data, after.data],
    )


def _text(side: str, key: str) -> str:
    quoted = f"{side}.{sql.name(key)}"
    # A column may have changed its type between two versions: what it shows is compared.
    return f"ST_AsWKB({quoted})" if key == GEOMETRY else f"CAST({quoted} AS VARCHAR)"


def _change(before: Seen | None, after: Seen | None, id: str, kind: str, columns: list[str]) -> Change:
    source = before if kind == REMOVED else after
    assert source is not None  # noqa: S101 - a row removed was in the first, any other is in the second
    return Change(id, kind, tuple(columns), index_of(source).feature(id) or "{}")
