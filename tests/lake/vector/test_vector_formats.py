"""Every geographic format, through the connector's entry: what comes out is in CRS84, typed, counted and explained."""

import json

import duckdb
import numpy as np
import pytest
import shapely

from beffroi.lake.connectors.vector import is_vector, read_vector
from beffroi.lake.connectors.vector_curves import straightened
from beffroi.lake.detect.crs import CRS84
from beffroi.lake.reading import ColumnType, ReadOptions, Unreadable
from lake.vector.vector_bases import EXTENT, LAMPS, NAMES, collection, coordinates, feature, written, zipped


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        yield connection


def shapes(reading) -> np.ndarray:
    rows = reading.con.execute(f"SELECT geometry FROM {reading.table} ORDER BY _line").fetchall()
    return shapely.from_wkb(np.array([row[0] for row in rows], dtype=object))


def metres_from_lamps(reading) -> float:
    """The largest distance to the true place, in metres (a degree of latitude is 111 km, of longitude there 80 km)."""
    return float(np.abs((shapely.get_coordinates(shapes(reading)) - np.array(LAMPS)) * (80_000, 111_000)).max())


def said(reading, subject: str) -> str:
    return " | ".join(f"{e.value} {e.why}" for e in reading.evidences if e.subject == subject)


@pytest.mark.parametrize("suffix", [".shp", ".gpkg", ".fgb", ".geojson", ".kml", ".gml", ".mif"])
def test_every_format_gives_the_same_rows(tmp_path, con, suffix):
    (reading,) = read_vector(written(tmp_path / f"lampes{suffix}"), ReadOptions(extent=EXTENT), con)
    assert reading.rows_read == 3
    assert reading.crs == CRS84
    assert metres_from_lamps(reading) < 0.1
    key = next(column.key for column in reading.columns if column.title.lower() in {"nom", "name"})
    rows = con.execute(f'SELECT "{key}", _line FROM {reading.table} ORDER BY _line').fetchall()
    assert rows == list(zip(NAMES, [1, 2, 3], strict=True))


@pytest.mark.parametrize("suffix", [".gpx", ".dxf"])
def test_formats_without_free_fields_keep_their_places(tmp_path, con, suffix):
    (reading,) = read_vector(written(tmp_path / f"lampes{suffix}"), ReadOptions(extent=EXTENT), con)
    assert metres_from_lamps(reading) < 0.1


@pytest.mark.parametrize("code", ["EPSG:2154", "EPSG:3943", "EPSG:27572", "EPSG:27573", "EPSG:27563", "EPSG:3857"])
@pytest.mark.parametrize("declared", ["same", None, "EPSG:4326"])
@pytest.mark.parametrize("suffix", [".shp", ".gpkg", ".geojson"])
def test_declared_missing_or_wrong_the_crs_is_found(tmp_path, con, suffix, code, declared):
    path = written(tmp_path / f"lampes{suffix}", code=code, declared=declared)
    (reading,) = read_vector(path, ReadOptions(extent=EXTENT), con)
    assert reading.crs == code
    assert metres_from_lamps(reading) < 0.01


def test_the_dataset_file_imposes_a_crs(tmp_path, con):
    path = written(tmp_path / "lampes.shp", code="EPSG:27563", declared=None)
    (reading,) = read_vector(path, ReadOptions(crs="EPSG:27563"), con)
    assert metres_from_lamps(reading) < 0.01
    assert "imposé" in said(reading, "crs")


def test_latitude_before_longitude_is_put_right_and_told(tmp_path, con):
    text = collection(*(feature(lat, lon) for lon, lat in LAMPS))
    path = tmp_path / "x.geojson"
    path.write_text(text)
    (reading,) = read_vector(path, ReadOptions(extent=EXTENT), con)
    assert metres_from_lamps(reading) < 0.01
    assert "inversé" in said(reading, "crs")


def test_an_object_in_another_crs_is_placed_alone(tmp_path, con):
    features = [feature(*LAMPS[0]), feature(*coordinates("EPSG:2154")[1]), feature(*LAMPS[2])]
    path = tmp_path / "x.geojson"
    path.write_text(collection(*features))
    (reading,) = read_vector(path, ReadOptions(extent=EXTENT), con)
    assert metres_from_lamps(reading) < 0.01
    assert "replacés un à un" in said(reading, "geometry")


def test_objects_outside_the_extent_are_kept_and_counted(tmp_path, con):
    path = tmp_path / "x.geojson"
    path.write_text(collection(feature(*LAMPS[0]), feature(*LAMPS[1]), feature(2.35, 48.85)))
    (reading,) = read_vector(path, ReadOptions(extent=EXTENT), con)
    assert shapes(reading)[2].y == pytest.approx(48.85)
    assert said(reading, "geometry").startswith("1 objets hors")


@pytest.mark.parametrize("within", ["", "un/dossier/"])
def test_zips_of_shapefiles_give_one_reading_each(tmp_path, con, within):
    parts = [written(tmp_path / "lampes.shp"), written(tmp_path / "bornes.shp", code="EPSG:2154")]
    readings = read_vector(zipped(tmp_path / "tout.zip", *parts, within=within), ReadOptions(extent=EXTENT), con)
    assert sorted(reading.title for reading in readings) == ["bornes", "lampes"]
    assert [metres_from_lamps(reading) < 0.01 for reading in readings] == [True, True]


def test_an_archive_in_an_archive_is_read(tmp_path, con):
    inner = zipped(tmp_path / "dedans.zip", written(tmp_path / "lampes.shp"))
    (reading,) = read_vector(zipped(tmp_path / "dehors.zip", inner), ReadOptions(), con)
    assert reading.rows_read == 3


def test_of_the_same_dataset_in_an_archive_the_best_format_is_read(tmp_path, con):
    parts = [written(tmp_path / f"lampes{suffix}") for suffix in (".kml", ".gpkg", ".geojson")]
    (reading,) = read_vector(zipped(tmp_path / "tout.zip", *parts), ReadOptions(), con)
    assert "le fichier lui-même" in said(reading, "crs")


def test_a_kmz_and_the_folders_of_a_kml(tmp_path, con):
    placemark = "<Placemark><name>{}</name><Point><coordinates>3.88,43.6</coordinates></Point></Placemark>"
    folders = "".join(f"<Folder><name>{n}</name>{placemark.format(n)}</Folder>" for n in ("Nord", "Sud"))
    kml = tmp_path / "doc.kml"
    kml.write_text(f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{folders}</Document></kml>')
    (reading,) = read_vector(zipped(tmp_path / "x.kmz", kml), ReadOptions(), con)
    rows = con.execute(f"SELECT name, dossier, _line FROM {reading.table} ORDER BY _line").fetchall()
    assert rows == [("Nord", "Nord", 1), ("Sud", "Sud", 2)]


@pytest.mark.parametrize("missing", [".shx", ".dbf", ".prj", ".cpg"])
def test_a_shapefile_without_one_companion(tmp_path, con, missing):
    path = written(tmp_path / "lampes.shp", code="EPSG:2154")
    path.with_suffix(missing).unlink()
    (reading,) = read_vector(path, ReadOptions(extent=EXTENT), con)
    assert reading.rows_read == 3
    assert metres_from_lamps(reading) < 0.01
    assert not path.with_suffix(missing).exists()


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "cp850"])
@pytest.mark.parametrize("cpg", ["UTF-8", "1252", None])
def test_the_bytes_of_a_dbf_win_over_its_cpg(tmp_path, con, encoding, cpg):
    path = written(tmp_path / "lampes.shp")
    dbf = path.with_suffix(".dbf")
    accented = "Comédie".encode()
    replaced = "Comédie".encode(encoding).ljust(len(accented))
    dbf.write_bytes(dbf.read_bytes().replace(accented, replaced).replace("Numéro".encode(), b"Numero\x00"))
    path.with_suffix(".cpg").unlink()
    path.with_suffix(".cpg").write_text(cpg) if cpg else None
    (reading,) = read_vector(path, ReadOptions(), con)
    assert con.execute(f"SELECT nom FROM {reading.table} WHERE _line = 1").fetchone() == ("Comédie",)


def test_a_text_cut_in_the_middle_of_a_letter_does_not_hang(tmp_path, con):
    path = written(tmp_path / "lampes.shp")
    dbf = path.with_suffix(".dbf")
    # The é of another row keeps the file UTF-8; the last byte of a field is half a letter.
    dbf.write_bytes(dbf.read_bytes().replace(b"Gambetta", b"Gambett\xc3"))
    (reading,) = read_vector(path, ReadOptions(encoding="UTF-8"), con)
    assert con.execute(f"SELECT nom FROM {reading.table} WHERE _line = 2").fetchone() == ("Gambett",)


BOWTIE = shapely.Polygon([(3.87, 43.6), (3.88, 43.61), (3.88, 43.6), (3.87, 43.61)])


def test_invalid_polygons_are_repaired_and_counted(tmp_path, con):
    path = written(tmp_path / "x.gpkg", geometries=[BOWTIE])
    (reading,) = read_vector(path, ReadOptions(), con)
    (shape,) = shapes(reading)
    assert shape.is_valid
    assert shape.area == pytest.approx(0.5e-4, rel=1e-6)
    assert "réparés" in said(reading, "geometry")


def test_heights_survive(tmp_path, con):
    path = written(tmp_path / "x.gpkg", geometries=[shapely.Point(3.88, 43.6, 57.5)])
    (reading,) = read_vector(path, ReadOptions(), con)
    assert shapes(reading)[0].z == 57.5


@pytest.mark.parametrize(
    ("geometry", "told"),
    [
        (None, "sans géométrie dans la source"),
        ({"type": "Point", "coordinates": []}, "sans géométrie"),
        ({"type": "Point", "coordinates": [0, 0]}, "(0, 0)"),
        ({"type": "Point", "coordinates": [1e30, 4]}, "globe"),
    ],
)
def test_rows_without_a_usable_geometry_are_kept(tmp_path, con, geometry, told):
    path = tmp_path / "x.geojson"
    path.write_text(
        collection(feature(nom="a"), feature(nom="b"), feature(nom="d"), feature(nom="c") | {"geometry": geometry})
    )
    (reading,) = read_vector(path, ReadOptions(extent=EXTENT), con)
    assert (reading.rows_read, reading.rejects.total) == (4, 0)
    assert shapes(reading)[3] is None
    assert told in said(reading, "geometry")


SOUND = json.dumps(feature())
BROKEN = {
    "trailing commas": f'{{"type":"FeatureCollection","features":[{SOUND},{SOUND},]}}',
    "NaN": f'{{"type":"FeatureCollection","features":[{SOUND},{SOUND.replace("43.6086", "NaN")}]}}',
    "cp1252": collection(feature(), feature()).replace("\\u00e9", "é").encode("cp1252"),
    "UTF-16": collection(feature(), feature()).encode("utf-16"),
    "BOM": b"\xef\xbb\xbf" + collection(feature(), feature()).encode(),
    "duplicated keys": f'{{"type":"FeatureCollection","features":[{SOUND},{SOUND[:-1]},"properties":{{"nom":"b"}}}}]}}',
    "a list": f"[{SOUND},{SOUND}]",
    "misspelt type": f'{{"type":"FeatureCollection","features":[{SOUND},{SOUND.replace("Feature", "Featur")}]}}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_geojson_that_is_not_quite_one_keeps_its_features(tmp_path, con, name):
    path = tmp_path / "x.geojson"
    data = BROKEN[name]
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    (reading,) = read_vector(path, ReadOptions(extent=EXTENT), con)
    assert con.execute(f"SELECT count(*) FROM {reading.table}").fetchone() == (2,)
    assert con.execute(f"SELECT nom FROM {reading.table} WHERE _line = 1").fetchone() == ("Comédie",)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (f'{{"type":"FeatureCollection","features":[{SOUND},{SOUND[:60]}', 2, "interrompu"),
        (
            f'{{"type":"FeatureCollection","features":[{SOUND},{SOUND.replace("[3.8796", "[[[3.8796")},{SOUND}]}}',
            2,
            "rompue",
        ),
    ],
)
def test_a_broken_feature_is_rejected_with_its_number(tmp_path, con, text, line, reason):
    path = tmp_path / "x.geojson"
    path.write_text(text)
    (reading,) = read_vector(path, ReadOptions(), con)
    (reject,) = reading.rejects.rows
    kept = con.execute(f"SELECT count(*) FROM {reading.table}").fetchone()[0]
    assert (reject.line, kept + 1) == (line, reading.rows_read)
    assert reason in str(reject.reason)


def test_types_follow_the_source_and_the_dataset_file(tmp_path, con):
    path = tmp_path / "x.geojson"
    path.write_text(
        collection(feature(n=1, x=1.5, ok=True, d="2020-01-02", h="2020-01-02T03:04:05Z", l=["a", "b"], o={"a": 1}))
    )
    (reading,) = read_vector(path, ReadOptions(types={"n": ColumnType.TEXT}), con)
    assert {column.key: column.type.value for column in reading.columns} == {
        "n": "text", "x": "number", "ok": "boolean", "d": "date", "h": "datetime", "l": "text", "o": "text",
    }  # fmt: skip
    row = con.execute(f"SELECT n, l, strftime(h, '%H:%M') FROM {reading.table}").fetchone()
    assert row == ("1", "a ; b", "03:04")


def test_an_arc_is_followed_to_a_thousandth_of_its_radius():
    # ISO WKB of CIRCULARSTRING (0 0, 1 1, 2 0): half a circle of radius 1.
    wkb = b"\x01\x08\x00\x00\x00\x03\x00\x00\x00" + np.array([0, 0, 1, 1, 2, 0], dtype="<f8").tobytes()
    line = straightened(wkb)
    away = np.hypot(*(shapely.get_coordinates(line) - (1, 0)).T)
    assert np.abs(away - 1).max() < 1e-9
    assert line.length == pytest.approx(np.pi, rel=1e-3)


@pytest.mark.parametrize(
    "wkb", [b"", b"\x01", b"\x01\x08\x00\x00\x00\xff\xff\xff\xff", b"\x01\x63\x00\x00\x00\x00\x00\x00\x00"]
)
def test_bytes_that_are_no_geometry_are_none(wkb):
    assert straightened(wkb) is None


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("vide.geojson", b""),
        ("x.shp", b"pas un shapefile"),
        ("x.gpkg", b"PK\x03\x04"),
        ("x.geojson", b"<html></html>"),
        ("x.geojson", b'{"type":"FeatureCollection","features":[]}'),
        ("x.kml", b"<OGRVRTDataSource><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTDataSource>"),
        ("x.zip", b"PK\x05\x06" + b"\x00" * 18),
        ("x.zip", b"pas une archive"),
        ("x.inconnu", b"rien"),
    ],
)
def test_what_cannot_be_read_says_where_and_how_to_mend_it(tmp_path, con, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(Unreadable) as refusal:
        read_vector(path, ReadOptions(), con)
    assert refusal.value.where == name
    assert str(refusal.value.remedy)


def test_a_layer_is_chosen_by_name(tmp_path, con):
    parts = [written(tmp_path / "lampes.shp"), written(tmp_path / "bornes.shp")]
    path = zipped(tmp_path / "tout.zip", *parts)
    (reading,) = read_vector(path, ReadOptions(layer="bornes"), con)
    assert reading.title == "bornes"
    with pytest.raises(Unreadable, match="absente"):
        read_vector(path, ReadOptions(layer="bancs"), con)


def test_content_tells_a_geographic_json_from_another(tmp_path):
    (tmp_path / "a.json").write_text(collection(feature()))
    (tmp_path / "b.json").write_text('[{"location": {"type": "Point", "coordinates": [3, 43]}}]')
    assert [is_vector(tmp_path / name) for name in ("a.json", "b.json")] == [True, False]
