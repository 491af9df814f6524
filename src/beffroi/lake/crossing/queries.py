"""What a recipe gives: its rows or its figures, the SQL it stands for, and the joins worth trying.

Every question is bounded in time, in memory and in rows, and cut to what its reader may see.
"""

# ruff: noqa: S608 - identifiers are quoted keys of columns the reader may see; values are bound

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from beffroi.base.kernel.sentences import Sentence
from beffroi.base.territory.viewer import AGENTS, ANONYMOUS, PUBLIC, SERVICE_PREFIX, Grant, Role, Viewer
from beffroi.lake import sql
from beffroi.lake.crossing.compiling import Compiled, Part, bound, shown
from beffroi.lake.crossing.recipe import Recipe, recipe_from_json
from beffroi.lake.reading import Column, ColumnType
from beffroi.lake.sql import BadQuery
from beffroi.lake.store import DatasetNotFound, DatasetRef, Lake, not_found

PREVIEW_ROWS = 20
MOST_GROUPS = 2_000
TIMEOUT_S, MEMORY_MB = 10.0, 512


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset of a recipe: `found` is how many of the rows kept it was joined to, None for the first one."""

    ref: DatasetRef
    title: str
    licence: str
    version: str
    updated_at: datetime
    has_areas: bool
    found: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """One line of a summary: the thing or the value it is about, over how many rows, and the figure.

    `figure` is None when nothing tells it, or when fewer rows than asked do (`hushed`).
    """

    id: str
    key: Any
    count: int
    figure: float | None
    hushed: bool = False


@dataclass(frozen=True, slots=True)
class Crossed:
    """The answer to a recipe: the first rows, or every group. `total` counts the rows kept, before any summary.

    `by` is the column of the groups (None: one figure in all), `measure` that of the figures. `area` is the joined
    dataset whose things the groups are.
    """

    sources: tuple[Source, ...]
    total: int
    sql: str
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    by: Column | None = None
    measure: Column | None = None
    area: DatasetRef | None = None
    groups: tuple[Group, ...] = ()
    references: tuple[tuple[str, Column, str], ...] = ()

    @property
    def hushed(self) -> int:
        """Return how many groups have too few rows to be told."""
        return sum(one.hushed for one in self.groups)


@dataclass(frozen=True, slots=True)
class SavedCrossing:
    """A recipe kept under a name. `access` says who may read it, `least` the rows under which a group is not told."""

    id: int
    territory: str
    slug: str
    title: str
    kind: str
    recipe: Recipe
    access: str
    least: int
    created_at: datetime
    refreshed_at: datetime | None
    fault: Sentence | None

    @property
    def is_public(self) -> bool:
        """Tell whether everyone may read it."""
        return self.access == PUBLIC


def eyes_of(access: str, territory: str) -> Viewer:
    """Return the reader who sees what all those of a class see, and no more: what is saved is made with her eyes."""
    if access == PUBLIC:
        return ANONYMOUS
    service = access.removeprefix(SERVICE_PREFIX) if access != AGENTS else ""
    return Viewer(None, (Grant(territory, Role.AGENT, frozenset({service} - {""})),))


def crossed(
    viewer: Viewer,
    territory: str,
    recipe: Recipe,
    *,
    least: int = 1,
    most: int = PREVIEW_ROWS,
    lake: Lake | None = None,
) -> Crossed:
    """Return what a recipe gives its reader; `most` bounds the rows of one without a summary.

    `lake` defaults to the one in use.

    Raises:
        DatasetNotFound: one of its datasets is absent, or not for this reader.
        BadQuery: a column she may not see, a join or a measure that makes no sense, over 2,000 groups.
        QueryTooCostly: over 10 seconds or 512 MB.
    """
    compiled = Compiled(viewer, territory, recipe, lake=lake)
    key = tuple((one.seen.ref, one.seen.class_name, str(one.seen.data), str(one.seen.edits)) for one in compiled.parts)
    return _crossed(_Asked(compiled, (key, recipe, viewer.clearances(territory), least, most)))


class _Asked:
    """A recipe under someone's eyes, on versions that do not change: what was answered once holds."""

    def __init__(self, compiled: Compiled, key: Any) -> None:
        self.compiled, self.key = compiled, key

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and other.key == self.key


@lru_cache(maxsize=64)
def _crossed(asked: _Asked) -> Crossed:
    compiled, (*_key, least, most) = asked.compiled, asked.key
    summary, query = compiled.recipe.summary, compiled.query()
    limit = most if summary is None else MOST_GROUPS + 1
    with sql.reading(compiled.base.seen.lake.root, timeout_s=TIMEOUT_S, memory_mb=MEMORY_MB) as con:
        totals = compiled.totals()
        total, *found = con.execute(totals.text, bound(totals)).fetchone() or (0,)
        # Numbers out of a bound of ours: the rest is never fetched.
        rows = con.execute(f"{query.text}\nLIMIT {int(limit)}", bound(query)).fetchall()
    given: dict[str, Any] = {
        "sources": tuple(
            _source_of(one, count) for one, count in zip(compiled.parts, [None, *found], strict=True)
        ),
        "total": total,
        "sql": shown(query) + ";",
        "references": tuple((ref, column, part.seen.manifest.title) for ref, column, part in compiled.references()),
    }  # fmt: skip
    if summary is None:
        return Crossed(columns=tuple(one.column for one in compiled.rows_results()), rows=tuple(rows), **given)
    if len(rows) > MOST_GROUPS:
        raise BadQuery(
            "plus de {most} groupes répondent",
            remedy="résumez par une colonne qui a moins de valeurs",
            most=MOST_GROUPS,
        )
    area, grouped = compiled.area(summary), None
    if area is not None:
        grouped = area.named or Column("id", area.seen.manifest.title)
    elif summary.by:
        grouped = compiled.group(summary).column
    groups = tuple(_group(row, least) for row in rows)
    measure = compiled.measure(summary)[1].column
    return Crossed(by=grouped, measure=measure, area=area.seen.ref if area else None, groups=groups, **given)


def _source_of(part: Part, found: int | None) -> Source:
    manifest = part.seen.manifest
    return Source(part.seen.ref, manifest.title, manifest.licence, manifest.version, manifest.created_at,
                  part.has_areas, found)  # fmt: skip


def _group(row: tuple[Any, ...], least: int) -> Group:
    thing, key, count, figure = row
    hushed = least > 1 and count < least
    return Group(str(thing or ""), key, count, None if hushed or figure is None else float(figure), hushed)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A join worth trying: the dataset, the columns (empty: by place), and the share of the rows that find theirs."""

    dataset: str
    title: str
    on: str
    to: str
    on_title: str
    to_title: str
    matched: int
    tried: int
    repeated: bool = False

    @property
    def percent(self) -> int:
        """Return the share of the rows tried that found theirs."""
        return round(100 * self.matched / self.tried) if self.tried else 0

    @property
    def family(self) -> str:
        """Return which usual key of a town it is (see `KEYS`), empty for another, or by place."""
        return next(iter(sorted(families(self.on) & families(self.to))), "")


# The usual keys of a town, and the words that columns of each are named by.
KEYS: dict[str, tuple[str, ...]] = {
    "siret": ("siret",), "siren": ("siren",), "insee": ("insee", "codgeo", "depcom"), "iris": ("iris",),
    "parcelle": ("parcelle", "idu", "idpar"), "batiment": ("rnb", "batiment", "cleabs"),
    "adresse": ("adresse", "ban", "interop", "adr"), "finess": ("finess",), "uai": ("uai",),
}  # fmt: skip
_TRIED_ROWS, _TRIED_PAIRS, _MOST_AREAS = 5_000, 60, 5_000
_KEY_TYPES = (ColumnType.TEXT, ColumnType.INTEGER)


def families(key: str) -> frozenset[str]:
    """Return the usual keys that the name of a column tells of.

    >>> sorted(families("code_iris"))
    ['iris']
    """
    words = key.split("_")
    return frozenset(family for family, named in KEYS.items() if any(word.rstrip("s") in named for word in words))


def proposed_joins(viewer: Viewer, territory: str, recipe: Recipe, others: Sequence[str]) -> list[Proposal]:
    """Return the joins of a recipe's first dataset with `others` that find something, the fullest first.

    Columns are paired by the usual key their names tell of, or by the same name, then compared by their contents.

    Raises:
        DatasetNotFound: a dataset is absent, or not for this reader.
    """
    base = Compiled(viewer, territory, Recipe(recipe.dataset)).base
    found: list[Proposal] = []
    tried = 0
    with sql.reading(base.seen.lake.root, timeout_s=TIMEOUT_S, memory_mb=MEMORY_MB) as con:
        for slug in others:
            if slug in recipe.sources:
                continue
            other = Compiled(viewer, territory, Recipe(slug)).base
            if base.is_located and other.has_areas and other.seen.manifest.rows <= _MOST_AREAS:
                found.append(_by_place(con, viewer, territory, recipe.dataset, other))
            for ours, theirs in _pairs(base, other):
                if (tried := tried + 1) > _TRIED_PAIRS:
                    break
                found.append(_by_key(con, base, other, ours, theirs))
    # One that finds less than a row in a hundred is chance.
    return sorted((one for one in found if one.percent), key=lambda one: (-one.percent, one.title, one.on))


def _pairs(base: Part, other: Part) -> list[tuple[Column, Column]]:
    return [
        (ours, theirs)
        for ours in base.columns.values()
        for theirs in other.columns.values()
        if ours.type in _KEY_TYPES and theirs.type in _KEY_TYPES
        and (families(ours.key) & families(theirs.key)
             or (ours.key == theirs.key and ours.type is ColumnType.TEXT))
    ]  # fmt: skip


def _by_key(con: Any, base: Part, other: Part, ours: Column, theirs: Column) -> Proposal:
    from beffroi.lake.crossing.compiling import normal
    from beffroi.lake.rowsets import source_of

    left, values = source_of(base.seen)
    right, more = source_of(other.seen)
    here, there = normal(sql.name(ours.key)), normal(sql.name(theirs.key))
    tried, matched, keys, rows = con.execute(
        f"WITH theirs AS (SELECT {there} AS k, count(*) AS n FROM {right} GROUP BY 1), "
        f"ours AS (SELECT {here} AS k FROM (SELECT * FROM {left} LIMIT {_TRIED_ROWS})) "
        "SELECT count(*), count(theirs.k), (SELECT count(k) FROM theirs), (SELECT sum(n) FROM theirs WHERE k NOT NULL) "
        "FROM ours LEFT JOIN theirs ON ours.k = theirs.k",
        [*more, *values],
    ).fetchone()
    title = other.seen.manifest.title
    return Proposal(
        other.slug, title, ours.key, theirs.key, ours.title, theirs.title, matched, tried, keys < (rows or 0)
    )


def _by_place(con: Any, viewer: Viewer, territory: str, slug: str, other: Part) -> Proposal:
    from beffroi.lake.crossing.recipe import Join

    query = Compiled(viewer, territory, Recipe(slug, (Join(other.slug),))).totals()
    tried, matched = con.execute(query.text, bound(query)).fetchone()
    return Proposal(other.slug, other.seen.manifest.title, "", "", "", "", matched, tried)


def saved_crossings(viewer: Viewer, territory: str) -> list[SavedCrossing]:
    """Return the recipes of a territory that the viewer may read, by title."""
    from beffroi.lake.models import Crossing

    rows = Crossing.objects.filter(territory=territory, access__in=viewer.clearances(territory))
    return [saved_of(one) for one in rows.order_by("title", "pk")]


def saved_crossing(viewer: Viewer, territory: str, slug: str) -> SavedCrossing:
    """Return a recipe kept under a name.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    found = next((one for one in saved_crossings(viewer, territory) if one.slug == slug), None)
    if found is None:
        raise not_found(DatasetRef(territory, slug))
    return found


def indicator(saved: SavedCrossing) -> Crossed:
    """Return the figures of a saved indicator on the versions of today, as all its readers see them.

    Raises:
        DatasetNotFound: a source is gone, or no longer for all its readers.
        BadQuery, QueryTooCostly: as `crossed`.
    """
    return crossed(eyes_of(saved.access, saved.territory), saved.territory, saved.recipe, least=saved.least)


@dataclass(frozen=True, slots=True)
class WholeFigure:
    """An indicator over all its rows, with its unit."""

    value: float
    unit: str


def whole_figure(saved: SavedCrossing) -> WholeFigure | None:
    """Return the figure of an indicator over all its rows, None while its sources do not tell it."""
    summary = saved.recipe.summary
    if summary is None:
        return None
    recipe = replace(saved.recipe, summary=replace(summary, by=""))
    try:
        answer = indicator(replace(saved, recipe=recipe))
    except (DatasetNotFound, BadQuery, sql.QueryTooCostly):
        return None
    figure = answer.groups[0].figure
    return None if figure is None else WholeFigure(figure, (answer.measure.unit if answer.measure else "") or "")


def saved_of(row: Any) -> SavedCrossing:
    """Return what a row of the registry says."""
    fault = Sentence.from_json(row.fault) if row.fault else None
    return SavedCrossing(row.pk, row.territory, row.slug, row.title, row.kind, recipe_from_json(row.recipe), row.access,
                         row.least, row.created_at, row.refreshed_at, fault)  # fmt: skip
