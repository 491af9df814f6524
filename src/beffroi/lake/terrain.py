"""The relief of a territory: a grid of heights, kept in versions as datasets are, and baked into tiles for the map.

<lake>/<territory>/_terrain/served                  the version in service (text)
                           /versions/<version>/     grid.npz · terrain.json · tiles.pmtiles

A grid is read from an ESRI ASCII grid (.asc, as IGN publishes its RGE ALTI) or an SRTM cell (.hgt, bare or zipped).
Tiles are "terrain-RGB" PNG of 256 pixels in Web Mercator: a height in metres is −10 000 + 0.1 × (65 536 R + 256 G + B).
The relief is public: it is the ground everyone walks on. Knows no Django.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from pyproj import CRS, Transformer

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.files import fsync_folder, fsync_tree, written_whole
from beffroi.base.kernel.geo import BBox

Heights = npt.NDArray[np.float32]

FOLDER = "_terrain"
TILE = 256
MAX_ZOOM = 14
MOST_CELLS = 16_000_000
"""4 000 × 4 000: a commune at 2 m, a whole SRTM cell of one second."""
_MERCATOR_M = 20_037_508.342789244
_HGT_NAME = re.compile(r"([NS])(\d{2})([EW])(\d{3})\.hgt", re.IGNORECASE)
_ASC_KEYS = {"ncols", "nrows", "xllcorner", "yllcorner", "xllcenter", "yllcenter", "cellsize", "nodata_value"}


class BadTerrain(BeffroiError):
    """A grid of heights cannot be read."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Heights in metres, rows from north to south, NaN where unknown.

    `west`, `north` is the centre of the first cell and `step` the side of one, in the unit of `crs`.
    """

    heights: Heights
    west: float
    north: float
    step: float
    crs: str


@dataclass(frozen=True, slots=True)
class Terrain:
    """What is served of a territory's relief. `bbox` in CRS84 degrees; `step_m`, `low_m` and `high_m` in metres."""

    version: str
    created_at: datetime
    source: str
    producer: str
    licence: str
    crs: str
    step_m: float
    low_m: float
    high_m: float
    bbox: BBox
    min_zoom: int
    max_zoom: int


# --- Reading ---------------------------------------------------------------------------------------------------------


def read_grid(path: Path, *, crs: str | None = None) -> Grid:
    """Read a grid of heights. `crs` is that of an ASCII grid, Lambert-93 by default: the format does not say.

    Raises:
        BadTerrain: neither an ASCII grid nor an SRTM cell, cut short, or too large.
    """
    name, content = _unpacked(path)
    found = _HGT_NAME.fullmatch(name)
    return _srtm(content, found, path) if found else _ascii(content, path, crs or "EPSG:2154")


def _unpacked(path: Path) -> tuple[str, bytes]:
    if not zipfile.is_zipfile(path):
        return path.name, path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        members = [one for one in archive.infolist() if one.filename.lower().endswith((".hgt", ".asc"))]
        if len(members) != 1 or members[0].file_size > 12 * MOST_CELLS:
            raise BadTerrain(
                "l’archive contient {count} grilles de relief",
                where=path.name,
                remedy="donnez une archive d’une seule grille .asc ou .hgt",
                count=len(members),
            )
        return Path(members[0].filename).name, archive.read(members[0])


def _srtm(content: bytes, found: re.Match[str], path: Path) -> Grid:
    side = math.isqrt(len(content) // 2)
    if side * side * 2 != len(content) or side not in (1201, 3601):
        raise BadTerrain(
            "cellule SRTM de {size} octets", where=path.name, remedy="attendu : 1201 × 1201 ou 3601 × 3601 points",
            size=len(content),
        )  # fmt: skip
    heights = np.frombuffer(content, dtype=">i2").reshape(side, side).astype(np.float32)
    heights[heights == -32768] = np.nan
    south = int(found[2]) * (1 if found[1] in "Nn" else -1)
    west = int(found[4]) * (1 if found[3] in "Ee" else -1)
    return Grid(heights, float(west), float(south + 1), 1 / (side - 1), "EPSG:4326")


def _ascii(content: bytes, path: Path, crs: str) -> Grid:
    lines = io.BytesIO(content)
    head: dict[str, float] = {}
    start = 0
    for line in lines:
        words = line.split()
        if len(words) != 2 or words[0].decode("ascii", "replace").lower() not in _ASC_KEYS:
            break
        head[words[0].decode().lower()] = _number(words[1], path)
        start = lines.tell()
    columns, rows, step = (int(head.get("ncols", 0)), int(head.get("nrows", 0)), head.get("cellsize", 0.0))
    if columns < 2 or rows < 2 or step <= 0 or columns * rows > MOST_CELLS:
        raise BadTerrain(
            "en-tête de grille illisible ou trop grande ({columns} × {rows})",
            where=path.name,
            remedy="attendu : une grille ESRI ASCII (ncols, nrows, xllcorner, yllcorner, cellsize)",
            columns=columns,
            rows=rows,
        )
    words_of = content[start:].split()
    if len(words_of) != columns * rows:
        raise BadTerrain(
            "{found} altitudes au lieu de {expected}",
            where=path.name,
            remedy="le fichier est tronqué : téléchargez-le de nouveau",
            found=len(words_of),
            expected=columns * rows,
        )
    try:
        values = np.array(words_of, dtype="S").astype(np.float32)
    except ValueError as error:
        raise BadTerrain("une altitude n’est pas un nombre", where=path.name, remedy="vérifiez le fichier") from error
    heights = values.reshape(rows, columns)
    heights[heights == head.get("nodata_value", -9999.0)] = np.nan
    west = head["xllcenter"] if "xllcenter" in head else head.get("xllcorner", 0.0) + step / 2
    south = head["yllcenter"] if "yllcenter" in head else head.get("yllcorner", 0.0) + step / 2
    return Grid(heights, west, south + (rows - 1) * step, step, crs)


def _number(word: bytes, path: Path) -> float:
    try:
        return float(word)
    except ValueError:
        raise BadTerrain(
            "« {word} » n’est pas un nombre",
            where=path.name,
            remedy="vérifiez l’en-tête",
            word=word.decode("ascii", "replace")[:20],
        ) from None


# --- Heights ---------------------------------------------------------------------------------------------------------


def sampled(grid: Grid, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Heights:
    """Return heights at places in the CRS of the grid, between its cells by bilinear interpolation.

    Beyond the grid, the height of its nearest edge: a map ends on level ground rather than on a cliff.
    """
    rows, columns = grid.heights.shape
    column = np.clip((x - grid.west) / grid.step, 0, columns - 1)
    row = np.clip((grid.north - y) / grid.step, 0, rows - 1)
    left, top = np.minimum(column.astype(np.int64), columns - 2), np.minimum(row.astype(np.int64), rows - 2)
    across, down = (column - left).astype(np.float32), (row - top).astype(np.float32)
    heights = grid.heights
    upper = heights[top, left] * (1 - across) + heights[top, left + 1] * across
    lower = heights[top + 1, left] * (1 - across) + heights[top + 1, left + 1] * across
    return upper * (1 - down) + lower * down


def _filled(grid: Grid) -> Grid:
    """Return the grid with its unknown cells at the lowest height known: the sea, most often."""
    known = np.isfinite(grid.heights)
    if not known.any():
        raise BadTerrain("aucune altitude dans la grille", remedy="vérifiez la valeur NODATA")
    heights = np.where(known, grid.heights, np.nanmin(grid.heights)).astype(np.float32)
    return Grid(heights, grid.west, grid.north, grid.step, grid.crs)


def _cut(grid: Grid, box: BBox) -> Grid:
    """Return the part of the grid around a box (CRS84), with a margin of two cells."""
    there = Transformer.from_crs("OGC:CRS84", grid.crs, always_xy=True)
    west, south, east, north = there.transform_bounds(*box)
    rows, columns = grid.heights.shape
    left = int(np.clip((west - grid.west) / grid.step - 2, 0, columns - 2))
    right = int(np.clip((east - grid.west) / grid.step + 3, left + 2, columns))
    top = int(np.clip((grid.north - north) / grid.step - 2, 0, rows - 2))
    bottom = int(np.clip((grid.north - south) / grid.step + 3, top + 2, rows))
    part = grid.heights[top:bottom, left:right]
    return Grid(part, grid.west + left * grid.step, grid.north - top * grid.step, grid.step, grid.crs)


def _bounds(grid: Grid) -> BBox:
    rows, columns = grid.heights.shape
    back = Transformer.from_crs(grid.crs, "OGC:CRS84", always_xy=True)
    east, south = grid.west + (columns - 1) * grid.step, grid.north - (rows - 1) * grid.step
    return BBox(*(float(value) for value in back.transform_bounds(grid.west, south, east, grid.north)))


def _meet(one: BBox, other: BBox) -> bool:
    return one.west < other.east and other.west < one.east and one.south < other.north and other.south < one.north


# --- Tiles -----------------------------------------------------------------------------------------------------------


def _zooms(box: BBox, step_m: float) -> tuple[int, int]:
    """Return the zoom whose tile holds the whole, and the one whose pixels are as fine as the grid."""
    width = max(box.east - box.west, box.north - box.south, 1e-4)
    whole = min(12, max(0, int(math.log2(360 / width))))
    across = 2 * _MERCATOR_M * math.cos(math.radians((box.south + box.north) / 2)) / TILE
    fine = math.ceil(math.log2(across / step_m))
    return min(whole, fine), min(MAX_ZOOM, max(whole, fine))


def _tile_heights(grid: Grid, there: Transformer, z: int, x: int, y: int) -> Heights:
    side = 2 * _MERCATOR_M / 2**z
    pixels = (np.arange(TILE) + 0.5) / TILE * side
    east, north = np.meshgrid(-_MERCATOR_M + x * side + pixels, _MERCATOR_M - y * side - pixels)
    return sampled(grid, *there.transform(east, north))


def png_of(heights: Heights) -> bytes:
    """Return a terrain-RGB PNG of a square of heights in metres, to 0.1 m."""
    levels = np.clip(np.round((heights + 10_000) * 10), 0, 0xFFFFFF).astype(np.uint32)
    pixels = np.stack([levels >> 16, levels >> 8 & 0xFF, levels & 0xFF], axis=-1).astype(np.uint8)
    rows, columns, _ = pixels.shape
    # Each row is written as its difference with the one above (PNG filter 2): slopes pack well.
    above = np.vstack([np.zeros_like(pixels[:1]), pixels[:-1]])
    body = np.empty((rows, 1 + columns * 3), dtype=np.uint8)
    body[:, 0] = 2
    body[:, 1:] = (pixels - above).reshape(rows, -1)
    head = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(body.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def _bake(grid: Grid, box: BBox, zooms: tuple[int, int], target: Path) -> None:
    there = Transformer.from_crs("EPSG:3857", grid.crs, always_xy=True)
    places = sorted(
        (zxy_to_tileid(z, x, y), z, x, y) for z in range(zooms[0], zooms[1] + 1) for x, y in _tiles_of(box, z)
    )
    with target.open("wb") as handle:
        writer = Writer(handle)
        for number, z, x, y in places:
            writer.write_tile(number, png_of(_tile_heights(grid, there, z, x, y)))
        writer.finalize(
            {
                "tile_type": TileType.PNG,
                "tile_compression": Compression.NONE,
                "min_lon_e7": int(box.west * 1e7), "min_lat_e7": int(box.south * 1e7),
                "max_lon_e7": int(box.east * 1e7), "max_lat_e7": int(box.north * 1e7),
                "center_zoom": zooms[0],
                "center_lon_e7": int((box.west + box.east) * 5e6), "center_lat_e7": int((box.south + box.north) * 5e6),
            },
            {"encoding": "mapbox"},
        )  # fmt: skip


def _tiles_of(box: BBox, z: int) -> list[tuple[int, int]]:
    def column(lon: float) -> int:
        return min(2**z - 1, max(0, int((lon + 180) / 360 * 2**z)))

    def row(lat: float) -> int:
        return min(2**z - 1, max(0, int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z)))

    columns = range(column(box.west), column(box.east) + 1)
    return [(x, y) for x in columns for y in range(row(box.north), row(box.south) + 1)]


# --- Versions --------------------------------------------------------------------------------------------------------


def import_terrain(
    path: Path,
    *,
    lake: Path,
    territory: str,
    at: datetime,
    within: BBox | None = None,
    crs: str | None = None,
    producer: str = "",
    licence: str = "",
) -> Terrain:
    """Read a grid of heights, bake its tiles and put both in service, whole or not at all; the same grid is kept as is.

    `within` (CRS84) cuts a grid larger than the territory.

    Raises:
        BadTerrain: the grid cannot be read, or lies elsewhere.
    """
    grid = read_grid(path, crs=crs)
    grid = _filled(_cut(grid, within) if within else grid)
    box = _bounds(grid)
    if within and not _meet(box, within):
        raise BadTerrain(
            "la grille ne couvre pas la commune", where=path.name, remedy="vérifiez la cellule ou le système (--crs)"
        )
    middle = math.radians((box.south + box.north) / 2)
    step_m = grid.step if CRS(grid.crs).is_projected else grid.step * 111_320 * math.cos(middle)
    digest = hashlib.sha256(repr((grid.west, grid.north, grid.step, grid.crs)).encode() + grid.heights.tobytes())
    room = lake / territory / FOLDER
    version = f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest.hexdigest()[:12]}"
    kept = next((room / "versions").glob(f"*-{digest.hexdigest()[:12]}/terrain.json"), None) if room.is_dir() else None
    if kept is not None:
        _serve(room, kept.parent.name)
        return _read(kept)
    zooms = _zooms(box, step_m)
    terrain = Terrain(
        version, at, path.name, producer, licence, grid.crs, round(step_m, 2),
        float(grid.heights.min()), float(grid.heights.max()), box, *zooms,
    )  # fmt: skip
    aside = room / f".{version}.{os.getpid()}.part"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        _bake(grid, box, zooms, aside / "tiles.pmtiles")
        np.savez_compressed(aside / "grid.npz", heights=grid.heights, frame=[grid.west, grid.north, grid.step])
        payload = asdict(terrain) | {"created_at": at.isoformat(), "bbox": list(box)}
        (aside / "terrain.json").write_text(json.dumps(payload, ensure_ascii=False, indent=1), encoding="utf-8")
        fsync_tree(aside)
        (room / "versions").mkdir(exist_ok=True)
        aside.replace(room / "versions" / version)
        fsync_folder(room / "versions")
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    _serve(room, version)
    return terrain


def _serve(room: Path, version: str) -> None:
    with written_whole(room / "served", "w") as handle:
        handle.write(version)


@lru_cache(maxsize=256)
def _read(path: Path) -> Terrain:
    payload: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    dated = {"created_at": datetime.fromisoformat(payload["created_at"]), "bbox": BBox(*payload["bbox"])}
    return Terrain(**(dict(payload) | dated))


def terrain_of(lake: Path, territory: str, version: str | None = None) -> Terrain | None:
    """Return the relief of a territory, in service or at a version; None when there is none."""
    folder = _folder(lake, territory, version)
    return _read(folder / "terrain.json") if folder else None


def _folder(lake: Path, territory: str, version: str | None) -> Path | None:
    if not re.fullmatch(r"[0-9A-Za-z]{1,20}", territory):
        return None
    room = lake / territory / FOLDER
    try:
        version = version or (room / "served").read_text().strip()
    except FileNotFoundError:
        return None
    if not re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{12}", version):
        return None
    folder = room / "versions" / version
    return folder if folder.is_dir() else None


def archive_path(lake: Path, territory: str, version: str | None = None) -> Path | None:
    """Return the tiles of a territory's relief, None when there is none."""
    folder = _folder(lake, territory, version)
    return folder / "tiles.pmtiles" if folder else None


@lru_cache(maxsize=8)
def _grid(folder: Path) -> Grid:
    kept = np.load(folder / "grid.npz")
    west, north, step = kept["frame"].tolist()
    return Grid(kept["heights"], west, north, step, _read(folder / "terrain.json").crs)


def altitude_m(lake: Path, territory: str, *, lon: float, lat: float) -> float | None:
    """Return the altitude of the ground at a place (CRS84 degrees), None where the relief is not known."""
    folder = _folder(lake, territory, None)
    if folder is None:
        return None
    box = _read(folder / "terrain.json").bbox
    if not (box.west <= lon <= box.east and box.south <= lat <= box.north):
        return None
    grid = _grid(folder)
    x, y = Transformer.from_crs("OGC:CRS84", grid.crs, always_xy=True).transform(lon, lat)
    return float(sampled(grid, np.array([x]), np.array([y]))[0])
