"""CQL2 is read as the standard writes it, and keeps the rows that DuckDB and shapely keep by other ways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import columns, cql, queries, serving, sql
from beffroi.lake.cql import Compare, Property, from_json
from beffroi.lake.cql_text import from_text
from beffroi.lake.projecting import reprojected
from beffroi.lake.reading import GEOMETRY, Column, ColumnType
from beffroi.lake.store import Lake
from lake.store.lakes import TOWN, published, ref, tree

WORDS = ["Été", "ete", "Zèbre", "a_b", "100 %", "l'orme", "", None, "Œuf", "ligne\nsuivante"]
HOUSES = (
    Column("id", "Identifiant", ColumnType.INTEGER),
    Column("mot", "Mot"),
    Column("code", "Code"),
    Column("hauteur", "Hauteur", ColumnType.NUMBER),
    Column("etages", "Étages", ColumnType.INTEGER),
    Column("bati_le", "Bâti le", ColumnType.DATE),
    Column("vu_le", "Vu le", ColumnType.DATETIME),
    Column("vide", "Vide", ColumnType.BOOLEAN),
)


def house(number: int, rng: np.random.Generator) -> dict[str, Any]:
    """A small leaning house, or none, with values that are sometimes lacking."""
    x, y = 3.8 + rng.random() / 10, 43.55 + rng.random() / 10
    w, h, lean = rng.random() / 200, rng.random() / 200, rng.random() / 300
    return {
        "id": number,
        "mot": WORDS[number % len(WORDS)],
        "code": str(34000 + number % 5),
        "hauteur": None if number % 7 == 0 else round(float(rng.random()) * 30, 1),
        "etages": None if number % 9 == 0 else int(rng.integers(0, 9)),
        "bati_le": None if number % 8 == 0 else f"20{number % 20:02d}-0{1 + number % 9}-15",
        "vu_le": f"2026-01-{1 + number % 28:02d} 10:30:00",
        "vide": None if number % 4 == 0 else number % 3 == 0,
        GEOMETRY: None if number % 50 == 0 else f"POLYGON(({x} {y},{x + w} {y + lean},{x + w} {y + h},{x} {y}))",
    }


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("filters") / "lake"
    rng = np.random.default_rng(3)
    published(folder, [house(number, rng) for number in range(1, 1201)], HOUSES, slug="maisons")
    published(folder, [tree(number) for number in range(1, 40)], accesses={"note": "agents"})
    yield folder
    serving.close_all()


@pytest.fixture
def seen(lake: Path, settings: Any) -> queries.Seen:
    settings.LAKE_DIR = lake
    return queries.seen_dataset(ANONYMOUS, ref("maisons"))


def kept(seen: queries.Seen, text: str) -> list[int]:
    found = queries.found_features(seen, where=from_text(text), limit=10_000)
    ids = [feature["properties"]["id"] for feature in json.loads(b"[" + found.joined + b"]")]
    assert found.matched == found.returned == len(ids)
    return sorted(ids)


def by_duckdb(seen: queries.Seen, condition: str) -> list[int]:
    con = sql.connect(threads=1)
    found = con.execute(f"SELECT id FROM read_parquet(?) WHERE {condition} ORDER BY id", [seen.data]).fetchall()
    con.close()
    return [row[0] for row in found]


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("hauteur > 12.5", "hauteur > 12.5"),
        ("12.5 >= hauteur", "hauteur <= 12.5"),
        ("NOT hauteur > 12.5", "NOT hauteur > 12.5"),
        ("etages = 3 OR etages = 5", "etages IN (3, 5)"),
        ("etages <> 3", "etages <> 3"),
        ("etages >= 2.5", "etages >= 2.5"),
        ("NOT (etages = 3 AND hauteur < 10)", "NOT (etages = 3 AND hauteur < 10)"),
        ("etages IN (1, 2, 8) AND NOT (vide = TRUE)", "etages IN (1, 2, 8) AND NOT vide"),
        ("etages NOT IN (1, 2, 8)", "etages NOT IN (1, 2, 8)"),
        ("etages IN (3, 3, 99, -5) AND hauteur > 0", "etages = 3 AND hauteur > 0"),
        ("etages IN (99, 3)", "etages = 3"),
        ("mot IN ('zzz', 'Été', 'Été')", "mot = 'Été'"),
        ("hauteur <> 12.5 AND etages = 8", "hauteur <> 12.5 AND etages = 8"),
        ("hauteur > 28 OR hauteur < 1", "hauteur > 28 OR hauteur < 1"),
        ("bati_le IN ('2003-04-15', '2003-04-15', '1900-01-01')", "bati_le = DATE '2003-04-15'"),
        ("hauteur BETWEEN 3 AND 9.5", "hauteur BETWEEN 3 AND 9.5"),
        ("hauteur NOT BETWEEN 3 AND 9.5", "hauteur NOT BETWEEN 3 AND 9.5"),
        ("hauteur IS NULL", "hauteur IS NULL"),
        ("mot IS NOT NULL AND NOT (mot = '')", "mot IS NOT NULL AND mot <> ''"),
        ("mot = 'l''orme'", "mot = 'l''orme'"),
        ("mot <> 'Été'", "mot <> 'Été'"),
        ("mot > 'a'", "mot > 'a'"),
        ("mot <= 'l''orme'", "mot <= 'l''orme'"),
        ("mot BETWEEN 'a' AND 'm'", "mot BETWEEN 'a' AND 'm'"),
        ("mot IN ('Été', 'absent', '')", "mot IN ('Été', 'absent', '')"),
        ("mot LIKE '%t_'", "mot LIKE '%t_'"),
        ("mot LIKE '_t_'", "mot LIKE '_t_'"),
        ("mot NOT LIKE 'Z%'", "mot NOT LIKE 'Z%'"),
        (r"mot LIKE 'a\_b'", r"mot LIKE 'a\_b' ESCAPE '\'"),
        (r"mot LIKE '100 \%'", r"mot LIKE '100 \%' ESCAPE '\'"),
        ("mot LIKE '%suivante'", "mot LIKE '%suivante'"),
        ("CASEI(mot) = CASEI('ÉTÉ')", "lower(mot) = 'été'"),
        ("ACCENTI(CASEI(mot)) LIKE ACCENTI(CASEI('ÉT%'))", "strip_accents(lower(mot)) LIKE 'et%'"),
        ("CASEI(mot) IN ('ZÈBRE', 'x')", "lower(mot) = 'zèbre'"),
        ("code = 34003", "code = '34003'"),
        ("bati_le < DATE('2010-01-01')", "bati_le < DATE '2010-01-01'"),
        ("bati_le = '2003-04-15'", "bati_le = DATE '2003-04-15'"),
        ("vu_le > TIMESTAMP('2026-01-20T10:00:00Z')", "vu_le > TIMESTAMP '2026-01-20 10:00:00'"),
        ("vu_le <= DATE('2026-01-20')", "CAST(vu_le AS DATE) <= DATE '2026-01-20'"),
        ("vide = false", "NOT vide"),
        ("TRUE", "TRUE"),
        ("FALSE OR etages < 2", "etages < 2"),
    ],
)
def test_a_filter_keeps_what_sql_keeps(seen: queries.Seen, text: str, condition: str) -> None:
    expected = by_duckdb(seen, condition)
    assert kept(seen, text) == expected
    assert len(expected) > 0


@pytest.fixture(scope="module")
def shapes(lake: Path) -> dict[int, Any]:
    """The shapes as the reader gets them, by id."""
    folder = lake / TOWN / "maisons" / "versions"
    index = serving.Index(next(folder.iterdir()) / "serving.public.sqlite")
    features = json.loads(b"[" + index.span(0, 2_000) + b"]")
    index.close()
    return {
        one["properties"]["id"]: one["geometry"] and shapely.from_geojson(json.dumps(one["geometry"]))
        for one in features
    }


AREA = "POLYGON((3.82 43.56,3.88 43.57,3.87 43.63,3.83 43.62,3.82 43.56))"


@pytest.mark.parametrize("name", sorted(cql.SPATIAL))
def test_spatial_predicates_are_shapelys(seen: queries.Seen, shapes: dict[int, Any], name: str) -> None:
    area = shapely.from_wkt(AREA)
    predicate = getattr(shapely, cql.SPATIAL[name])
    expected = sorted(one for one, shape in shapes.items() if shape is not None and predicate(shape, area))
    assert kept(seen, f"{name.upper()}(geometry, {AREA})") == expected
    flipped = sorted(one for one, shape in shapes.items() if shape is not None and predicate(area, shape))
    assert kept(seen, f"{name.upper()}({AREA}, geometry)") == flipped
    contrary = sorted(one for one, shape in shapes.items() if shape is not None and not predicate(shape, area))
    assert kept(seen, f"NOT {name.upper()}(geometry, {AREA})") == contrary


def test_a_box_keeps_the_shapes_that_meet_it(seen: queries.Seen, shapes: dict[int, Any]) -> None:
    """By shape, not by box: a leaning house whose box alone crosses a corner stays out."""
    rng, outside = np.random.default_rng(9), 0
    for _ in range(150):
        west, south = 3.8 + rng.random() / 10, 43.55 + rng.random() / 10
        box = BBox(west, south, west + rng.random() / 30, south + rng.random() / 30)
        area = shapely.box(*box)
        expected = sorted(one for one, shape in shapes.items() if shape is not None and area.intersects(shape))
        found = queries.found_features(seen, bbox=box, limit=10_000)
        assert sorted(one["properties"]["id"] for one in json.loads(b"[" + found.joined + b"]")) == expected
        near = sum(1 for shape in shapes.values() if shape is not None and area.intersects(shapely.box(*shape.bounds)))
        outside += near - len(expected)
    assert outside > 0


def test_a_filtered_box_is_walked_to_its_end_with_its_exact_count(seen: queries.Seen) -> None:
    where, box = from_text("etages > 3"), BBox(3.82, 43.56, 3.88, 43.64)
    whole = queries.found_features(seen, where=where, bbox=box, limit=10_000)
    walked, after = [], -1
    while True:
        page = queries.found_features(seen, where=where, bbox=box, limit=17, after=after)
        walked.append(page.joined)
        assert page.matched == whole.returned
        if page.last is None:
            break
        after = page.last
    assert b",".join(walked) == whole.joined
    assert len(walked) > 5


def test_filters_in_json_read_as_those_in_text() -> None:
    pairs = [
        ("a = 1", {"op": "=", "args": [{"property": "a"}, 1]}),
        ("a <> 'x' AND b IS NULL", {"op": "and", "args": [
            {"op": "<>", "args": [{"property": "a"}, "x"]}, {"op": "isNull", "args": [{"property": "b"}]}]}),
        ("NOT (a LIKE 'p%' OR a IN ('b', 'c'))", {"op": "not", "args": [{"op": "or", "args": [
            {"op": "like", "args": [{"property": "a"}, "p%"]},
            {"op": "in", "args": [{"property": "a"}, ["b", "c"]]}]}]}),
        ("d BETWEEN DATE('2020-01-01') AND DATE('2021-01-01')", {"op": "between", "args": [
            {"property": "d"}, {"date": "2020-01-01"}, {"date": "2021-01-01"}]}),
        ("CASEI(a) = ACCENTI('É')", {"op": "=", "args": [
            {"op": "casei", "args": [{"property": "a"}]}, {"op": "accenti", "args": ["É"]}]}),
        ("S_INTERSECTS(geometry, POINT(3 43))", {"op": "s_intersects", "args": [
            {"property": "geometry"}, {"type": "Point", "coordinates": [3, 43]}]}),
        ("S_WITHIN(geometry, BBOX(3, 43, 4, 44))", {"op": "s_within", "args": [
            {"property": "geometry"}, {"bbox": [3, 43, 4, 44]}]}),
        ("TRUE", True),
    ]  # fmt: skip
    for text, payload in pairs:
        assert from_json(json.dumps(payload)) == from_text(text), text


@pytest.mark.parametrize(
    "text",
    ["", "a =", "a = 1)", "(a = 1", "a == 1", "1 = 1", "a = b", "f(a) = 1", "a LIKE 5", "'", "a IN ()", "a IS 5", "é",
     "a = 1 OR", "S_INTERSECTS(geometry, POINT)", "S_INTERSECTS(a, POINT(1 2))",
     "S_INTERSECTS(geometry, POLYGON EMPTY)", "S_INTERSECTS(geometry, POINT(1e999 2))",
     "S_WITHIN(geometry, POLYGON((0 0,1 1,0 1,1 0,0 0)))", "(" * 200, "NOT " * 3_000 + "a = 1", "DATE(5) = a",
     "a BETWEEN 1", "S_INTERSECTS(geometry, BBOX(1,2,3))", "CASEI(5) = a", "a = 'b' c = 'd'"],
)  # fmt: skip
def test_what_is_not_cql2_is_told_near_where(text: str) -> None:
    with pytest.raises(cql.BadFilter) as refused:
        from_text(text)
    assert refused.value.where == "filter"
    assert str(refused.value.what)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "5", '{"op": "="}', '{"op": "=", "args": [1]}', '{"op": "and", "args": [true]}',
     '{"op": "fly", "args": []}',
     '{"op": "in", "args": [{"property": "a"}, 1]}', '{"op": "=", "args": [{"property": "a"}, {"x": 1}]}',
     '{"op": "s_within", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": "x"}]}',
     '{"op": "=", "args": [{"property": "a"}, NaN]}', '{"op":"not","args":[' * 60 + "true" + "]}" * 60, "[" * 100_000],
)  # fmt: skip
def test_what_is_not_cql2_json_is_refused(text: str) -> None:
    with pytest.raises(cql.BadFilter):
        from_json(text)


@pytest.mark.parametrize(
    "text",
    ["absente = 1", "hauteur = 'haut'", "etages LIKE '3%'", "vide > TRUE", "bati_le = 'hier'", "CASEI(etages) = 3",
     "hauteur = TRUE", "bati_le BETWEEN 1 AND 2", "vide = 1"],
)  # fmt: skip
def test_a_value_that_does_not_suit_is_told(seen: queries.Seen, text: str) -> None:
    with pytest.raises(cql.BadFilter):
        queries.found_features(seen, where=from_text(text), limit=1)


def test_extreme_values_keep_nothing_or_all(seen: queries.Seen) -> None:
    filled = by_duckdb(seen, "etages IS NOT NULL")
    for text in ("etages < 1e300", "etages > -1e300", "etages <> 99999999999999999999999", "etages >= -5.5"):
        assert kept(seen, text) == filled, text
    for text in (
        "etages > 1e300",
        "etages = 99999999999999999999999",
        "hauteur IN (1e9, -1e9)",
        "etages BETWEEN 5 AND 2",
    ):
        assert kept(seen, text) == [], text


def test_a_filter_is_judged_even_where_the_box_is_empty(seen: queries.Seen) -> None:
    with pytest.raises(cql.BadFilter):
        queries.found_features(seen, where=from_text("absente = 1"), bbox=BBox(0, 0, 1, 1), limit=1)


def test_a_hidden_column_is_not_even_known(lake: Path, settings: Any) -> None:
    settings.LAKE_DIR = lake
    seen = queries.seen_dataset(ANONYMOUS, ref())
    hidden = Compare("=", Property("note"), "secret-1")
    with pytest.raises(cql.BadFilter, match="note"):
        queries.found_features(seen, where=hidden, limit=1)
    assert not (columns.home_of(lake, TOWN, "arbres", seen.manifest.version) / "note").exists()


def test_columns_are_made_once_and_again_when_deleted(seen: queries.Seen, lake: Path) -> None:
    home = columns.home_of(lake, TOWN, "maisons", seen.manifest.version)
    first = kept(seen, "code = '34001' AND hauteur > 1")
    made = (home / "code" / "values.npy").stat().st_mtime_ns
    kept(seen, "code = '34002' AND hauteur > 2")
    assert (home / "code" / "values.npy").stat().st_mtime_ns == made
    for path in (home / "code").iterdir():
        path.unlink()
    (home / "code").rmdir()
    assert kept(seen, "hauteur > 1 AND code = '34001'") == first
    assert Lake(lake).refs(TOWN) == [ref("arbres"), ref("maisons")]


def test_a_column_without_values_and_a_dataset_without_rows_are_filtered(tmp_path: Path, settings: Any) -> None:
    settings.LAKE_DIR = tmp_path / "lake"
    published(settings.LAKE_DIR, [tree(1, espece=None, hauteur_m=None, geometry=None)], slug="vides")
    published(settings.LAKE_DIR, [], slug="sans-lignes")
    box = BBox(3, 43, 4, 44)
    for slug, unknown in (("vides", 1), ("sans-lignes", 0)):
        seen = queries.seen_dataset(ANONYMOUS, ref(slug))
        for text in ("espece = 'x'", "espece LIKE '%'", "NOT espece = 'x'", "CASEI(espece) = 'x'", "hauteur_m > 0"):
            assert kept(seen, text) == [], (slug, text)
        assert len(kept(seen, "espece IS NULL AND hauteur_m IS NULL")) == unknown
        assert queries.found_features(seen, bbox=box, limit=1).matched == 0
    serving.close_all()


def test_a_place_that_a_system_cannot_hold_has_none_in_it() -> None:
    features = (
        b'{"type":"Feature","geometry":{"type":"Point","coordinates":[3.0,91.0]},"properties":{}},'
        b'{"type":"Feature","geometry":{"type":"Point","coordinates":[3.0,43.0,12.5]},"properties":{}}'
    )
    moved = json.loads(b"[" + reprojected(features, "http://www.opengis.net/def/crs/EPSG/0/3857") + b"]")
    assert [one["geometry"] and one["geometry"]["coordinates"] for one in moved] == [
        None,
        [333958.472, 5311971.847, 12.5],
    ]
