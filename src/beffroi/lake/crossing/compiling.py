"""From a recipe to the one query it stands for, cut to what its reader may see.

The text that is run and the one that is shown are the same, but for the values: bound in the one, written in the
other, where files bear the names of the GeoParquet downloads. Run there, it gives the same rows (a test does).
"""

# ruff: noqa: S608 - identifiers are quoted keys of columns the reader may see; values are bound

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from beffroi.base.territory.viewer import Viewer
from beffroi.lake import sql
from beffroi.lake.crossing.recipe import FUNCTIONS, GRAINS, Join, Recipe, Summary
from beffroi.lake.manifest import ID
from beffroi.lake.reading import GEOMETRY, SURFACES, Column, ColumnType
from beffroi.lake.rowsets import source_of
from beffroi.lake.seeing import Seen, lake_in_use, seen_by
from beffroi.lake.sql import BadQuery, Filter
from beffroi.lake.store import DatasetRef, Lake, not_found

NUMERIC = (ColumnType.INTEGER, ColumnType.NUMBER)
ROW = "file_row_number"
_MEASURES = {
    "sum": "sum({0})", "mean": "avg({0})", "median": "median({0})", "min": "min({0})", "max": "max({0})",
    "distinct": "count(DISTINCT {0})",
}  # fmt: skip
_GRAIN = {"annee": "year({0})", "mois": "strftime({0}, '%Y-%m')"}
_NAMES = ("nom", "name", "libelle", "titre", "title", "quartier", "libelle_iris", "nom_iris", "designation")


@dataclass(frozen=True, slots=True)
class Query:
    """A text with a mark for each of its values. `File` values are files."""

    text: str
    values: tuple[Any, ...] = ()

    def __add__(self, other: Query | str) -> Query:
        if isinstance(other, str):
            return Query(self.text + other, self.values)
        return Query(self.text + other.text, self.values + other.values)


@dataclass(frozen=True, slots=True)
class Part:
    """One dataset of a recipe, as its reader sees it: `alias` stands for its rows in the query."""

    seen: Seen
    alias: str
    columns: Mapping[str, Column]

    @property
    def slug(self) -> str:
        """Return the name of the dataset."""
        return self.seen.ref.slug

    @property
    def is_located(self) -> bool:
        """Tell whether its things have a place."""
        return self.seen.manifest.geometry_type is not None

    @property
    def has_areas(self) -> bool:
        """Tell whether its things are areas, which hold others."""
        return "Polygon" in (self.seen.manifest.geometry_type or "")

    @property
    def named(self) -> Column | None:
        """Return the column that names its things, None when none does."""
        found = [self.columns[key] for key in _NAMES if key in self.columns]
        found += [one for one in self.columns.values() if one.type is ColumnType.TEXT and one.key.startswith("nom")]
        return next(iter(found), None)


@dataclass(frozen=True, slots=True)
class Result:
    """A column of the result: how it is computed, and what it is. `key` is its name in a dataset made of it."""

    expression: str
    column: Column


class Compiled:
    """A recipe under the eyes of one reader.

    Raises:
        DatasetNotFound: one of its datasets is absent, or not for this reader.
        BadQuery: a column she may not see, a join or a measure that makes no sense.
    """

    def __init__(self, viewer: Viewer, territory: str, recipe: Recipe, *, lake: Lake | None = None) -> None:
        self.recipe = recipe
        self.parts = [_part(viewer, territory, recipe.dataset, "s", lake)]
        self.joined = _rows_of(self.parts[0]) + " AS s"
        for number, join in enumerate(recipe.joins, start=1):
            self._add(_part(viewer, territory, join.dataset, f"j{number}", lake), join)
        self.condition = self._conditions(recipe.where)
        if recipe.summary:
            self._check(recipe.summary)

    @property
    def base(self) -> Part:
        """Return the dataset the recipe starts from."""
        return self.parts[0]

    def column(self, ref: str) -> tuple[str, Column]:
        """Return the SQL and the column of `key`, or of `dataset.key`.

        Raises:
            BadQuery: no such column for this reader.
        """
        slug, dot, key = ref.rpartition(".")
        part = next((one for one in self.parts if one.slug == slug), None) if dot else self.base
        known = {**self.base.columns} if part is None else part.columns
        column = sql.known_column(key if part else ref, known)
        return f"{(part or self.base).alias}.{sql.name(column.key)}", column

    def references(self) -> list[tuple[str, Column, Part]]:
        """Return every column that the recipe may name, with its dataset."""
        return [
            (key if part is self.base else f"{part.slug}.{key}", column, part)
            for part in self.parts
            for key, column in part.columns.items()
        ]

    def area(self, summary: Summary) -> Part | None:
        """Return the joined dataset whose things are summed up by, None when it is by a column."""
        return next((one for one in self.parts[1:] if summary.by == f"@{one.slug}"), None)

    def _add(self, part: Part, join: Join) -> None:
        alias, rows = part.alias, _rows_of(part)
        if join.by_place:
            _check_places(self.base, part)
            inside = (
                Query(f"\nLEFT JOIN (SELECT t.{ROW} AS thing, min(a.{ROW}) AS area\n  FROM (SELECT {ROW}, "
                      f"ST_PointOnSurface({GEOMETRY}) AS place FROM ")
                + _rows_of(self.base) + f" WHERE {GEOMETRY} IS NOT NULL) AS t\n  JOIN " + rows
                + f" AS a ON ST_Contains(a.{GEOMETRY}, t.place) GROUP BY 1) AS p{alias} ON p{alias}.thing = s.{ROW}"
            )  # fmt: skip
            self.joined += inside + "\nLEFT JOIN " + rows + f" AS {alias} ON {alias}.{ROW} = p{alias}.area"
        else:
            ours, _column = self.column(join.on)
            theirs = sql.name(sql.known_column(join.to, part.columns).key)
            self.joined += (
                Query(f"\nLEFT JOIN (SELECT *, {normal(theirs)} AS _cle FROM ") + rows
                + f" QUALIFY row_number() OVER (PARTITION BY _cle ORDER BY {ROW}) = 1) AS {alias}"
                + f"\n  ON {alias}._cle = {normal(ours)}"
            )  # fmt: skip
        self.parts.append(part)

    def _conditions(self, where: Sequence[Filter]) -> Query:
        found = Query("")
        for item in where:
            expression, column = self.column(item.column)
            text, values = sql.conditions([Filter(column.key, item.op, item.value)], {column.key: column})
            found += Query(" AND " if found.text else "") + Query(
                text.replace(sql.name(column.key), expression), tuple(values)
            )
        return found

    def _check(self, summary: Summary) -> None:
        if summary.function not in FUNCTIONS or (summary.function == "count") == bool(summary.column):
            raise BadQuery("calcul illisible", remedy="comptez les lignes, ou calculez sur une colonne")
        if summary.column:
            _sql, column = self.column(summary.column)
            if summary.function in ("sum", "mean", "median", "min", "max") and column.type not in NUMERIC:
                raise BadQuery(
                    "la colonne « {column} » n'est pas un nombre",
                    remedy="choisissez-en une de nombres, ou comptez les valeurs différentes",
                    column=column.title,
                )
        if summary.by and self.area(summary) is None:
            self.group(summary)

    def group(self, summary: Summary) -> Result:
        """Return what rows are put together by: a column, or the year or the month of a date.

        Raises:
            BadQuery: no such column, or a grain of what is no date.
        """
        ref, _colon, grain = summary.by.partition(":")
        expression, column = self.column(ref)
        if not grain:
            return Result(expression, column)
        if grain not in GRAINS or column.type not in (ColumnType.DATE, ColumnType.DATETIME):
            raise BadQuery("« {by} » n'est pas une période", remedy="choisissez-la dans la liste", by=summary.by[:80])
        kind = ColumnType.INTEGER if grain == "annee" else ColumnType.TEXT
        return Result(_GRAIN[grain].format(expression), Column(grain, "Année" if grain == "annee" else "Mois", kind))

    def measure(self, summary: Summary) -> tuple[Result, Result]:
        """Return how many rows tell the figure, and the figure."""
        if summary.function == "count":
            count = Result("count(*)", Column("nombre", "Nombre", ColumnType.INTEGER))
            return count, count
        expression, column = self.column(summary.column)
        figure = _MEASURES[summary.function].format(expression)
        kind = ColumnType.INTEGER if summary.function == "distinct" else ColumnType.NUMBER
        unit = None if summary.function == "distinct" else column.unit
        return (
            Result(f"count({expression})", Column("nombre", "Nombre", ColumnType.INTEGER)),
            Result(figure, Column("valeur", column.title, kind, unit)),
        )

    def rows_results(self) -> list[Result]:
        """Return the columns of the rows: those of the first dataset, then those of the joined ones."""
        found: list[Result] = []
        for part in self.parts:
            for column in part.columns.values():
                found.append(Result(f"{part.alias}.{sql.name(column.key)}", _renamed(part, self.base, column)))
        return found

    def filtered(self) -> Query:
        """Return the rows of the recipe, from ``FROM`` on."""
        return Query("FROM ") + self.joined + (Query("\nWHERE ") + self.condition if self.condition.text else "")

    def totals(self) -> Query:
        """Return the query of how many rows there are, kept, and of those how many each join found something for."""
        found = "".join(f", count({one.alias}.{ROW})" for one in self.parts[1:])
        return Query(f"SELECT count(*){found}\n") + self.filtered()

    def query(self, *, placed: bool = False) -> Query:
        """Return the query of the result, all of it; `placed` adds where each row is, as WKB."""
        if self.recipe.summary is None:
            selected = ", ".join(f"{one.expression} AS {sql.name(one.column.key)}" for one in self.rows_results())
            where = f", ST_AsWKB(s.{GEOMETRY}) AS {GEOMETRY}" if placed else ""
            return Query(f"SELECT {selected}{where}\n") + self.filtered() + f"\nORDER BY s.{ROW}"
        return self._summed_up(self.recipe.summary, placed=placed)

    def _summed_up(self, summary: Summary, *, placed: bool) -> Query:
        count, figure = self.measure(summary)
        told = f"{count.expression} AS nombre, {figure.expression} AS valeur"
        area = self.area(summary)
        if area is not None:
            named = area.named
            label = f"CAST(a.{sql.name(named.key)} AS VARCHAR)" if named else f"a.{ID}"
            value = "coalesce(n.valeur, 0)" if summary.function in ("count", "distinct") else "n.valeur"
            where = f", ST_AsWKB(a.{GEOMETRY}) AS {GEOMETRY}" if placed else ""
            return (
                Query(f"SELECT a.{ID} AS id, {label} AS groupe, coalesce(n.nombre, 0) AS nombre, {value} AS valeur"
                      f"{where}\nFROM ") + _rows_of(area)
                + f" AS a LEFT JOIN (\n  SELECT {area.alias}.{ROW} AS area, {told}\n  " + self.filtered()
                + f"\n  GROUP BY 1) AS n ON n.area = a.{ROW}\nORDER BY a.{ROW}"
            )  # fmt: skip
        if not summary.by:
            return Query(f"SELECT NULL AS id, NULL AS groupe, {told}\n") + self.filtered()
        by = self.group(summary).expression
        return (
            Query(f"SELECT NULL AS id, {by} AS groupe, {told}\n") + self.filtered()
            + "\nGROUP BY 2 ORDER BY 2 NULLS LAST"
        )  # fmt: skip


def normal(expression: str) -> str:
    """Return the SQL of a key as it is compared: capitals, without accents, spaces or marks."""
    return f"nullif(regexp_replace(upper(strip_accents(CAST({expression} AS VARCHAR))), '[^0-9A-Z]', '', 'g'), '')"


def shown(query: Query) -> str:
    """Return a query as text, its values written in: what one may copy into DuckDB beside the downloaded files."""
    pieces = query.text.split("?")
    values = [_literal(value) for value in query.values]
    return "".join(piece + value for piece, value in zip(pieces, [*values, ""], strict=True))


@dataclass(frozen=True, slots=True)
class File:
    """The data of a dataset: where they are, and the name one downloads them by."""

    path: str
    name: str


def bound(query: Query) -> list[Any]:
    """Return the values of a query as DuckDB takes them."""
    return [value.path if isinstance(value, File) else value for value in query.values]


def _literal(value: Any) -> str:
    if isinstance(value, File):
        return sql.literal(value.name)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "NULL"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, datetime | date | time):
        return sql.literal(value.isoformat())
    return sql.literal(str(value))


def _part(viewer: Viewer, territory: str, slug: str, alias: str, lake: Lake | None) -> Part:
    ref = DatasetRef(territory, slug)
    seen = seen_by(lake or lake_in_use(), viewer, ref)
    if seen is None:
        raise not_found(ref)
    return Part(seen, alias, {one.key: one for one in seen.columns if one.key != SURFACES})


def _rows_of(part: Part) -> Query:
    text, values = source_of(part.seen)
    files = [File(value, f"{part.slug}.parquet") if isinstance(value, str) else value for value in values]
    return Query(text, tuple(files))


def _check_places(base: Part, part: Part) -> None:
    if not base.is_located:
        raise BadQuery(
            "« {name} » n'est pas situé", remedy="joignez par une colonne commune", name=base.seen.manifest.title
        )
    if not part.has_areas:
        raise BadQuery(
            "« {name} » n'a pas de surfaces où tomber",
            remedy="choisissez des quartiers, des zones, ou une colonne commune",
            name=part.seen.manifest.title,
        )


def _renamed(part: Part, base: Part, column: Column) -> Column:
    if part is base:
        return column
    key = f"{part.slug.replace('-', '_')}_{column.key}"
    return Column(key, f"{part.seen.manifest.title} : {column.title}", column.type, column.unit, labels=column.labels)
