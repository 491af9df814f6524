"""Heights of the ground read from a raster: an ESRI ASCII grid (.asc) or an SRTM cell (.hgt, .hgt.zip).

Source: NASA SRTM (big-endian int16, rows from north, -32768 void); ESRI ASCII grid as IGN publishes RGE ALTI.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pyproj import Transformer

from beffroi.base.kernel.errors import BeffroiError
from beffroi.sense.mobility.streets import Array

_HEAD = ("ncols", "nrows", "xllcorner", "yllcorner", "cellsize")


class BadTerrain(BeffroiError):
    """The file of heights cannot be read."""


@dataclass(frozen=True, slots=True)
class Terrain:
    """A grid of heights in metres, rows from north to south, NaN where void.

    `x0`, `y0` place the centre of the first cell of the first row in `crs`, `step` is the size of a cell there.
    """

    title: str
    heights: Array
    x0: float
    y0: float
    step: float
    crs: str

    @property
    def step_m(self) -> float:
        """Return the size of a cell in metres, roughly."""
        return self.step * 111_195 if self.crs == "EPSG:4326" else self.step

    def at(self, lon: Array, lat: Array) -> Array:
        """Return the height in metres at each place by bilinear interpolation; NaN outside the grid."""
        x, y = lon, lat
        if self.crs != "EPSG:4326":
            x, y = Transformer.from_crs("EPSG:4326", self.crs, always_xy=True).transform(lon, lat)
        column, row = (np.asarray(x) - self.x0) / self.step, (self.y0 - np.asarray(y)) / self.step
        left, top = np.floor(column).astype(int), np.floor(row).astype(int)
        rows, columns = self.heights.shape
        inside = (left >= 0) & (top >= 0) & (left < columns - 1) & (top < rows - 1)
        left, top = np.where(inside, left, 0), np.where(inside, top, 0)
        across, down = column - left, row - top
        grid = self.heights
        upper = grid[top, left] * (1 - across) + grid[top, left + 1] * across
        lower = grid[top + 1, left] * (1 - across) + grid[top + 1, left + 1] * across
        return np.where(inside, upper * (1 - down) + lower * down, np.nan)


def read_terrain(path: Path, *, crs: str = "EPSG:2154") -> Terrain:
    """Read a file of heights. `crs` is that of an ESRI grid, which does not say it; an SRTM cell is in degrees.

    Raises:
        BadTerrain: the file is of another kind, incomplete, or missing.
    """
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                name = next((item for item in archive.namelist() if item.lower().endswith(".hgt")), None)
                return (
                    _srtm(Path(name).name, archive.read(name)) if name else _refuse(path, "aucun .hgt dans l'archive")
                )
        if path.suffix == ".hgt":
            return _srtm(path.name, path.read_bytes())
        if path.suffix == ".asc":
            return _esri(path, crs)
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise BadTerrain(
            "relief illisible ({reason})",
            where=path.name,
            remedy="donnez une grille ESRI (.asc) ou une dalle SRTM (.hgt, .hgt.zip)",
            reason=str(error),
        ) from error
    return _refuse(path, "format inconnu")


def _refuse(path: Path, reason: str) -> Terrain:
    raise BadTerrain(
        "relief illisible ({reason})",
        where=path.name,
        remedy="donnez une grille ESRI (.asc) ou une dalle SRTM (.hgt, .hgt.zip)",
        reason=reason,
    )


def _srtm(name: str, body: bytes) -> Terrain:
    found = re.match(r"([NS])(\d{2})([EW])(\d{3})", name.upper())
    side = round((len(body) / 2) ** 0.5)
    if not found or side * side * 2 != len(body) or side < 2:
        raise ValueError("une dalle SRTM se nomme comme N43E007 et tient un carré de nombres")
    south = int(found[2]) * (1 if found[1] == "N" else -1)
    west = int(found[4]) * (1 if found[3] == "E" else -1)
    heights = np.frombuffer(body, ">i2").reshape(side, side).astype(np.float32)
    heights[heights <= -32768] = np.nan
    return Terrain(f"SRTM {name}", heights, float(west), float(south + 1), 1 / (side - 1), "EPSG:4326")


def _esri(path: Path, crs: str) -> Terrain:
    with path.open(encoding="ascii") as handle:
        head: dict[str, float] = {}
        lines = []
        for line in handle:
            key, _, value = line.strip().partition(" ")
            if not key.isidentifier():
                lines.append(line)
                break
            head[key.lower()] = float(value)
        lines.extend(handle)
    missing = [key for key in _HEAD if key not in head]
    if missing:
        raise ValueError(f"en-tête incomplet : {', '.join(missing)}")
    heights = np.loadtxt(io.StringIO("".join(lines)), dtype=np.float32, ndmin=2)
    if heights.shape != (int(head["nrows"]), int(head["ncols"])):
        raise ValueError("le nombre de lignes ou de colonnes n'est pas celui de l'en-tête")
    heights[heights == head.get("nodata_value", -9999)] = np.nan
    step = head["cellsize"]
    x0, y0 = head["xllcorner"] + step / 2, head["yllcorner"] + (head["nrows"] - 0.5) * step
    return Terrain(f"Relief au pas de {step:g} m ({path.name})", heights, x0, y0, step, crs)
