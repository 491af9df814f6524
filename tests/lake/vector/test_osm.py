"""OpenStreetMap extracts as a source: what the tags name, and nothing else, counted by another reader."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import osmium
import pytest
import shapely

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries
from beffroi.lake.beside import definitions_of
from beffroi.lake.connectors import registry
from beffroi.lake.definitions import load_definitions
from beffroi.lake.operations import import_source
from beffroi.lake.queries import DatasetRef
from beffroi.lake.reading import ReadOptions, Unreadable

AT = datetime(2026, 3, 2, tzinfo=UTC)

# A bench, one drawn as a line, toilets drawn as an area, a fountain that is not for drinking and one that is.
EXTRACT = """\
<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6">
  <node id="1" lat="43.6100" lon="3.8700" version="1"><tag k="amenity" v="bench"/><tag k="backrest" v="yes"/></node>
  <node id="2" lat="43.6110" lon="3.8710" version="1"/>
  <node id="3" lat="43.6110" lon="3.8730" version="1"/>
  <node id="4" lat="43.6120" lon="3.8720" version="1"/>
  <node id="5" lat="43.6130" lon="3.8700" version="1"><tag k="amenity" v="fountain"/></node>
  <node id="6" lat="43.6140" lon="3.8700" version="1"><tag k="amenity" v="fountain"/><tag k="drinking_water" v="yes"/></node>
  <node id="7" lat="48.0000" lon="2.0000" version="1"><tag k="amenity" v="bench"/></node>
  <way id="10" version="1"><nd ref="2"/><nd ref="3"/><tag k="amenity" v="bench"/></way>
  <way id="11" version="1"><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="2"/><tag k="amenity" v="toilets"/>
    <tag k="wheelchair" v="limited"/><tag k="source" v="survey"/></way>
</osm>
"""  # noqa: E501


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    path = tmp_path / "ville.osm"
    path.write_text(EXTRACT, encoding="utf-8")
    return path


def taken(path: Path, *tags: str, **options: Any) -> list[tuple[str, float]]:
    """Return what is taken of an extract: each thing, and its longitude."""
    con = duckdb.connect()
    (reading,) = registry.read(path, ReadOptions(tags=tags, **options), con)
    found = con.execute(f'SELECT osm_id, geometry FROM "{reading.table}" ORDER BY 1').fetchall()
    return [(number, round(shapely.from_wkb(bytes(shape)).centroid.x, 4)) for number, shape in found]


def test_things_are_points_wherever_they_were_drawn(extract: Path) -> None:
    assert taken(extract, "amenity=bench") == [("node/1", 3.87), ("node/7", 2.0), ("way/10", 3.872)]
    ((number, place),) = taken(extract, "amenity=toilets")
    assert number == "way/11"
    assert 3.871 < place < 3.873


def test_a_thing_bears_all_of_a_tag_s_parts_or_one_of_its_values(extract: Path) -> None:
    assert [one for one, _place in taken(extract, "amenity=fountain&drinking_water=yes")] == ["node/6"]
    assert [one for one, _place in taken(extract, "amenity=fountain|toilets")] == ["node/5", "node/6", "way/11"]
    assert [one for one, _place in taken(extract, "drinking_water=*", "backrest=yes")] == ["node/1", "node/6"]


def test_only_what_is_near_the_town_is_read(extract: Path) -> None:
    near = taken(extract, "amenity=bench", extent=(3.8, 43.6, 3.9, 43.7))
    assert [number for number, _place in near] == ["node/1", "way/10"]


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ((), "rien ne dit quels objets prendre"),
        (("amenity",), "n’est pas une étiquette"),
        (("amenity=zoo",), "aucun objet"),
    ],
)
def test_what_cannot_be_taken_is_said_in_a_sentence(extract: Path, tags: tuple[str, ...], said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        taken(extract, *tags)


def test_an_extract_cut_short_is_said_in_a_sentence(open_data: Path, tmp_path: Path) -> None:
    cut = tmp_path / "coupe.osm.pbf"
    cut.write_bytes((open_data / "osm" / "monaco-latest.osm.pbf").read_bytes()[:200_000])
    with pytest.raises(Unreadable, match=r"illisible|aucun objet"):
        taken(cut, "amenity=bench")


class _Counter(osmium.SimpleHandler):
    def __init__(self, value: str) -> None:
        super().__init__()
        self.value = value
        self.found: set[str] = set()

    def node(self, node: Any) -> None:
        if node.tags.get("amenity") == self.value:
            self.found.add(f"node/{node.id}")

    def way(self, way: Any) -> None:
        if way.tags.get("amenity") == self.value:
            self.found.add(f"way/{way.id}")


@pytest.mark.parametrize(("extract_name", "value"), [("monaco-latest.osm.pbf", "bench"), ("redon.osm", "toilets")])
def test_a_real_extract_gives_what_another_reader_counts(open_data: Path, extract_name: str, value: str) -> None:
    path = open_data / "osm" / extract_name
    counter = _Counter(value)
    counter.apply_file(str(path))
    assert counter.found
    assert {number for number, _place in taken(path, f"amenity={value}")} == counter.found


def test_one_extract_fills_each_dataset_that_lacks(extract: Path, tmp_path: Path, settings: Any) -> None:
    settings.LAKE_DIR = tmp_path / "lake"
    found = {one.slug: one for one in definitions_of(extract, "34172", load_definitions()[0])}
    assert {"bancs", "toilettes", "points-eau"} <= set(found)
    outcomes = {
        slug: import_source(
            extract, territory="34172", at=AT, definition=found[slug], lake=tmp_path / "lake", announce=False,
            options=ReadOptions(extent=(3.8, 43.6, 3.9, 43.7)),
        )
        for slug in ("bancs", "toilettes", "points-eau")
    }  # fmt: skip
    assert {slug: one.status for slug, one in outcomes.items()} == dict.fromkeys(outcomes, "published")
    rows = queries.rows(ANONYMOUS, DatasetRef("34172", "toilettes"), columns=["osm_id", "wheelchair"]).rows
    assert list(rows) == [("way/11", "limited")]
    assert "ODbL" in queries.dataset(ANONYMOUS, DatasetRef("34172", "bancs")).summary.licence
