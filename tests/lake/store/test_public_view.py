"""The public view of reserved data: nothing under the threshold can be worked out, whatever is asked of it."""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import definitions, operations, queries
from beffroi.lake.aggregating import UNTOLD, blocks, refresh_public_view, refresh_public_views
from beffroi.lake.definitions import Definition
from beffroi.lake.manifest import SourceInfo
from beffroi.lake.operations import ImportStatus
from beffroi.lake.public_view import PublicView
from beffroi.lake.reading import GEOMETRY, Column, ColumnType
from beffroi.lake.store import DatasetNotFound, DatasetRef, Lake
from lake.store.lakes import AGENT, TOWN, reading_of, ref

DAY = date(2026, 1, 1)
K = 3
POINTS, CELLS = DatasetRef(TOWN, "infractions"), DatasetRef(TOWN, "infractions-par-carreau")
COLUMNS = (
    Column("id", "Numéro", ColumnType.INTEGER),
    Column("date_faits", "Date", ColumnType.DATE),
    Column("nature", "Nature"),
    Column("source", "Source"),
)
VIEW = PublicView(CELLS.slug, "Infractions par carreau", k=K, cell_m=500, date="date_faits", by=("nature", "source"))


def _published(leaves: Any, counts: tuple[int, ...]) -> tuple[Any, ...]:
    rows = [((0, 0), DAY, values) for values, count in zip(leaves, counts, strict=True) for _ in range(count)]
    return tuple((one.values, one.count) for one in blocks(rows, k=K))


@pytest.mark.parametrize(("natures", "most"), [(("vol", "incendie"), 8), (("vol", "incendie", "rixe"), 6)])
def test_who_knows_the_rule_and_tries_every_town_learns_no_small_number(natures: tuple[str, ...], most: int) -> None:
    """Every possible cell of up to `most` rows; groups are all unions of nature × source."""
    leaves = tuple(itertools.product(natures, ("police", "ville")))
    alike: dict[tuple[Any, ...], list[tuple[int, ...]]] = defaultdict(list)
    for town in itertools.product(range(most + 1), repeat=len(leaves)):
        if sum(town) <= most:
            alike[_published(leaves, town)].append(town)
    groups = [one for size in range(1, len(leaves) + 1) for one in itertools.combinations(range(len(leaves)), size)]
    found = []
    for told, possible in alike.items():
        for group in groups:
            sizes = {sum(town[leaf] for leaf in group) for town in possible}
            if len(sizes) == 1 and 0 < sizes.pop() < K:
                found.append((told, group))
    assert found == []


def test_what_can_be_told_apart_is() -> None:
    leaves = tuple(itertools.product(("vol", "incendie"), ("police", "ville")))
    told = {counts: _published(leaves, counts) for counts in [(4, 4, 0, 0), (4, 1, 3, 0), (3, 2, 1, 1), (1, 1, 1, 1)]}
    assert told == {
        (4, 4, 0, 0): ((("vol", "police"), 4), (("vol", "ville"), 4)),
        (4, 1, 3, 0): ((("incendie", None), 3), (("vol", None), 5)),
        (3, 2, 1, 1): (((None, "police"), 4), ((None, "ville"), 3)),
        (1, 1, 1, 1): (((None, None), 4),),
    }
    assert _published(leaves, (1, 1, 0, 0)) == ()


ROWS = st.lists(
    st.tuples(
        st.tuples(st.integers(0, 2), st.integers(0, 2)),
        st.sampled_from((date(2026, 1, 1), date(2026, 4, 1))),
        st.tuples(st.sampled_from(("vol", "incendie", "rixe")), st.sampled_from(("police", "ville", "habitants"))),
    ),
    max_size=80,
)


@given(rows=ROWS, k=st.integers(3, 6))
@settings(max_examples=80, deadline=None)
def test_whatever_is_asked_answers_by_whole_blocks(rows: list[Any], k: int) -> None:
    """Blocks are disjoint and hold k rows or more: so does any sum of them, and any difference of two sums."""
    told = blocks(rows, k=k)
    whole = Counter((cell, day) for cell, day, _ in rows)
    by_cell: Counter[Any] = Counter()
    for one in told:
        assert one.count >= k
        by_cell[one.cell, one.start] += one.count
        mine = [
            values for cell, day, values in rows
            if (cell, day) == (one.cell, one.start)
            and all(said in (None, value) for said, value in zip(one.values, values, strict=True))
        ]  # fmt: skip
        assert len(mine) == one.count
    # A cell is told whole or not at all: no total less its parts.
    assert all(by_cell[key] in (0, count) for key, count in whole.items())


def offence(number: int, day: str, nature: str, source: str, *, east: float = 0.0) -> dict[str, Any]:
    """Return an offence near Montpellier; `east` moves it, in degrees."""
    return {
        "id": number,
        "date_faits": day,
        "nature": nature,
        "source": source,
        GEOMETRY: f"POINT({3.87 + east} 43.61)",
    }


def _import(lake: Path, rows: list[dict[str, Any]], at: datetime, **facts: Any) -> operations.ImportOutcome:
    definition = Definition(POINTS.slug, theme="securite", access="agents", id="id", **{"public_view": VIEW, **facts})
    return operations.publish_reading(
        reading_of(rows, COLUMNS), territory=TOWN, slug=POINTS.slug, at=at, definition=definition, lake=lake,
        source=SourceInfo("infractions.csv", "csv", 10, "00"),
    )  # fmt: skip


SPRING, SUMMER = datetime(2026, 4, 2, tzinfo=UTC), datetime(2026, 7, 2, tzinfo=UTC)
FIRST = [
    *(offence(n, "2026-01-10", "vol", "police") for n in range(4)),
    offence(4, "2026-02-10", "vol", "ville"),
    offence(5, "2026-02-11", "rixe", "ville", east=0.05),
    *(offence(n, "2026-04-01", "vol", "police") for n in range(6, 10)),
]


def _seen(**asked: Any) -> list[dict[str, Any]]:
    body = queries.found_features(queries.seen_dataset(ANONYMOUS, CELLS, **asked), limit=100).joined
    return [one["properties"] for one in json.loads(b"[" + body + b"]")]


@pytest.fixture
def published(lake: Path) -> Lake:
    """Offences of a first quarter that is over and of a second that is not, and what the public gets of them."""
    _import(lake, FIRST, SPRING)
    refresh_public_view(Lake(lake), POINTS, at=SPRING)
    return Lake(lake)


def test_the_public_gets_counts_of_periods_that_are_over(published: Lake) -> None:
    with pytest.raises(DatasetNotFound):
        queries.dataset(ANONYMOUS, POINTS)
    assert len(queries.features(AGENT, POINTS).features) == len(FIRST)
    # The lone brawl has no cell; a source that one row alone has is not told apart; spring goes on.
    assert [(one["periode"], one["nature"], one["source"], one["nombre"]) for one in _seen()] == [
        ("2026 T1", "vol", UNTOLD, 5)
    ]
    manifest = queries.seen_dataset(ANONYMOUS, CELLS).manifest
    assert (manifest.rows_read, manifest.source.size_bytes, manifest.source.sha256) == (1, 0, "")


def test_a_period_that_has_appeared_never_changes(published: Lake) -> None:
    later = [*FIRST, offence(20, "2026-01-11", "vol", "police"), offence(21, "2026-02-12", "rixe", "ville", east=0.05)]
    _import(published.root, later, SUMMER)
    refresh_public_view(published, POINTS, at=SUMMER)
    assert [(one["periode"], one["nature"], one["source"], one["nombre"]) for one in _seen()] == [
        ("2026 T1", "vol", UNTOLD, 5),
        ("2026 T2", "vol", "police", 4),
    ]
    assert refresh_public_view(published, POINTS, at=SUMMER) is None
    first, last = (queries.seen_dataset(ANONYMOUS, CELLS, version=one) for one in reversed(published.versions(CELLS)))
    changes = queries.differences_between(first, last)
    assert (changes.added, changes.removed, changes.changed) == (1, 0, 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"public_view": PublicView(CELLS.slug, "Autre", k=K, cell_m=400, date="date_faits", by=VIEW.by)}, "ne change"),
        ({"public_view": PublicView("autre", "Autre", k=K, cell_m=500, date="date_faits", by=("lieu",))}, "« lieu »"),
        ({"public_view": PublicView("autre", "Autre", k=K, cell_m=500, date="nature")}, "n'est pas une date"),
        ({"access": "public"}, "ouvertes à tous"),
    ],
)
def test_what_would_give_rows_away_is_refused(published: Lake, change: dict[str, Any], said: str) -> None:
    facts = {"access": "agents", **change}
    definition = Definition(POINTS.slug, theme="securite", id="id", **{"public_view": VIEW, **facts})
    outcome = operations.publish_reading(
        reading_of(FIRST, COLUMNS), territory=TOWN, slug=POINTS.slug, at=SUMMER, definition=definition,
        lake=published.root, source=SourceInfo("infractions.csv"),
    )  # fmt: skip
    assert outcome.status is ImportStatus.REFUSED
    assert said in str(outcome.reason)


def test_a_view_that_is_refused_stops_no_other(lake: Path, caplog: pytest.LogCaptureFixture) -> None:
    nowhere = [one | {GEOMETRY: "POINT(10 60)"} for one in FIRST]
    _import(lake, nowhere, SPRING)
    assert refresh_public_views(Lake(lake), [ref("rien"), POINTS], at=SPRING) == 0
    assert "projection légale" in caplog.text


def test_the_file_says_it(tmp_path: Path) -> None:
    text = 'access = "agents"\n[public_view]\nslug = "vue"\ntitle = "Vue"\nk = 5\ncell_m = 500\ndate = "jour"\n'
    said = {"période": 'period = "semaine"\n', "by": 'by = ["jour"]\n'}
    path = tmp_path / "securite" / "infractions.toml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    found = definitions.read_definition(path)
    assert found.public_view == PublicView("vue", "Vue", k=5, cell_m=500, date="jour")
    assert definitions.definition_from_json(found.as_json()) == found
    for wrong in [text.replace("k = 5", "k = 2"), text.replace('"agents"', '"public"'), text.replace("500", "5"),
                  text.replace('slug = "vue"', 'slug = "infractions"'), text.replace('date = "jour"\n', ""),
                  *(text + more for more in said.values())]:  # fmt: skip
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(definitions.BadDefinition):
            definitions.read_definition(path)
