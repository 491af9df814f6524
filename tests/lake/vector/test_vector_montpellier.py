"""The vector files of Montpellier as they were published: all read, in the right place."""

import os
from pathlib import Path

import duckdb
import numpy as np
import pytest
import shapely

from beffroi.lake.connectors.vector import is_vector, read_vector
from beffroi.lake.folder import KINDS, kind_of
from beffroi.lake.reading import ReadOptions

ROOT = Path(os.environ.get("BEFFROI_DATA", Path(__file__).parents[4] / "shared" / "data")) / "montpellier"
pytestmark = pytest.mark.skipif(not ROOT.is_dir(), reason="the real data of Montpellier are not here")
EXTENT = (3.807, 43.573, 3.927, 43.65)
GEOGRAPHIC = [kind for kind in KINDS.values() if kind.has_geometry]
FILES = [
    path for path in sorted(ROOT.rglob("*"))
    if path.is_file() and (kind_of(path) in GEOGRAPHIC or (path.suffix == ".geojson" and is_vector(path)))
]  # fmt: skip


def shapes(reading) -> np.ndarray:
    query = f"SELECT geometry FROM {reading.table} WHERE geometry IS NOT NULL ORDER BY _line"
    return shapely.from_wkb(np.array([row[0] for row in reading.con.execute(query).fetchall()], dtype=object))


def read(name: str):
    (path,) = [path for path in FILES if path.name == name]
    (reading,) = read_vector(path, ReadOptions(extent=EXTENT), duckdb.connect())
    return reading


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_all_rows_are_kept_in_place_or_the_reason_is_said(path):
    (reading,) = read_vector(path, ReadOptions(extent=EXTENT), duckdb.connect())
    found = shapes(reading)
    assert reading.rejects.total == 0
    assert len(found) >= 0.99 * reading.rows_read
    west, south, east, north = EXTENT
    bounds = shapely.bounds(found)
    near = (bounds[:, 2] > west - 0.02) & (bounds[:, 0] < east + 0.02)
    near &= (bounds[:, 3] > south - 0.02) & (bounds[:, 1] < north + 0.02)
    told = sum(int(e.value) for e in reading.evidences if "hors de l’emprise" in str(e.why) and e.value.isdigit())
    assert (~near).sum() <= told


@pytest.mark.parametrize(
    ("name", "rows", "crs"),
    [
        ("VilleMTP_MTP_Signalisation.geojson", 373, "EPSG:2154"),
        ("VilleMTP_MTP_AccTrottoir.geojson", 7654, "EPSG:2154"),
        ("VilleMTP_MTP_EspacesVertsGlobal.geojson", 203, "EPSG:2154"),
        ("VilleMTP_MTP_JeuEnfantAge.geojson", 97, "EPSG:3943"),
        ("VilleMTP_MTP_JeuEnfantType.geojson", 97, "EPSG:3943"),
        ("OSM_MTP_Atm_2012.zip", 27, "EPSG:2154"),
        ("VilleMTP_MTP_EspacesBois_2011.zip", 908, "EPSG:2154"),
        ("VilleMTP_MTP_ParkingOuv.zip", 22, "OGC:CRS84"),
        ("VilleMTP_MTP_Batiments.geojson", 3356, "OGC:CRS84"),
        ("VilleMTP_MTP_PointAdresse.zip", 36395, "EPSG:2154"),
        ("VilleMTP_MTP_EclairagePublic_kml.zip", 29969, "OGC:CRS84"),
        ("VilleMTP_AggloMTP_PistesCyclables.zip", 319, "EPSG:2154"),
    ],
)
def test_a_dozen_known_files(name, rows, crs):
    reading = read(name)
    assert (reading.rows_read, reading.crs) == (rows, crs)


def test_the_same_lamp_stands_at_the_same_place_in_shapefile_and_kml():
    shp, kml = (
        shapely.get_coordinates(shapes(read(f"VilleMTP_MTP_EclairagePublic{tail}.zip"))) for tail in ("", "_kml")
    )
    tree = shapely.STRtree(shapely.points(shp))
    nearest = shp[tree.nearest(shapely.points(kml))]
    metres = np.hypot(*((nearest - kml) * (111_320 * np.cos(np.radians(43.6)), 111_132)).T)
    assert metres.max() < 1.0


def test_buildings_agree_between_lambert_and_degrees():
    lambert, degrees = (shapely.total_bounds(shapes(read(f"VilleMTP_MTP_Batiments.{s}"))) for s in ("zip", "geojson"))
    assert np.abs((lambert - degrees) * 111_000).max() < 1.0
