"""How the things of a service are drawn and told: its legend, the mark of each, its sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from beffroi.faces.portal.sheets import told
from beffroi.faces.portal.tables import NUMERIC
from beffroi.faces.shell.icons import ICONS
from beffroi.faces.shell.themes import theme
from beffroi.lake.layer_colours import hex_of
from beffroi.lake.layer_settings import FIELD, Look, LookClass
from beffroi.lake.queries import DatasetSummary
from beffroi.lake.reading import Column


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of a legend; `path` are the drawing commands of its icon, empty when it has none."""

    label: str
    colour: str
    path: str = ""


def marks_of(summary: DatasetSummary, look: Look | None) -> tuple[Mark, ...]:
    """Return the legend of a dataset: one mark when all its things look alike, named after it."""
    if look is None or not look.classes:
        return (Mark("", colour_of(summary, look), _path(look.icon if look else "")),)
    return tuple(_mark(one, look) for one in look.classes)


def colour_of(summary: DatasetSummary, look: Look | None) -> str:
    """Return the colour of a dataset whose things are not told apart."""
    return hex_of(look.colour) if look and look.colour else theme(summary.theme).colour


def _mark(one: LookClass, look: Look) -> Mark:
    return Mark(_(one.label), hex_of(one.colour), _path(one.icon or look.icon))


def _path(icon: str) -> str:
    return ICONS.get(icon, "")


def mark_of(row: Mapping[str, Any], look: Look | None) -> Mark | None:
    """Return the class of a thing, None when its dataset has none, or none holds it."""
    if look is None or not look.classes:
        return None
    value = row.get(look.column)
    found = next((one for one in look.classes if holds(one, value)), None)
    return _mark(found, look) if found else None


def holds(one: LookClass, value: Any) -> bool:
    """Tell whether a class holds a value."""
    if one.below is not None:
        return isinstance(value, int | float) and value < one.below
    if one.value is not None:
        return value is not None and _plain(value) == _plain(one.value)
    return True


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def look_config(look: Look | None) -> dict[str, Any] | None:
    """Return what the map needs to draw the classes of a dataset, None when it draws all alike."""
    if look is None or not (look.classes or look.icon or look.height or look.outline):
        return None
    return {
        "column": look.column,
        "icon": _path(look.icon),
        "height": look.height,
        "outline": look.outline,
        "classes": [
            {
                "value": None if one.value is None else _plain(one.value),
                "below": one.below,
                "colour": hex_of(one.colour),
                "icon": _path(one.icon or look.icon),
            }
            for one in look.classes
        ],
    }


def sentence_of(row: Mapping[str, Any], columns: Sequence[Column], look: Look | None) -> str:
    """Return what is said of a thing; a part that names a column unknown or empty is left out."""
    if look is None:
        return ""
    by_key = {column.key: column for column in columns}
    parts = [_part(_(part), row, by_key) for part in look.sentence]
    text = ", ".join(part for part in parts if part)
    return text[:1].upper() + text[1:] + ("." if text and not text.endswith(".") else "")


def title_of(row: Mapping[str, Any], columns: Sequence[Column], look: Look | None) -> str:
    """Return how a thing is named by its look, empty when that says nothing of it."""
    return _part(look.named, row, {column.key: column for column in columns}) if look and look.named else ""


def _part(part: str, row: Mapping[str, Any], by_key: Mapping[str, Column]) -> str:
    for key in FIELD.findall(part):
        column, value = by_key.get(key), row.get(key)
        if column is None or value in (None, ""):
            return ""
        text = told(value, column).text
        unit = f"\u00a0{column.unit}" if column.unit and column.type in NUMERIC else ""
        part = part.replace(f"{{{key}}}", text + unit)
    return part
