"""From the rows of a dataset to those a directory reads: its names, what owners say over it, its districts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import shapely

from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef, Seen
from beffroi.sense.places.directory.settings import DirectorySettings, Source

DISTRICT = "_district"
KEPT_PREFIX = "tenu_"
CLOSED = "en_activite"
"""The column of what owners say by which a thing that is no more leaves the directory."""

_DISTRICT_KIND = "quartier"
_MOST_KEPT = 50_000
_TIMEOUT_S = 60.0
Row = Mapping[str, Any]
Place = tuple[float, float]


def name_of(slug: str, id: str) -> str:
    """Return the id under which an owner's words of a sheet stand in the dataset of such words.

    >>> name_of("associations", "W341000001")
    'associations.W341000001'
    """
    return f"{slug}.{id}"


def id_of(row: Row, together: Sequence[str]) -> str:
    """Return the id of the sheet that tells a row: what its rows share, alike from a version to the next, else its own.

    >>> id_of({"_id": "7", "rpps": "81"}, ("rpps",)), id_of({"_id": "7"}, ("rpps",))
    ('81', '7')
    """
    shared = [" ".join(str(row.get(one) or "").split()) for one in together]
    return "-".join(shared) if shared and all(shared) else str(row["_id"])


def shaped(
    rows: Iterable[Row], source: Source, kept: Mapping[str, Row], *, together: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """Yield the rows a directory reads of a dataset: owners' words laid over them, columns under its own names."""
    for row in rows:
        said = kept.get(name_of(source.dataset, id_of(row, together)), {})
        if said.get(CLOSED) is False:
            continue
        laid = {**row, **{f"{KEPT_PREFIX}{key}": value for key, value in said.items()}}
        if said.get("lon") is not None:
            laid |= {"lon": said["lon"], "lat": said["lat"]}
        if all(_is_one(laid.get(key), wanted) for key, wanted in source.only.items()):
            laid |= {key: made_of(laid, text) for key, text in source.columns.items()}
            yield laid | {key: _valued(laid.get(key), known) for key, known in source.values.items()}


def made_of(row: Row, text: str) -> Any:
    """Return what an expression of columns makes of a row, None when none says anything.

    >>> made_of({"numero": 12, "voie": "Rue Haute"}, "enseigne | numero + voie")
    '12 Rue Haute'
    >>> made_of({}, "enseigne | 'Sans nom'")
    'Sans nom'
    """
    for one in text.split(" | "):
        parts = one.split(" + ")
        values = [part[1:-1] if part.startswith("'") else row.get(part) for part in parts]
        told = [value for value in values if value not in (None, "")]
        if told:
            return told[0] if len(parts) == 1 else " ".join(map(str, told))
    return None


def _is_one(value: Any, wanted: str) -> bool:
    if wanted == "*":
        return value not in (None, "")
    return str(value) in wanted.split("|")


def _valued(value: Any, known: Mapping[str, str]) -> Any:
    return known.get(str(value), known.get("*", value))


def kept_seen(viewer: Viewer, territory: str, settings: DirectorySettings) -> Seen | None:
    """Return the dataset of what owners say of their sheets, None where there is none."""
    if not settings.kept:
        return None
    try:
        return lake.seen_dataset(viewer, DatasetRef(territory, settings.kept))
    except DatasetNotFound:
        return None


def kept_rows(viewer: Viewer, seen: Seen | None) -> dict[str, Row]:
    """Return what owners say, by the name of their sheet; where they are under `lon` and `lat`."""
    if seen is None:
        return {}
    columns = [column.key for column in seen.columns]
    located = [] if seen.manifest.geometry_type is None else ["geometry"]
    found = lake.rows(viewer, seen.ref, columns=[*columns, *located], max_rows=_MOST_KEPT, timeout_s=_TIMEOUT_S).rows
    kept: dict[str, Row] = {}
    for row in found:
        said = dict(zip(columns, row, strict=False))
        point = shapely.from_wkb(row[-1]) if located and row[-1] is not None else None
        kept[str(said["id"])] = said if point is None else {**said, "lon": point.x, "lat": point.y}
    return kept


def districts_of(territory: str) -> Callable[[Place], str]:
    """Return what names the district of a place, empty outside them all."""
    zones = territory_queries.zones(territory, _DISTRICT_KIND)
    shapes = [shapely.from_wkb(one.shape) for one in zones]
    tree = shapely.STRtree(shapes)

    def district(place: Place) -> str:
        found = tree.query(shapely.Point(place), predicate="intersects")
        return zones[int(min(found))].name if len(found) else ""

    return district


def seats(
    territory: str,
    seen: Seen,
    source: Source,
    *,
    find: Callable[[str], Place | None],
    district: Callable[[Place], str],
) -> dict[str, str]:
    """Return the district of each row by the seat that only agents may read: nothing nearer is told of it."""
    reader = Viewer(None, (Grant(territory, Role.AGENT),))
    known = {column.key for column in lake.seen_dataset(reader, seen.ref).columns}
    keys = [key for key in source.seat.split(" + ") if key in known] if source.seat else []
    if not keys:
        return {}
    found: Sequence[Sequence[Any]] = lake.rows(
        reader, seen.ref, columns=["_id", *keys], max_rows=_MOST_KEPT, timeout_s=_TIMEOUT_S
    ).rows
    told = {}
    for id, *parts in found:
        place = find(" ".join(str(part) for part in parts if part not in (None, "")))
        if place is not None and (name := district(place)):
            told[str(id)] = name
    return told
