"""The comparison asks every server the same things, of the same buildings."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from beffroi.config.bench.ogc import questions
from beffroi.config.bench.ogc.data import SOUTH, WEST, side_degrees, write_buildings

COUNT = 2_000
SERVERS = (questions.BEFFROI, questions.TIPG, questions.PYGEOAPI, questions.MAPSERVER)


def test_the_same_number_gives_the_same_valid_buildings(tmp_path: Path) -> None:
    for name in ("one.fgb", "other.fgb"):
        write_buildings(tmp_path / name, COUNT, batch=700)
    assert (tmp_path / "one.fgb").read_bytes() == (tmp_path / "other.fgb").read_bytes()
    meta, _, shapes, columns = pyogrio.raw.read(tmp_path / "one.fgb")
    found = shapely.from_wkb(shapes)
    assert list(meta["fields"]) == ["id", "nom", "usage", "annee", "hauteur"]
    assert sorted(columns[0].tolist()) == list(range(1, COUNT + 1))
    assert shapely.is_valid(found).mean() > 0.99
    corners = shapely.get_num_coordinates(found) - 1
    assert set(np.unique(corners)) <= set(range(3, 10))
    width, height = side_degrees(COUNT)
    west, south, east, north = shapely.total_bounds(found)
    assert (west > WEST - 1e-3, south > SOUTH - 1e-3) == (True, True)
    assert (east < WEST + width + 1e-3, north < SOUTH + height + 1e-3) == (True, True)


@pytest.mark.parametrize("kind", ["item", "box100", "box1000", "filter", "plain"])
def test_every_server_is_asked_the_same(kind: str) -> None:
    def question(path: str) -> str:
        return re.sub(r"^.*/items|&filter-lang=cql2?-text", "", path)

    asked = [[question(path) for path in questions.paths(kind, COUNT, dict(one))] for one in SERVERS]
    assert asked[0] == asked[1] == asked[2] == asked[3]
    assert len(set(asked[0])) > 1 or kind == "plain"


@pytest.mark.parametrize("kind", ["z14", "z16"])
def test_every_server_is_asked_the_same_tiles(kind: str) -> None:
    def numbers(path: str) -> set[str]:
        return set(re.findall(r"\d+", path.replace("34172", "").partition("?f=")[0])[-3:])

    asked = [[numbers(path) for path in questions.paths(kind, COUNT, dict(one))] for one in SERVERS]
    assert asked[0] == asked[1] == asked[2] == asked[3]
