"""What is read equals what was published, whatever the rows: against plain Python, by properties."""

from __future__ import annotations

import json
import math
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries, serving
from beffroi.lake.queries import BadQuery, Filter, Measure
from beffroi.lake.reading import GEOMETRY, Column, ColumnType
from lake.store import lakes

COLUMNS = (
    Column("texte", "Texte"),
    Column("entier", "Entier", ColumnType.INTEGER),
    Column("nombre", "Nombre", ColumnType.NUMBER),
    Column("jour", "Jour", ColumnType.DATE),
    Column("moment", "Moment", ColumnType.DATETIME),
    Column("vrai", "Vrai", ColumnType.BOOLEAN),
)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
ROW = st.fixed_dictionaries(
    {
        "texte": st.none() | TEXT,
        "entier": st.none() | st.integers(-(2**53), 2**53),
        # Zero has one sign: a Parquet dictionary keeps but one of the two.
        "nombre": st.none()
        | st.floats(allow_nan=False, allow_infinity=False, width=32).map(lambda number: number + 0.0),
        "jour": st.none() | st.dates(date(1000, 1, 1), date(9000, 1, 1)),
        "moment": st.none()
        | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - as files
            lambda moment: moment.replace(microsecond=0)
        ),
        "vrai": st.none() | st.booleans(),
        "lon": st.integers(-1800, 1800).map(lambda tenth: tenth / 10),
        "lat": st.integers(-900, 900).map(lambda tenth: tenth / 10),
    }
)
FEW = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def _lake_of(rows: list[dict[str, Any]]) -> Iterator[None]:
    located = [row | {GEOMETRY: f"POINT({row['lon']} {row['lat']})"} for row in rows]
    with tempfile.TemporaryDirectory() as folder, override_settings(LAKE_DIR=Path(folder)):
        outcome = lakes.published(Path(folder), located, COLUMNS)
        assert outcome.reason is None, str(outcome.reason)
        yield
        serving.close_all()


def _order(values: list[Any]) -> list[Any]:
    return sorted(values, key=repr)


@pytest.mark.slow
@FEW
@given(st.lists(ROW, min_size=1, max_size=30))
def test_a_table_gives_back_every_row(rows: list[dict[str, Any]]) -> None:
    with _lake_of(rows):
        page = queries.table(ANONYMOUS, lakes.ref(), limit=100)
        expected = [tuple(row[column.key] for column in COLUMNS) for row in rows]
        assert _order(list(page.rows)) == _order(expected)
        assert len(set(page.ids)) == page.total == len(rows)


@pytest.mark.slow
@FEW
@given(st.lists(ROW, min_size=1, max_size=30))
def test_features_give_back_every_row_as_json(rows: list[dict[str, Any]]) -> None:
    with _lake_of(rows):
        page = queries.features(ANONYMOUS, lakes.ref(), limit=100)
        got = [json.loads(body) for body in page.features]
        expected = [
            {
                "texte": row["texte"],
                "entier": row["entier"],
                "nombre": row["nombre"],
                "jour": row["jour"] and row["jour"].isoformat(),
                "moment": row["moment"] and row["moment"].isoformat(),
                "vrai": row["vrai"],
            }
            for row in rows
        ]
        assert _order([feature["properties"] for feature in got]) == _order(expected)
        assert page.number_matched == len(rows)
        one = got[-1]
        assert json.loads(queries.feature(ANONYMOUS, lakes.ref(), one["id"])) == one


@pytest.mark.slow
@FEW
@given(
    st.lists(ROW, min_size=1, max_size=40),
    st.tuples(*[st.integers(-1800, 1800)] * 2, *[st.integers(-900, 900)] * 2),
    st.integers(1, 7),
)
def test_boxes_page_through_exactly_what_lies_in_them(
    rows: list[dict[str, Any]], corners: tuple[int, int, int, int], limit: int
) -> None:
    west, east, *sides = (number / 10 for number in corners)
    south, north = sorted(sides)
    # West beyond east crosses the antimeridian: both meanings are tried.
    within = [
        row
        for row in rows
        if south <= row["lat"] <= north and any(low <= row["lon"] <= high for low, high in _spans(west, east))
    ]
    with _lake_of(rows):
        bbox = BBox(west, south, east, north)
        found: list[bytes] = []
        after: str | None = None
        for _ in range(len(rows) + 1):
            page = queries.features(ANONYMOUS, lakes.ref(), bbox=bbox, limit=limit, after=after)
            found += page.features
            after = page.next_cursor or "999999999"
        assert len(found) == len(set(found)) == len(within)
        listed = queries.rows(ANONYMOUS, lakes.ref(), columns=["_id"], bbox=bbox)
        assert sorted(row[0] for row in listed.rows) == sorted(json.loads(body)["id"] for body in found)


def _spans(west: float, east: float) -> list[tuple[float, float]]:
    return {True: [(west, east)], False: [(west, 180.0), (-180.0, east)]}[west <= east]


@pytest.mark.slow
@FEW
@given(
    st.lists(ROW, min_size=1, max_size=30), st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"]), st.integers(-5, 5)
)
def test_filters_sort_and_figures_agree_with_python(rows: list[dict[str, Any]], op: str, bound: int) -> None:
    rows = [row | {"entier": row["entier"] and row["entier"] % 11 - 5} for row in rows]
    compare: dict[str, Any] = {
        "eq": lambda value: value == bound,
        "ne": lambda value: value != bound,
        "lt": lambda value: value is not None and value < bound,
        "le": lambda value: value is not None and value <= bound,
        "gt": lambda value: value is not None and value > bound,
        "ge": lambda value: value is not None and value >= bound,
    }
    kept = [row["entier"] for row in rows if compare[op](row["entier"])]
    with _lake_of(rows):
        where = [Filter("entier", op, str(bound))]
        page = queries.table(
            ANONYMOUS, lakes.ref(), columns=["entier"], where=where, order_by="entier", descending=True, limit=100
        )
        values = [row[0] for row in page.rows]
        assert page.total == len(kept)
        assert values == sorted(kept, key=lambda value: (value is None, -(value or 0)))
        figures = queries.aggregate(
            ANONYMOUS, lakes.ref(), where=where, measures=[Measure("n"), Measure("total", "sum", "entier")]
        )
        numbers = [value for value in kept if value is not None]
        assert figures.rows == [(len(kept), sum(numbers) if numbers else None)]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ([Filter("espece", "contains", "PLATANE 3")], 43),
        ([Filter("espece", "starts", "plat")], 300),
        ([Filter("plante_le", "lt", "1960-01-01")], 50),
        ([Filter("remarquable", "eq", "oui")], 28),
        ([Filter("hauteur_m", "le", "3,5")], 15),
        ([Filter("note", "null", "non"), Filter("id", "ge", 290)], 10),
        ([Filter("espece", "eq", "'; DROP TABLE x; --")], 0),
    ],
)
def test_filters_read_what_people_write(lake: Path, where: list[Filter], expected: int) -> None:
    lakes.published(lake, [lakes.tree(number) for number in range(300)])
    assert queries.table(ANONYMOUS, lakes.ref(), where=where).total == expected


@pytest.mark.parametrize(
    "ask",
    [
        {"where": [Filter("hauteur_m", "lt", "haut")]},
        {"where": [Filter("plante_le", "lt", "hier")]},
        {"where": [Filter("remarquable", "eq", "peut-être")]},
        {"where": [Filter("id", "eq", "9" * 40)]},
        {"where": [Filter("id", "eq", None)]},
        {"where": [Filter("id", "à peu près", 1)]},
        {"order_by": "absente"},
        {"columns": ["id", "absente"]},
        {"limit": 0},
        {"limit": 10**6},
        {"offset": -1},
    ],
)
def test_a_bad_question_gets_a_sentence(lake: Path, ask: dict[str, Any]) -> None:
    lakes.published(lake, [lakes.tree(1)])
    with pytest.raises(BadQuery) as error:
        queries.table(ANONYMOUS, lakes.ref(), **ask)
    assert error.value.remedy.template


@pytest.mark.parametrize("after", ["-1", "abc", "1e3", "9" * 40, "٣", " 1"])
def test_a_cursor_not_ours_gets_a_sentence(lake: Path, after: str) -> None:
    lakes.published(lake, [lakes.tree(1)])
    with pytest.raises(BadQuery, match="repère de page"):
        queries.features(ANONYMOUS, lakes.ref(), after=after)


def test_a_query_too_long_or_too_big_is_stopped(lake: Path) -> None:
    lakes.published(lake, [lakes.tree(number) for number in range(200)])
    with pytest.raises(queries.BadQuery, match="plus de 10 lignes"):
        queries.rows(ANONYMOUS, lakes.ref(), columns=["id"], max_rows=10)
    with pytest.raises(queries.QueryTooCostly, match="dépasse"), serving_time_out(lake):
        pass


@contextmanager
def serving_time_out(lake: Path) -> Iterator[None]:
    """Run a query that cannot end within its time."""
    from beffroi.lake import sql

    with sql.reading(lake, timeout_s=0.2, memory_mb=256) as con:
        con.execute("SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range * b.range % 7 = 3")
        yield


def test_the_query_database_reads_nothing_but_the_lake(lake: Path, tmp_path: Path) -> None:
    import duckdb

    from beffroi.lake import sql

    lakes.published(lake, [lakes.tree(1)])
    outside = tmp_path / "secret.csv"
    outside.write_text("a\n1\n")
    for statement in (
        f"SELECT * FROM read_csv('{outside}')",
        f"COPY (SELECT 1) TO '{tmp_path}/x.csv'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
    ):
        with sql.reading(lake, timeout_s=60, memory_mb=256) as con, pytest.raises(duckdb.Error):
            con.execute(statement)


def test_readers_see_one_whole_version_or_the_other_during_publications(lake: Path) -> None:
    lakes.published(lake, [lakes.tree(i, espece="v0") for i in range(50)])
    stop = threading.Event()
    mixed: list[Any] = []

    def read() -> None:
        while not stop.is_set():
            page = json.loads(queries.features(ANONYMOUS, lakes.ref(), limit=1000).feature_collection())
            species = {feature["properties"]["espece"] for feature in page["features"]}
            mixed.extend([species] * (len(species) != 1 or len(page["features"]) != 50))
        serving.close_all()

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 9):
        rows = [lakes.tree(i, espece=f"v{number}") for i in range(50)]
        lakes.published(lake, rows, at=lakes.AT + timedelta(seconds=number))
    stop.set()
    for reader in readers:
        reader.join()
    assert mixed == []


def test_a_box_of_a_hundred_costs_the_same_in_a_dataset_ten_times_larger(lake: Path) -> None:
    """Cost is counted in steps of SQLite's machine, not in seconds: the same on every computer."""
    steps = []
    for size, slug in ((500, "petit"), (5_000, "grand")):
        lakes.published(lake, _grid(size), lakes.TREES[:1], slug=slug)
        side = math.sqrt(100 / size)
        bbox = BBox(0.4, 0.4, 0.4 + side, 0.4 + side)
        queries.features(ANONYMOUS, lakes.ref(slug), bbox=bbox)
        steps.append(_steps_of(slug, bbox))
    assert steps[1] <= 3 * steps[0]


def _grid(size: int) -> list[dict[str, Any]]:
    edge = math.isqrt(size) + 1
    return [{"id": n, GEOMETRY: f"POINT({n % edge / edge} {n // edge / edge})"} for n in range(size)]


def _steps_of(slug: str, bbox: BBox) -> int:
    from django.conf import settings

    from beffroi.lake.store import Lake

    home = Lake(Path(str(settings.LAKE_DIR)))
    folder = home.version_folder(lakes.ref(slug), home.in_force(lakes.ref(slug)).version)
    index = serving.Index(folder / "serving.public.sqlite")
    counted = []
    index._db.set_progress_handler(lambda: counted.append(1), 10)
    page = index.page(bbox=bbox, limit=100, after=-1)
    index.close()
    assert 50 <= len(page.bodies) <= 100
    return len(counted)
