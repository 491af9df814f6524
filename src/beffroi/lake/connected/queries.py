"""What an agent may know of the sources connected: those whose dataset she may read, and her own drafts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import shapely

from beffroi.base.kernel.errors import NotFound, Refused
from beffroi.base.kernel.sentences import Sentence
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import sql
from beffroi.lake.connected.addresses import Address
from beffroi.lake.connected.rows import ACTIVE, DRAFT, REMOVED, access_of, address_of, folder_of
from beffroi.lake.connected.running import trial_preview
from beffroi.lake.connected.toml_text import as_toml
from beffroi.lake.models import ConnectedSource, SourceRun
from beffroi.lake.operations import require_agent
from beffroi.lake.reading import GEOMETRY
from beffroi.lake.store import DatasetRef, Lake
from beffroi.lake.upload_previews import UploadPreview

MOST_PLACES = 60
UNDOABLE = timedelta(days=30)
"""A source removed comes back by one button that long; then its secret and its history are gone."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What the trial of a source found: columns (key, title, type), or a fault, or the layers to choose among."""

    at: str
    fault: Sentence | None
    layers: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str, str], ...]
    title: str
    partial: bool
    bytes: int


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """A connected source as its pages show it: never its secret."""

    id: int
    ref: DatasetRef
    state: str
    title: str
    address: Address
    host: str
    payload: Mapping[str, Any]
    credential: str
    credential_name: str
    access: str
    rhythm: str
    trial: Trial | None
    fault: Sentence | None
    failures: int
    asked_at: datetime | None
    came_at: datetime | None
    next_at: datetime | None
    changed_at: datetime
    undoable: bool

    @property
    def is_draft(self) -> bool:
        """Tell whether nothing comes of it yet."""
        return self.state == DRAFT


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One turn of a source."""

    at: datetime
    seconds: float
    outcome: str
    rows: int | None
    size_bytes: int
    reason: Sentence | None


def connected_sources(viewer: Viewer, territory: str, *, at: datetime) -> list[SourceInfo]:
    """Return the sources of a territory by title, then what was removed and may come back, and the viewer's drafts.

    Raises:
        Refused: the viewer is neither agent nor administrator of the territory.
    """
    require_agent(viewer, territory)
    rows = ConnectedSource.objects.filter(territory=territory)
    found = [_info(row) for row in rows if _sees(viewer, row, at)]
    return sorted(found, key=lambda one: (one.title.lower(), one.id))


def source_of(viewer: Viewer, source_id: int, *, at: datetime) -> SourceInfo:
    """Return one source.

    Raises:
        NotFound: absent, of another territory, or not for this viewer.
    """
    return _info(owned(viewer, source_id, at=at))


def runs_of(viewer: Viewer, source_id: int, *, at: datetime) -> list[RunInfo]:
    """Return the turns of a source, the last first.

    Raises:
        NotFound: as `source_of`.
    """
    row = owned(viewer, source_id, at=at)
    return [
        RunInfo(one.at, one.seconds, one.outcome, one.rows, one.size_bytes,
                Sentence.from_json(one.reason) if one.reason else None)
        for one in SourceRun.objects.filter(source=row).order_by("-at", "-pk")
    ]  # fmt: skip


def source_preview(viewer: Viewer, source_id: int, *, at: datetime) -> UploadPreview | None:
    """Return what the last trial found, cut to the columns that the viewer may read; None when it found nothing.

    Raises:
        NotFound: as `source_of`.
    """
    row = owned(viewer, source_id, at=at)
    found = trial_preview(row)
    if found is None:
        return None
    said, read = row.payload.get("columns", {}), viewer.clearances(row.territory)
    kept = [rank for rank, one in enumerate(found.columns) if said.get(one.key, {}).get("access", "public") in read]
    return UploadPreview(
        found.title,
        _picked(found.columns, kept),
        tuple(_picked(line, kept) for line in found.rows),
        found.rows_total, found.evidences, found.report, found.geometry_type, found.bbox, None, found.access,
    )  # fmt: skip


def source_places(viewer: Viewer, source_id: int, *, at: datetime) -> list[list[tuple[float, float]]]:
    """Return where the first things that the last trial found are: the outline of each, in degrees (CRS84).

    Raises:
        NotFound: as `source_of`.
    """
    row = owned(viewer, source_id, at=at)
    home = Lake(folder_of(row, "aside"))
    found = next(iter(home.refs(row.territory)), None)
    if found is None:
        return []
    manifest = home.manifest(found, home.in_force(found).version)
    if manifest.geometry_type is None:
        return []
    data = str(home.version_folder(found, manifest.version) / "data.parquet")
    with sql.reading(home.root, timeout_s=10, memory_mb=512) as con:
        rows = con.execute(
            f"SELECT ST_AsWKB({GEOMETRY}) FROM read_parquet(?) WHERE {GEOMETRY} IS NOT NULL LIMIT {MOST_PLACES}",  # noqa: S608
            [data],
        ).fetchall()
    return [outline for (wkb,) in rows for outline in _outlines(shapely.from_wkb(bytes(wkb)))]


def _outlines(shape: Any) -> Iterator[list[tuple[float, float]]]:
    for part in getattr(shape, "geoms", [shape]):
        line = part.exterior if part.geom_type == "Polygon" else part
        if not line.is_empty:
            yield [(one[0], one[1]) for one in line.coords]


def definition_text(viewer: Viewer, source_id: int, *, at: datetime) -> tuple[str, str]:
    """Return the name and the text of the dataset file of a source, without its secret.

    Raises:
        NotFound: as `source_of`.
    """
    row = owned(viewer, source_id, at=at)
    note = "# Une source branchée depuis le navigateur. Sa clé d’accès n’est pas ici.\n" if row.credential else ""
    return f"{row.slug or 'source'}.toml", note + as_toml(row.payload)


def failing_connected(viewer: Viewer, territory: str) -> int:
    """Return how many sources of a territory failed at their last turn, of those the viewer may see."""
    rows = ConnectedSource.objects.filter(territory=territory, state=ACTIVE, failures__gt=0)
    return sum(access_of(row) in viewer.clearances(territory) for row in rows)


def owned(viewer: Viewer, source_id: int, *, at: datetime) -> ConnectedSource:
    """Return the row of a source.

    Raises:
        NotFound: absent, of another territory, or not for this viewer.
    """
    row = ConnectedSource.objects.filter(pk=source_id).first()
    try:
        if row is not None:
            require_agent(viewer, row.territory)
    except Refused:
        row = None
    if row is None or not _sees(viewer, row, at):
        raise NotFound("cette source n’existe pas", remedy="revenez à la liste des sources")
    return row


def _sees(viewer: Viewer, row: ConnectedSource, at: datetime) -> bool:
    if row.state == DRAFT:
        return row.person_id == viewer.person_id
    if row.state == REMOVED and row.changed_at < at - UNDOABLE:
        return False
    return access_of(row) in viewer.clearances(row.territory)


def _picked(line: tuple[Any, ...], kept: list[int]) -> tuple[Any, ...]:
    return tuple(line[rank] for rank in kept)


def _info(row: ConnectedSource) -> SourceInfo:
    address = address_of(row)
    title = str(row.payload.get("title") or "")
    return SourceInfo(
        id=row.pk,
        ref=DatasetRef(row.territory, row.slug or "essai"),
        state=row.state,
        title=title or urlsplit(address.url).hostname or address.url,
        address=address,
        host=urlsplit(address.url).hostname or "",
        payload=row.payload,
        credential=row.credential,
        credential_name=row.credential_name,
        access=access_of(row),
        rhythm=str(row.payload.get("rhythm", "")),
        trial=_trial(row.trial),
        fault=Sentence.from_json(row.fault) if row.fault else None,
        failures=row.failures,
        asked_at=row.asked_at,
        came_at=row.came_at,
        next_at=row.next_at if row.state == ACTIVE else None,
        changed_at=row.changed_at,
        undoable=row.before is not None,
    )


def _trial(said: Mapping[str, Any] | None) -> Trial | None:
    if not said:
        return None
    return Trial(
        said["at"],
        Sentence.from_json(said["fault"]) if said.get("fault") else None,
        tuple((name, title) for name, title in said.get("layers", ())),
        tuple((key, title, kind) for key, title, kind in said.get("columns", ())),
        said.get("title", ""),
        bool(said.get("partial")),
        int(said.get("bytes", 0)),
    )
