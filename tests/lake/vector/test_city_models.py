"""City models read into the lake: what is measured on them, what is refused, what their surfaces become."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from beffroi.lake import sql, volumes
from beffroi.lake.connectors import registry
from beffroi.lake.connectors.citygml import read_citygml
from beffroi.lake.reading import SURFACES, ReadOptions, Unreadable
from beffroi.lake.volumes import GROUND, ROOF, WALL, Volume, metres
from city_models import BASE_M, EAVES_M, LONG_M, RIDGE_M, WIDE_M, house, house_text


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a city model as the connector leaves them."""
    with sql.workbench(memory_mb=256, threads=1) as con:
        (reading,) = registry.read(path, ReadOptions(work_dir=path.parent), con)
        found = con.execute(f"SELECT * FROM {reading.table}")
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def enclosed_m3(volume: Volume) -> float:
    """The volume within the faces, by the divergence theorem: a second way to measure what a publisher states."""
    lon, lat, base = volume.vertices.min(axis=0)
    local = metres(volume.vertices, lon, lat) - [0, 0, base]
    total = 0.0
    for face in volume.faces:
        ring = local[list(face[0])]
        total += sum(np.dot(ring[0], np.cross(ring[at], ring[at + 1])) for at in range(1, len(ring) - 1)) / 6
    return abs(float(total))


def test_a_house_is_measured_in_its_slopes(tmp_path: Path) -> None:
    source = tmp_path / "gardien.city.json"
    source.write_text(house_text(annee=1932))
    (row,) = rows_of(source)
    slope = 2 * LONG_M * math.hypot(WIDE_M / 2, RIDGE_M - EAVES_M)
    assert (row["id"], row["niveau_de_detail"], row["nom"], row["annee"]) == (
        "maison",
        "2.2",
        "Maison du gardien",
        1932,
    )
    assert (row["hauteur"], row["altitude_sol"], row["altitude_toit"]) == (RIDGE_M, BASE_M, BASE_M + RIDGE_M)
    # Metres of the ground: those of Lambert-93 are up to one part in a thousand longer or shorter.
    assert row["surface_toit"] == pytest.approx(slope, rel=1e-3)
    volume = volumes.read(row[SURFACES])
    assert [volume.kinds.count(kind) for kind in (GROUND, ROOF, WALL)] == [1, 2, 4]
    assert enclosed_m3(volume) == pytest.approx(LONG_M * WIDE_M * (EAVES_M + (RIDGE_M - EAVES_M) / 2), rel=1e-3)
    west, south, east, north = shapely.from_wkb(bytes(row["geometry"])).bounds
    assert (west, south) == pytest.approx((3.88, 43.61), abs=2e-5)
    assert (east - west) * volumes.degree_m(43.61)[0] == pytest.approx(LONG_M, abs=0.3)
    assert north > south


def test_the_same_house_feature_by_feature(tmp_path: Path) -> None:
    whole = house()
    first = {key: value for key, value in whole.items() if key not in ("CityObjects", "vertices")}
    first |= {"CityObjects": {}, "vertices": []}
    feature = {
        "type": "CityJSONFeature",
        "id": "maison",
        "CityObjects": whole["CityObjects"],
        "vertices": whole["vertices"],
    }
    lines, one = tmp_path / "rue.city.jsonl", tmp_path / "rue.city.json"
    lines.write_text(f"{json.dumps(first)}\n{json.dumps(feature)}\n")
    one.write_text(json.dumps(whole))
    assert rows_of(lines) == rows_of(one)


def test_real_buildings_of_lyon_enclose_what_their_publisher_states(open_data: Path) -> None:
    folder = open_data / "autres" / "bim3d" / "lyon" / "CityGML"
    for source in sorted(folder.glob("*.gml")):
        (row,) = rows_of(source)
        volume = volumes.read(row[SURFACES])
        # The projection and the rounding to the millimetre are within one part in a thousand.
        assert enclosed_m3(volume) == pytest.approx(row["volume"], rel=5e-3)
        assert volume.base_m == pytest.approx(row["zmin"], abs=0.002)
        assert row["altitude_toit"] == pytest.approx(row["zmaxtoit"], abs=0.06)
        # The publisher's area of the roof is that of its plan.
        plan = metres(
            np.array([(*point, 0) for point in shapely.get_coordinates(shapely.from_wkb(bytes(row["geometry"])))]),
            4.82,
            45.76,
        )
        assert shapely.Polygon(plan).area == pytest.approx(row["surftoit"], rel=0.02)
        assert row["surface_toit"] >= row["surftoit"] * 0.99


def test_a_town_of_parts_and_blocks(tmp_path: Path) -> None:
    """A building whose part is a block without meanings: the part belongs to it, its slopes say what it is."""
    model = house()
    model["vertices"] += [
        [x * 1000, y * 1000, z * 1000] for z in (0, 3) for x, y in ((20, 0), (24, 0), (24, 4), (20, 4))
    ]
    ring = [13, 12, 11, 10], [14, 15, 16, 17], [10, 11, 15, 14], [11, 12, 16, 15], [12, 13, 17, 16], [13, 10, 14, 17]
    block = {"type": "Solid", "lod": "2.2", "boundaries": [[[list(face)] for face in ring]]}
    model["CityObjects"]["maison"]["children"] = ["garage"]
    model["CityObjects"]["garage"] = {"type": "BuildingPart", "parents": ["maison"], "geometry": [block]}
    model["CityObjects"]["arbre"] = {"type": "SolitaryVegetationObject", "geometry": []}
    source = tmp_path / "parts.city.json"
    source.write_text(json.dumps(model))
    (row,) = rows_of(source)
    kinds = volumes.read(row[SURFACES]).kinds
    assert [kinds.count(kind) for kind in (GROUND, ROOF, WALL)] == [2, 3, 8]


ENTITY = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><CityModel xmlns="http://www.opengis.net/citygml/2.0">&a;</CityModel>'
CUT = '<CityModel xmlns="http://www.opengis.net/citygml/2.0"><cityObjectMember>'


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("entites.gml", ENTITY, "entités"),
        ("coupe.gml", CUT, "tronqué"),
        ("coupe.city.json", '{"type":"CityJSON","version":"2.0"', "tronqué"),
        ("vide.city.json", '{"type":"CityJSON","CityObjects":{},"vertices":[]}', "aucun bâtiment"),
        ("faux.city.json", house_text().replace("[0, 3, 2, 1]", "[0, 3, 2, 99]"), "ne suit pas la norme"),
        (
            "sans.city.json",
            house_text().replace('"lod": "2.2", "boundaries": [', '"lod": "2.2", "boundaries": [], "x": ['),
            "surface",
        ),
    ],
)
def test_what_cannot_be_read_is_told(name: str, content: str, said: str, tmp_path: Path) -> None:
    source = tmp_path / name
    source.write_text(content)
    with pytest.raises(Unreadable, match=said):
        rows_of(source)


def test_a_city_model_within_an_archive_keeps_its_roofs(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "maquette.zip", "w") as archive:
        archive.writestr("maquette/gardien.city.json", house_text())
        archive.writestr("lisez-moi.csv", "a,b\n1,2\n")
    with sql.workbench(memory_mb=256, threads=1) as con:
        readings = registry.read(tmp_path / "maquette.zip", ReadOptions(work_dir=tmp_path), con)
        assert [any(column.key == SURFACES for column in one.columns) for one in readings].count(True) == 1


def test_a_building_without_surfaces_is_rejected_by_name(tmp_path: Path) -> None:
    model = house()
    model["CityObjects"]["ruine"] = {"type": "Building", "geometry": []}
    source = tmp_path / "ruine.city.json"
    source.write_text(json.dumps(model))
    with sql.workbench(memory_mb=256, threads=1) as con:
        (reading,) = registry.read(source, ReadOptions(), con)
    assert (reading.rows_read, reading.rejects.total) == (2, 1)
    assert [(one.excerpt, str(one.reason)) for one in reading.rejects.rows] == [
        ("ruine", "bâtiment sans surface lisible")
    ]


def test_the_best_level_of_detail_is_kept(tmp_path: Path) -> None:
    model = house()
    geometry = model["CityObjects"]["maison"]["geometry"]
    geometry.append({**geometry[0], "lod": "1.2"})
    geometry.append({**geometry[0], "lod": "3"})
    source = tmp_path / "niveaux.city.json"
    source.write_text(json.dumps(model))
    assert [row["niveau_de_detail"] for row in rows_of(source)] == ["2.2"]


def test_members_are_let_go_as_they_are_read(tmp_path: Path) -> None:
    member = '<cityObjectMember><b:Building g:id="B{n}"/></cityObjectMember>'
    head = '<CityModel xmlns="http://www.opengis.net/citygml/2.0" xmlns:b="urn:b" xmlns:g="urn:g">'
    source = tmp_path / "ville.gml"
    source.write_text(head + "".join(member.replace("{n}", str(n)) for n in range(3)) + "</CityModel>")
    assert [one.id for one in read_citygml(source).buildings] == ["B0", "B1", "B2"]
