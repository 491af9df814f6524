"""Workbooks, JSON, XML, GTFS, Parquet, archives, and the columns that place rows, on small files made here."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest
import shapely
import xlsxwriter
from arro3.core import Array, DataType, Table

from beffroi.lake.connectors import registry
from beffroi.lake.connectors.tabular import FEW_ROWS
from beffroi.lake.detect.values import NUMBER_FORMS, in_sql, number_form
from beffroi.lake.reading import GEOMETRY, LINE, ColumnType, Reading, ReadOptions, Unreadable

MONTPELLIER = (3.75, 43.53, 4.0, 43.70)


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zipped(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def rows(reading: Reading) -> list[tuple[Any, ...]]:
    keys = ", ".join(f'"{column.key}"' for column in reading.columns)
    return reading.con.execute(f"SELECT {keys} FROM {reading.table} ORDER BY {LINE}").fetchall()


def keys(reading: Reading) -> dict[str, str]:
    return {column.key: column.type.value for column in reading.columns}


def places(reading: Reading) -> list[tuple[float, float] | None]:
    cells = reading.con.execute(f"SELECT {GEOMETRY} FROM {reading.table} ORDER BY {LINE}").fetchall()
    return [_rounded(shapely.from_wkb(cell)) if cell else None for (cell,) in cells]


def _rounded(shape: Any) -> tuple[float, float]:
    return (round(shape.centroid.x, 3), round(shape.centroid.y, 3))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nom;lon;lat\na;3,877;43,61\nb;;\n", [(3.877, 43.61), None]),
        ("nom;latitude;longitude\na;43.61;3.877\nb;0;0\n", [(3.877, 43.61), None]),
        ("nom;longitude;latitude\na;43.61;3.877\nb;43.62;3.878\n", [(3.877, 43.61), (3.878, 43.62)]),
        ('nom;geo_point_2d\na;"43.61, 3.877"\nb;"43.62,3.878"\n', [(3.877, 43.61), (3.878, 43.62)]),
        ('nom;coordonneesXY\na;"[3.877, 43.61]"\nb;"[3.878,43.62]"\n', [(3.877, 43.61), (3.878, 43.62)]),
        ("nom;geom\na;POINT (3.877 43.61)\nb;POINT(3.878 43.62)\n", [(3.877, 43.61), (3.878, 43.62)]),
        ("nom;X;Y\na;770900,5;6279100,2\nb;770950;6279200\n", [(3.877, 43.609), (3.877, 43.61)]),
    ],
)
def test_columns_place_rows(
    text: str, expected: list[tuple[float, float] | None], tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    (reading,) = registry.read(written(tmp_path, "lieux.csv", text), ReadOptions(extent=MONTPELLIER), con)
    assert reading.has_geometry
    assert [place and pytest.approx(place, abs=0.003) for place in places(reading)] == expected
    assert reading.rows_read == 2


def test_a_dataset_file_names_the_coordinates(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    path = written(tmp_path, "lieux.csv", "nom;est;nord\na;770900;6279100\n")
    (reading,) = registry.read(path, ReadOptions(x="est", y="nord", crs="EPSG:2154"), con)
    assert places(reading) == [pytest.approx((3.877, 43.609), abs=0.003)]
    with pytest.raises(Unreadable) as refusal:
        registry.read(path, ReadOptions(x="est", y="ouest"), con)
    assert "colonnes présentes : nom, est, nord" in str(refusal.value)


def test_a_workbook_gives_its_tables(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    path = tmp_path / "classeur.xlsx"
    with xlsxwriter.Workbook(path) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        arbres = book.add_worksheet("Arbres")
        arbres.write(0, 0, "Arbres de la commune")
        arbres.write_row(2, 0, ["Essence", "Hauteur", "Plantation", "Code"])
        for line in range(3, 6):
            arbres.write_row(line, 0, ["Tilleul", 12.5, None, "00123"])
            arbres.write_datetime(line, 2, dt.datetime(2020, 3, line, tzinfo=dt.UTC).replace(tzinfo=None), day)
            arbres.write_formula(line, 1, "=5*2.5", None, 12.5)
        bancs = book.add_worksheet("Bancs")
        bancs.write_row(0, 0, ["nom", "places"])
        bancs.write_row(1, 0, ["a", 3])
        bancs.write_row(2, 0, ["b", 4])
        book.add_worksheet("Métadonnées").write(0, 0, "Relevé par le service des espaces verts")
        book.add_worksheet("Vide")
        secret = book.add_worksheet("Caché")
        secret.write_row(0, 0, ["nom", "dette"])
        secret.write_row(1, 0, ["x", 1])
        secret.hide()
    trees, benches = registry.read(path, ReadOptions(), con)
    assert (trees.title, benches.title) == ("Arbres", "Bancs")
    assert keys(trees) == {"essence": "text", "hauteur": "number", "plantation": "date", "code": "text"}
    assert rows(trees)[0] == ("Tilleul", 12.5, dt.date(2020, 3, 3), "00123")
    assert "Relevé par le service" in benches.description
    told = {found.value for found in trees.evidences if found.subject == "sheet"}
    assert told == {"Métadonnées", "Vide", "Caché"}
    (only,) = registry.read(path, ReadOptions(layer="Bancs"), con)
    assert only.rows_read == 2
    with pytest.raises(Unreadable, match="feuille"):
        registry.read(path, ReadOptions(layer="Chaises"), con)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([{"a": 1, "b": "x"}, {"a": 2.5, "b": None}], [(1.0, "x"), (2.5, None)]),
        ({"nb": 2, "results": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}, [(1, "x"), (2, "y")]),
        ({"data": {"stations": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}}, [(1, "x"), (2, "y")]),
        ({"a": [1, 2], "b": ["x", "y"]}, [(1, "x"), (2, "y")]),
        ([["a", "b"], [1, "x"], [2, "y"]], [(1, "x"), (2, "y")]),
        ({"x": {"v": {"p": 1}}, "y": {"v": {"p": 2}}}, [("x", "v", 1), ("y", "v", 2)]),
    ],
)
def test_json_in_all_its_shapes(
    document: Any, expected: list[tuple[Any, ...]], tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    (reading,) = registry.read(written(tmp_path, "d.json", json.dumps(document)), ReadOptions(), con)
    assert rows(reading) == expected


def test_opendatasoft_records_give_their_fields_and_place(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    records = [
        {
            "datasetid": "bancs",
            "recordid": f"r{number}",
            "fields": {"nom": f"Banc {number}", "geo_point_2d": [43.61, 3.877]},
            "geometry": {"type": "Point", "coordinates": [3.877, 43.61]},
        }
        for number in range(2)
    ]
    (reading,) = registry.read(written(tmp_path, "ods.json", json.dumps(records)), ReadOptions(), con)
    assert list(keys(reading)) == ["nom", "geo_point_2d", "recordid"]
    assert places(reading) == [(3.877, 43.61)] * 2


def test_bad_lines_of_ndjson_are_rejected_with_their_number(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    text = '{"a": 1}\n{"a": 2}\n\n{"a": \n{"a": 4}\n'
    (reading,) = registry.read(written(tmp_path, "d.ndjson", text), ReadOptions(), con)
    assert (reading.rows_read, reading.rejects.total, reading.rejects.rows[0].line) == (4, 1, 4)


def test_truncated_json_says_where(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(Unreadable) as refusal:
        registry.read(written(tmp_path, "d.json", '[{"a": 1},\n{"a": '), ReadOptions(), con)
    assert refusal.value.where == "d.json:2"


def test_xml_rows_are_the_repeated_element(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    lines = "".join(f'<Ligne n="{n}"><Nature V="0{n}"/><Mt>{n}.5</Mt></Ligne>' for n in range(1, 4))
    text = f'<Budget xmlns="urn:b"><Entete><Nom V="x"/></Entete><Lignes>{lines}</Lignes></Budget>'
    (reading,) = registry.read(written(tmp_path, "b.xml", text), ReadOptions(), con)
    assert rows(reading) == [(1, "01", 1.5), (2, "02", 2.5), (3, "03", 3.5)]


def test_xml_entities_are_refused(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    laughs = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l><r x="1" y="&b;"/><r x="2" y="3"/></l>'
    with pytest.raises(Unreadable, match="entités"):
        registry.read(written(tmp_path, "bombe.xml", laughs), ReadOptions(), con)


def test_gtfs_shapes_are_lines_and_codes_stay_text(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    feed = {
        "stops.txt": b"stop_id,stop_name,stop_lat,stop_lon\n1,Gare,43.605,3.88\n2,Comedie,43.608,3.879\n",
        "routes.txt": b"route_id,route_short_name,route_type\n1,1,0\n2,2,0\n",
        "trips.txt": b"route_id,service_id,trip_id\n1,1,1\n2,1,2\n",
        "shapes.txt": (
            b"shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\nA,43.62,3.89,2\nA,43.60,3.87,1\n"
            b"A,43.63,3.90,10\nB,43.6,3.8,1\nB,43.7,3.9,2\n"
        ),
        "calendar.txt": b"service_id,monday,start_date,end_date\n1,1,20260101,20260630\n",
    }
    tables = {t.title: t for t in registry.read(written(tmp_path, "feed.zip", zipped(feed)), ReadOptions(), con)}
    assert keys(tables["trips"]) == {"route_id": "text", "service_id": "text", "trip_id": "text"}
    assert tables["shapes"].rows_read == 2
    cell = con.execute(f"SELECT {GEOMETRY} FROM {tables['shapes'].table} WHERE shape_id = 'A'").fetchone() or (b"",)
    assert shapely.from_wkb(cell[0]).coords[:] == [(3.87, 43.60), (3.89, 43.62), (3.90, 43.63)]
    assert tables["stops"].period == ("2026-01-01", "2026-06-30")


def test_parquet_keeps_types_and_names(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    path = tmp_path / "t.parquet"
    con.sql("SELECT 1::INT AS \"Année\", 'é' AS nom, [1, 2] AS liste, DATE '2020-01-02' AS jour").write_parquet(
        str(path)
    )
    (reading,) = registry.read(path, ReadOptions(), con)
    assert keys(reading) == {"annee": "integer", "nom": "text", "liste": "text", "jour": "date"}
    assert rows(reading) == [(1, "é", "[1,2]", dt.date(2020, 1, 2))]


def test_an_archive_gives_the_best_format_of_each_name(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    inner = zipped({"bancs.csv": b"a;b\n1;2\n"})
    members = {"d/arbres.csv": b"a;b\n1;2\n", "d/arbres.xml": b"<x/>", "carte.pdf": b"%PDF-1.4", "bancs.zip": inner}
    readings = registry.read(written(tmp_path, "lot.zip", zipped(members)), ReadOptions(), con)
    assert sorted(reading.title for reading in readings) == ["arbres", "bancs"]
    told = [str(found.why) for reading in readings for found in reading.evidences if found.subject == "member"]
    assert any("PDF" in why for why in told)
    assert any("préféré aux formats .xml" in why for why in told)


def test_bombs_and_dolls_are_refused(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    bomb = zipped({"zeros.csv": b"0" * (200 << 20)})
    with pytest.raises(Unreadable) as refusal:
        registry.read(written(tmp_path, "bombe.zip", bomb), ReadOptions(), con)
    assert refusal.value.remedy.template
    doll = zipped({"a.csv": b"a;b\n1;2\n"})
    for depth in range(4):
        doll = zipped({f"{depth}.zip": doll})
    with pytest.raises(Unreadable, match="archive"):
        registry.read(written(tmp_path, "poupees.zip", doll), ReadOptions(), con)


def test_an_archive_cannot_write_beside_its_folder(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    work = tmp_path / "travail"
    work.mkdir()
    path = written(tmp_path, "piege.zip", zipped({"../../evade.csv": b"a;b\n1;2\n", "b.csv": b"a;b\n3;4\n"}))
    registry.read(path, ReadOptions(work_dir=work), con)
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["piege.zip", "travail"]


@pytest.mark.parametrize("name", ["arbres.csv", "arbres.json", "sans-extension"])
def test_geographic_content_is_read_whatever_its_name(
    name: str, tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    feature = {"type": "Feature", "properties": {"n": 1}, "geometry": {"type": "Point", "coordinates": [3.877, 43.61]}}
    document = json.dumps({"type": "FeatureCollection", "features": [feature]})
    (reading,) = registry.read(written(tmp_path, name, document), ReadOptions(), con)
    assert reading.has_geometry


def test_an_unknown_format_lists_the_known_ones(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(Unreadable, match="inconnu") as refusal:
        registry.read(written(tmp_path, "a.csv", "a;b\n1;2\n"), ReadOptions(format="dbase"), con)
    assert "parquet" in str(refusal.value)


def test_connector_for_names_the_reader_by_content(tmp_path: Path) -> None:
    assert registry.connector_for(written(tmp_path, "a.xls", "a;b\n1;2\n")).__module__.endswith("connectors.csv")
    assert registry.format_of(written(tmp_path, "b.txt", '[{"a": 1}]')) == "json"


def test_points_out_of_the_town_are_kept_and_counted(con, tmp_path):
    text = "nom,longitude,latitude\n" + "".join(f"lieu {n},3.87{n},43.61\n" for n in range(8)) + "Lyon,4.85,45.75\n"
    (reading,) = registry.read(written(tmp_path, "lieux.csv", text), ReadOptions(extent=MONTPELLIER), con)
    told = {str(evidence.why): evidence.value for evidence in reading.evidences if evidence.subject == "geometry"}
    assert told["objets hors de l’emprise attendue, gardés tels que publiés"] == "1"
    assert (reading.rows_read, reading.rejects.total) == (9, 0)


def test_a_type_given_to_no_column_is_told(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    path = tmp_path / "arbres.csv"
    path.write_text("Code;Essence\n01;Tilleul\n02;Platane\n", encoding="utf-8")
    types = {"Code": ColumnType.TEXT, "Hauteur": ColumnType.NUMBER}
    (reading,) = registry.read(path, ReadOptions(types=types), con)
    told = [str(evidence.why) for evidence in reading.evidences if evidence.value == "types"]
    assert len(told) == 1
    assert "« Hauteur »" in told[0]
    assert "titres lus : Code, Essence" in told[0]


def test_python_reads_numbers_as_sql_does():
    """Small tables are typed by one, large ones by the other: the same marks, in every way of writing numbers."""
    rng = random.Random(20261125)
    parts = ["1", "12", "123", "000", "1234567", "+", "-", ".", ",", "e5", " ", "\u00a0", "m2", "€", "9" * 19, "'"]
    marks = sorted({"".join(rng.choices(parts, k=rng.randint(1, 6))).strip() for _ in range(6_000)} - {""})
    con = duckdb.connect()
    con.register("marks", Table.from_pydict({"v": Array(marks, type=DataType.utf8())}))
    for written, unit in itertools.product(NUMBER_FORMS, (None, "m2", "€")):
        form = number_form(written, unit)
        assert form.reads is not None
        by_sql = con.execute(f"SELECT v FROM marks WHERE {in_sql(form.test, 'v')} ORDER BY v").fetchall()
        assert [mark for mark in marks if form.reads(mark)] == sorted(mark for (mark,) in by_sql), (form.name, unit)
        assert by_sql


def test_few_rows_are_typed_as_many_are(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    """The path of small tables and that of the others keep the same types, the same values and the same voids."""
    header = "nom;valeur;part;le;oui;vide;code;note;surface\n"
    row = " Élan ;{n};1 234,{n};0{d}/02/2026;{o};;0{n};{m};{n} m2\n"
    rows = [
        row.format(n=n, d=n % 9 + 1, o=("oui", "NON")[n % 2], m=("NULL", "n.d.", "12", "néant")[n % 4])
        for n in range(1, 60)
    ] + ["\u00a0Ours;nd;nd;inconnu;oui;;;\\N;\n"]
    few = registry.read(written(tmp_path, "peu.csv", header + "".join(rows)), ReadOptions(), con)[0]
    times = FEW_ROWS // len(rows) + 1
    many = registry.read(written(tmp_path, "beaucoup.csv", header + "".join(rows * times)), ReadOptions(), con)[0]
    assert {column.type for column in few.columns} >= {
        ColumnType.TEXT, ColumnType.NUMBER, ColumnType.INTEGER, ColumnType.DATE, ColumnType.BOOLEAN
    }  # fmt: skip
    assert few.columns == many.columns
    wanted = ", ".join(f'"{column.key}"' for column in few.columns)
    told = con.execute(f"SELECT {wanted} FROM {few.table}").fetchall()
    assert con.execute(f"SELECT {wanted} FROM {many.table}").fetchall() == told * times
    assert [one.value for one in few.evidences] == [one.value for one in many.evidences]
