"""Figures of a dataset by area: how many things each district holds, or what a column says of them."""

from __future__ import annotations

from dataclasses import dataclass

from beffroi.base.territory.viewer import Viewer
from beffroi.lake import sql
from beffroi.lake.answers import Measure
from beffroi.lake.reading import GEOMETRY, ColumnType
from beffroi.lake.seeing import required
from beffroi.lake.sql import BadQuery
from beffroi.lake.store import DatasetRef

AREA_MEASURES = ("count", "sum", "mean")
MOST_AREAS = 2_000
TIMEOUT_S, MEMORY_MB = 10.0, 512
COUNT = Measure("count")


@dataclass(frozen=True, slots=True)
class AreaFigure:
    """One area: how many things it holds, and the figure asked for, None when no thing tells it."""

    area_id: str
    count: int
    value: float | None


def by_area(
    viewer: Viewer,
    ref: DatasetRef,
    areas: DatasetRef,
    *,
    measure: Measure = COUNT,
    version: str | None = None,
    areas_version: str | None = None,
) -> list[AreaFigure]:
    """Return `measure` of a dataset for each area (a polygon of `areas`), in the order of their ids.

    A thing belongs to the area that holds a point of its surface, so that a street or a building counts once.

    Raises:
        DatasetNotFound: either is absent, has no geometry, or is not for this viewer.
        BadQuery: a measure that is none of `AREA_MEASURES`, on a column that is not a number the viewer may read.
        QueryTooCostly: over 10 seconds or 512 MB.
    """
    things, zones = required(viewer, ref, version), required(viewer, areas, areas_version)
    for seen in (things, zones):
        if seen.manifest.geometry_type is None:
            raise BadQuery(
                "« {name} » n’est pas situé", remedy="choisissez un jeu de données de la carte", name=str(seen.ref)
            )
    if zones.manifest.rows > MOST_AREAS:
        raise BadQuery(
            "plus de {most} zones", where=str(areas), remedy="choisissez un découpage plus grand", most=MOST_AREAS
        )
    figure = "count(t._id)"
    if measure.function != "count":
        figure = _figure(measure, {column.key: column.type for column in things.columns})
    with sql.reading(things.lake.root, timeout_s=TIMEOUT_S, memory_mb=MEMORY_MB) as con:
        rows = con.execute(
            f"SELECT a._id, count(t._id), {figure} FROM read_parquet(?) a LEFT JOIN "  # noqa: S608 - quoted keys
            f"(SELECT *, ST_PointOnSurface({GEOMETRY}) AS place FROM read_parquet(?) WHERE {GEOMETRY} IS NOT NULL) t "
            f"ON ST_Contains(a.{GEOMETRY}, t.place) GROUP BY a._id ORDER BY a._id",
            [zones.data, things.data],
        ).fetchall()
    return [AreaFigure(str(area), int(count), None if value is None else float(value)) for area, count, value in rows]


def _figure(measure: Measure, types: dict[str, ColumnType]) -> str:
    functions = {"sum": "sum", "mean": "avg"}
    kind = types.get(measure.column or "")
    if measure.function not in functions or kind not in (ColumnType.INTEGER, ColumnType.NUMBER):
        raise BadQuery(
            "« {column} » n’a pas de {function} par zone",
            where="mesure",
            remedy="comptez les objets, ou choisissez une colonne de nombres",
            column=str(measure.column)[:40],
            function=measure.function[:20],
        )
    return f"{functions[measure.function]}(t.{sql.name(str(measure.column))})"
