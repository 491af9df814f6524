"""A dataset that no map can show, as bars: by the column that tells the most, with the table that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.tables import cell
from beffroi.lake import queries as lake
from beffroi.lake.queries import BadQuery, DatasetDetail, DatasetRef, Measure, QueryTooCostly
from beffroi.lake.reading import Column, ColumnType

MOST_BARS, MOST_ASKED, MOST_GROUPS = 12, 12, 5_000
TIME_S = 3.0
_NAMING = (ColumnType.TEXT, ColumnType.BOOLEAN)
_FIGURES = (ColumnType.INTEGER, ColumnType.NUMBER)


@dataclass(frozen=True, slots=True)
class Bar:
    """One line: its name, its figure, and its length out of a hundred."""

    name: str
    figure: float
    length: int


@dataclass(frozen=True, slots=True)
class Bars:
    """What is drawn: what each line is (`by`), what its figure is (`measure`); `more` values are not drawn."""

    title: str
    by: str
    measure: str
    bars: tuple[Bar, ...]
    more: int = 0


def dataset_bars(viewer: Viewer, detail: DatasetDetail, *, version: str | None = None) -> Bars | None:
    """Return the bars of a dataset, None for an empty one or when counting it would cost too much."""
    ref, columns = detail.summary.ref, detail.columns[:MOST_ASKED]
    if not columns or not detail.summary.rows:
        return None
    try:
        counted = lake.aggregate(
            viewer, ref, measures=[Measure(one.key, "distinct", one.key) for one in columns], version=version,
            timeout_s=TIME_S,
        )  # fmt: skip
        values = {one.key: int(value or 0) for one, value in zip(columns, counted.rows[0], strict=True)}
        by, figure = _telling(columns, values, detail.summary.rows)
        if by is not None:
            return _grouped(viewer, ref, by, figure, version)
    except (BadQuery, QueryTooCostly):
        return None
    # Nothing that groups rows: how varied each column is tells what the table holds.
    title = _("Combien de valeurs différentes, par colonne")
    return _drawn(title, _("Colonne"), _("Valeurs différentes"), [(one.title, values[one.key]) for one in columns])


def _telling(columns: Sequence[Column], values: dict[str, int], rows: int) -> tuple[Column | None, Column | None]:
    """Return the column that groups the rows best, and the one summed when each row is a group of its own.

    Best: the most values that fit in a chart, each shared by two rows or more; else the fewest values.
    """
    naming = [one for one in columns if one.type in _NAMING and 2 <= values[one.key] <= MOST_GROUPS]
    shared = [one for one in naming if values[one.key] <= min(MOST_BARS, rows // 2)]
    if shared:
        # A column in words tells more than its codes.
        return max(shared, key=lambda one: ("code" not in one.key, values[one.key])), None
    figures = [one for one in columns if one.type in _FIGURES and values[one.key] > 1]
    named = min(naming, key=lambda one: values[one.key], default=None)
    unique = named is not None and values[named.key] > rows // 2
    return named, (figures[-1] if figures and unique else None)


def _grouped(viewer: Viewer, ref: DatasetRef, by: Column, figure: Column | None, version: str | None) -> Bars:
    measure = Measure("figure", "sum", figure.key) if figure else Measure("figure")
    found = lake.aggregate(
        viewer, ref, group_by=[by.key], measures=[measure], version=version, max_rows=MOST_GROUPS + 1, timeout_s=TIME_S
    )
    lines = [(cell(key, by).text if key not in (None, "") else _("Non renseigné"), value) for key, value in found.rows]
    what = (f"{figure.title} ({figure.unit})" if figure.unit else figure.title) if figure else _("Nombre de lignes")
    return _drawn(_("{what} par « {by} »").format(what=what, by=by.title), by.title, what, lines)


def _drawn(title: str, by: str, measure: str, lines: Sequence[tuple[str, Any]]) -> Bars:
    """Return the longest bars first; what is below nothing has no length, and its figure all the same."""
    ranked = sorted(((name, float(value or 0)) for name, value in lines), key=lambda line: (-line[1], line[0]))
    top = max((value for _name, value in ranked), default=0.0)
    bars = [
        Bar(
            name,
            int(value) if value.is_integer() else round(value, 2),
            round(100 * max(0.0, value) / top) if top > 0 else 0,
        )
        for name, value in ranked[:MOST_BARS]
    ]
    return Bars(title, by, measure, tuple(bars), more=max(0, len(ranked) - MOST_BARS))
