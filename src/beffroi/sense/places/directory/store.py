"""Where directories are: ``<BEFFROI_DATA_DIR>/search/<territory>/directories/<use case>.<class>.sqlite``.

Made from the lake and from the papers kept beside it: deleting one loses nothing. Its stamp says of what it was made:
each dataset's version, its edits, the columns of its readers (their mark), the documents, the settings. A file whose
rights are no longer those of its reader is not read; one that is only late is, until the next is made.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from beffroi.base.kernel.files import fsync_folder
from beffroi.base.kernel.words import words
from beffroi.base.territory.viewer import PUBLIC, SERVICE_PREFIX, Viewer
from beffroi.lake import papers
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef, Seen
from beffroi.sense.places import queries as places
from beffroi.sense.places import store as indexes
from beffroi.sense.places.directory import file, laying
from beffroi.sense.places.directory.file import File
from beffroi.sense.places.directory.settings import DirectorySettings
from beffroi.sense.places.directory.settings import Source as ReadAs
from beffroi.sense.places.directory.sheets import Place, Sheet, Source, sheets_of

MADE_AT_ONCE = 3_000
"""Rows up to which a directory is made while its reader waits: under a second."""

MOST_ROWS = 500_000
_TIMEOUT_S, _MEMORY_MB = 120.0, 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """A directory as one reader must see it now. `class_name` tells files apart, `rights` is what must hold."""

    territory: str
    use_case: str
    settings: DirectorySettings
    viewer: Viewer
    seen: tuple[Seen, ...]
    class_name: str
    rights: str
    stamp: str

    @property
    def path(self) -> Path:
        """Return where its file is."""
        name = f"{self.use_case}.{self.class_name}.sqlite".replace(SERVICE_PREFIX, "service-")
        return indexes.root() / self.territory / "directories" / name

    @property
    def rows(self) -> int:
        """Return how many rows it is made of."""
        return sum(one.manifest.rows for one in self.seen)


def wanted(viewer: Viewer, territory: str, use_case: str, settings: DirectorySettings) -> Wanted | None:
    """Return the directory a reader must see, None when no dataset of it is for her, or none was ever published."""
    if not territory.isalnum():
        return None
    seen = []
    for slug in settings.datasets:
        try:
            seen.append(lake.seen_dataset(viewer, DatasetRef(territory, slug)))
        except DatasetNotFound:
            continue
    if not seen:
        return None
    marks = [(one.ref.slug, one.class_name, [column.key for column in one.columns]) for one in seen]
    door = _door_dataset(viewer, territory, settings)
    if door is not None:
        marks.append((door.ref.slug, door.class_name, [column.key for column in door.columns]))
    kept = laying.kept_seen(viewer, territory, settings)
    if kept is not None:
        marks.append((kept.ref.slug, kept.class_name, [column.key for column in kept.columns]))
    rights = _digest([marks, settings.model_dump(mode="json"), file.FORMAT])
    state = [(one.manifest.version, one.edits.name if one.edits else "", papers.papers_mark(one.ref)) for one in seen]
    state.append((door.manifest.version if door else "", "", _addresses_mark(territory) if settings.is_located else ""))
    if kept is not None:
        state.append((kept.manifest.version, kept.edits.name if kept.edits else "", ""))
    class_name = "+".join(sorted({one.class_name for one in seen} - {PUBLIC})) or PUBLIC
    return Wanted(territory, use_case, settings, viewer, tuple(seen), class_name, rights, f"{rights}:{_digest(state)}")


def current(one: Wanted) -> File | None:
    """Return the directory to read: made now when that is short, else the last one made; None when it is not ready."""
    found = file.opened(one.path)
    if found is not None and found.stamp == one.stamp:
        return found
    if one.rows <= MADE_AT_ONCE:
        return make(one)
    return found if found is not None and found.stamp.split(":")[0] == one.rights else None


def make(one: Wanted) -> File | None:
    """Make the file of a directory, unless another has just done so, and return it."""
    folder = one.path.parent
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = file.opened(one.path)
        if found is not None and found.stamp == one.stamp:
            return found
        sheets = _sheets(one)
        said: dict[str, str] = {}
        if one.settings.paper:
            for seen in one.seen:
                said |= papers.texts_of(seen.ref, (sheet.paper for sheet in sheets if sheet.ref == seen.ref))
        aside = one.path.with_name(f".{one.path.name}.part")
        file.write_file(aside, sheets, said, stamp=one.stamp)
        with aside.open("rb") as handle:
            os.fsync(handle.fileno())
        aside.replace(one.path)
        fsync_folder(folder)
    return file.opened(one.path)


def _sheets(one: Wanted) -> list[Sheet]:
    find = _finder(one)
    told = any(facet.kind == "district" for facet in one.settings.facets)
    district = laying.districts_of(one.territory) if told else None
    kept = laying.kept_rows(one.viewer, laying.kept_seen(one.viewer, one.territory, one.settings))
    sources = []
    for seen in one.seen:
        source = one.settings.source(seen.ref.slug)
        rows = list(laying.shaped(_rows(one, seen, source), source, kept, together=one.settings.together))
        if district is not None and source.seat:
            seats = laying.seats(one.territory, seen, source, find=find, district=district)
            rows = [{**row, laying.DISTRICT: seats.get(str(row["_id"]), "")} for row in rows]
        sources.append(Source(seen.ref, rows))
    return sheets_of(sources, one.settings, find=find, door_of=_doors(one), district_of=district or (lambda _: ""))


def _rows(one: Wanted, seen: Seen, source: ReadAs) -> list[dict[str, Any]]:
    """Return the rows of a dataset with the columns its reader sees of those a directory reads, and where they are."""
    known = {column.key for column in seen.columns}
    columns = ["_id", *(key for key in dict.fromkeys((*one.settings.columns, *source.reads)) if key in known)]
    located = seen.manifest.geometry_type is not None
    found = lake.rows(
        one.viewer, seen.ref, columns=[*columns, *(["geometry"] if located else [])], max_rows=MOST_ROWS,
        timeout_s=_TIMEOUT_S, memory_mb=_MEMORY_MB,
    ).rows  # fmt: skip
    places = _points([row[-1] for row in found]) if located else [(None, None)] * len(found)
    return [
        dict(zip(columns, row, strict=False)) | {"lon": lon, "lat": lat}
        for row, (lon, lat) in zip(found, places, strict=True)
    ]


def _points(shapes: list[bytes | None]) -> list[tuple[float | None, float | None]]:
    on = shapely.point_on_surface(shapely.from_wkb(shapes))
    nowhere = shapely.is_missing(on) | shapely.is_empty(on)
    xs, ys = np.round(shapely.get_x(on), 6).tolist(), np.round(shapely.get_y(on), 6).tolist()
    return [(None, None) if gone else (x, y) for x, y, gone in zip(xs, ys, nowhere.tolist(), strict=True)]


def _finder(one: Wanted) -> Callable[[str], Place | None]:
    """Return what finds an address in the town; each is looked for once."""
    known: dict[str, Place | None] = {}

    def find(address: str) -> Place | None:
        if address not in known:
            hits = places.addresses(address, citycode=one.territory, autocomplete=False, limit=1)
            known[address] = hits[0].place if hits and hits[0].score > 0.5 else None
        return known[address]

    return find


def _door_dataset(viewer: Viewer, territory: str, settings: DirectorySettings) -> Seen | None:
    if settings.venue is None:
        return None
    try:
        return lake.seen_dataset(viewer, DatasetRef(territory, settings.venue.dataset))
    except DatasetNotFound:
        return None


_DOOR_COLUMNS = (
    "entree_plain_pied", "entree_marches", "entree_marches_rampe", "entree_largeur_mini", "sanitaires_adaptes",
    "stationnement_ext_pmr",
)  # fmt: skip


def _doors(one: Wanted) -> Callable[[str], Mapping[str, Any] | None]:
    """Return what tells of the door at an address, as acceslibre knows it: the same number in the same street."""
    seen, venue = _door_dataset(one.viewer, one.territory, one.settings), one.settings.venue
    if seen is None or venue is None:
        return lambda _address: None
    known = {column.key for column in seen.columns}
    if not known.issuperset((venue.number, venue.street)):
        return lambda _address: None
    columns = [venue.number, venue.street, *(key for key in _DOOR_COLUMNS if key in known)]
    found = lake.rows(one.viewer, seen.ref, columns=columns, max_rows=MOST_ROWS, timeout_s=_TIMEOUT_S).rows
    doors: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in found:
        told = {key: value for key, value in zip(columns[2:], row[2:], strict=True) if value not in (None, "")}
        if told:
            doors.setdefault(tuple(words(f"{row[0]} {row[1]}")), told)
    return lambda address: doors.get(tuple(words(address)))


def _addresses_mark(territory: str) -> str:
    """Return a mark that moves with the index of the town's addresses."""
    try:
        return str(indexes.index_path(territory, PUBLIC).stat().st_mtime_ns)
    except FileNotFoundError:
        return ""


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()[:20]
