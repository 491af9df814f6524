"""The relief: a grid of heights read, kept whole, and baked into tiles that say the same heights."""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import Transformer

from beffroi.base.kernel.geo import BBox
from beffroi.lake import terrain, tiles
from beffroi.lake.terrain import BadTerrain, import_terrain, read_grid

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TOWN = "34172"
SIDE, STEP_M, WEST_M, SOUTH_M = 40, 25.0, 770_000.0, 6_280_000.0


def slope(x_m: Any, y_m: Any) -> Any:
    """A tilted plane, which bilinear interpolation follows exactly."""
    return 50 + 0.02 * (x_m - WEST_M) + 0.01 * (y_m - SOUTH_M)


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    middles = (np.arange(SIDE) + 0.5) * STEP_M
    rows = [" ".join(f"{slope(WEST_M + x, SOUTH_M + y):.4f}" for x in middles) for y in middles[::-1]]
    head = (
        f"ncols {SIDE}\nnrows {SIDE}\nxllcorner {WEST_M}\nyllcorner {SOUTH_M}\ncellsize {STEP_M}\nNODATA_value -9999\n"
    )
    path = tmp_path / "mnt.asc"
    path.write_text(head + "\n".join(rows) + "\n")
    return path


def heights_of(png: bytes) -> Any:
    """Decode a PNG by hand, with the one filter ours use."""
    parts, at = {}, 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        parts[png[at + 4 : at + 8]] = png[at + 8 : at + 8 + size]
        assert struct.unpack(">I", png[at + 8 + size : at + 12 + size])[0] == zlib.crc32(png[at + 4 : at + 8 + size])
        at += 12 + size
    columns, rows = struct.unpack(">II", parts[b"IHDR"][:8])
    lines = np.frombuffer(zlib.decompress(parts[b"IDAT"]), dtype=np.uint8).reshape(rows, 1 + columns * 3)
    assert set(lines[:, 0]) == {2}
    pixels = np.cumsum(lines[:, 1:].reshape(rows, columns, 3), axis=0, dtype=np.uint8).astype(np.float64)
    return -10_000 + 0.1 * (pixels[..., 0] * 65_536 + pixels[..., 1] * 256 + pixels[..., 2])


def test_tiles_say_the_heights_of_the_grid(grid: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    known = import_terrain(grid, lake=lake, territory=TOWN, at=AT, producer="IGN")
    assert (known.step_m, known.producer) == (STEP_M, "IGN")
    path = terrain.archive_path(lake, TOWN)
    assert path is not None
    lon, lat = (known.bbox.west + known.bbox.east) / 2, (known.bbox.south + known.bbox.north) / 2
    z = known.max_zoom
    x = int((lon + 180) / 360 * 2**z)
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z)
    png = tiles.archived(path, z, x, y)
    assert png is not None
    side = 2 * 20_037_508.342789244 / 2**z
    pixels = (np.arange(256) + 0.5) / 256 * side
    east, north = np.meshgrid(-20_037_508.342789244 + x * side + pixels, 20_037_508.342789244 - y * side - pixels)
    there = Transformer.from_crs("EPSG:3857", "EPSG:2154", always_xy=True)
    x_m, y_m = there.transform(east, north)
    inside = (x_m > WEST_M + 15) & (x_m < WEST_M + 985) & (y_m > SOUTH_M + 15) & (y_m < SOUTH_M + 985)
    assert inside.sum() > 200
    assert np.abs(heights_of(png) - slope(x_m, y_m))[inside].max() <= 0.06
    assert tiles.archived(path, z, 0, 0) is None


def test_the_altitude_of_a_place_is_that_of_the_grid_and_unknown_beyond(grid: Path, tmp_path: Path) -> None:
    import_terrain(grid, lake=tmp_path, territory=TOWN, at=AT)
    lon, lat = Transformer.from_crs("EPSG:2154", "OGC:CRS84", always_xy=True).transform(770_500.0, 6_280_400.0)
    assert terrain.altitude_m(tmp_path, TOWN, lon=lon, lat=lat) == pytest.approx(
        slope(770_500.0, 6_280_400.0), abs=0.01
    )
    assert terrain.altitude_m(tmp_path, TOWN, lon=lon + 1, lat=lat) is None
    assert terrain.altitude_m(tmp_path, "99999", lon=lon, lat=lat) is None
    assert terrain.terrain_of(tmp_path, "../etc") is None


def test_the_same_grid_twice_is_one_version_and_a_failed_one_leaves_the_former(
    grid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = import_terrain(grid, lake=tmp_path, territory=TOWN, at=AT)
    again = import_terrain(grid, lake=tmp_path, territory=TOWN, at=datetime(2026, 4, 1, tzinfo=UTC))
    assert again.version == first.version
    other = tmp_path / "autre.asc"
    other.write_text(grid.read_text().replace("50.", "51."))

    def broken(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(terrain, "_bake", broken)
    with pytest.raises(OSError, match="no space"):
        import_terrain(other, lake=tmp_path, territory=TOWN, at=AT)
    served = terrain.terrain_of(tmp_path, TOWN)
    assert served is not None
    assert served.version == first.version
    assert [one.name for one in (tmp_path / TOWN / "_terrain").iterdir() if one.name.startswith(".")] == []


def test_an_srtm_cell_is_read_where_its_name_says_and_cut_to_the_town(tmp_path: Path) -> None:
    """1201 × 1201 big-endian heights; here each point's height is its row, from the north."""
    cell = np.repeat(np.arange(1201, dtype=">i2")[:, None], 1201, axis=1)
    path = tmp_path / "N43E007.hgt.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("N43E007.hgt", cell.tobytes())
    grid = read_grid(path)
    assert (grid.west, grid.north, grid.heights.shape) == (7.0, 44.0, (1201, 1201))
    box = BBox(7.2, 43.65, 7.3, 43.75)
    known = import_terrain(path, lake=tmp_path, territory=TOWN, at=AT, within=box)
    assert known.bbox.west == pytest.approx(7.2, abs=0.003)
    assert terrain.altitude_m(tmp_path, TOWN, lon=7.25, lat=43.7) == pytest.approx(360, abs=0.01)
    with pytest.raises(BadTerrain, match="ne couvre pas la commune"):
        import_terrain(path, lake=tmp_path, territory=TOWN, at=AT, within=BBox(2, 48, 2.1, 48.1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:-200], "altitudes au lieu de 1600"),
        (lambda text: text.replace("ncols 40", "ncols quarante"), "« quarante » n’est pas un nombre"),
        (lambda text: text.replace("ncols", "colonnes"), "en-tête de grille illisible"),
        (lambda text: text.replace("50.", "cinquante."), "n’est pas un nombre"),
    ],
)
def test_a_grid_that_cannot_be_read_says_why(grid: Path, change: Any, said: str) -> None:
    grid.write_text(change(grid.read_text()))
    with pytest.raises(BadTerrain, match=said):
        read_grid(grid)
