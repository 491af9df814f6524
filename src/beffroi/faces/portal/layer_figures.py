"""The figures a service tells of its datasets: a table for each, and the trend where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.tables import cell
from beffroi.faces.portal.templatetags.maps import rounded
from beffroi.faces.shell.charts import Line, Point, line_of
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import Figures
from beffroi.lake.queries import DatasetDetail, DatasetSummary, Filter, Measure
from beffroi.lake.reading import Column, ColumnType


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One line: what it is about, the figure as it is read, over how many rows."""

    key: str
    figure: str
    count: int


@dataclass(frozen=True, slots=True)
class FigureTable:
    """A table of figures. `untold` counts the values with too few rows to be told; `line` is their trend."""

    title: str
    by: str
    measure: str
    note: str
    rows: tuple[FigureRow, ...]
    untold: int
    least: int
    more: int
    line: Line | None
    said: str
    counted: bool


def figure_tables(
    viewer: Viewer,
    wanted: Sequence[Figures],
    shown: Mapping[str, tuple[DatasetSummary, DatasetDetail]],
    where: Mapping[str, tuple[Filter, ...]],
) -> tuple[FigureTable, ...]:
    """Return the tables of a use case that the datasets shown can fill."""
    made = (
        _table(viewer, one, *shown[one.dataset], where.get(one.dataset, ())) for one in wanted if one.dataset in shown
    )
    return tuple(one for one in made if one is not None)


def _table(
    viewer: Viewer, wanted: Figures, summary: DatasetSummary, detail: DatasetDetail, where: tuple[Filter, ...]
) -> FigureTable | None:
    columns = {column.key: column for column in detail.columns}
    if wanted.by not in columns or (wanted.column and wanted.column not in columns):
        return None
    by, column = columns[wanted.by], columns.get(wanted.column)
    measures = [Measure("n"), Measure("figure", wanted.function, wanted.column or None)]
    kept = (*where, Filter(column.key, "null", False)) if column else where
    found = lake.aggregate(viewer, summary.ref, group_by=[by.key], measures=measures, where=kept)
    rows = [(key, count, value) for key, count, value in found.rows if key not in (None, "")]
    told = [row for row in rows if row[1] >= wanted.least and row[2] is not None]
    if not told:
        return None
    if wanted.order == "value":
        told.sort(key=lambda row: (-float(row[2]), str(row[0])))
    unit = _(wanted.unit) if wanted.unit else (column.unit if column else "") or ""
    lines = tuple(
        FigureRow(_key(key, by), _figure(value, unit), int(count)) for key, count, value in told[: wanted.most]
    )
    trend = (
        line_of([Point(line.key, float(row[2])) for line, row in zip(lines, told, strict=False)])
        if wanted.trend
        else None
    )
    return FigureTable(
        title=_(wanted.title),
        by=by.title,
        measure=_measure(wanted, column),
        note=_(wanted.description) if wanted.description else "",
        rows=lines,
        untold=len(rows) - len(told),
        least=wanted.least,
        more=max(0, len(told) - wanted.most),
        line=trend,
        said=_said(lines) if trend else "",
        counted=wanted.function != "count",
    )


def _key(value: Any, column: Column) -> str:
    # A year is no quantity: no thousands separator.
    if column.type is ColumnType.INTEGER and not column.labels:
        return str(value)
    return cell(value, column).text


def _figure(value: Any, unit: str) -> str:
    shown = number(rounded(float(value)))
    return f"{shown}\u00a0{unit}" if unit else str(shown)


def _measure(wanted: Figures, column: Column | None) -> str:
    if column is None:
        return _("Nombre")
    words = {
        "sum": _("{title}, total"),
        "mean": _("{title}, moyenne"),
        "min": _("{title}, au moins"),
        "max": _("{title}, au plus"),
        "median": _("{title}, médiane"),
        "distinct": _("{title}, valeurs différentes"),
    }
    return words[wanted.function].format(title=column.title)


def _said(rows: Sequence[FigureRow]) -> str:
    return _("De {first} ({before}) à {last} ({after}).").format(
        first=rows[0].key, before=rows[0].figure, last=rows[-1].key, after=rows[-1].figure
    )
