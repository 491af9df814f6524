"""The town in three dimensions: blocks, triangles, and what leaves as CityJSON, GLB and 3D Tiles."""

from __future__ import annotations

import json
import struct
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake.connectors.cityjson import read_cityjson
from beffroi.lake.definitions import Definition, restricted
from beffroi.lake.reading import SURFACES
from beffroi.lake.volumes import GROUND, ROOF, WALL, area_m2, metres
from beffroi.sense.twin import cityjson, glb, queries, tileset
from beffroi.sense.twin.blocks import raised
from beffroi.sense.twin.meshes import triangles
from city_models import FACES, house_text, publish_town, published, square

CODE, LON, LAT = "00009", 3.88, 43.61
DAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
AGENT = Viewer(1, (Grant(CODE, Role.AGENT),))
AROUND = BBox(LON - 0.01, LAT - 0.01, LON + 0.01, LAT + 0.01)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two blocks and a house."""
    folder = tmp_path_factory.mktemp("maquette")
    publish_town(folder, CODE, DAY, lon=LON, lat=LAT)
    return folder


@pytest.fixture
def town(built: Path, settings: Any) -> Path:
    """The folder of the two blocks and the house; tests add nothing to its lake."""
    settings.LAKE_DIR = built / "lake"
    return built


def test_a_block_is_closed_and_turned_outwards() -> None:
    hole = shapely.Polygon(
        square(LON, LAT, 20).exterior.coords, [square(LON + 0.00005, LAT + 0.00005, 5).exterior.coords]
    )
    volume = raised(hole, base_m=30.0, height_m=9.0)
    local = metres(volume.vertices, LON, LAT)
    areas = dict.fromkeys((GROUND, ROOF, WALL), 0.0)
    for face, kind in zip(volume.faces, volume.kinds, strict=True):
        areas[kind] += area_m2(local, face)
    assert areas == pytest.approx({GROUND: 375, ROOF: 375, WALL: 9 * (80 + 20)}, rel=1e-4)
    edges = [
        (one, two)
        for face in volume.faces
        for ring in face
        for one, two in zip(ring, (*ring[1:], ring[0]), strict=True)
    ]
    assert sorted(edges) == sorted((two, one) for one, two in edges), "each edge is walked once each way"
    assert (volume.base_m, volume.top_m) == (30.0, 39.0)


@pytest.mark.parametrize(
    "outline",
    [
        [(0, 0), (4, 0), (4, 1), (1, 1), (1, 4), (0, 4)],
        [(0, 0), (10, 0), (10, 6), (5, 9), (0, 6)],
        [(0, 0), (2, 1), (4, 0), (3, 2), (4, 4), (2, 3), (0, 4), (1, 2)],
    ],
)
@pytest.mark.parametrize("upright", [False, True])
def test_triangles_cover_a_face_whatever_its_outline(outline: list[tuple[float, float]], upright: bool) -> None:
    local = np.array([(x, 2.0, y) if upright else (x, y, 0.3 * x) for x, y in outline])
    face = (tuple(range(len(outline))),)
    cut = triangles(local, (face,))
    assert sum(area_m2(local, (tuple(one),)) for one in cut.tolist()) == pytest.approx(area_m2(local, face))
    assert len(cut) == len(outline) - 2


def test_triangles_leave_holes_open() -> None:
    local = np.array(
        [(0, 0, 1), (9, 0, 1), (9, 9, 1), (0, 9, 1), (3, 3, 1), (3, 6, 1), (6, 6, 1), (6, 3, 1)], dtype=float
    )
    cut = triangles(local, (((0, 1, 2, 3), (4, 5, 6, 7)),))
    assert sum(area_m2(local, (tuple(one),)) for one in cut.tolist()) == pytest.approx(81 - 9)


def test_a_house_stands_in_place_of_its_block(town: Path) -> None:
    found = queries.buildings(ANONYMOUS, queries.sources(ANONYMOUS, CODE), AROUND)
    told = {
        one.footprint.key: (one.is_block, one.is_supposed, round(one.volume.top_m - one.volume.base_m, 2))
        for one in found
    }
    assert told == {"maisons.maison": (False, False, 7.0), "batiments.B2": (True, True, 9.0)}


def test_the_town_of_an_earlier_day(town: Path) -> None:
    then = queries.sources(ANONYMOUS, CODE, at=DAY + timedelta(days=1))
    keys = {one.footprint.key for one in queries.buildings(ANONYMOUS, then, AROUND)}
    assert keys == {"batiments.B1", "batiments.B2"}
    assert queries.sources(ANONYMOUS, CODE, at=DAY - timedelta(days=1)).all == ()


def test_surfaces_kept_for_agents_are_theirs_alone(tmp_path: Path, settings: Any) -> None:
    settings.LAKE_DIR = tmp_path / "lake"
    kept = restricted(Definition("maisons", id="id"), "public", {SURFACES: "agents"})
    published(CODE, "maisons", "maisons.city.json", house_text(LON, LAT), tmp_path, DAY, kept)
    seen = {
        name: [
            one.footprint.key
            for one in queries.buildings(viewer, queries.sources(viewer, CODE), AROUND)
            if not one.is_block
        ]
        for name, viewer in {"public": ANONYMOUS, "agent": AGENT}.items()
    }
    assert seen == {"public": [], "agent": ["maisons.maison"]}


def test_what_leaves_as_cityjson_reads_back_the_same(town: Path) -> None:
    found = queries.buildings(ANONYMOUS, queries.sources(ANONYMOUS, CODE), AROUND)
    body = cityjson.document(found, bbox=AROUND, title="Essai", day=date(2026, 3, 2))
    (town / "sortie.city.json").write_bytes(body)
    content = json.loads(body)
    assert (content["version"], content["metadata"]["referenceDate"]) == ("2.0", "2026-03-02")
    assert content["metadata"]["referenceSystem"] == "https://www.opengis.net/def/crs/EPSG/0/5698"
    used = {number for one in content["CityObjects"].values() for number in numbers(one["geometry"][0]["boundaries"])}
    assert used == set(range(len(content["vertices"])))
    model = read_cityjson(town / "sortie.city.json")
    assert {one.id: (one.lod, len(one.faces)) for one in model.buildings} == {
        "maisons.maison": ("2.2", len(FACES)),
        "batiments.B2": ("1.2", 6),
    }
    (maison,) = (one for one in model.buildings if one.id == "maisons.maison")
    points = np.concatenate([rings[0] for _kind, rings in maison.faces])
    east, north = Transformer.from_crs("OGC:CRS84", "EPSG:2154", always_xy=True).transform(LON, LAT)
    assert points.min(axis=0) == pytest.approx([east, north, 50.0], abs=0.005)
    assert np.ptp(points, axis=0) == pytest.approx([10, 6, 7], abs=0.005)


def numbers(boundaries: Any) -> list[int]:
    """Every number in nested lists."""
    return [boundaries] if isinstance(boundaries, int) else [one for part in boundaries for one in numbers(part)]


def test_cityjson_is_valid_for_its_own_validator(town: Path) -> None:
    cjval = pytest.importorskip("cjvalpy", reason="the CityJSON validator is not installed")
    found = queries.buildings(ANONYMOUS, queries.sources(ANONYMOUS, CODE), AROUND)
    body = cityjson.document(found, bbox=AROUND, title="Essai", day=date(2026, 3, 2)).decode()
    checked = cjval.CJValidator([body])
    assert checked.validate(), checked.get_report()


def test_a_glb_holds_every_face_in_metres(town: Path) -> None:
    found = queries.buildings(ANONYMOUS, queries.sources(ANONYMOUS, CODE), AROUND)
    content = glb.glb(found, lon=LON, lat=LAT, extras={"hidden": ["B1"]})
    magic, version, length = struct.unpack_from("<4sII", content)
    assert (magic, version, length) == (b"glTF", 2, len(content))
    root, data = opened(content)
    assert root["scenes"][0]["extras"] == {"hidden": ["B1"]}
    areas = [0.0, 0.0]
    for primitive in root["meshes"][0]["primitives"]:
        places = numbers_of(root, data, primitive["attributes"]["POSITION"])
        corners = numbers_of(root, data, primitive["indices"]).reshape(-1, 3).astype(int)
        areas[primitive["material"]] += sum(area_m2(places, (tuple(one),)) for one in corners.tolist())
    expected = [0.0, 0.0]
    for one in found:
        local = metres(one.volume.vertices, LON, LAT)
        for face, kind in zip(one.volume.faces, one.volume.kinds, strict=True):
            expected[kind != ROOF] += area_m2(local, face)
    assert areas == pytest.approx(expected, rel=1e-4)
    table = root["extensions"]["EXT_structural_metadata"]["propertyTables"][0]
    assert table["count"] == len(found)
    assert all(view["byteOffset"] % 8 == 0 for view in root["bufferViews"])


def opened(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON and the binary chunk of a GLB."""
    (size,) = struct.unpack_from("<I", content, 12)
    return json.loads(content[20 : 20 + size]), content[28 + size :]


def numbers_of(root: dict[str, Any], data: bytes, index: int) -> Any:
    """The values of an accessor."""
    accessor = root["accessors"][index]
    view = root["bufferViews"][accessor["bufferView"]]
    kind = {5126: "<f4", 5125: "<u4"}[accessor["componentType"]]
    values = np.frombuffer(
        data, kind, accessor["count"] * {"VEC3": 3, "SCALAR": 1}[accessor["type"]], view["byteOffset"]
    )
    return values.reshape(accessor["count"], -1).astype(float)


def test_a_glb_of_nothing_is_an_empty_scene() -> None:
    root, data = opened(glb.glb([], lon=0, lat=0))
    assert root["scenes"] == [{}]
    assert data == b""


def test_tiles_cover_the_town_and_stand_where_they_say() -> None:
    box = BBox(3.80, 43.57, 3.94, 43.65)
    content = tileset.tileset(box, low_m=0, high_m=200, content="/t/{z}/{x}/{y}.glb", title="Essai")
    tiles = content["root"]["children"]
    assert content["asset"]["version"] == "1.1"
    assert len(tiles) == len(tileset.squares(box, tileset.ZOOM)) == len({one["content"]["uri"] for one in tiles})
    z, x, y = (int(part) for part in tiles[0]["content"]["uri"].removesuffix(".glb").split("/")[2:])
    lon, lat = tileset.middle(tileset.tile_box(z, x, y))
    matrix = np.array(tiles[0]["transform"]).reshape(4, 4).T
    # 300 m east, 200 m north, 50 m up of the middle, by PROJ's own local frame.
    expected = Transformer.from_pipeline(
        f"+proj=pipeline +step +inv +proj=topocentric +ellps=WGS84 +lon_0={lon} +lat_0={lat} +h_0=0"
    ).transform(300, 200, 50)
    assert (matrix @ [300, 200, 50, 1])[:3] == pytest.approx(expected, abs=0.01)


def test_a_country_has_larger_tiles_rather_than_too_many() -> None:
    zoom = tileset.zoom_of(BBox(-5, 42, 8, 51))
    assert zoom < tileset.ZOOM
    assert len(tileset.squares(BBox(-5, 42, 8, 51), zoom)) <= tileset.MOST_TILES
