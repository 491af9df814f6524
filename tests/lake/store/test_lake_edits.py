"""What is corrected is seen at once everywhere, cut to each reader, and becomes a version."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from beffroi.base.kernel.errors import Refused
from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake import operations, queries
from beffroi.lake.cql_text import from_text
from beffroi.lake.edits import ADDED, CHANGED, REMOVED, BadEdit, Edit
from beffroi.lake.queries import DatasetNotFound, Filter, Measure
from beffroi.lake.store import Lake
from lake.store.lakes import AGENT, AT, TOWN, published, ref, tree

pytestmark = pytest.mark.django_db
ROWS = [tree(number) for number in range(1, 41)]
HERE = {"type": "Point", "coordinates": [3.95, 43.70]}
NEW = {"id": 90, "espece": "Ginkgo", "hauteur_m": 2.5, "note": "secret-90"}
LATER = AT + timedelta(hours=1)


@pytest.fixture
def trees(lake: Path) -> Path:
    """Forty trees whose note agents alone read."""
    published(lake, ROWS, accesses={"note": "agents"})
    return lake


def _edit(*args: Any) -> str:
    return operations.edit_feature(AGENT, ref(), Edit(*args), at=LATER)


def _all(viewer: Viewer, **asked: Any) -> list[dict[str, Any]]:
    found = queries.found_features(queries.seen_dataset(viewer, ref()), limit=asked.pop("limit", 100), **asked)
    read = json.loads(b"[" + found.joined + b"]")
    assert (found.returned, found.matched >= found.returned) == (len(read), True)
    return list(read)


def test_an_edit_is_in_every_answer_at_once(trees: Path) -> None:
    _edit(CHANGED, "3", {"espece": "Orme", "note": "secret-nouveau"}, HERE)
    _edit(REMOVED, "4", {})
    assert _edit(ADDED, None, NEW, HERE) == "90"
    for viewer, notes in ((ANONYMOUS, False), (AGENT, True)):
        seen = {one["id"]: one["properties"] for one in _all(viewer)}
        assert set(seen) == {str(number) for number in range(1, 41)} - {"4"} | {"90"}
        assert (seen["3"]["espece"], seen["90"]["hauteur_m"]) == ("Orme", 2.5)
        assert ("note" in seen["3"]) is notes
        assert json.loads(queries.feature(viewer, ref(), "90"))["geometry"] == HERE
        with pytest.raises(DatasetNotFound):
            queries.feature(viewer, ref(), "4")
        assert len(queries.features(viewer, ref(), limit=100).features) == 40
        assert {one["id"] for one in _all(viewer, bbox=BBox(3.94, 43.69, 3.96, 43.71))} == {"3", "90"}
        elms = from_text("espece = 'Orme' OR espece = 'Ginkgo'", lambda shape: shape)
        assert {one["id"] for one in _all(viewer, where=elms)} == {"3", "90"}
    table = queries.table(ANONYMOUS, ref(), where=[Filter("espece", "eq", "Ginkgo")])
    assert (table.total, table.ids) == (1, ("90",))
    assert queries.table(ANONYMOUS, ref(), limit=1).total == 40
    count = queries.aggregate(ANONYMOUS, ref(), measures=[Measure("n")]).rows
    assert count == [(40,)]


def test_a_walk_by_pages_gives_each_thing_once(trees: Path) -> None:
    _edit(ADDED, None, NEW, HERE)
    _edit(REMOVED, "4", {})
    seen, given, after = queries.seen_dataset(ANONYMOUS, ref()), [], -1
    while True:
        page = queries.found_features(seen, limit=7, after=after)
        given += [one["id"] for one in json.loads(b"[" + page.joined + b"]")]
        if page.last is None:
            break
        after = page.last
    assert sorted(given) == sorted({str(number) for number in range(1, 41)} - {"4"} | {"90"})


def test_edits_follow_each_other(trees: Path) -> None:
    _edit(ADDED, None, NEW, HERE)
    _edit(CHANGED, "90", {"espece": "Chêne"})
    assert json.loads(queries.feature(ANONYMOUS, ref(), "90"))["properties"]["espece"] == "Chêne"
    _edit(REMOVED, "90", {})
    with pytest.raises(DatasetNotFound):
        queries.feature(ANONYMOUS, ref(), "90")
    assert len(_all(ANONYMOUS)) == 40


def test_they_become_a_version(trees: Path) -> None:
    _edit(CHANGED, "3", {"espece": "Orme"}, HERE)
    _edit(ADDED, None, NEW, HERE)
    home = Lake(trees)
    before = queries.seen_dataset(ANONYMOUS, ref(), version=home.in_force(ref()).version)
    version = operations.merge_edits(home, ref(), at=LATER)
    assert version == home.in_force(ref()).version
    assert home.in_force(ref()).edits == ""
    assert operations.merge_edits(home, ref(), at=LATER) is None
    changes = queries.differences_between(before, queries.seen_dataset(ANONYMOUS, ref()))
    assert (changes.added, changes.removed, changes.changed) == (1, 0, 1)
    assert "note" not in _all(ANONYMOUS)[0]["properties"]
    # And the next edits are laid over it.
    _edit(REMOVED, "90", {})
    assert len(_all(ANONYMOUS)) == 40


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ((CHANGED, "3", {"inconnue": 1}), "colonne « inconnue »"),
        ((CHANGED, "3", {"hauteur_m": "haut"}), "« haut »"),
        ((CHANGED, "3", {"id": 7}), "ne change pas"),
        ((ADDED, None, {"espece": "Orme"}), "nomme les choses"),
        ((ADDED, None, {"id": 3}), "existe déjà"),
        ((CHANGED, "3", {}, {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}), "d'autres formes"),
        ((CHANGED, "3", {}, {"type": "Point", "coordinates": [300, 0]}), "hors du monde"),
        ((CHANGED, "3", {}, {"type": "Point"}), "illisible"),
    ],
)
def test_what_does_not_suit_is_refused_and_changes_nothing(trees: Path, edit: Any, said: str) -> None:
    with pytest.raises(BadEdit) as refused:
        _edit(*edit)
    assert said in str(refused.value)
    assert Lake(trees).in_force(ref()).edits == ""
    assert not [one for one in (Lake(trees).folder(ref()) / "edits").iterdir() if one.name.endswith(".part")]


def test_only_agents_correct(trees: Path) -> None:
    reader = Viewer(3, (Grant(TOWN, Role.RESIDENT),))
    key = Viewer(None, (Grant(TOWN, Role.AGENT),), frozenset({"data:agents"}))
    for viewer in (ANONYMOUS, reader, key):
        with pytest.raises(Refused):
            operations.edit_feature(viewer, ref(), Edit(REMOVED, "3", {}), at=LATER)
    public = Viewer(None, (Grant(TOWN, Role.AGENT),), frozenset({"data:write"}))
    with pytest.raises(BadEdit):
        # A key that does not read the column does not write it.
        operations.edit_feature(public, ref(), Edit(CHANGED, "3", {"note": "x"}), at=LATER)


def test_an_import_wins_over_edits(trees: Path) -> None:
    _edit(REMOVED, "3", {})
    published(trees, ROWS[:20], accesses={"note": "agents"}, at=LATER)
    assert len(_all(ANONYMOUS)) == 20
