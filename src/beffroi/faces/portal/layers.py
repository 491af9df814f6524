"""A service of the `layers` engine: what the map shows, told as a list that needs no map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from beffroi.base.catalogue.definition import UseCase
from beffroi.base.kernel.words import folded
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.directory import town_datasets
from beffroi.faces.portal.hours import HoursLine, hours_lines, tells_hours
from beffroi.faces.portal.mapping import DrawnMap, layers_map
from beffroi.faces.portal.sheets import name_column
from beffroi.faces.portal.tables import cell
from beffroi.faces.shell.access import Request
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef, DatasetSummary, TilesState
from beffroi.lake.reading import Column

ENGINE = "layers"
MOST_PLACES = 300
MOST_FACTS = 6
# The parts of an address in the national schemas, in the order they are written.
_ADDRESS = (("adr_numero", "adr_nomvoie"), ("adr_num", "adr_voie"), ("numero", "voie"))


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing told of a place; `phone` is set where the text can be dialled."""

    title: str
    text: str
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """One line of the list: what it is, where, when."""

    id: str
    name: str
    address: str
    hours: tuple[HoursLine, ...]
    hours_as_written: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class ListedDataset:
    """A dataset of the service: its places, how many more there are, where it comes from and when."""

    ref: DatasetRef
    title: str
    source: str
    updated_at: datetime
    total: int
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class ShownLayers:
    """What the page of the service shows; `map` is None while none can be drawn."""

    datasets: tuple[ListedDataset, ...]
    map: DrawnMap | None


def shown_layers(request: Request, use_case: UseCase) -> ShownLayers | None:
    """Return what a use case shows of the town's data to this reader, None when it shows no layers."""
    wanted = use_case.settings.get(ENGINE)
    if wanted is None or not request.commune:
        return None
    known = town_datasets(request)
    by_slug = {one.ref.slug: one for one in known}
    chosen = [by_slug[slug] for slug in wanted.datasets if slug in by_slug]
    drawn = [one for one in chosen if lake.tiles_state(request.viewer, one.ref) is TilesState.READY]
    listed = tuple(listed_dataset(request.viewer, one, wanted.columns) for one in chosen)
    return ShownLayers(listed, layers_map(request.viewer, drawn, known) if drawn else None)


def listed_dataset(
    viewer: Viewer, summary: DatasetSummary, wanted: Sequence[str], *, most: int = MOST_PLACES
) -> ListedDataset:
    """Return the first `most` places of a dataset by name, with the facts of the columns `wanted`."""
    page = lake.table(viewer, summary.ref, limit=most)
    named = name_column(page.columns)
    places = [
        _place(feature_id, dict(zip((column.key for column in page.columns), row, strict=True)), page.columns, named,
               wanted)
        for feature_id, row in zip(page.ids, page.rows, strict=True)
    ]  # fmt: skip
    return ListedDataset(
        ref=summary.ref,
        title=summary.title,
        source=summary.producer,
        updated_at=summary.updated_at,
        total=page.total,
        places=tuple(sorted(places, key=lambda place: folded(place.name))),
    )


def _place(
    feature_id: str, row: Mapping[str, Any], columns: Sequence[Column], named: Column | None, wanted: Sequence[str]
) -> Place:
    timed = next((column for column in columns if tells_hours(column)), None)
    text = row.get(timed.key) if timed else None
    lines = hours_lines(text)
    name = str(row.get(named.key) or "") if named else ""
    own = {column.key for column in (named, timed) if column}
    by_key = {column.key: column for column in columns if column.key not in own}
    told = [by_key[key] for key in wanted if key in by_key and row[key] not in (None, "")]
    return Place(
        id=feature_id,
        name=name or _("Élément {n}").format(n=feature_id),
        address=_address(row),
        hours=lines,
        hours_as_written="" if lines or not text else str(text),
        facts=tuple(_fact(row[column.key], column) for column in told[:MOST_FACTS]),
    )


def _fact(value: Any, column: Column) -> Fact:
    text = cell(value, column).text
    if "tel" not in column.key.split("_"):
        return Fact(column.title, text)
    digits = text.replace(" ", "")
    local = f"0{digits.removeprefix('+33')}" if digits.startswith("+33") else digits
    return Fact(column.title, "\u00a0".join(local[at : at + 2] for at in range(0, len(local), 2)), phone=digits)


def _address(row: Mapping[str, Any]) -> str:
    for keys in _ADDRESS:
        if all(key in row for key in keys):
            return " ".join(str(row[key]) for key in keys if row[key] not in (None, ""))
    return ""
