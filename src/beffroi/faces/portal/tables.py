"""A page of a dataset's table, as its address asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from beffroi.base.kernel.numbers import whole_number
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake import queries as lake
from beffroi.lake.queries import BadQuery, DatasetDetail, DatasetRef, Filter, TablePage
from beffroi.lake.reading import SURFACES, Column, ColumnType

ROWS = 50
OPERATORS = ("contains", "starts", "eq", "ne", "lt", "le", "gt", "ge", "null")
NUMERIC = (ColumnType.INTEGER, ColumnType.NUMBER)
# Names that identify rather than count: no thousands separators.
_CODES = ("code", "insee", "siret", "siren", "annee", "id", "numero", "cp", "millesime", "year")


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as it is read, and whether it is aligned as a number."""

    text: str
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class AskedTable:
    """One page of a table with what asked for it: `first` and `last` count from 1, `size` is the most of a page."""

    page: TablePage
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    order_by: str
    descending: bool
    first: int
    last: int
    size: int

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns shown."""
        return self.page.columns

    @property
    def total(self) -> int:
        """Return how many rows match."""
        return self.page.total


def asked_table(
    viewer: Viewer,
    ref: DatasetRef,
    detail: DatasetDetail,
    query: Mapping[str, Any],
    *,
    version: str | None = None,
    limit: int = ROWS,
) -> AskedTable:
    """Return the page of rows that the query string asks for.

    Raises:
        BadQuery: a start that is not a number, a column or a comparison that the table does not have.
        DatasetNotFound: absent, or not for this viewer.
    """
    sort = str(query.get("tri", ""))
    descending, order_by = sort.startswith("-"), sort.removeprefix("-")
    offset = _offset(str(query.get("debut", "") or "0"))
    page = lake.table(
        viewer,
        ref,
        version=version,
        where=_filters(query),
        order_by=order_by or None,
        descending=descending,
        limit=limit,
        offset=offset,
    )
    rows = tuple(
        (feature_id, tuple(cell(value, column) for value, column in zip(row, page.columns, strict=True)))
        for feature_id, row in zip(page.ids, page.rows, strict=True)
    )
    return AskedTable(
        page=page,
        rows=rows,
        order_by=order_by,
        descending=descending,
        first=page.offset + 1 if page.rows else 0,
        last=page.offset + len(page.rows),
        size=limit,
    )


def _offset(text: str) -> int:
    start = whole_number(text, digits=12)
    if start is None:
        raise BadQuery(
            "« {text} » n’est pas un numéro de ligne", where="debut", remedy="donnez un nombre", text=text[:40]
        )
    return start


def _filters(query: Mapping[str, Any]) -> tuple[Filter, ...]:
    column, operator = str(query.get("colonne", "")), str(query.get("comparaison", "") or "contains")
    value = str(query.get("valeur", "")).strip()
    if not column or (not value and operator != "null"):
        return ()
    return (Filter(column, operator, True if operator == "null" else value),)


def is_code(key: str) -> bool:
    """Tell whether the name of a column says that its numbers identify rather than count."""
    return any(part in _CODES for part in key.split("_"))


def cell(value: Any, column: Column) -> Cell:
    """Return a value as a reader of the page's language expects it; nothing is a dash."""
    if value is None or value == "":
        return Cell("–")
    if column.key == SURFACES:
        return Cell(_("volume 3D"))
    label = column.label(value)
    if label is not None:
        return Cell(label)
    if isinstance(value, bool):
        return Cell(_("oui") if value else _("non"))
    if column.type in NUMERIC and isinstance(value, int | float):
        if is_code(column.key):
            return Cell(str(value), is_number=True)
        return Cell(number(round(value, 6) if isinstance(value, float) else value), is_number=True)
    if isinstance(value, datetime):
        return Cell(formats.date_format(value, "SHORT_DATETIME_FORMAT"))
    if isinstance(value, date):
        return Cell(formats.date_format(value, "SHORT_DATE_FORMAT"))
    return Cell(str(value))
