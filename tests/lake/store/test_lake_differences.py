"""What changed between two versions is told row by row, and only what the viewer may see of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries, serving
from beffroi.lake.reading import GEOMETRY
from lake.store.lakes import AGENT, AT, published, ref, tree

LATER = AT + timedelta(days=10)


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Trees 1 to 60; then 5 felled, 3 planted, 2 grown, 1 moved, and only a note for agents changed on one more."""
    folder = tmp_path_factory.mktemp("differences") / "lake"
    before = [tree(number) for number in range(1, 61)]
    published(folder, before, accesses={"note": "agents"}, id="id")
    after = [row for row in before if row["id"] > 5] + [tree(number) for number in (101, 102, 103)]
    changes: dict[int, dict[str, Any]] = {
        10: {"hauteur_m": 99.0},
        11: {"hauteur_m": None, "espece": "Orme"},
        12: {GEOMETRY: "POINT(3.81 43.57)"},
        13: {"note": "à surveiller"},
    }
    after = [row | changes.get(row["id"], {}) for row in after]
    published(folder, after, accesses={"note": "agents"}, at=LATER, id="id")
    yield folder
    serving.close_all()


def seen(lake: Path, settings: Any, viewer: Any = ANONYMOUS) -> tuple[queries.Seen, queries.Seen]:
    settings.LAKE_DIR = lake
    now = queries.seen_dataset(viewer, ref())
    version = queries.version_valid(now, until=AT)
    assert version is not None
    return now.at(version), now


def test_added_removed_and_changed_rows_are_told(two_versions: Path, settings: Any) -> None:
    before, after = seen(two_versions, settings)
    found = queries.differences_between(before, after)
    assert (found.added, found.removed, found.changed, found.total) == (3, 5, 3, 11)
    told = {(one.kind, one.id): one.columns for one in found.page}
    assert told == {
        **{("added", str(number)): () for number in (101, 102, 103)},
        **{("removed", str(number)): () for number in range(1, 6)},
        ("changed", "10"): ("hauteur_m",),
        ("changed", "11"): ("espece", "hauteur_m"),
        ("changed", "12"): ("geometry",),
    }
    bodies = {one.id: json.loads(one.body)["properties"] for one in found.page}
    assert bodies["1"]["espece"] == "Platane 1"
    assert (bodies["11"]["espece"], bodies["11"]["hauteur_m"]) == ("Orme", None)


def test_what_is_hidden_does_not_change(two_versions: Path, settings: Any) -> None:
    assert queries.differences_between(*seen(two_versions, settings)).changed == 3
    found = queries.differences_between(*seen(two_versions, settings, AGENT))
    assert found.changed == 4
    assert [one.columns for one in found.page if one.id == "13"] == [("note",)]


def test_backwards_is_the_contrary(two_versions: Path, settings: Any) -> None:
    before, after = seen(two_versions, settings)
    found = queries.differences_between(after, before)
    assert (found.added, found.removed, found.changed) == (5, 3, 3)


def test_before_the_first_version_everything_is_new(two_versions: Path, settings: Any) -> None:
    before, after = seen(two_versions, settings)
    assert queries.version_valid(after, until=AT - timedelta(seconds=1)) is None
    found = queries.differences_between(None, before, limit=7)
    assert (found.added, found.removed, found.changed, len(found.page)) == (60, 0, 0, 7)
    assert queries.differences_between(after, after).total == 0


def test_pages_hold_everything_once(two_versions: Path, settings: Any) -> None:
    before, after = seen(two_versions, settings)
    walked = [one for offset in range(0, 11, 4) for one in
              queries.differences_between(before, after, limit=4, offset=offset).page]  # fmt: skip
    assert tuple(walked) == queries.differences_between(before, after).page
    for wrong in ({"limit": 0}, {"limit": 1_001}, {"offset": -1}):
        with pytest.raises(queries.BadQuery):
            queries.differences_between(before, after, **wrong)
