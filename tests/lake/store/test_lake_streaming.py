"""Rows too many to be held: written as they are read, and answered from their data until their index is baked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import curve, queries, serving, sql, store, streaming, tasks
from beffroi.lake.connectors import csv
from beffroi.lake.cql_text import from_text
from beffroi.lake.definitions import ColumnDefinition, Definition
from beffroi.lake.editing import edit_feature
from beffroi.lake.edits import CHANGED, Edit
from beffroi.lake.operations import ImportOutcome, import_source
from beffroi.lake.reading import ReadOptions
from beffroi.lake.store import DatasetRef, Lake
from lake.store import lakes

REF = DatasetRef(lakes.TOWN, "ventes")
SALES = Definition("ventes")
HEADER = "id_mutation,date_mutation,valeur_fonciere,code_commune,nombre_lots,longitude,latitude"


def _rows(count: int = 400) -> list[str]:
    rows = [
        f"2024-{n // 2},2024-{1 + n % 12:02}-{1 + n % 28:02},{60_000 + n * 37 % 900}.{n % 10},"
        f"{34172 if n % 3 else '01001'},{n % 4},{3.8 + n * 37 % 1000 / 10_000:.6f},{43.56 + n * 91 % 1000 / 10_000:.6f}"
        for n in range(count)
    ]
    nowhere = ["2024-x,2024-05-01,1.5,34172,1,,", "2024-y,2024-05-01,,34172,,0,0", ",,,,,,"]
    return [*rows, *nowhere, rows[5], rows[5], rows[7]]


def _file(tmp_path: Path, rows: list[str], header: str = HEADER) -> Path:
    path = tmp_path / "ventes.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def _import(path: Path, lake: Path, definition: Definition = SALES, **more: Any) -> ImportOutcome:
    return import_source(
        path, territory=lakes.TOWN, at=lakes.AT, definition=definition, lake=lake, announce=False, threads=2, **more
    )


@pytest.fixture(name="streaming")
def _streaming(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every CSV a large one, of many stretches of the curve."""
    monkeypatch.setattr(curve, "STRETCH_BYTES", 5_000)
    monkeypatch.setattr(csv, "FAST_FROM_BYTES", 1)
    monkeypatch.setattr(csv, "ONCE_UP_TO_BYTES", 0)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make every version enter service without its index."""
    monkeypatch.setattr(serving, "LATER_FROM_ROWS", 1)
    yield
    serving.close_all()


def _written(lake: Path) -> list[tuple[Any, ...]]:
    folder = Lake(lake).version_folder(REF, Lake(lake).in_force(REF).version)
    return duckdb.execute(f"SELECT * EXCLUDE (_id) FROM read_parquet('{folder}/data.parquet') ORDER BY ALL").fetchall()


def test_streamed_rows_are_those_that_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _file(tmp_path, _rows())
    held = _import(path, tmp_path / "held")
    monkeypatch.setattr(csv, "FAST_FROM_BYTES", 1)
    monkeypatch.setattr(csv, "ONCE_UP_TO_BYTES", 0)
    streamed = _import(path, tmp_path / "streamed")
    assert (held.reason, streamed.reason) == (None, None)
    assert _written(tmp_path / "held") == _written(tmp_path / "streamed")
    one = Lake(tmp_path / "held").manifest(REF, held.version or "")
    other = Lake(tmp_path / "streamed").manifest(REF, streamed.version or "")
    counts = ("rows", "rows_read", "rows_rejected")
    for said in (*counts, "columns", "geometry_types", "bbox", "crs", "period", "evidences"):
        assert getattr(one, said) == getattr(other, said), said
    assert one.rows == 405
    assert one.content != other.content


@pytest.mark.parametrize("last", ["2024-z,2024-05-01,1.5,34172,1,200.5,43.6", "2024-z,2024-05-01,1.5,34172,1,4.9,43.6"])
def test_a_place_off_the_globe_or_out_of_town_is_told_as_when_rows_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    path, options = _file(tmp_path, [*_rows(60), last]), ReadOptions(extent=(3.8, 43.56, 3.9, 43.66))
    held = _import(path, tmp_path / "held", options=options)
    monkeypatch.setattr(csv, "FAST_FROM_BYTES", 1)
    monkeypatch.setattr(csv, "ONCE_UP_TO_BYTES", 0)
    streamed = _import(path, tmp_path / "streamed", options=options)
    assert _written(tmp_path / "held") == _written(tmp_path / "streamed")
    one = Lake(tmp_path / "held").manifest(REF, held.version or "")
    other = Lake(tmp_path / "streamed").manifest(REF, streamed.version or "")
    assert one.bbox == other.bbox
    # The share that a sample puts in town is that of another sample.
    told = [[(said.subject, said.value, said.why.template) for said in version.evidences] for version in (one, other)]
    assert told[0] == told[1]
    places = [[said.why for said in version.evidences if said.subject == "geometry"] for version in (one, other)]
    assert places[0] == places[1]


@pytest.mark.usefixtures("streaming")
def test_streamed_rows_have_ids_of_their_own_along_the_curve(tmp_path: Path, lake: Path) -> None:
    _import(_file(tmp_path, _rows()), lake)
    ids = [one[0] for one in queries.rows(ANONYMOUS, REF, columns=["_id"]).rows]
    assert len(set(ids)) == len(ids) == 405
    twice = [one for one in ids if "-" in one]
    assert sorted(one.partition("-")[2] for one in twice) == ["2", "2", "3"]


@pytest.mark.usefixtures("streaming")
def test_a_large_table_is_the_same_octets_along_the_curve_whoever_writes_it(tmp_path: Path) -> None:
    path, written = _file(tmp_path, _rows(2_000)), []
    for threads in (1, 2, 3):
        lake = tmp_path / f"lake{threads}"
        done = import_source(
            path, territory=lakes.TOWN, at=lakes.AT, definition=SALES, lake=lake, announce=False, threads=threads
        )
        written.append(Lake(lake).version_folder(REF, done.version or "") / "data.parquet")
    assert len({file.read_bytes() for file in written}) == 1
    con = sql.connect(threads=1)
    placed = con.execute(f"SELECT longitude, latitude FROM '{written[0]}' WHERE geometry IS NOT NULL").fetchnumpy()
    points = np.stack([placed["longitude"], placed["latitude"]], axis=1).astype(np.float32)
    keys = curve.keys_along(
        con, points, Lake(tmp_path / "lake1").manifest(REF, done.version or "").bbox or BBox(*[0] * 4)
    )
    assert len(keys) == 2_003
    assert (keys[1:] >= keys[:-1]).all()
    con.close()


def test_marks_that_several_stretches_have_are_counted_once() -> None:
    top = 1 << 63
    parts = [[5, 1, 1, top + 7], [5, 9, top - 1, top], [9, top, top + 7, 2**64 - 1, top + 7], []]
    ids, total = streaming._summed([np.array(part, dtype=np.uint64) for part in parts])
    assert ids == len({mark for part in parts for mark in part})
    assert total == sum(map(sum, parts))


@pytest.mark.usefixtures("streaming")
def test_rows_without_a_place_stay_as_they_were_published(tmp_path: Path, lake: Path) -> None:
    rows = [f"a{n * 7919 % 300},2024-01-02,{n}.5,34172,{n},," for n in range(300)]
    _import(_file(tmp_path, rows), lake)
    page = queries.table(ANONYMOUS, REF, limit=300)
    assert [row[0] for row in page.rows] == [row.split(",")[0] for row in rows]


@pytest.mark.usefixtures("streaming")
def test_the_same_rows_in_any_order_are_the_same_version(tmp_path: Path, lake: Path) -> None:
    rows = _rows()
    first = _import(_file(tmp_path, rows), lake)
    again = _import(_file(tmp_path, rows[::-1]), lake)
    changed = _import(_file(tmp_path, [rows[0].replace("60000.0", "60001.0"), *rows[1:]]), lake)
    assert first.version == again.version
    assert changed.version not in (None, first.version)


@pytest.mark.usefixtures("streaming")
def test_a_column_some_may_not_see_counts_in_the_version_and_not_in_the_ids(tmp_path: Path, lake: Path) -> None:
    definition = Definition("ventes", columns={"valeur_fonciere": ColumnDefinition(access="agents")})
    rows = _rows()
    first = _import(_file(tmp_path, rows), lake, definition)
    ids = sorted(one[0] for one in queries.rows(ANONYMOUS, REF, columns=["_id"]).rows)
    other = [",".join([*row.split(",")[:2], "7.5", *row.split(",")[3:]]) for row in rows if row[0] != ","]
    second = _import(_file(tmp_path, other), lake, definition)
    assert first.version != second.version
    assert sorted(one[0] for one in queries.rows(ANONYMOUS, REF, columns=["_id"]).rows) == ids


@pytest.mark.usefixtures("streaming")
def test_what_must_name_a_line_holds_the_rows(tmp_path: Path, lake: Path) -> None:
    definition = Definition("ventes", columns={"nombre_lots": ColumnDefinition(required=True, max=2)})
    done = _import(_file(tmp_path, _rows(8)), lake, definition)
    assert done.report is not None
    faults = {str(one.expected): [line for line, _ in one.examples] for one in done.report.schema_faults}
    assert faults == {"une valeur, obligatoire": [11], "un nombre d’au plus 2": [5, 9, 15]}


@pytest.mark.usefixtures("streaming")
@pytest.mark.parametrize("header", ["nom,date,prix,code,lots,x,y", HEADER])
def test_projected_points_and_blanks_are_read_too(tmp_path: Path, lake: Path, header: str) -> None:
    rows = [f" a{n} ,2024-01-02,{n}.5,34172,{n},{770_000 + n}.5,{6_279_000 + n}.5" for n in range(50)]
    done = _import(_file(tmp_path, rows, header.replace("longitude", "x").replace("latitude", "y")), lake)
    assert done.reason is None
    page = queries.features(ANONYMOUS, REF, limit=100)
    first = json.loads(page.features[0])
    assert page.number_matched == 50
    assert 3.8 < first["geometry"]["coordinates"][0] < 3.9
    assert next(iter(first["properties"].values())).strip() == next(iter(first["properties"].values()))


@pytest.mark.usefixtures("streaming")
@pytest.mark.parametrize("left", [False, True])
def test_an_import_stopped_on_the_way_leaves_what_was_served(
    tmp_path: Path, lake: Path, monkeypatch: pytest.MonkeyPatch, left: bool
) -> None:
    rows = _rows()
    first = _import(_file(tmp_path, rows[:100]), lake)
    folder = Lake(lake).folder(REF) / "versions"

    def stop(name: str) -> None:
        if name == "after-streamed":
            raise KeyboardInterrupt

    monkeypatch.setattr(store, "on_step", stop)
    with pytest.raises(KeyboardInterrupt):
        _import(_file(tmp_path, rows), lake)
    assert [path.name for path in folder.iterdir()] == [first.version]
    monkeypatch.setattr(store, "on_step", lambda _name: None)
    if left:
        # What a process killed there leaves.
        (folder / ".streamed.part").mkdir()
        (folder / ".streamed.part" / "data.parquet").write_bytes(b"half")
    assert _import(_file(tmp_path, rows), lake).version not in (None, first.version)
    assert queries.dataset(ANONYMOUS, REF).summary.rows == 405


def _answers() -> list[Any]:
    """Ask everything that an index answers."""
    box = BBox(3.82, 43.57, 3.86, 43.62)
    seen = queries.seen_dataset(ANONYMOUS, REF)
    answers: list[Any] = []
    for bbox in (None, box):
        after: str | None = None
        for _ in range(3):
            page = queries.features(ANONYMOUS, REF, bbox=bbox, limit=20, after=after)
            answers.append(page)
            after = page.next_cursor
    first = json.loads(answers[0].features[0])["id"]
    asked = from_text("nombre_lots > 1 AND valeur_fonciere < 60500")
    return [
        *answers,
        queries.feature(ANONYMOUS, REF, first),
        queries.found_features(seen, bbox=box, limit=7),
        queries.found_features(seen, where=asked, limit=7, after=30),
        queries.found_features(seen, limit=5, after=403),
        [b"".join(queries.download(ANONYMOUS, REF, kind).chunks or ()) for kind in ("geojson", "gpx")],
    ]


@pytest.mark.usefixtures("streaming", "later")
def test_a_version_answers_the_same_before_its_index_and_after(tmp_path: Path, lake: Path) -> None:
    done = _import(_file(tmp_path, _rows()), lake)
    folder = Lake(lake).version_folder(REF, done.version or "")
    before = _answers()
    assert not list(folder.glob("serving.*"))
    tasks.bake_missing_indexes(Lake(lake), REF, done.version or "")
    assert [path.name for path in folder.glob("serving.*")] == ["serving.public.sqlite"]
    assert _answers() == before


@pytest.mark.django_db
@pytest.mark.usefixtures("streaming", "later")
def test_a_thing_is_edited_before_the_index_is_there(tmp_path: Path, lake: Path) -> None:
    _import(_file(tmp_path, _rows()), lake)
    first = json.loads(queries.features(ANONYMOUS, REF, limit=1).features[0])["id"]
    edit = Edit(CHANGED, first, {"nombre_lots": 99})
    edit_feature(lakes.AGENT, REF, edit, at=lakes.AT + timedelta(hours=1))
    assert json.loads(queries.feature(ANONYMOUS, REF, first))["properties"]["nombre_lots"] == 99
    assert queries.found_features(queries.seen_dataset(ANONYMOUS, REF), limit=1000).matched == 405
