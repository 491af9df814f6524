"""Which rows a condition keeps, from arrays: no scan of the data, an exact count for nothing. Knows no Django.

Unknown (no value) is neither true nor false: a negation goes down to the leaves, where it keeps only what is known.
What a leaf keeps is in `filter_values` and `filter_shapes`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from beffroi.base.kernel.geo import BBox
from beffroi.lake import cql
from beffroi.lake.columns import Stored
from beffroi.lake.cql import AllOf, Always, AnyOf, Between, Compare, Condition, In, Not
from beffroi.lake.filter_shapes import in_box, spatial
from beffroi.lake.filter_source import Mask, Rows, Source
from beffroi.lake.filter_values import Span, holds, rows_of, spans


def matching(source: Source, condition: Condition | None, bbox: BBox | None) -> Rows:
    """Return the numbers of the features that meet both, in order.

    Raises:
        BadFilter: an unknown property, a value that does not suit its column.
        QueryTooCostly: too many exact shapes to compare.
    """
    if bbox is None:
        if isinstance(condition, AllOf):
            return _kept_by_all(source, condition.parts)
        if isinstance(condition, (Compare, Between, In)):
            return _kept_by_all(source, (condition,))
        return np.flatnonzero(_mask(source, condition or Always(True), False, None))
    inside = in_box(source, bbox)
    if condition is None:
        return inside
    return inside[_mask(source, condition, False, inside)]


def _mask(source: Source, node: Condition, negated: bool, rows: Rows | None) -> Mask:
    """Return where a condition holds (where its contrary does when `negated`), among `rows` or all."""
    match node:
        case Not(inner):
            return _mask(source, inner, not negated, rows)
        case AllOf(parts) if rows is None and not negated:
            return _all_of(source, parts)
        case AllOf(parts) | AnyOf(parts):
            join = np.logical_and if isinstance(node, AllOf) is not negated else np.logical_or
            mask = _mask(source, parts[0], negated, rows)
            for part in parts[1:]:
                mask = join(mask, _mask(source, part, negated, rows))
            return mask
        case Always(truth):
            return np.full(source.count if rows is None else len(rows), truth is not negated)
        case cql.Spatial():
            return spatial(source, node, negated, rows)
        case _:
            return _leaf(source, node, negated, rows)


def _all_of(source: Source, parts: tuple[Condition, ...]) -> Mask:
    mask = np.zeros(source.count, dtype=bool)
    mask[_kept_by_all(source, parts)] = True
    return mask


def _kept_by_all(source: Source, parts: tuple[Condition, ...]) -> Rows:
    narrowed = _narrowed(source, parts)
    if narrowed is None:
        mask = _mask(source, parts[0], False, None)
        for part in parts[1:]:
            mask = mask & _mask(source, part, False, None)
        return np.flatnonzero(mask)
    chosen, rows, others = narrowed
    for place, part in enumerate(others):
        if place == 0 and isinstance(part, (Compare, Between, In)):
            # Who changes one bound of a filter and then another asks the same column of the same rows.
            stored = source.stored(part.property)[1]
            key = (str(source.home), chosen, part.property.key)
            values = _recalled(key, partial(np.take, stored.values, rows))
            rows = rows[_leaf(source, part, False, rows, values)]
        else:
            rows = rows[_mask(source, part, False, rows)]
    return rows


_MOST_RECALLED = 6_000_000
_held: OrderedDict[object, Any] = OrderedDict()
_holding = threading.Lock()


def _recalled(key: object, make: Callable[[], Any]) -> Any:
    """Return an array made lately, or make it; some fifty megabytes are kept. A version never changes."""
    with _holding:
        if key in _held:
            _held.move_to_end(key)
            return _held[key]
    made = make()
    with _holding:
        _held[key] = made
        while sum(map(len, _held.values())) > _MOST_RECALLED and len(_held) > 1:
            _held.popitem(last=False)
    return made


def _leaf(source: Source, node: Any, negated: bool, rows: Rows | None, values: Any = None) -> Mask:
    column, stored = source.stored(node.property)
    if values is None:
        values = stored.values if rows is None else stored.values[rows]
    return holds(node, column, stored, values, negated=negated)


def _narrowed(source: Source, parts: tuple[Condition, ...]) -> tuple[Condition, Rows, tuple[Condition, ...]] | None:
    """Return the most telling comparison of an AND, the rows it keeps, from the order of its column, and the rest.

    None when none keeps less than a quarter: looking at every row is then as quick.
    """
    best: tuple[int, Any, list[Span], Stored] | None = None
    for part in parts:
        if isinstance(part, (Compare, Between, In)):
            column, stored = source.stored(part.property)
            found = spans(part, column, stored)
            if found is not None:
                kept = sum(high - low for low, high in found if high > low)
                if best is None or kept < best[0]:
                    best = (kept, part, found, stored)
    if best is None or best[0] * 4 > source.count:
        return None
    _, chosen, found, stored = best
    kept_spans = [(low, high) for low, high in found if high > low]
    rows = _recalled((str(source.home), chosen), lambda: rows_of(stored, kept_spans))
    return chosen, rows, tuple(part for part in parts if part is not chosen)
