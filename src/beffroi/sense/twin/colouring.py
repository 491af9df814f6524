"""What a column of a dataset says of each building: the value the model is coloured by.

A building meets a row by an identifier they share (its own, those of its parcels or addresses, which the register of
buildings ties together; of an address only written, that of its words), else by place: the building that holds a point,
else the nearest within ten metres; the nearest line within thirty; the area that holds a point of the building. Of
several rows, numbers give their median, other values the most frequent. What nothing says is absent: it is not known,
and never guessed.
"""

from __future__ import annotations

import re
import threading
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely import STRtree

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetDetail, DatasetSummary
from beffroi.lake.reading import GEOMETRY
from beffroi.sense.twin.written import address_book, is_written, key_among, read_rows, written_rows

POINT_M, LINE_M = 10.0, 30.0
_ID = "_id"
_MOST_KEPT = 3
_LAT_M, _LON_M = 110_574.0, 111_320.0
"""Metres in a degree. Flattened at the town's middle, distances of some ten metres are right within 1 % over 50 km."""

_SEPARATORS = re.compile(r"[\s,;|]+")
# The names of columns that hold each kind of identifier, by how far it reaches: a parcel may hold several buildings.
LINKS: dict[str, tuple[str, ...]] = {
    "rnb": ("id_rnb", "rnb_id"),
    "parcel": ("id_parcelle", "plots", "cad_parcelles"),
    "address": ("identifiant_ban", "addresses", "identifiantadresseetablissement"),
}


class Link(StrEnum):
    """What ties a row to a building."""

    OWN = "own"
    RNB = "rnb"
    PARCEL = "parcel"
    ADDRESS = "address"
    POINT = "point"
    LINE = "line"
    AREA = "area"


class NotOfBuildings(BeffroiError):
    """Nothing ties the rows of a dataset to buildings."""


@dataclass(frozen=True, slots=True, eq=False)
class Coloured:
    """The value of each building known, by its `_id`, and what ties the rows to them; compared by identity."""

    values: Mapping[str, Any]
    link: Link


def split_ids(value: Any) -> list[str]:
    """Return the identifiers a cell holds: registers write several in one."""
    return [part for part in _SEPARATORS.split(str(value or "")) if part]


def coloured(
    viewer: Viewer, blocks: DatasetSummary, about: DatasetSummary, column: str, *, around: Iterable[DatasetSummary] = ()
) -> Coloured:
    """Return what `column` of `about` says of the buildings `blocks`; `around` are datasets where a register may be.

    Raises:
        DatasetNotFound: either is not for this viewer.
        BadQuery: a column unknown to this viewer.
        NotOfBuildings: no identifier is shared, and the dataset has no place.
    """
    others = [one for one in around if one.ref not in (about.ref, blocks.ref)]
    told = lake.dataset(viewer, about.ref, version=about.version)
    own = lake.dataset(viewer, blocks.ref, version=blocks.version)
    register = register_of(viewer, others, own)
    book = address_book(viewer, others) if is_written(told) else None
    # The rights are in the key: what the reader may not read is in none of the columns named.
    seen = tuple(one.key for one in told.columns), tuple(one.key for one in own.columns)
    beside = [one.summary for one in (register, book) if one]
    versions = [(one.ref, one.version) for one in (about, blocks, *beside)]
    key = (column, seen, *versions, lake.edits_mark(blocks.ref.territory))
    return _kept(key, lambda: _coloured(viewer, own, told, column, register, book))


def _coloured(
    viewer: Viewer,
    own: DatasetDetail,
    told: DatasetDetail,
    column: str,
    register: DatasetDetail | None,
    book: DatasetDetail | None,
) -> Coloured:
    if own.summary.ref == told.summary.ref:
        rows = read_rows(viewer, told, _ID, column)
        return Coloured({one: _plain(value) for one, value in rows if value not in (None, "")}, Link.OWN)
    for kind, keys in LINKS.items():
        theirs = key_among(told, keys)
        tied = tied_by(viewer, own, kind, register) if theirs else None
        if theirs and tied:
            found = [
                (building, value)
                for text, value in read_rows(viewer, told, theirs, column)
                for one in split_ids(text)
                for building in tied.get(one, ())
            ]
            return Coloured(_one_each(found), Link(kind))
    if book is not None:
        by_address = tied_by(viewer, own, "address", register) or {}
        said = written_rows(viewer, told, book, column)
        pairs = ((to, value) for one, (value,) in said for to in by_address.get(one, ()))
        return Coloured(_one_each(pairs), Link.ADDRESS)
    return _by_place(viewer, own, told, column)


def tied_by(
    viewer: Viewer, own: DatasetDetail, kind: str, register: DatasetDetail | None
) -> dict[str, list[str]] | None:
    """Return the buildings of each identifier of a kind, None when the buildings bear none."""
    key = key_among(own, LINKS[kind])
    if key:
        cells = read_rows(viewer, own, _ID, key)
        return _grouped((one, building) for building, text in cells for one in split_ids(text))
    rnb = key_among(own, LINKS["rnb"])
    theirs = key_among(register, LINKS[kind]) if register else None
    if register is None or rnb is None or theirs is None:
        return None
    by_rnb = tied_by(viewer, own, "rnb", None) or {}
    number = key_among(register, LINKS["rnb"]) or ""
    return _grouped(
        (one, building)
        for rnb_id, text in read_rows(viewer, register, number, theirs)
        for building in by_rnb.get(str(rnb_id), ())
        for one in split_ids(text)
    )


def register_of(viewer: Viewer, around: Iterable[DatasetSummary], own: DatasetDetail) -> DatasetDetail | None:
    """Return the register that ties the buildings' own identifiers to parcels and addresses, if one is known."""
    if key_among(own, LINKS["rnb"]) is None:
        return None
    for one in around:
        if "rnb" not in one.ref.slug.split("-"):
            continue
        detail = lake.dataset(viewer, one.ref, version=one.version)
        if key_among(detail, LINKS["rnb"]) and any(key_among(detail, LINKS[kind]) for kind in ("parcel", "address")):
            return detail
    return None


def _by_place(viewer: Viewer, own: DatasetDetail, told: DatasetDetail, column: str) -> Coloured:
    kind = (told.summary.geometry_type or "").removeprefix("Multi")
    links = {"Point": Link.POINT, "LineString": Link.LINE, "Polygon": Link.AREA}
    if kind not in links:
        raise NotOfBuildings(
            "« {name} » ne se rapporte pas aux bâtiments",
            where="couche",
            remedy="choisissez un jeu de données situé, ou qui porte l’identifiant d’un bâtiment, d’une parcelle ou "
            "d’une adresse",
            name=told.summary.title,
        )
    ids, shapes = _shapes(viewer, own, _ID)
    values, places = _shapes(viewer, told, column)
    if not ids or not values:
        return Coloured({}, links[kind])
    middle = own.summary.bbox or told.summary.bbox
    scale = np.array([_LON_M * np.cos(np.radians((middle.south + middle.north) / 2 if middle else 0.0)), _LAT_M])
    flat, laid = (shapely.transform(one, lambda at: at * scale) for one in (shapes, places))
    pairs = _met(links[kind], flat, laid)
    return Coloured(_one_each((ids[building], values[row]) for building, row in pairs), links[kind])


def _met(link: Link, buildings: npt.NDArray[Any], rows: npt.NDArray[Any]) -> Iterable[tuple[int, int]]:
    """Return which building (rank) each row (rank) tells of, all in metres."""
    if link is Link.AREA:
        found, held = STRtree(rows).query(shapely.point_on_surface(buildings), predicate="within")
        return zip(found.tolist(), held.tolist(), strict=True)
    if link is Link.LINE:
        found, held = STRtree(rows).query_nearest(buildings, max_distance=LINE_M, all_matches=False)
        return zip(found.tolist(), held.tolist(), strict=True)
    held, found = STRtree(buildings).query_nearest(rows, max_distance=POINT_M, all_matches=False)
    return zip(found.tolist(), held.tolist(), strict=True)


def _shapes(viewer: Viewer, detail: DatasetDetail, column: str) -> tuple[list[Any], npt.NDArray[Any]]:
    rows = [
        (value, form) for value, form in read_rows(viewer, detail, column, GEOMETRY) if form and value not in (None, "")
    ]
    return [value for value, _form in rows], shapely.from_wkb([bytes(form) for _value, form in rows])


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key, one in pairs:
        groups[key].append(one)
    return groups


def _one_each(found: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    several: dict[str, list[Any]] = defaultdict(list)
    for building, value in found:
        if value not in (None, ""):
            several[building].append(_plain(value))
    return {building: values[0] if len(values) == 1 else _of_several(values) for building, values in several.items()}


def _of_several(values: list[Any]) -> Any:
    """Return the median of numbers, else the value most often said; of those said as often, the last in order.

    >>> _of_several([3, 1, 2]), _of_several(["D", "E", "D"]), _of_several(["E", "D"])
    (2, 'D', 'E')
    """
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
        return median(values)
    times = Counter(values)
    return max(times, key=lambda one: (times[one], str(one)))


def _plain(value: Any) -> Any:
    """Return the year of a day: a legend tells years apart, not days."""
    return value.year if isinstance(value, date) else value


_held: OrderedDict[object, Coloured] = OrderedDict()
_holding = threading.Lock()


def _kept(key: object, make: Callable[[], Coloured]) -> Coloured:
    """Return what was found lately, or find it, one at a time: a page asks for many tiles of the same colours."""
    with _holding:
        if key in _held:
            _held.move_to_end(key)
        else:
            _held[key] = make()
            while len(_held) > _MOST_KEPT:
                _held.popitem(last=False)
        return _held[key]
