"""What was corrected since a version was made, laid over it until the next one is: a small version of its own.

<dataset>/edits/<version>.<n>/data.parquet            the things added or changed, as they are now
                             /edits.json              the ids they and the things removed had in the version
                             /serving.<class>.sqlite  as for a version: rights are cut in the files

Each edit makes the next folder, durable before it is named. Readers find its name where they already look for the
version (`store.in_force`).
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import shape

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.files import fsync_tree
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import rights, serving, sql
from beffroi.lake.manifest import BOX, ID, Manifest, read_json
from beffroi.lake.reading import DUCKDB_TYPE, GEOMETRY, Column
from beffroi.lake.seeing import Seen, index_of, index_path_in, seen_by
from beffroi.lake.serving import Index
from beffroi.lake.store import DatasetNotFound, DatasetRef, InForce, Lake

ADDED, CHANGED, REMOVED, UNDONE = "added", "changed", "removed", "undone"
MOST_EDITS = 2_000
"""Beyond, a version must be made of them first: an overlay is read whole by every map."""

MOST_CORNERS = 50_000
KEPT_FOLDERS = 3


class BadEdit(BeffroiError):
    """What is asked of a thing cannot be: a column, a value, a shape; says which."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What becomes of one thing. `values` are by key, those left out stay; `geometry` is GeoJSON (CRS84), None stays.

    `id` is None for a thing added, unless its dataset names things by a column.
    """

    kind: str
    id: str | None
    values: Mapping[str, Any]
    geometry: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Overlay:
    """Edits as one class of readers sees them: `hidden` ids and numbers of the version, the rest in `index`."""

    name: str
    folder: Path
    hidden: frozenset[str]
    numbers: npt.NDArray[np.int64]
    index_path: Path

    @property
    def index(self) -> Index:
        """Return the serving index of what was added or changed."""
        return serving.opened(self.index_path)


def overlay_of(seen: Seen) -> Overlay | None:
    """Return what is laid over what a viewer sees, None when nothing is."""
    if seen.edits is None:
        return None
    return _overlay(seen.edits, seen.class_name, rights.signature(seen.class_columns), _Asked(seen))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What does not count in a cache key: the folder, the class and the columns do."""

    seen: Seen = field(compare=False)


@lru_cache(maxsize=256)
def _overlay(folder: Path, _class_name: str, _mark: str, asked: _Asked) -> Overlay:
    hidden = tuple(read_json(folder / "edits.json")["hidden"])
    numbers = np.array(index_of(asked.seen).numbers(hidden), dtype=np.int64)
    return Overlay(folder.name, folder, frozenset(hidden), numbers, index_path_in(asked.seen, folder))


@dataclass(frozen=True, slots=True)
class Laid:
    """What is laid over one dataset, for a map: the ids it must not draw, and ready features joined by commas."""

    ref: DatasetRef
    version: str
    hidden: tuple[str, ...]
    joined: bytes


def laid_over(viewer: Viewer, lake: Lake, territory: str) -> list[Laid]:
    """Return what is laid over the datasets of a territory, as a viewer may see it."""
    found = []
    for ref in lake.refs(territory):
        seen = seen_by(lake, viewer, ref)
        overlay = None if seen is None or seen.manifest.geometry_type is None else overlay_of(seen)
        if seen is not None and overlay is not None:
            index = overlay.index
            joined = index.span(0, index.count) if index.count else b""
            found.append(Laid(ref, seen.manifest.version, tuple(sorted(overlay.hidden)), joined))
    return found


def lay(lake: Lake, ref: DatasetRef, edit: Edit, *, columns: tuple[Column, ...], at: datetime, by: int | None) -> str:
    """Lay one more edit over the version served; return the id of the thing. It is durable, and shown, at the return.

    `columns` are those the editor may see: no other may be written.

    Raises:
        BadEdit: see there.
        DatasetNotFound: no such dataset, or no such thing in it.
        LakeNotWritable: the disk refuses.
    """
    with lake.editing(ref), lake.writing(ref) as home:
        force = lake.in_force(ref)
        manifest, base = lake.manifest(ref, force.version), lake.version_folder(ref, force.version)
        before = home / "edits" / force.edits if force.edits else None
        papers = _papers(before)
        if len(papers["log"]) >= MOST_EDITS:
            raise BadEdit("trop de retouches en attente", where=str(ref), remedy="faites-en d'abord une version")

        def change(con: Any) -> tuple[str, set[str]]:
            hidden = set(papers["hidden"])
            found = _applied(con, base / "data.parquet", manifest, edit, columns, hidden)
            return found, hidden if edit.kind == ADDED else {*hidden, found}

        return _next(
            lake, ref, home, force, start=before, change=change, log=papers["log"], kind=edit.kind, at=at, by=by
        )


def undo(lake: Lake, ref: DatasetRef, thing: str, *, at: datetime, by: int | None) -> None:
    """Lay the state before the last edit, if it is of `thing` and by this person; durable, and shown, at the return.

    Raises:
        BadEdit: something else was done since, or somebody else did it.
        LakeNotWritable: the disk refuses.
    """
    with lake.editing(ref), lake.writing(ref) as home:
        force = lake.in_force(ref)
        last = _papers(home / "edits" / force.edits if force.edits else None)["log"][-1:]
        mine = bool(last) and (last[0]["id"], last[0]["by"]) == (thing, by) and last[0]["kind"] != UNDONE
        log = _papers(home / "edits" / force.edits)["log"] if force.edits else []
        version, _dot, number = force.edits.rpartition(".") if force.edits else ("", "", "0")
        before = home / "edits" / f"{version}.{int(number) - 1}" if len(log) > 1 else None
        if not mine or (before is not None and not before.exists()):
            raise BadEdit(
                "cette retouche ne s'annule plus", where=thing[:80], remedy="corrigez l'objet, ou ajoutez-le de nouveau"
            )
        hidden = set(_papers(before)["hidden"])
        _next(
            lake,
            ref,
            home,
            force,
            start=before,
            change=lambda _con: (thing, hidden),
            log=log,
            kind=UNDONE,
            at=at,
            by=by,
        )


def _papers(folder: Path | None) -> dict[str, list[Any]]:
    return read_json(folder / "edits.json") if folder else {"hidden": [], "log": []}


def _next(
    lake: Lake,
    ref: DatasetRef,
    home: Path,
    force: InForce,
    *,
    start: Path | None,
    change: Callable[[Any], tuple[str, set[str]]],
    log: list[Any],
    kind: str,
    at: datetime,
    by: int | None,
) -> str:
    """Make the next folder from `start` (the version itself when None), as `change` leaves the table `edited`.

    `change` returns the id of the thing and those hidden from then on.
    """
    manifest, base = lake.manifest(ref, force.version), lake.version_folder(ref, force.version)
    number = int(force.edits.rpartition(".")[2]) + 1 if force.edits else _first_number(home, force.version)
    name = f"{force.version}.{number}"
    aside = home / "edits" / f".{name}.part"
    aside.mkdir(parents=True)
    try:
        with sql.workbench(memory_mb=512, threads=1) as con:
            kept = "" if start else "LIMIT 0"
            source = str((start or base) / "data.parquet")
            con.execute(f"CREATE TEMP TABLE edited AS SELECT * FROM read_parquet(?) {kept}", [source])  # noqa: S608
            found, hidden = change(con)
            _write(con, base / "data.parquet", aside / "data.parquet", placed=manifest.geometry_type is not None)
            ruled = rights.in_force(manifest.columns, dict(force.columns))
            for class_name in rights.classes(force.access, ruled):
                visible = rights.visible(ruled, rights.clearance(class_name))
                serving.bake(
                    con,
                    serving.rows_of_file(aside / "data.parquet"),
                    aside / f"serving.{rights.file_part(class_name)}.sqlite",
                    columns=visible,
                    has_geometry=manifest.geometry_type is not None,
                    mark=rights.signature(visible),
                )
        done = {"id": found, "kind": kind, "at": at.astimezone(UTC).isoformat(), "by": by}
        text = json.dumps({"hidden": sorted(hidden), "log": [*log, done]}, ensure_ascii=False)
        (aside / "edits.json").write_text(text, encoding="utf-8")
        fsync_tree(aside)
        aside.rename(home / "edits" / name)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    lake.put_edits(ref, name)
    _forget(home / "edits", name)
    return found


def _first_number(home: Path, version: str) -> int:
    taken = [int(path.name.rpartition(".")[2]) for path in (home / "edits").glob(f"{version}.*")]
    return max(taken, default=0) + 1


def _forget(home: Path, name: str) -> None:
    """Drop all but the last folders: a reader who opened one keeps it."""
    kept = sorted(
        (one for one in home.iterdir() if one.name != name), key=lambda one: one.stat().st_mtime, reverse=True
    )
    for old in kept[KEPT_FOLDERS:]:
        shutil.rmtree(old, ignore_errors=True)


def _applied(
    con: Any, data: Path, manifest: Manifest, edit: Edit, columns: tuple[Column, ...], hidden: set[str]
) -> str:
    """Apply an edit to the table `edited`; return the id of its thing."""
    values = _checked_values(con, edit, columns)
    outline = _checked_shape(edit, manifest)
    found = _new_id(con, data, manifest, edit, values, hidden) if edit.kind == ADDED else str(edit.id)
    if edit.kind == ADDED:
        con.execute(f"INSERT INTO edited ({ID}) VALUES (?)", [found])  # noqa: S608 - our column
    elif not _holds(con, "edited", found):
        if (
            found in hidden
            or not con.execute(
                f"SELECT 1 FROM read_parquet(?) WHERE {ID} = ?",  # noqa: S608 - our column
                [str(data), found],
            ).fetchone()
        ):
            raise DatasetNotFound(
                "élément « {id} » introuvable", where=manifest.slug, remedy="consultez la liste", id=found[:80]
            )
        con.execute(f"INSERT INTO edited SELECT * FROM read_parquet(?) WHERE {ID} = ?", [str(data), found])  # noqa: S608
    if edit.kind == REMOVED:
        con.execute(f"DELETE FROM edited WHERE {ID} = ?", [found])  # noqa: S608
        return found
    named = manifest.id_column
    if named in values and edit.kind == CHANGED and str(values[named]) != found:
        raise BadEdit("l'identifiant ne change pas", where=named, remedy="ajoutez une autre chose, retirez celle-ci")
    for key, value in values.items():
        con.execute(f"UPDATE edited SET {sql.name(key)} = ? WHERE {ID} = ?", [value, found])  # noqa: S608
    if outline is not None:
        west, south, east, north = shapely.bounds(outline).tolist()
        con.execute(
            f"UPDATE edited SET {GEOMETRY} = ST_GeomFromWKB(?), "  # noqa: S608
            f"{BOX} = struct_pack(xmin := ?, ymin := ?, xmax := ?, ymax := ?) WHERE {ID} = ?",
            [shapely.to_wkb(outline), west, south, east, north, found],
        )
    return found


def _holds(con: Any, table: str, found: str) -> bool:
    return con.execute(f"SELECT 1 FROM {table} WHERE {ID} = ?", [found]).fetchone() is not None  # noqa: S608


def _new_id(con: Any, data: Path, manifest: Manifest, edit: Edit, values: Mapping[str, Any], hidden: set[str]) -> str:
    if manifest.id_column is None:
        return uuid.uuid4().hex[:16]
    value = values.get(manifest.id_column)
    if value is None:
        raise BadEdit(
            "la colonne « {column} » nomme les choses de ce jeu",
            where=manifest.id_column,
            remedy="donnez-lui une valeur nouvelle",
            column=manifest.id_column,
        )
    found = str(value)
    taken = _holds(con, "edited", found) or (
        found not in hidden
        and con.execute(f"SELECT 1 FROM read_parquet(?) WHERE {ID} = ?", [str(data), found]).fetchone()  # noqa: S608
    )
    if taken or found in hidden:
        raise BadEdit("« {id} » existe déjà", where=manifest.id_column, remedy="donnez-en un autre", id=found[:80])
    return found


def _checked_values(con: Any, edit: Edit, columns: tuple[Column, ...]) -> dict[str, Any]:
    known = {column.key: column for column in columns}
    checked: dict[str, Any] = {}
    for key, value in edit.values.items():
        if key not in known:
            raise BadEdit(
                "colonne « {column} » inconnue",
                where=key[:80],
                remedy="colonnes : {known}",
                column=key[:80],
                known=", ".join(list(known)[:40]),
            )
        if value is None or value == "":
            checked[key] = None
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        kind = DUCKDB_TYPE[known[key].type]
        row = con.execute(f"SELECT TRY_CAST(? AS {kind})", [text]).fetchone()
        if isinstance(value, (dict, list)) or row[0] is None or len(text) > 10_000:
            raise BadEdit(
                "« {value} » ne convient pas à la colonne « {column} »",
                where=key,
                remedy="donnez une valeur de ce type : {type}",
                value=text[:80],
                column=known[key].title,
                type=known[key].type.value,
            )
        checked[key] = row[0]
    return checked


def _checked_shape(edit: Edit, manifest: Manifest) -> Any:
    if edit.geometry is None or edit.kind == REMOVED:
        return None
    if manifest.geometry_type is None:
        raise BadEdit("ce jeu de données n'est pas situé", where="geometry", remedy="retirez la forme")
    try:
        outline = shapely.force_2d(shape(dict(edit.geometry)))
        corners = shapely.get_coordinates(outline)
    except Exception as error:  # shapely says what is wrong in many ways
        raise BadEdit("forme illisible", where="geometry", remedy="donnez une géométrie GeoJSON") from error
    families = {kind.removeprefix("Multi") for kind in manifest.geometry_types}
    if outline.geom_type.removeprefix("Multi") not in families:
        raise BadEdit(
            "ce jeu de données a d'autres formes", where="geometry", remedy="attendu : {kinds}",
            kinds=", ".join(sorted(families)),
        )  # fmt: skip
    west, south, east, north = shapely.bounds(outline).tolist()
    if not (len(corners) and -180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadEdit("forme hors du monde", where="geometry", remedy="longitude puis latitude, en degrés")
    if len(corners) > MOST_CORNERS or not outline.is_valid:
        raise BadEdit("forme qui se croise, ou de trop de points", where="geometry", remedy="dessinez-la autrement")
    return outline


def _write(con: Any, base: Path, target: Path, *, placed: bool) -> None:
    """Write the table `edited` with the columns, the order and the metadata of the version's data."""
    shapes = f" REPLACE (ST_AsWKB({GEOMETRY}) AS {GEOMETRY})" if placed else ""
    told = con.execute(
        "SELECT decode(value) FROM parquet_kv_metadata(?) WHERE decode(key) = 'geo'", [str(base)]
    ).fetchone()
    metadata = f", KV_METADATA {{geo: {sql.literal(told[0])}}}" if told else ""
    con.execute(
        f"COPY (SELECT *{shapes} FROM edited ORDER BY {ID}) TO {sql.literal(str(target))} "  # noqa: S608
        f"(FORMAT parquet, COMPRESSION zstd, GEOPARQUET_VERSION 'NONE'{metadata})"
    )
