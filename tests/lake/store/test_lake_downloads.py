"""What one takes away opens elsewhere, says where it comes from, and runs nothing."""

from __future__ import annotations

import csv
import errno
import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import openpyxl
import pyogrio
import pyproj
import pytest
import shapely

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import publishing, queries, sql, store
from beffroi.lake.operations import LakeNotWritable
from beffroi.lake.reading import Column
from beffroi.lake.store import Lake
from lake.store import lakes

ROWS = [lakes.tree(number) for number in range(60)]
FORMULAS = ["=1+1", "+33 4", "-2", "@SUM(A1)", "\tx", '=HYPERLINK("http://a")']


def _path(format: str) -> Path:
    found = queries.download(ANONYMOUS, lakes.ref(), format)
    assert found.path is not None
    return found.path


def test_csv_neutralises_formulas_and_keeps_the_rest(lake: Path) -> None:
    rows = [lakes.tree(number, espece=text) for number, text in enumerate([*FORMULAS, "Chêne, vert"])]
    lakes.published(lake, rows)
    with _path("csv").open(encoding="utf-8", newline="") as handle:
        read = list(csv.DictReader(handle))
    assert sorted(row["espece"] for row in read) == sorted([*(f"'{text}" for text in FORMULAS), "Chêne, vert"])
    assert {"longitude", "latitude"} <= set(read[0])


def test_xlsx_holds_texts_never_formulas_and_says_its_licence(lake: Path) -> None:
    rows = [lakes.tree(number, espece=text) for number, text in enumerate(FORMULAS)]
    lakes.published(lake, rows, licence="Licence Ouverte 2.0", title="Arbres")
    book = openpyxl.load_workbook(_path("xlsx"))
    data = list(book["Données"].iter_rows())
    assert [cell.value for cell in data[0]][:4] == ["Identifiant", "Espèce", "Hauteur (m)", "Plantation"]
    assert {cell.data_type for line in data for cell in line} <= {"s", "n", "d", "b"}
    assert sorted(line[1].value for line in data[1:]) == sorted(FORMULAS)
    assert ("Licence", "Licence Ouverte 2.0") in [tuple(row) for row in book["À propos"].values]


def test_gpkg_opens_in_gdal_with_its_layer_types_and_licence(lake: Path) -> None:
    lakes.published(lake, ROWS, licence="Licence Ouverte 2.0")
    info = pyogrio.read_info(_path("gpkg"))
    assert (info["layer_name"], info["features"], info["geometry_type"]) == ("arbres", 60, "Point")
    assert info["crs"] == "EPSG:4326"
    assert "Licence Ouverte 2.0" in json.dumps(info["layer_metadata"] or {}) + str(info["dataset_metadata"])


def test_geojson_streams_every_feature_with_its_licence(lake: Path) -> None:
    lakes.published(lake, ROWS, licence="Licence Ouverte 2.0")
    found = queries.download(ANONYMOUS, lakes.ref(), "geojson")
    document = json.loads(b"".join(found.chunks or ()))
    assert len(document["features"]) == 60
    assert document["licence"] == "Licence Ouverte 2.0"
    assert found.filename == "34172-arbres-20261123.geojson"


def test_geoparquet_says_what_the_specification_wants(lake: Path) -> None:
    lakes.published(lake, ROWS)
    path = str(_path("parquet"))
    found = duckdb.sql(f"SELECT decode(value) FROM parquet_kv_metadata('{path}') WHERE key = 'geo'").fetchone()
    assert found is not None
    geo = json.loads(found[0])
    column = geo["columns"]["geometry"]
    assert (geo["version"], geo["primary_column"], column["encoding"]) == ("1.1.0", "geometry", "WKB")
    assert column["geometry_types"] == ["Point"]
    assert column["covering"]["bbox"]["ymax"] == ["_bbox", "ymax"]
    con = sql.connect()
    outside = con.execute(
        "SELECT count(*) FROM read_parquet(?) WHERE ST_X(geometry) <> _bbox.xmin OR ST_Y(geometry) <> _bbox.ymax",
        [path],
    ).fetchone()
    assert outside == (0,)
    assert con.execute("SELECT DISTINCT compression FROM parquet_metadata(?)", [path]).fetchall() == [("ZSTD",)]


def test_an_unknown_format_gets_those_that_are(lake: Path) -> None:
    lakes.published(lake, [{"id": 1, "espece": "x"}], lakes.TREES[:2])
    with pytest.raises(queries.BadQuery, match="format"):
        queries.download(ANONYMOUS, lakes.ref(), "geojson")
    assert queries.dataset(ANONYMOUS, lakes.ref()).summary.formats == ("csv", "parquet", "xlsx")
    assert _path("csv").read_text().startswith("id,espece")


def test_the_tree_of_boxes_is_what_sqlite_expects(lake: Path) -> None:
    version = lakes.published(lake, [lakes.tree(number) for number in range(3_000)]).version
    path = Lake(lake).version_folder(lakes.ref(), str(version)) / "serving.public.sqlite"
    assert sqlite3.connect(path).execute("SELECT rtreecheck('box')").fetchall() == [("ok",)]
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize(
    ("module", "function", "fault"),
    [
        (store, "fsync_tree", OSError(errno.ENOSPC, "No space left on device")),
        (store, "fsync_all", PermissionError(errno.EACCES, "Permission denied")),
        (publishing, "write_rows", duckdb.IOException("IO Error: No space left on device")),
        (publishing, "bake_serving", sqlite3.OperationalError("database or disk is full")),
    ],
)
def test_a_full_or_closed_disk_is_a_sentence_and_the_version_served_stays(
    lake: Path, monkeypatch: pytest.MonkeyPatch, module: Any, function: str, fault: Exception
) -> None:
    lakes.published(lake, ROWS)

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(module, function, refuse)
        with pytest.raises(LakeNotWritable) as error:
            lakes.published(lake, ROWS[:5], at=lakes.AT.replace(hour=13))
    assert "le lac ne peut pas être écrit" in str(error.value)
    assert "la version précédente reste servie" in str(error.value)
    assert queries.dataset(ANONYMOUS, lakes.ref()).summary.rows == 60
    assert [path for path in lake.rglob("*") if path.name.endswith(".part")] == []
    assert lakes.published(lake, ROWS[:5], at=lakes.AT.replace(hour=14)).status == "published"


def test_values_no_json_can_hold_are_empty_in_features(lake: Path) -> None:
    lakes.published(lake, [lakes.tree(1, hauteur_m=float("nan")), lakes.tree(2, hauteur_m=float("inf"))])
    page = json.load(io.BytesIO(queries.features(ANONYMOUS, lakes.ref()).feature_collection()))
    assert {feature["properties"]["hauteur_m"] for feature in page["features"]} == {None}


def test_gpx_holds_every_point_with_its_name(lake: Path, tmp_path: Path) -> None:
    columns = (*lakes.TREES[:1], Column("nom", "Nom"), *lakes.TREES[2:])
    rows = [lakes.tree(number, nom=f"Arbre <{number}> & \x01co") for number in range(60)]
    lakes.published(
        lake, [*rows, lakes.tree(99, nom="Nulle part", geometry=None)], columns, licence="Licence Ouverte 2.0"
    )
    found = queries.download(ANONYMOUS, lakes.ref(), "gpx")
    path = tmp_path / found.filename
    path.write_bytes(b"".join(found.chunks or ()))
    assert "Licence Ouverte 2.0" in path.read_text(encoding="utf-8")
    meta, _, shapes, fields = pyogrio.raw.read(path, layer="waypoints")
    names = fields[list(meta["fields"]).index("name")]
    assert sorted(names) == sorted(f"Arbre <{number}> & co" for number in range(60))
    places = {(round(point.x, 6), round(point.y, 6)) for point in shapely.from_wkb(shapes)}
    expected = [shapely.from_wkt(row["geometry"]) for row in rows]
    assert places == {(round(point.x, 6), round(point.y, 6)) for point in expected}


def test_gpx_holds_lines_as_tracks(lake: Path, tmp_path: Path) -> None:
    lines = ["LINESTRING Z (3.8 43.5 12,3.9 43.6 15)", "MULTILINESTRING((3.8 43.5,3.9 43.5),(3.7 43.5,3.7 43.6))"]
    lakes.published(lake, [lakes.tree(number, geometry=line) for number, line in enumerate(lines)])
    path = tmp_path / "x.gpx"
    path.write_bytes(b"".join(queries.download(ANONYMOUS, lakes.ref(), "gpx").chunks or ()))
    _, _, shapes, _ = pyogrio.raw.read(path, layer="tracks")
    found = [shapely.from_wkb(shape) for shape in shapes]
    assert sorted(shapely.get_num_geometries(found).tolist()) == [1, 2]
    assert shapely.union_all(found).equals(shapely.union_all(shapely.from_wkt(lines)))
    assert path.read_text(encoding="utf-8").count("<ele>") == 2


def test_dxf_holds_the_shapes_in_metres_of_lambert_93(lake: Path) -> None:
    shapes = [
        lakes.tree(1)["geometry"],
        "POLYGON((3.8 43.5,3.9 43.5,3.9 43.6,3.8 43.5))",
        "LINESTRING(3.8 43.5,3.9 43.6)",
    ]
    lakes.published(lake, [lakes.tree(number, geometry=shape) for number, shape in enumerate([*shapes, None])])
    meta, _, found, fields = pyogrio.raw.read(_path("dxf"))
    assert set(fields[list(meta["fields"]).index("Layer")]) == {"arbres"}
    to_metres = pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:2154", always_xy=True)
    drawn = shapely.union_all(
        [shapely.boundary(one) if one.geom_type == "Polygon" else one for one in shapely.from_wkb(found)]
    )
    for shape in shapely.from_wkt(shapes):
        moved = shapely.transform(shape, lambda places: np.column_stack(to_metres.transform(*places.T)))
        outline = shapely.boundary(moved) if moved.geom_type == "Polygon" else moved
        assert shapely.hausdorff_distance(outline, shapely.intersection(drawn, shapely.buffer(outline, 0.01))) < 0.01


def test_gpx_and_dxf_are_offered_only_where_they_make_sense(lake: Path) -> None:
    polygon = "POLYGON((3.8 43.5,3.9 43.5,3.9 43.6,3.8 43.5))"
    lakes.published(lake, [lakes.tree(1, geometry=polygon)], slug="surfaces")
    lakes.published(lake, [lakes.tree(1, geometry="POINT(2 2)")], slug="ailleurs")
    offered = {one.ref.slug: one.formats for one in queries.datasets(ANONYMOUS)}
    assert ("gpx" in offered["surfaces"], "dxf" in offered["surfaces"]) == (False, True)
    assert ("gpx" in offered["ailleurs"], "dxf" in offered["ailleurs"]) == (True, False)


def test_sizes_are_exact_for_files_that_exist_and_guessed_for_the_others(lake: Path) -> None:
    rows = [lakes.tree(number, espece="Micocoulier de Provence " * 20) for number in range(2_000)]
    lakes.published(lake, rows, accesses={"note": "agents"})
    agent = queries.download_sizes(lakes.AGENT, lakes.ref())
    assert tuple(agent) == queries.dataset(lakes.AGENT, lakes.ref()).summary.formats
    data = next(lake.rglob("data.parquet"))
    assert (agent["parquet"].size_bytes, agent["parquet"].is_exact) == (data.stat().st_size, True)
    public = queries.download_sizes(ANONYMOUS, lakes.ref())
    # The file of the agents holds a column the public may not read: its size is no size of theirs.
    assert not public["parquet"].is_exact
    assert public["csv"].is_small
    guessed = public["geojson"]
    streamed = sum(len(chunk) for chunk in queries.download(ANONYMOUS, lakes.ref(), "geojson").chunks or ())
    assert not guessed.is_exact
    assert streamed / 2 < guessed.size_bytes < streamed * 2
    made = _path("csv").stat().st_size
    told = queries.download_sizes(ANONYMOUS, lakes.ref())["csv"]
    assert (told.size_bytes, told.is_exact) == (made, True)
