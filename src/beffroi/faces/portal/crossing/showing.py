"""The answer to a recipe as a page shows it: rows, or figures with their bars or their line, and the map by zone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from beffroi.faces.portal.crossing.wording import measure_words
from beffroi.faces.portal.mapping import synthesis_map
from beffroi.faces.portal.synthesis import CLASSES, MOST_DISTRICTS, UNKNOWN, bounds_of, ranges
from beffroi.faces.portal.tables import Cell, cell
from beffroi.faces.portal.templatetags.maps import rounded
from beffroi.faces.shell.access import Request
from beffroi.faces.shell.charts import Line, Point, line_of
from beffroi.faces.shell.overlays import Mark
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake import queries as lake
from beffroi.lake.crossing.queries import Crossed, Group
from beffroi.lake.crossing.recipe import Recipe
from beffroi.lake.queries import DatasetSummary
from beffroi.lake.reading import ColumnType
from beffroi.lake.store import DatasetRef

SHOWN_GROUPS, SHOWN_COLUMNS, BAR = 200, 12, 100


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One line of figures: its name, its figure in words, over how many rows, and its bar, out of a hundred."""

    name: str
    figure: str
    count: int
    bar: int
    hushed: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer to show. `rows` are cells; `groups` figures; `line` their trend when they follow one another."""

    answer: Crossed
    columns: tuple[str, ...] = ()
    more_columns: int = 0
    rows: tuple[tuple[Cell, ...], ...] = ()
    by: str = ""
    measure: str = ""
    counted: bool = False
    groups: tuple[GroupRow, ...] = ()
    more: int = 0
    line: Line | None = None
    single: str = ""


def shown(answer: Crossed, recipe: Recipe) -> Shown:
    """Return an answer as its page shows it."""
    if recipe.summary is None or answer.measure is None:
        kept = answer.columns[:SHOWN_COLUMNS]
        return Shown(
            answer, tuple(one.title for one in kept), len(answer.columns) - len(kept),
            tuple(tuple(cell(value, one) for value, one in zip(row, kept, strict=False)) for row in answer.rows),
        )  # fmt: skip
    unit = answer.measure.unit or ""
    measure = measure_words(recipe.summary.function, answer.measure)
    counted = recipe.summary.function != "count"
    if answer.by is None:
        figure = answer.groups[0] if answer.groups else None
        return Shown(answer, measure=measure, counted=counted, single=_figure(figure.figure if figure else None, unit))
    ordered = _ordered(answer, recipe)
    top = max((one.figure or 0 for one in ordered), default=0)
    rows = tuple(_row(one, answer, unit, top) for one in ordered)
    trend = [Point(row.name, one.figure) for row, one in zip(rows, ordered, strict=True) if one.figure is not None]
    return Shown(
        answer, by=answer.by.title, measure=measure, counted=counted, groups=rows[:SHOWN_GROUPS],
        more=max(0, len(rows) - SHOWN_GROUPS),
        line=line_of(trend) if ":" in recipe.summary.by and min((one.value for one in trend), default=0) >= 0 else None,
    )  # fmt: skip


def _ordered(answer: Crossed, recipe: Recipe) -> list[Group]:
    followed = answer.by is not None and answer.by.type in (ColumnType.DATE, ColumnType.DATETIME, ColumnType.INTEGER)
    if followed or (recipe.summary and ":" in recipe.summary.by):
        return list(answer.groups)
    # Sorted stays stable: those that tell nothing keep their order, last.
    return sorted(answer.groups, key=lambda one: (one.figure is None, -(one.figure or 0)))


def _row(one: Group, answer: Crossed, unit: str, top: float) -> GroupRow:
    if answer.by is None or one.key in (None, ""):
        name = _("Non précisé")
    elif answer.by.type is ColumnType.INTEGER and not answer.by.labels:
        name = str(one.key)
    else:
        name = cell(one.key, answer.by).text
    bar = round(BAR * max(0, one.figure or 0) / top) if top > 0 else 0
    return GroupRow(name, _figure(one.figure, unit), one.count, bar, one.hushed)


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    said = str(number(rounded(value)))
    return f"{said}\u00a0{unit}" if unit else said


def zone_map(request: Request, answer: Crossed, mapped: list[DatasetSummary], url: str) -> dict[str, Any] | None:
    """Return the map of the zones of an answer with its legend, None when it is not by zone."""
    areas = next((one for one in mapped if one.ref == answer.area and "Polygon" in (one.geometry_type or "")), None)
    known = [one.figure for one in answer.groups if one.figure is not None]
    if areas is None or not known or areas.rows > MOST_DISTRICTS:
        return None
    marks = (*ranges(bounds_of(known)), Mark("", _("inconnu"), UNKNOWN))
    overlay = {
        "id": "croisement", "title": areas.title, "url": url, "list": "#chiffres", "property": "classe",
        "marks": [[mark.value, mark.label, mark.colour] for mark in marks],
        "byBox": False, "refreshS": 0, "shown": True,
    }  # fmt: skip
    named = _("Carte de « {title} ».").format(title=areas.title)
    return {"config": synthesis_map(request.viewer, mapped, areas, overlays=[overlay], named=named), "marks": marks}


def zones(request: Request, answer: Crossed, area: DatasetRef) -> dict[str, Any]:
    """Return the zones of an answer as GeoJSON: the class of each, and its figure written on it."""
    bounds = bounds_of([one.figure for one in answer.groups if one.figure is not None])
    by_id = {one.id: one for one in answer.groups}
    unit = (answer.measure.unit if answer.measure else "") or ""
    features = []
    for body in lake.features(request.viewer, area, limit=MOST_DISTRICTS).features:
        feature = json.loads(body)
        group = by_id.get(str(feature["id"]))
        figure = group.figure if group else None
        said = _figure(figure, unit)
        feature["properties"] = {
            "classe": "" if figure is None else str(min(sum(figure > one for one in bounds), len(CLASSES) - 1)),
            "title": f"{(group.key if group else '') or feature['id']} : {said}",
            "label": said,
        }
        features.append(feature)
    return {"type": "FeatureCollection", "features": features}
