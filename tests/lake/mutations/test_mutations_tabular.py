"""Whatever happens to a tabular file on its way, reading it gives tables that add up, or one sentence."""

from __future__ import annotations

import io
import json
import random
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beffroi.lake.connectors import registry
from beffroi.lake.reading import Reading, ReadOptions, Unreadable

MUTANTS_PER_BASE = 56
LONGEST_S = 20.0

ROWS = [
    ("01004", "Ambérieu", "12,5", "31/12/2019", "oui", "3,8772", "43,6108"),
    ("34172", "Montpellier", "1 250,75", "01/02/2020", "non", "3,8801", "43,6120"),
    ("2A004", "Ajaccio", "-3,0", "15/08/2021", "oui", "3,8650", "43,6011"),
    ("97411", "Saint-Denis", "", "", "non", "", ""),
]
TITLES = ("code_insee", "Commune", "Montant", "Date", "Accessible", "Longitude", "Latitude")


def delimited(separator: str, encoding: str, *, times: int = 8) -> bytes:
    lines = [separator.join(TITLES), *(separator.join(f'"{cell}"' for cell in row) for row in ROWS * times)]
    return "\r\n".join(lines).encode(encoding)


def dbase() -> bytes:
    return ("CODE,C,5;NOM,C,40;LEN,N,19,8\n" + "1234;Élie;12,5\n5678;Zoé;0,25\n" * 12).encode("cp1252")


def as_json() -> bytes:
    return json.dumps([dict(zip(TITLES, row, strict=True)) for row in ROWS * 4], ensure_ascii=False).encode()


def opendatasoft() -> bytes:
    records = [
        {
            "datasetid": "arbres",
            "recordid": f"r{number}",
            "fields": {"nom": "Tilleul", "hauteur": number / 2, "geo_point_2d": [43.61, 3.87]},
            "geometry": {"type": "Point", "coordinates": [3.87, 43.61]},
        }
        for number in range(12)
    ]
    return json.dumps(records).encode()


def json_lines() -> bytes:
    return "\n".join(json.dumps(dict(zip(TITLES, row, strict=True))) for row in ROWS * 4).encode()


def xml() -> bytes:
    rows = "".join(f'<Ligne n="{n}"><Nature V="60{n}"/><Montant>{n}.5</Montant></Ligne>' for n in range(20))
    return f'<?xml version="1.0" encoding="UTF-8"?><Budget><Lignes>{rows}</Lignes></Budget>'.encode()


def workbook() -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Données")
        for line, row in enumerate([TITLES, *ROWS * 3]):
            sheet.write_row(line, 0, row)
        book.add_worksheet("Métadonnées").write(0, 0, "Fait par le service des arbres")
    return target.getvalue()


def opendocument() -> bytes:
    text = 'office:value-type="string"'
    cells = "".join(
        "<table:table-row>"
        + "".join(f"<table:table-cell {text}><text:p>{cell}</text:p></table:table-cell>" for cell in row)
        + "</table:table-row>"
        for row in [TITLES, *ROWS * 3]
    )
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {names}><office:body><office:spreadsheet>'
        f'<table:table table:name="Feuille1">{cells}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    mime = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{mime}"/></manifest:manifest>'
    )
    return zipped(
        {"mimetype": mime.encode(), "META-INF/manifest.xml": manifest.encode(), "content.xml": content.encode()}
    )


def zipped(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def gtfs() -> bytes:
    return zipped(
        {
            "stops.txt": b"stop_id,stop_name,stop_lat,stop_lon\nA,Gare,43.60,3.88\nB,Comedie,43.61,3.87\n" * 1,
            "routes.txt": b"route_id,route_short_name,route_type\n1,1,0\n2,2,0\n",
            "trips.txt": b"route_id,service_id,trip_id\n1,S,T1\n2,S,T2\n",
            "stop_times.txt": b"trip_id,arrival_time,departure_time,stop_id,stop_sequence\nT1,25:10:00,25:10:00,A,1\n",
            "calendar.txt": b"service_id,monday,start_date,end_date\nS,1,20260101,20260630\n",
            "shapes.txt": b"shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\nX,43.6,3.8,1\nX,43.7,3.9,2\n",
        }
    )


def parquet() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "base.parquet"
        duckdb.sql("SELECT i AS id, 'é' || i AS nom, i / 3.0 AS part FROM range(50) t(i)").write_parquet(str(target))
        return target.read_bytes()


BASES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "csv utf-8": (".csv", lambda: delimited(";", "utf-8")),
    "csv cp1252": (".csv", lambda: delimited(",", "cp1252")),
    "tsv utf-16": (".tsv", lambda: delimited("\t", "utf-16")),
    "csv dBase": (".csv", dbase),
    "json": (".json", as_json),
    "opendatasoft": (".json", opendatasoft),
    "ndjson": (".json", json_lines),
    "xml": (".xml", xml),
    "xlsx": (".xlsx", workbook),
    "ods": (".ods", opendocument),
    "zip": (".zip", lambda: zipped({"a/arbres.csv": delimited(";", "utf-8"), "lisez.pdf": b"%PDF-1.4"})),
    "gtfs": (".zip", gtfs),
    "parquet": (".parquet", parquet),
}

Mutation = Callable[[bytes, random.Random], bytes]


def truncated(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def flipped(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 3, 30))):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def with_zeros(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + b"\x00" * rng.choice((1, 7, 300)) + data[at:]


def cut_out(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.randrange(1, 200) :]


def repeated(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at : at + 80] * rng.choice((2, 50)) + data[at:]


def other_encoding(data: bytes, rng: random.Random) -> bytes:
    return data.decode("cp1252", "replace").encode(rng.choice(("utf-16", "utf-32", "mac_roman", "cp037")), "replace")


def other_separator(data: bytes, rng: random.Random) -> bytes:
    return data.replace(rng.choice((b";", b",", b"\t", b"\n")), rng.choice((b"|", b";;", b"\r", b"\x1f")))


def stray_quotes(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 4))):
        changed.insert(rng.randrange(len(changed)), ord('"'))
    return bytes(changed)


def with_formula(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + rng.choice((b"=HYPERLINK(A1)", b"@SUM(1)", b"=cmd|' /C calc'!A0", b"{{7*7}}")) + data[at:]


def prefixed(data: bytes, rng: random.Random) -> bytes:
    return (
        rng.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"PK\x03\x04", b"\n\n\n", b"[[[[" * 50, b"<a>" * 50, b"%PDF")) + data
    )


MUTATIONS: tuple[Mutation, ...] = (
    truncated, flipped, with_zeros, cut_out, repeated, other_encoding, other_separator, stray_quotes, with_formula,
    prefixed,
)  # fmt: skip


def outcome(path: Path, con: duckdb.DuckDBPyConnection) -> str:
    """Read `path` and say what came of it; a table that does not add up fails the test."""
    began = time.process_time()
    refusal = None
    readings: list[Reading] = []
    try:
        readings = registry.read(path, ReadOptions(extent=(3.7, 43.5, 4.0, 43.7)), con)
    except Unreadable as error:
        refusal = error
    # Of processor: others may keep this machine busy. What would never end, the time given to a test ends.
    assert time.process_time() - began < LONGEST_S
    assert refusal is None or (str(refusal) and refusal.where and refusal.remedy.template)
    for reading in readings:
        (kept,) = con.execute(f"SELECT count(*) FROM {reading.table}").fetchone() or (0,)
        assert kept + reading.rejects.total == reading.rows_read
        assert len({column.key for column in reading.columns}) == len(reading.columns) > 0
        assert all(str(evidence.why) for evidence in reading.evidences)
        con.execute(f"DROP TABLE {reading.table}")
    return "table" if readings else "sentence"


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@pytest.mark.slow
@pytest.mark.parametrize("name", BASES)
def test_every_mutant_gives_a_table_or_a_sentence(name: str, tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    suffix, build = BASES[name]
    base = build()
    outcomes = []
    for seed in range(MUTANTS_PER_BASE):
        rng = random.Random(f"{name} {seed}")
        mutant = MUTATIONS[seed % len(MUTATIONS)](base, rng)
        path = tmp_path / f"m{seed}{rng.choice((suffix, suffix, '.csv', '.xls', '.json', ''))}"
        path.write_bytes(mutant)
        outcomes.append(outcome(path, con))
    assert len(outcomes) == MUTANTS_PER_BASE
    assert set(outcomes) <= {"table", "sentence"}
    whole = tmp_path / f"base{suffix}"
    whole.write_bytes(base)
    assert outcome(whole, con) == "table"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(max_size=400), st.text(max_size=400).map(lambda text: text.encode("utf-8", "replace"))))
def test_any_bytes_give_a_table_or_a_sentence(data: bytes, tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    path = tmp_path / "quelconque.csv"
    path.write_bytes(data)
    assert outcome(path, con) in {"table", "sentence"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.lists(
        st.lists(st.text(alphabet=st.sampled_from('ab1,;"\n\r\t é=0.-/|'), max_size=8), min_size=1, max_size=5),
        min_size=1,
        max_size=12,
    ),
    separator=st.sampled_from(";,\t|"),
)
def test_any_table_gives_a_table_or_a_sentence(
    table: list[list[str]], separator: str, tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("\n".join(separator.join(row) for row in table), encoding="utf-8", newline="")
    assert outcome(path, con) in {"table", "sentence"}
