"""The sheet of one thing on the map: what the lake knows of it, in the words of its dataset."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from beffroi.faces.portal.hours import hours_text, tells_hours
from beffroi.faces.portal.tables import Cell, cell
from beffroi.faces.shell.things import column_words
from beffroi.lake.queries import DatasetDetail
from beffroi.lake.reading import ABSENCE, SURFACES, Column, ColumnType

# What publishers call the name of a thing, best first.
_NAMES = (
    "nom_complet",
    "nom",
    "name",
    "libelle",
    "lib_off",
    "titre",
    "intitule",
    "denomination",
    "nom_usuel",
    "equip_nom",
    "enseigne",
    "rs",
)
# Coordinates, internal numbers and dates of handling tell nobody what a thing is.
UNTOLD = re.compile(
    r"^(?:x|y|z|id|fid|gid|objectid|commune|prefixe|(?:code_)?insee\w*)$|(?:^|_)(?:lon|lat|long|coor\w*|xy|id|uuid|maj|shape|geom)(?:_|\d*$)|^surfaces_cityjson$"
)
FIRST_FACTS = 3
_NAME_PARTS = ("nom", "lib", "name", "quart", "adresse", "denomination")


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a sheet: the column's title, the value as it is read, its unit and what it means."""

    title: str
    value: Cell
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The facts known of a thing; `unknown` names the columns that say nothing of it. `lon`, `lat` in degrees.

    `nameless` when no column names it: its title is then made of its dataset and its number.
    """

    title: str
    facts: tuple[Fact, ...]
    unknown: tuple[str, ...]
    lon: float | None
    lat: float | None
    nameless: bool = False


def name_column(columns: Sequence[Column]) -> Column | None:
    """Return the column that names the rows, None when none does."""
    by_key = {column.key: column for column in columns}
    for key in _NAMES:
        if key in by_key:
            return by_key[key]
    texts = [column for column in columns if column.type is ColumnType.TEXT]
    return next((column for column in texts if any(part in column.key for part in _NAME_PARTS)), None)


def read_sheet(feature: bytes, detail: DatasetDetail, *, feature_id: str) -> Sheet:
    """Make the sheet of a GeoJSON feature of `detail`."""
    payload = json.loads(feature)
    properties: dict[str, Any] = payload.get("properties") or {}
    facts, unknown = [], []
    for column in detail.columns:
        if column.key == SURFACES:
            continue
        value, why = properties.get(column.key), properties.get(column.key + ABSENCE)
        if column.key.removesuffix(ABSENCE) in properties and column.key.endswith(ABSENCE):
            continue
        if (value is None or value == "") and why:
            facts.append(Fact(column_words(column), Cell(str(why)), "", column.description))
        elif value is None or value == "":
            unknown.append(column_words(column))
        else:
            facts.append(Fact(column_words(column), told(value, column), column.unit or "", column.description))
    named = name_column(detail.columns)
    title = str(properties.get(named.key) or "") if named else ""
    lon, lat = _middle(payload.get("geometry"))
    shown = title or f"{detail.summary.title} · {feature_id}"
    return Sheet(shown, tuple(facts), tuple(unknown), lon, lat, nameless=not title)


def first_told(
    properties: Mapping[str, Any], columns: Sequence[Column], named: Column | None, *, most: int = FIRST_FACTS
) -> tuple[tuple[str, str], ...]:
    """Return the first facts of a thing as (title, value with its unit), its name and its internal numbers left out."""
    facts = (
        (column_words(column), f"{told(properties[column.key], column).text} {column.unit or ''}".rstrip())
        for column in columns
        if properties.get(column.key) not in (None, "") and column != named and not UNTOLD.search(column.key)
    )
    return tuple(fact for _rank, fact in zip(range(most), facts, strict=False))


def told(value: Any, column: Column) -> Cell:
    """Return a value as a sheet or a list tells it: opening hours in words, the rest as in a table."""
    spoken = hours_text(value) if tells_hours(column) else ""
    return Cell(spoken) if spoken else cell(_moment(value, column), column)


def _moment(value: Any, column: Column) -> Any:
    """Return a day or a moment that GeoJSON wrote as a text, any other value as it is."""
    read = {ColumnType.DATE: date.fromisoformat, ColumnType.DATETIME: datetime.fromisoformat}.get(column.type)
    if read is None or not isinstance(value, str):
        return value
    try:
        return read(value)
    except ValueError:
        return value


def _middle(geometry: dict[str, Any] | None) -> tuple[float | None, float | None]:
    """Return the middle of the box of a geometry: where the map opens, not a measure."""
    points = list(_points(geometry.get("coordinates", [])) if geometry else [])
    if not points:
        return None, None
    lons, lats = [point[0] for point in points], [point[1] for point in points]
    return (min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2


def _points(coordinates: Any) -> list[Any]:
    if coordinates and isinstance(coordinates[0], int | float):
        return [coordinates]
    return [point for part in coordinates for point in _points(part)]
