"""The pages of a table: each row once, from whichever end it is read, and a far page asks no more than the first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries, rowsets, sql
from beffroi.lake.queries import Filter
from lake.store import lakes

COUNT, PAGE = 41, 6


@pytest.fixture
def trees(lake: Path) -> list[dict[str, Any]]:
    """Publish trees of which some share a height, or have none."""
    rows = [lakes.tree(number, hauteur_m=None if number % 5 == 0 else number % 4 + 0.5) for number in range(COUNT)]
    assert lakes.published(lake, rows).reason is None
    return rows


def _walked(**asked: Any) -> list[str]:
    first = queries.table(ANONYMOUS, lakes.ref(), limit=PAGE, **asked)
    pages = [
        first,
        *(
            queries.table(ANONYMOUS, lakes.ref(), limit=PAGE, offset=at, **asked)
            for at in range(PAGE, first.total, PAGE)
        ),
    ]
    assert {page.total for page in pages} == {first.total}
    return [feature_id for page in pages for feature_id in page.ids]


@pytest.mark.parametrize("order_by", [None, "hauteur_m", "espece"])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("where", [(), (Filter("id", "ge", 7),)])
def test_pages_read_from_either_end_make_the_whole(
    trees: list[dict[str, Any]],
    order_by: str | None,
    descending: bool,
    where: tuple[Filter, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    published = [int(found) for found in _walked()]
    kept = [number for number in published if not where or number >= 7]
    if order_by is not None:
        valued = [number for number in kept if trees[number][order_by] is not None]
        # Sorts of Python keep equals as they stand, upside down or not.
        valued.sort(key=lambda number: trees[number][order_by], reverse=descending)
        kept = valued + [number for number in kept if trees[number][order_by] is None]
    asked = {"order_by": order_by, "descending": descending, "where": where}
    assert [int(found) for found in _walked(**asked)] == kept
    # Far from the second page on: by a sample that may miss them, and by one that holds every row.
    monkeypatch.setattr(rowsets, "_FAR", 1)
    monkeypatch.setattr(rowsets, "_MARGIN", 1)
    for sampled in (5, 50):
        monkeypatch.setattr(rowsets, "_SAMPLED", sampled)
        assert [int(found) for found in _walked(**asked)] == kept


def test_a_page_beyond_the_last_is_empty(trees: list[dict[str, Any]]) -> None:
    for asked in ({}, {"order_by": "espece"}, {"where": [Filter("id", "lt", 3)]}):
        page = queries.table(ANONYMOUS, lakes.ref(), offset=1_000, **asked)
        assert (page.rows, page.next_offset) == ((), None)


class _Heard:
    def __init__(self, con: Any, said: list[tuple[str, list[Any]]]) -> None:
        self.con, self.said = con, said

    def execute(self, query: str, values: list[Any]) -> Any:
        self.said.append((query, values))
        return self.con.execute(query, values)


@pytest.mark.parametrize(("order_by", "queries_asked"), [(None, 1), ("espece", 2)])
def test_a_far_page_sorts_numbers_alone_and_passes_over_half_at_most(
    trees: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, order_by: str | None, queries_asked: int
) -> None:
    said: list[tuple[str, list[Any]]] = []
    asked = sql.reading

    @contextmanager
    def heard(*args: Any, **limits: Any) -> Iterator[Any]:
        with asked(*args, **limits) as con:
            yield _Heard(con, said)

    monkeypatch.setattr(sql, "reading", heard)
    for offset in (0, 24, COUNT - 1):
        said.clear()
        queries.table(ANONYMOUS, lakes.ref(), order_by=order_by, limit=PAGE, offset=offset)
        assert len(said) == queries_asked
        sorts = [(query, values) for query, values in said if "ORDER BY" in query]
        assert all(query.startswith("SELECT file_row_number FROM") for query, _ in sorts)
        assert all(values[-1] <= COUNT // 2 for _, values in sorts)


def test_a_far_page_sorts_only_what_a_sample_puts_near_it(
    trees: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("_FAR", 1), ("_SAMPLED", COUNT), ("_MARGIN", 1)):
        monkeypatch.setattr(rowsets, name, value)
    plain, skipped = rowsets._in_order, []

    def noted(con: Any, asked: str, values: Any, order: str, first: int, count: int) -> list[int]:
        skipped.append(first)
        return plain(con, asked, values, order, first, count)

    monkeypatch.setattr(rowsets, "_in_order", noted)
    queries.table(ANONYMOUS, lakes.ref(), order_by="id", limit=PAGE, offset=12)
    # The value next before the page is all that is sorted with it.
    assert skipped == [1]
