"""Kinds of places one goes to, and where a town's data tell them: ``mobility/destinations/*.toml``.

title, order
[[read]]  dataset (pattern of a slug), keep (column = accepted values), name (columns, the first that exists)
The first [[read]] that finds a place is used: two lists of the same schools would count them twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.resources import shipped_folder
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetSummary
from beffroi.sense.mobility.data_files import read_table, require_keys
from beffroi.sense.mobility.recipes import pattern

MOST_PLACES = 20_000
_KEYS, _READ = ("title", "order", "read"), ("dataset", "keep", "name")


class BadKind(BeffroiError):
    """A file of `mobility/destinations/` does not read."""


class KindNotFound(NotFound):
    """No kind of place is so named."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to find the places of a kind: a dataset, the rows kept, the columns that name them."""

    dataset: re.Pattern[str]
    keep: dict[str, frozenset[str]]
    name: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlaceKind:
    """A kind of place, by the name of its file."""

    slug: str
    title: str
    order: int
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Destination:
    """A place of a kind: its name, longitude and latitude (CRS84)."""

    name: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Destinations:
    """The places of a kind in a town, and the dataset they were read in with the day of its version (ISO)."""

    kind: PlaceKind
    places: tuple[Destination, ...]
    source: str
    date: str
    licence: str


@lru_cache(maxsize=1)
def place_kinds() -> dict[str, PlaceKind]:
    """Return the kinds of places, by slug, in the order of lists."""
    found = [read_kind(path) for path in (shipped_folder("mobility") / "destinations").glob("*.toml")]
    return {one.slug: one for one in sorted(found, key=lambda one: (one.order, one.slug))}


def read_kind(path: Path) -> PlaceKind:
    """Read one file.

    Raises:
        BadKind: says the file, the key and the remedy.
    """
    where = f"destinations/{path.name}"
    table = read_table(path, where=where, refused=BadKind)
    asked = table.get("read", [])
    unknown = [key for key in table if key not in _KEYS] + [key for one in asked for key in one if key not in _READ]
    missing = [key for key in _KEYS if not table.get(key)]
    missing += [key for one in asked for key in ("dataset", "name") if key not in one]
    require_keys(unknown=unknown, missing=missing, known=(*_KEYS, *_READ), where=where, refused=BadKind)
    return PlaceKind(path.stem, table["title"], table["order"], tuple(_reading(one, where) for one in asked))


def _reading(told: dict[str, Any], where: str) -> Reading:
    keep = {key: frozenset(str(value).casefold() for value in values) for key, values in told.get("keep", {}).items()}
    return Reading(pattern(told["dataset"], where), keep, tuple(told["name"]))


def kind_named(slug: str) -> PlaceKind:
    """Return the kind `slug`.

    Raises:
        KindNotFound: says which there are.
    """
    known = place_kinds()
    if slug not in known:
        raise KindNotFound(
            "genre de lieu « {slug} » inconnu",
            where="kind",
            remedy="genres possibles : {all}",
            slug=slug[:40],
            all=", ".join(known),
        )
    return known[slug]


def destinations(territory: str, kind: PlaceKind) -> Destinations:
    """Return the places of a kind that everyone may read of; none, without a source, when no dataset tells them."""
    known = lake.datasets(ANONYMOUS, territory=territory)
    for reading in kind.readings:
        for dataset in known:
            if reading.dataset.search(dataset.ref.slug) and dataset.geometry_type is not None:
                found = _read(territory, kind.slug, reading, dataset)
                if found:
                    return Destinations(
                        kind, found, dataset.title, f"{dataset.updated_at:%Y-%m-%d}", dataset.licence or ""
                    )
    return Destinations(kind, (), "", "", "")


_READ_ALREADY: dict[tuple[str, str, str, str], tuple[Destination, ...]] = {}


def _read(territory: str, slug: str, reading: Reading, dataset: DatasetSummary) -> tuple[Destination, ...]:
    """Read the places of a version once in this process: a version never changes."""
    key = (territory, slug, str(dataset.ref), dataset.version)
    if key not in _READ_ALREADY:
        for old in [one for one in _READ_ALREADY if one[:3] == key[:3]]:
            del _READ_ALREADY[old]
        _READ_ALREADY[key] = _rows(reading, dataset)
    return _READ_ALREADY[key]


def _rows(reading: Reading, dataset: DatasetSummary) -> tuple[Destination, ...]:
    keys = {column.key for column in lake.dataset(ANONYMOUS, dataset.ref).columns}
    if not set(reading.keep) <= keys:
        return ()
    name = next((one for one in reading.name if one in keys), "")
    columns = [*reading.keep, *([name] if name else []), "geometry"]
    rows = lake.rows(ANONYMOUS, dataset.ref, columns=columns, max_rows=200_000).rows
    kept = [row for row in rows if row[-1] and _is_kept(row, reading)][:MOST_PLACES]
    if not kept:
        return ()
    shapes = shapely.from_wkb(np.array([row[-1] for row in kept], dtype=object))
    usable = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    where = shapely.get_coordinates(shapely.centroid(shapes[usable]))
    names = [str(row[len(reading.keep)] or "") if name else "" for row, use in zip(kept, usable, strict=True) if use]
    return tuple(Destination(one, float(lon), float(lat)) for one, (lon, lat) in zip(names, where, strict=True))


def _is_kept(row: tuple[Any, ...], reading: Reading) -> bool:
    return all(str(value or "").casefold() in values for value, values in zip(row, reading.keep.values(), strict=False))


__all__ = ["BadKind", "Destination", "Destinations", "KindNotFound", "PlaceKind", "destinations", "kind_named"]
