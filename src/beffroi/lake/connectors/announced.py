"""What is known of the columns of a table before its rows are looked at: titles, and types that are given."""

from __future__ import annotations

from collections.abc import Sequence

from beffroi.lake.detect.headers import HeaderFound, keys_of
from beffroi.lake.reading import ColumnType, ReadOptions


def announced(
    header: HeaderFound, width: int, options: ReadOptions
) -> tuple[list[str], dict[int, ColumnType], list[str]]:
    """Return the titles of columns, the types that are announced of them, and all that says what they are."""
    titles = [*header.titles, *[""] * (width - len(header.titles))][:width]
    hints = {**header.hints, **_imposed(titles, options)}
    told = [*header.descriptions, *[""] * len(titles)]
    return titles, hints, [f"{title} {about}".strip() for title, about in zip(titles, told, strict=False)]


def _imposed(titles: Sequence[str], options: ReadOptions) -> dict[int, ColumnType]:
    if not options.types:
        return {}
    keys = keys_of(titles, options.rename)
    named = {index: options.types.get(title) or options.types.get(keys[index]) for index, title in enumerate(titles)}
    return {index: kind for index, kind in named.items() if kind is not None}
