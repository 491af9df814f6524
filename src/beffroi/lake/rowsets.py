"""Rows and figures of a dataset, asked of DuckDB within limits: the pages of a table, typed rows, aggregates.

Entered by `queries`, whose rules hold: the viewer first, and no column she may not see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import sql
from beffroi.lake.answers import MEASURES, Measure, RowSet, TablePage
from beffroi.lake.edits import overlay_of
from beffroi.lake.manifest import ID
from beffroi.lake.reading import GEOMETRY, Column, ColumnType
from beffroi.lake.seeing import Seen, required
from beffroi.lake.sql import BadQuery, Filter
from beffroi.lake.store import DatasetRef

MAX_TABLE = 1_000
TABLE_TIMEOUT_S = 10.0
TABLE_MEMORY_MB = 512


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
    seen = required(viewer, ref, version)
    known = {column.key: column for column in seen.columns}
    shown = [sql.known_column(key, known) for key in columns] if columns is not None else list(seen.columns)
    condition, values = sql.conditions(where, known)
    key = sql.known_column(order_by, known).key if order_by is not None else None
    selected = ", ".join([ID, *(sql.name(column.key) for column in shown)])
    source, data = source_of(seen)
    with sql.reading(seen.lake.root, timeout_s=TABLE_TIMEOUT_S, memory_mb=TABLE_MEMORY_MB) as con:
        total = seen.manifest.rows
        asked = f"FROM {source} WHERE {condition}"
        if where or seen.edits is not None:
            total = _one(con, f"SELECT count(*) {asked}", [*data, *values])
        span = range(offset, max(offset, min(offset + limit, total)))
        if where or seen.edits is not None or key is not None:
            numbers = _numbers(con, asked, [*data, *values], key, descending=descending, span=span, total=total)
        else:
            numbers = list(span)
        found = _numbered(con, f"SELECT file_row_number, {selected} FROM {source}", data, numbers)  # noqa: S608
    return TablePage(
        columns=tuple(shown),
        ids=tuple(row[0] for row in found),
        rows=tuple(row[1:] for row in found),
        total=total,
        offset=offset,
        limit=limit,
    )


def _numbers(
    con: Any, asked: str, values: Sequence[Any], key: str | None, *, descending: bool, span: range, total: int
) -> list[int]:
    """Return the numbers of the rows at the places `span` of those asked for, in order.

    Numbers and the values of one column are all that is sorted, from whichever end is nearer: the page 20,000 of a
    million rows takes no more memory than the first.
    """
    if not span:
        return []
    backwards = total - span.stop < span.start
    first = total - span.stop if backwards else span.start
    way = "DESC" if backwards else "ASC"
    if key is None:
        found = _in_order(con, asked, values, f"file_row_number {way}", first, len(span))
    else:
        column = sql.name(key)
        order = f"{column} {'DESC' if descending is not backwards else 'ASC'} NULLS {'FIRST' if backwards else 'LAST'}"
        order += f", file_row_number {way}"
        far = _Far(asked, tuple(values), column, order, ">" if descending is not backwards else "<", backwards)
        near = far.numbers(con, first, len(span), total) if first > _FAR else None
        found = _in_order(con, asked, values, order, first, len(span)) if near is None else near
    return found[::-1] if backwards else found


def _in_order(con: Any, asked: str, values: Sequence[Any], order: str, first: int, count: int) -> list[int]:
    query = f"SELECT file_row_number {asked} ORDER BY {order} LIMIT ? OFFSET ?"
    return [number for (number,) in con.execute(query, [*values, count, first]).fetchall()]


_FAR = 5_000
"""Up to there the database keeps the first rows as they come; beyond, it sorts them all."""

_SAMPLED = 10_000
_MARGIN = 250
"""Five times what a sample of ten thousand is wrong by: half of its square root."""


@dataclass(frozen=True, slots=True)
class _Far:
    """A far page of rows sorted by a column, without sorting them all.

    A sample says between which two values the page lies; what comes before them is counted, and only what lies between
    them is sorted. `before` is the comparison of what comes first; `nulls_first` says where rows without a value are.
    """

    asked: str
    values: tuple[Any, ...]
    column: str
    order: str
    before: str
    nulls_first: bool

    def numbers(self, con: Any, first: int, count: int, total: int) -> list[int] | None:
        """Return the numbers of `count` rows from the place `first` on; None when the sample did not tell."""
        low, high = self._bounds(con, first, count, total)
        if low is None or high is None:
            return None
        after = ">" if self.before == "<" else "<"
        within = f"NOT {self.column} {self.before} ? AND NOT {self.column} {after} ?"
        ahead = f"{self.column} {self.before} ?" + (f" OR {self.column} IS NULL" if self.nulls_first else "")
        skipped, kept = con.execute(
            f"SELECT count(*) FILTER ({ahead}), count(*) FILTER ({within}) {self.asked}",
            [low, low, high, *self.values],
        ).fetchone()
        if not skipped <= first <= first + count <= skipped + kept:
            return None
        asked = f"{self.asked} AND {within}"
        return _in_order(con, asked, [*self.values, low, high], self.order, first - skipped, count)

    def _bounds(self, con: Any, first: int, count: int, total: int) -> tuple[Any, Any]:
        """Return a value that very likely comes before the page, or begins it, and one that comes after or ends it."""
        step = max(1, total // _SAMPLED)
        sample = [
            value
            for (value,) in con.execute(
                f"SELECT {self.column} {self.asked} AND file_row_number % {step} = 0 ORDER BY {self.order}",
                self.values,
            ).fetchall()
        ]
        share = len(sample) / total
        places = (int(first * share) - _MARGIN, int((first + count) * share) + _MARGIN)
        low, high = (sample[min(max(0, place), len(sample) - 1)] if sample else None for place in places)
        return low, high


def _numbered(con: Any, query: str, values: Sequence[Any], numbers: Sequence[int]) -> list[tuple[Any, ...]]:
    """Return the rows of these numbers, in their order, without them."""
    if not numbers:
        return []
    wanted = ", ".join(str(int(number)) for number in numbers)
    found = con.execute(f"{query} WHERE file_row_number IN ({wanted})", list(values)).fetchall()
    by_number = {row[0]: row[1:] for row in found}
    return [by_number[number] for number in numbers]


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
    seen = required(viewer, ref, version)
    known = {column.key: column for column in seen.columns}
    condition, values = sql.conditions(where, known, bbox=_placed(seen, bbox))
    selected = ", ".join(_selectable(key, seen, known) for key in columns)
    if not selected:
        raise BadQuery("aucune colonne demandée", where="columns", remedy="nommez-en une au moins")
    source, data = source_of(seen)
    with sql.reading(seen.lake.root, timeout_s=timeout_s, memory_mb=memory_mb) as con:
        found = con.execute(
            f"SELECT {selected} FROM {source} WHERE {condition} LIMIT ?",  # noqa: S608
            [*data, *values, max_rows + 1],
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
    seen = required(viewer, ref, version)
    known = {column.key: column for column in seen.columns}
    condition, values = sql.conditions(where, known, bbox=_placed(seen, bbox))
    keys = [sql.name(sql.known_column(key, known).key) for key in group_by]
    figures = [_measured(measure, known) for measure in measures]
    if not figures and not keys:
        raise BadQuery("aucune mesure demandée", where="measures", remedy="nommez-en une au moins")
    grouped = f"GROUP BY {', '.join(keys)} ORDER BY {', '.join(f'{key} NULLS LAST' for key in keys)}" if keys else ""
    source, data = source_of(seen)
    with sql.reading(seen.lake.root, timeout_s=timeout_s, memory_mb=memory_mb) as con:
        found = con.execute(
            f"SELECT {', '.join(keys + figures)} FROM {source} WHERE {condition} {grouped} LIMIT ?",  # noqa: S608
            [*data, *values, max_rows + 1],
        ).fetchall()
    return RowSet((*group_by, *(measure.name for measure in measures)), _bounded(found, max_rows))


def source_of(seen: Seen) -> tuple[str, list[Any]]:
    """Return the SQL of the rows of a dataset, numbered, and its parameters; under edits, what they leave and give."""
    overlay = overlay_of(seen)
    whole = "read_parquet(?, file_row_number = true)"
    if overlay is None:
        return whole, [seen.data]
    given = f"SELECT * REPLACE (file_row_number + {seen.manifest.rows} AS file_row_number) FROM {whole}"  # noqa: S608
    return (
        f"(SELECT * FROM {whole} WHERE NOT list_contains(?, {ID}) UNION ALL BY NAME {given})",  # noqa: S608 - ours
        [seen.data, list(overlay.hidden), str(overlay.folder / "data.parquet")],
    )


def _selectable(key: str, seen: Seen, known: Mapping[str, Column]) -> str:
    if key == ID:
        return ID
    if key == GEOMETRY and seen.manifest.geometry_type is not None:
        return f"ST_AsWKB({GEOMETRY})"
    return sql.name(sql.known_column(key, known).key)


def _placed(seen: Seen, bbox: BBox | None) -> BBox | None:
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
