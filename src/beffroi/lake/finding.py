"""Features that meet a condition and a box, as ready GeoJSON, with their exact number; and which version held when.

Open `seen_dataset` once, then ask it: what a viewer sees of a dataset is a value that carries her rights.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import columns, downloads, filtering
from beffroi.lake.cql import Condition
from beffroi.lake.edits import Overlay, overlay_of
from beffroi.lake.filter_source import Source
from beffroi.lake.seeing import Seen, index_of, lake_in_use, required, seen_by
from beffroi.lake.store import DatasetNotFound, DatasetRef
from beffroi.lake.unbaked import Served

_KEPT_ROWS = 8_000_000
"""Row numbers kept in all for the next pages of the same question: 64 MB."""


@dataclass(frozen=True, slots=True)
class FoundFeatures:
    """A page of ready GeoJSON features joined by commas. `last` is the number of its last one when more follow."""

    joined: bytes
    returned: int
    matched: int
    last: int | None


class _Remembered:
    """The rows that answered the last questions, within `_KEPT_ROWS`. A version never changes: they stay true."""

    def __init__(self) -> None:
        self._rows: OrderedDict[object, npt.NDArray[np.int64]] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    def get(self, key: object) -> npt.NDArray[np.int64] | None:
        with self._lock:
            found = self._rows.get(key)
            if found is not None:
                self._rows.move_to_end(key)
            return found

    def keep(self, key: object, rows: npt.NDArray[np.int64]) -> None:
        with self._lock:
            if key in self._rows or len(rows) > _KEPT_ROWS // 2:
                return
            self._rows[key] = rows
            self._held += len(rows) + 64
            while self._held > _KEPT_ROWS:
                _, dropped = self._rows.popitem(last=False)
                self._held -= len(dropped) + 64


_remembered = _Remembered()


def seen_dataset(viewer: Viewer, ref: DatasetRef, *, version: str | None = None) -> Seen:
    """Return what `viewer` sees of a dataset at its version in force, or at `version`.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    return required(viewer, ref, version)


def seen_datasets(viewer: Viewer, *, territory: str | None = None) -> list[Seen]:
    """Return every dataset `viewer` may see, by territory and slug."""
    lake = lake_in_use()
    return [seen for ref in lake.refs(territory) if (seen := seen_by(lake, viewer, ref)) is not None]


def formats(seen: Seen) -> list[str]:
    """Return the formats a dataset can be taken away in."""
    return downloads.formats(seen.manifest)


def first_published(seen: Seen) -> datetime:
    """Return when the first version of a dataset was published: nothing is known of it before."""
    return _published_at(seen.lake.versions(seen.ref)[-1])


def version_valid(seen: Seen, *, until: datetime | None) -> str | None:
    """Return the version that held at the end of a period (None: still running), None when there was none yet.

    A version holds from its publication to the next one; the last one is the one in force, be it an older one restored.
    """
    versions = seen.lake.versions(seen.ref)
    if until is None or until >= _published_at(versions[0]):
        return seen.lake.in_force(seen.ref).version
    return next((version for version in versions if _published_at(version) <= until), None)


def _published_at(version: str) -> datetime:
    return datetime.strptime(version[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def found_item(seen: Seen, feature_id: str) -> bytes:
    """Return one ready GeoJSON feature.

    Raises:
        DatasetNotFound: there is none of that id.
    """
    overlay = overlay_of(seen)
    body = None if overlay is None else overlay.index.feature(feature_id)
    if body is None and (overlay is None or feature_id not in overlay.hidden):
        body = index_of(seen).feature(feature_id)
    if body is None:
        raise DatasetNotFound(
            "élément « {id} » introuvable", where=str(seen.ref), remedy="consultez la liste", id=feature_id[:80]
        )
    return body.encode()


def found_features(
    seen: Seen, *, where: Condition | None = None, bbox: BBox | None = None, limit: int, after: int = -1
) -> FoundFeatures:
    """Return up to `limit` features numbered beyond `after` (−1 to start) that meet both.

    Raises:
        BadFilter: a property unknown to the viewer, a value that does not suit it.
        QueryTooCostly: too many shapes to compare one by one.
    """
    index = index_of(seen)
    if (overlay := overlay_of(seen)) is not None:
        return _found_under(seen, overlay, index, where, bbox, limit, after)
    if where is None and bbox is None:
        returned = max(0, min(limit, index.count - after - 1))
        last = after + returned
        joined = index.span(after + 1, limit) if returned else b""
        return FoundFeatures(joined, returned, index.count, last if last + 1 < index.count else None)
    rows = _matching(seen, index, where, bbox)
    start = int(np.searchsorted(rows, after, side="right"))
    page = rows[start : start + limit]
    joined = index.picked(page.tolist()) if len(page) else b""
    following = int(page[-1]) if start + limit < len(rows) else None
    return FoundFeatures(joined, len(page), len(rows), following)


def _found_under(
    seen: Seen, overlay: Overlay, index: Served, where: Condition | None, bbox: BBox | None, limit: int, after: int
) -> FoundFeatures:
    """Return the same under edits: what they hide is left out, what they give comes last, numbered beyond the rest."""
    plain = where is None and bbox is None
    rows = np.arange(index.count) if plain else _matching(seen, index, where, bbox)
    rows = rows[~np.isin(rows, overlay.numbers)]
    given = overlay.index
    fresh = np.arange(given.count) if plain else filtering.matching(_given(seen, overlay), where, bbox)
    every = np.concatenate([rows, fresh + index.count])
    start = int(np.searchsorted(every, after, side="right"))
    page = every[start : start + limit]
    old, new = page[page < index.count], page[page >= index.count] - index.count
    parts = [one.picked(numbers.tolist()) for one, numbers in ((index, old), (given, new)) if len(numbers)]
    following = int(page[-1]) if start + limit < len(every) else None
    return FoundFeatures(b",".join(parts), len(page), len(every), following)


def _given(seen: Seen, overlay: Overlay) -> Source:
    """Return what the filters are asked of for the things that edits give."""
    home = columns.home_of(seen.lake.root, seen.ref.territory, f"{seen.ref.slug}~", overlay.name)
    return _source(seen, home, overlay.folder / "data.parquet", overlay.index)


def _matching(seen: Seen, index: Served, where: Condition | None, bbox: BBox | None) -> npt.NDArray[np.int64]:
    # The class is in the key: a property that it does not show must be refused, not remembered.
    key = (str(seen.folder), index.mark, where, bbox)
    rows = _remembered.get(key)
    if rows is None:
        rows = filtering.matching(source_of(seen, index), where, bbox)
        _remembered.keep(key, rows)
    return rows


def source_of(seen: Seen, index: Served) -> Source:
    """Return what the filters of a viewer are asked of: the columns of her class, no other."""
    home = columns.home_of(seen.lake.root, seen.ref.territory, seen.ref.slug, seen.manifest.version)
    return _source(seen, home, seen.folder / "data.parquet", index)


def _source(seen: Seen, home: Path, data: Path, index: Served) -> Source:
    def shapes(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
        if seen.manifest.geometry_type == "Point":
            west, south = columns.boxes(home, data).sides[:2, rows]
            return np.asarray(shapely.points(west, south))
        return np.asarray(shapely.from_geojson(index.bodies(rows.tolist())))

    return Source(
        home=home,
        data=data,
        known={column.key: column for column in seen.class_columns},
        count=index.count,
        has_geometry=seen.manifest.geometry_type is not None,
        shapes=shapes,
    )
