"""The public view of data that are not the public's: counts by cell and period that no question can take apart.

Rows are counted by cell of one fixed grid and by civil period. Each cell and period is told at one level alone: by
every column of `by` when each of its values there counts `k` rows or more, else by fewer of them, the first ones
first; as one number when even that is needed; not at all below `k`. So the public gets *disjoint* blocks of `k` rows at
least, and nothing that overlaps them: no total over what is kept back, no second cut of the same rows. Whatever is
added, subtracted, filtered or zoomed is a sum of whole blocks.

A period that has appeared never changes: the view of tomorrow adds periods and touches none, so that two versions
differ by whole blocks too. Knowing all this, a reader who sees a coarse level learns that some value is rare in it,
never which nor how many (`tests/lake/store/test_public_view.py` tries every possible town). Knows no Django.
"""

from __future__ import annotations

import itertools
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyproj
import shapely

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.engine import is_sandbox
from beffroi.base.territory.viewer import AGENTS, PUBLIC
from beffroi.lake import projecting, sql
from beffroi.lake.definitions import ColumnDefinition, Definition, definition_from_json
from beffroi.lake.manifest import BOX, SourceInfo
from beffroi.lake.public_view import PERIODS, PublicView
from beffroi.lake.publishing import Published, publish
from beffroi.lake.reading import DUCKDB_TYPE, GEOMETRY, Column, ColumnType, Reading
from beffroi.lake.store import DatasetNotFound, DatasetRef, Lake

log = logging.getLogger(__name__)
UNTOLD = "Non détaillé"
"""What stands for a column in a block that does not tell it apart."""

UNKNOWN = "Non précisé"
"""What stands for a value that the data do not have."""

Cell = tuple[int, int]
Values = tuple[str | None, ...]
_ZONE = ZoneInfo("Europe/Paris")


class ViewRefused(BeffroiError):
    """The public view that a dataset file declares cannot be made of the data as they are."""


@dataclass(frozen=True, slots=True)
class Block:
    """`count` rows of one cell and period that share `values`; None where a value is not told apart."""

    cell: Cell
    start: date
    values: Values
    count: int


def blocks(rows: Iterable[tuple[Cell, date, Values]], *, k: int) -> list[Block]:
    """Return what may be told of rows, each with its cell, the first day of its period and its values.

    >>> day = date(2026, 1, 1)
    >>> rows = [((0, 0), day, ("vol", "police"))] * 4 + [((0, 0), day, ("vol", "ville"))]
    >>> [(one.values, one.count) for one in blocks(rows, k=5)]
    [(('vol', None), 5)]
    """
    grouped: dict[tuple[Cell, date], Counter[Values]] = defaultdict(Counter)
    for cell, start, values in rows:
        grouped[cell, start][values] += 1
    return [
        Block(cell, start, values, count)
        for (cell, start), counts in sorted(grouped.items())
        for values, count in _told(counts, k)
    ]


def _told(counts: Counter[Values], k: int) -> list[tuple[Values, int]]:
    width = len(next(iter(counts)))
    for size in range(width, -1, -1):
        for kept in itertools.combinations(range(width), size):
            level: Counter[Values] = Counter()
            for values, count in counts.items():
                level[tuple(value if place in kept else None for place, value in enumerate(values))] += count
            if min(level.values()) >= k:
                return sorted(level.items(), key=lambda item: tuple(value or "" for value in item[0]))
    return []


def period_start(day: date, period: str) -> date:
    """Return the first day of the period that holds a day.

    >>> period_start(date(2026, 8, 14), "trimestre"), period_start(date(2026, 8, 14), "annee")
    (datetime.date(2026, 7, 1), datetime.date(2026, 1, 1))
    """
    months = PERIODS[period]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def period_end(start: date, period: str) -> date:
    """Return the first day after the period that begins on `start`."""
    month = start.month - 1 + PERIODS[period]
    return date(start.year + month // 12, month % 12 + 1, 1)


def period_title(start: date, period: str) -> str:
    """Return a period as it is written: « 2026 T3 » sorts as it reads.

    >>> period_title(date(2026, 7, 1), "trimestre"), period_title(date(2026, 7, 1), "mois")
    ('2026 T3', '2026-07')
    """
    rank = (start.month - 1) // PERIODS[period] + 1
    texts = {"mois": f"{start:%Y-%m}", "trimestre": f"{start.year} T{rank}", "semestre": f"{start.year} S{rank}"}
    return texts.get(period, str(start.year))


def check_view(lake: Lake, territory: str, definition: Definition, columns: Sequence[Column]) -> None:
    """Refuse what could not be published, or would take apart what already is.

    Raises:
        ViewRefused: a column is missing, the dataset is open to all, or a grain that has appeared would change.
    """
    view = definition.public_view
    if view is None:
        return
    where = f"datasets/{definition.theme or '?'}/{definition.slug}.toml"
    types = {column.key: column.type for column in columns}
    missing = next((key for key in (view.date, *view.by) if key not in types), None)
    if missing is not None:
        raise ViewRefused(
            "la colonne « {column} » de la vue publique n'existe pas dans la source",
            where=where,
            remedy="corrigez public_view ; colonnes : {known}",
            column=missing,
            known=", ".join(list(types)[:30]),
        )
    if types[view.date] not in (ColumnType.DATE, ColumnType.DATETIME):
        raise ViewRefused(
            "la colonne « {column} » de la vue publique n'est pas une date",
            where=where,
            remedy="donnez son type dans columns, ou une autre colonne",
            column=view.date,
        )
    if definition.access == PUBLIC:
        raise ViewRefused(
            "des données ouvertes à tous n'ont pas de vue publique", where=where, remedy="réservez-les (access)"
        )
    before = _appeared(lake, DatasetRef(territory, view.slug))
    if before is not None and before.grain != _grain(view):
        raise ViewRefused(
            "la maille d'une vue publique déjà parue ne change pas : deux mailles se soustraient",
            where=where,
            remedy="gardez k, cell_m, date, period et by, ou retirez d'abord le jeu « {slug} » et toutes ses versions",
            slug=view.slug,
        )


def _grain(view: PublicView) -> tuple[Any, ...]:
    return view.k, view.cell_m, view.date, view.period, view.by


@dataclass(frozen=True, slots=True)
class _Appeared:
    """What the public already has: the newest version, whose periods hold those of all the others."""

    data: str
    grain: tuple[Any, ...] | None


def _appeared(lake: Lake, ref: DatasetRef) -> _Appeared | None:
    versions = lake.versions(ref)
    if not versions:
        return None
    view = definition_from_json(lake.manifest(ref, versions[0]).definition).public_view
    data = lake.version_folder(ref, versions[0]) / "data.parquet"
    return _Appeared(str(data), None if view is None else _grain(view))


def refresh_public_view(lake: Lake, ref: DatasetRef, *, at: datetime) -> Published | None:
    """Publish the periods of a dataset that are over and have not appeared yet; None when it has no public view.

    Made from the version in service: what killed the process before is made up for by the next call.

    Raises:
        DatasetNotFound: no version was ever published.
        ViewRefused: as :func:`check_view`, or the data lie where there is no legal projection.
        LakeNotWritable: the lake cannot be written.
    """
    view = definition_from_json(lake.definition(ref)).public_view
    if view is None or view.slug == ref.slug:
        return None
    # One at a time: two that read different versions would each give their own numbers for one period.
    with lake.writing(ref):
        return _refreshed(lake, ref, view, at)


def _refreshed(lake: Lake, ref: DatasetRef, view: PublicView, at: datetime) -> Published | None:
    force = lake.in_force(ref)
    manifest, definition = lake.manifest(ref, force.version), definition_from_json(lake.definition(ref))
    check_view(lake, ref.territory, replace(definition, access=force.access), manifest.columns)
    code = projecting.legal_code(manifest.bbox)
    if code is None:
        if manifest.bbox is None:
            return None
        raise ViewRefused(
            "pas de projection légale là où se trouvent ces données",
            where=str(ref),
            remedy="une vue publique se fait en France",
        )
    target = DatasetRef(ref.territory, view.slug)
    before = _appeared(lake, target)
    today = at.astimezone(_ZONE).date()
    data = str(lake.version_folder(ref, force.version) / "data.parquet")
    with sql.workbench(memory_mb=1024, threads=2) as con:
        known = set() if before is None else _periods(con, before.data)
        rows = ((cell, start, values) for cell, start, values in _rows(con, data, view, code)
                if start not in known and period_end(start, view.period) <= today)  # fmt: skip
        fresh = blocks(rows, k=view.k)
        if not fresh:
            return None
        titles = {column.key: column.title for column in manifest.columns}
        reading = _reading(con, fresh, view, code, titles, None if before is None else before.data)
        return publish(
            lake,
            target,
            reading,
            # Neither the size nor the mark of the source: they change with every row.
            source=SourceInfo(ref.slug),
            definition=_definition(definition, view, titles, AGENTS if is_sandbox(ref.territory) else PUBLIC),
            at=at,
        )


def refresh_public_views(lake: Lake, refs: Iterable[DatasetRef], *, at: datetime) -> int:
    """Refresh the public views of some datasets; one that is refused is told to the log and stops no other."""
    done = 0
    for ref in refs:
        try:
            published = refresh_public_view(lake, ref, at=at)
        except DatasetNotFound:
            continue
        except ViewRefused as refused:
            log.error("public view of %s: %s", ref, refused)
        else:
            done += published is not None and published.is_new
    return done


def _periods(con: Any, data: str) -> set[date]:
    return {row[0] for row in con.execute("SELECT DISTINCT debut FROM read_parquet(?)", [data]).fetchall()}


def _rows(con: Any, data: str, view: PublicView, code: int) -> Iterable[tuple[Cell, date, Values]]:
    """Give each row that has a place and a date: its cell, its period and its values."""
    told = ", ".join(f"coalesce(nullif(trim(CAST({sql.name(key)} AS VARCHAR)), ''), '{UNKNOWN}')" for key in view.by)
    cursor = con.execute(
        f"SELECT ({BOX}.xmin + {BOX}.xmax) / 2, ({BOX}.ymin + {BOX}.ymax) / 2, CAST({sql.name(view.date)} AS DATE)"  # noqa: S608 - quoted keys
        f"{', ' + told if told else ''} FROM read_parquet(?) "
        f"WHERE {BOX} IS NOT NULL AND {sql.name(view.date)} IS NOT NULL",
        [data],
    )
    project = pyproj.Transformer.from_crs("OGC:CRS84", f"EPSG:{code}", always_xy=True)
    while batch := cursor.fetchmany(50_000):
        x, y = project.transform(np.array([row[0] for row in batch]), np.array([row[1] for row in batch]))
        cells = np.floor(np.stack([x, y], axis=1) / view.cell_m).astype(np.int64).tolist()
        for (east, north), row in zip(cells, batch, strict=True):
            yield (east, north), period_start(row[2], view.period), tuple(row[3:])


def _columns(view: PublicView, titles: dict[str, str]) -> tuple[Column, ...]:
    return (
        Column("id", "Identifiant"),
        Column("carreau", "Carreau"),
        Column("periode", "Période"),
        Column("debut", "Début de la période", ColumnType.DATE),
        *(Column(key, titles[key]) for key in view.by),
        Column("nombre", "Nombre", ColumnType.INTEGER),
    )


def _reading(
    con: Any, fresh: list[Block], view: PublicView, code: int, titles: dict[str, str], before: str | None
) -> Reading:
    """Return the view to publish: the blocks that have appeared as they are, and the fresh ones."""
    columns, table = _columns(view, titles), "public_view"
    described = ", ".join(f"{sql.name(column.key)} {DUCKDB_TYPE[column.type]}" for column in columns)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({described}, {GEOMETRY} BLOB)")
    marks = ", ".join("?" * (len(columns) + 1))
    shapes = _cells({block.cell for block in fresh}, view.cell_m, code)
    numbers = itertools.count(1)
    last: tuple[Cell, date] | None = None
    for block in fresh:
        # Numbered within their cell and period: what is told apart makes no name a reader could not type.
        if (block.cell, block.start) != last:
            last, numbers = (block.cell, block.start), itertools.count(1)
        cell, period = f"{block.cell[0]}-{block.cell[1]}", period_title(block.start, view.period)
        values = [UNTOLD if value is None else value for value in block.values]
        row = [f"{cell}-{period.replace(' ', '')}-{next(numbers)}", cell, period, block.start, *values, block.count]
        con.execute(f"INSERT INTO {table} VALUES ({marks})", [*row, shapes[block.cell]])  # noqa: S608
    if before is not None:
        kept = ", ".join(sql.name(column.key) for column in columns)
        con.execute(
            f"INSERT INTO {table} SELECT {kept}, ST_AsWKB({GEOMETRY}) FROM read_parquet(?)",  # noqa: S608 - our columns
            [before],
        )
    count, first, last_day = con.execute(f"SELECT count(*), min(debut), max(debut) FROM {table}").fetchone()  # noqa: S608
    told = (first.isoformat(), period_end(last_day, view.period).isoformat())
    return Reading(con, table, columns, count, has_geometry=True, crs=f"EPSG:{code}", period=told)


def _cells(cells: set[Cell], side: int, code: int) -> dict[Cell, bytes]:
    """Return the outline of each cell as WKB (CRS84)."""
    ordered = sorted(cells)
    low = np.array(ordered, dtype=np.float64) * side
    squares = shapely.box(low[:, 0], low[:, 1], low[:, 0] + side, low[:, 1] + side)
    back = pyproj.Transformer.from_crs(f"EPSG:{code}", "OGC:CRS84", always_xy=True)
    placed = shapely.transform(squares, lambda points: np.column_stack(back.transform(points[:, 0], points[:, 1])))
    return dict(zip(ordered, shapely.to_wkb(np.asarray(placed)), strict=True))


def _definition(source: Definition, view: PublicView, titles: dict[str, str], access: str) -> Definition:
    told = ", ".join(titles[key].lower() for key in view.by)
    description = (
        f"Nombres par carreau de {view.cell_m} m et par période close, à partir de données réservées. Un carreau où "
        f"l'on compte moins de {view.k} lignes ne paraît pas. "
        + (f"Le détail ({told}) n'est donné que là où chacune de ses valeurs en compte autant. " if told else "")
        + "Une période parue ne change plus : ce qui est enregistré plus tard n'y entre pas."
    )
    return Definition(
        view.slug,
        theme=source.theme,
        title=view.title,
        description=description,
        producer=source.producer,
        licence=source.licence,
        rhythm=source.rhythm,
        access=access,
        fictional=source.fictional,
        id="id",
        columns={
            "nombre": ColumnDefinition(description=f"{view.k} au moins"),
            "carreau": ColumnDefinition(description=f"Carré de {view.cell_m} m de côté (projection légale)"),
        },
        # The grain, so that no later file may change it.
        public_view=view,
    )
