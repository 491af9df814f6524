"""The picture that stands where a small map will be: what it shows, to whom, and what it may weigh."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from django.test import Client

from beffroi.base.territory.viewer import ANONYMOUS, Role, Viewer
from beffroi.faces.portal.still import MARGIN, MOST_LETTERS, MOST_ROWS, SIDE, Drawing, Still, drawn, still_of
from beffroi.lake import operations, queries
from beffroi.lake.definitions import Definition
from beffroi.lake.queries import DatasetRef, DatasetSummary
from faces.portal.small_town import AT, CODE, TREES

pytestmark = pytest.mark.django_db

ARBRES = DatasetRef(CODE, "arbres")


def test_each_thing_has_its_dot_where_it_stands(small_town: str, client: Client) -> None:
    answer = client.get(f"/donnees/{CODE}/arbres/")
    still: Still = answer.context["map"].still
    assert [one.kind for one in still.base] == ["green", "streets"]
    steps = [(int(x), int(y)) for x, y in re.findall(r"m(-?\d+) (-?\d+)h0", still.things[0].points)]
    places = np.cumsum(steps, axis=0)
    assert len(places) == TREES
    # The frame of the picture is that of the dataset: its first and last trees stand on the margins.
    assert {places[:, 0].min(), places[:, 0].max()} == {MARGIN, SIDE - MARGIN}
    assert still.width == SIDE
    assert 'class="map-still"' in answer.content.decode()


def _things(viewer: Viewer, summary: DatasetSummary) -> tuple[Drawing, ...]:
    still = still_of(viewer, {}, [summary], summary.bbox)
    assert still is not None
    return still.things


def test_what_a_reader_may_not_see_is_not_drawn(
    small_town: str, signed_in: Callable[..., Client], settings: Any, tmp_path: Path
) -> None:
    settings.LAKE_DIR = tmp_path / "lake"
    source = tmp_path / "caches.csv"
    source.write_text("numero;lon;lat\n1;3.001;45.001\n2;3.002;45.002\n")
    definition = Definition("caches", theme="securite", title="Caches", access="agents")
    operations.import_source(
        source, territory=CODE, at=AT, definition=definition, lake=settings.LAKE_DIR, announce=False
    )
    agent = signed_in(Role.AGENT).get("/").wsgi_request.viewer  # type: ignore[attr-defined]
    reserved = queries.dataset(agent, DatasetRef(CODE, "caches")).summary
    # At 45° a degree of longitude is 0.707 of one of latitude: 952 units up, 673 across.
    # The agent first: what was drawn for her is kept, and must not serve the next reader.
    assert [one.points for one in _things(agent, reserved)] == ["m24 976h0m673 -952h0"]
    assert _things(ANONYMOUS, reserved) == ()


def test_what_is_too_large_to_read_is_left_to_the_map(small_town: str) -> None:
    trees = queries.dataset(ANONYMOUS, ARBRES).summary
    still = still_of(ANONYMOUS, {}, [replace(trees, rows=MOST_ROWS + 1)], trees.bbox)
    assert still is not None
    assert still.things == ()
    assert still_of(ANONYMOUS, {}, [trees], None) is None


@pytest.mark.parametrize("kind", [0, 1, 2], ids=["areas", "lines", "points"])
def test_a_drawing_never_weighs_more_than_said(kind: int) -> None:
    corners = np.random.default_rng(7).uniform(0, SIDE, (MOST_ROWS, 2))
    shapes = [
        shapely.buffer(shapely.points(corners), 9),
        shapely.linestrings(np.stack([corners, corners + 40], axis=1)),
        shapely.points(corners),
    ]
    path = drawn(shapes[kind])[kind]
    assert MOST_LETTERS / 2 < len(path) <= MOST_LETTERS
