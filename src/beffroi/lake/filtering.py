"""Which rows a condition keeps, from arrays: no scan of the data, an exact count for nothing. Knows no Django.

Unknown (no value) is neither true nor false: a negation goes down to the leaves, where it keeps only what is known.
"""

from __future__ import annotations

import math
import re
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from beffroi.base.kernel.geo import BBox
from beffroi.lake import columns, cql
from beffroi.lake.columns import BLOCK, NONE, Boxes, Stored, Texts
from beffroi.lake.cql import (
    AllOf,
    Always,
    AnyOf,
    BadFilter,
    Between,
    Compare,
    Condition,
    In,
    Instant,
    IsNull,
    Like,
    Not,
    Property,
)
from beffroi.lake.reading import Column, ColumnType
from beffroi.lake.sql import QueryTooCostly

MAX_SHAPES = 200_000
"""Most features whose exact shape one question may compare; beyond, it is refused rather than slow."""

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Shapes = Callable[[Rows], Any]
"""Give the shapes of rows, as an array of shapely's."""

_DAY_US = 86_400_000_000
_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "=": np.equal,
    "<>": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


@dataclass(frozen=True, slots=True)
class Source:
    """What a question is asked of: the columns a reader may name, the boxes, and the way to exact shapes."""

    home: Path
    data: Path
    known: Mapping[str, Column]
    count: int
    has_geometry: bool
    shapes: Shapes

    def boxes(self) -> Boxes:
        """Return the boxes of the features."""
        return columns.boxes(self.home, self.data)

    def stored(self, asked: Property) -> tuple[Column, Stored]:
        """Return a column and its values.

        Raises:
            BadFilter: there is none of that name for this reader.
        """
        if asked.key not in self.known:
            raise BadFilter(
                "propriété « {name} » inconnue",
                remedy="propriétés : {known}",
                name=asked.key[:80],
                known=", ".join(list(self.known)[:40]),
            )
        found = self.known[asked.key]
        return found, columns.column(self.home, self.data, found)


def equal_to(column: Column, text: str) -> Condition:
    """Return the condition that a column has a value written as plain text, in an address say.

    Raises:
        BadFilter: the text cannot be a value of this column.
    """
    value: cql.Value = text
    try:
        if column.type is ColumnType.INTEGER:
            value = int(text)
        elif column.type is ColumnType.NUMBER:
            value = float(text)
        elif column.type is ColumnType.BOOLEAN:
            value = {"true": True, "false": False}[text.lower()]
    except (ValueError, KeyError):
        raise _unsuited(text, column) from None
    return Compare("=", Property(column.key), value)


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


def in_box(source: Source, bbox: BBox) -> Rows:
    """Return the features whose shape meets a box, exactly, in order; none of a dataset that is not placed.

    Blocks of neighbours are looked at first. A feature whose box leaves the asked one on one side only does meet it:
    the point where it reaches furthest inside is in both. Only the others, at the corners, are compared by shape.
    """
    if not source.has_geometry:
        return np.empty(0, dtype=np.int64)
    if bbox.west > bbox.east:
        halves = (bbox._replace(east=180.0), bbox._replace(west=-180.0))
        return np.unique(np.concatenate([in_box(source, half) for half in halves]))
    boxes = source.boxes()
    rows = _candidates(boxes, bbox)
    west, south, east, north = boxes.sides[:, rows]
    met = (west <= bbox.east) & (east >= bbox.west) & (south <= bbox.north) & (north >= bbox.south)
    rows, west, south, east, north = rows[met], west[met], south[met], east[met], north[met]
    across = (west >= bbox.west) & (east <= bbox.east) & ((south >= bbox.south) | (north <= bbox.north))
    along = (south >= bbox.south) & (north <= bbox.north) & ((west >= bbox.west) | (east <= bbox.east))
    doubtful = np.flatnonzero(~(across | along))
    if len(doubtful):
        shape = shapely.box(*bbox)
        truly = shapely.intersects(_exact(source, rows[doubtful]), shape)
        rows = np.delete(rows, doubtful[~truly])
    return rows


def _candidates(boxes: Boxes, bbox: BBox) -> Rows:
    west, south, east, north = boxes.blocks
    hits = np.flatnonzero((west <= bbox.east) & (east >= bbox.west) & (south <= bbox.north) & (north >= bbox.south))
    rows = (hits[:, None] * BLOCK + np.arange(BLOCK)).ravel()
    # Features without a shape come last in the data.
    return rows[: np.searchsorted(rows, boxes.placed)]


def _exact(source: Source, rows: Rows) -> Any:
    if len(rows) > MAX_SHAPES:
        raise QueryTooCostly(
            "{count} formes à comparer une à une",
            remedy="ajoutez une emprise (bbox) : {most} formes au plus",
            count=len(rows),
            most=MAX_SHAPES,
        )
    return source.shapes(rows)


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
        case Always(holds):
            return np.full(source.count if rows is None else len(rows), holds is not negated)
        case cql.Spatial():
            return _spatial(source, node, negated, rows)
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
    if isinstance(node, IsNull):
        empty = np.isnan(values) if column.type is ColumnType.NUMBER else values == _nothing(column)
        return ~empty if negated else empty
    spans = _spans(node, column, stored)
    if spans is not None:
        held = _within(values, stored.sorted, spans)
    elif stored.texts is not None:
        held = _of_codes(_text_codes(node, stored.texts), len(stored.texts), values)
    else:
        raise _unsuited(getattr(node, "pattern", "LIKE"), column)
    if not negated:
        return held
    return ~held & (~np.isnan(values) if column.type is ColumnType.NUMBER else values != _nothing(column))


Span = tuple[int, int]
"""Positions, in the order of the values of a column, from the first to the one beyond the last."""


def _spans(node: Any, column: Column, stored: Stored) -> list[Span] | None:
    """Return where the values that a comparison keeps lie among the sorted ones; None for what looks into texts."""
    property = node.property
    if stored.texts is not None:
        if property.case or property.accent or isinstance(node, Like):
            return None
        codes = _code_spans(node, stored.texts)
        return [(_at(stored, low), _at(stored, high)) for low, high in codes]
    if property.case or property.accent:
        raise BadFilter("CASEI et ACCENTI ne valent que pour un texte, pas pour « {name} »", name=column.key)
    return _number_spans(node, column, stored)


def _at(stored: Stored, value: Any, *, after: bool = False) -> int:
    """Return how many values come before `value`, itself included with `after`."""
    ordered = stored.sorted
    if ordered.dtype.kind == "i" and isinstance(value, float):
        if math.isinf(value):
            return len(ordered) if value > 0 else 0
        value = math.floor(value) if after else math.ceil(value)
    # In the type of the column: otherwise NumPy converts a million values to look up one.
    return int(np.searchsorted(ordered, ordered.dtype.type(value), side="right" if after else "left"))


def _within(values: Any, ordered: Any, spans: list[Span]) -> Any:
    held = None
    for low, high in spans:
        if low >= high:
            continue
        first, last = ordered[low], ordered[high - 1]
        part = values == first if first == last else (values >= first) & (values <= last)
        held = part if held is None else held | part
    return np.zeros(len(values), dtype=bool) if held is None else held


def _narrowed(source: Source, parts: tuple[Condition, ...]) -> tuple[Condition, Rows, tuple[Condition, ...]] | None:
    """Return the most telling comparison of an AND, the rows it keeps, from the order of its column, and the rest.

    None when none keeps less than a quarter: looking at every row is then as quick.
    """
    best: tuple[int, Any, list[Span], Stored] | None = None
    for part in parts:
        if isinstance(part, (Compare, Between, In)):
            column, stored = source.stored(part.property)
            spans = _spans(part, column, stored)
            if spans is not None:
                kept = sum(high - low for low, high in spans if high > low)
                if best is None or kept < best[0]:
                    best = (kept, part, spans, stored)
    if best is None or best[0] * 4 > source.count:
        return None
    _, chosen, spans, stored = best
    kept_spans = [(low, high) for low, high in spans if high > low]
    rows = _recalled((str(source.home), chosen), lambda: _rows_of(stored, kept_spans))
    return chosen, rows, tuple(part for part in parts if part is not chosen)


def _rows_of(stored: Stored, spans: list[Span]) -> Rows:
    """Return the rows of some spans, each once, in order."""
    if not spans:
        return np.empty(0, dtype=np.int64)
    low, high = spans[0]
    if len(spans) == 1 and stored.sorted[low] == stored.sorted[high - 1]:
        # The rows of one value are in their own order already.
        return stored.order[low:high].astype(np.int64)
    return np.unique(np.concatenate([stored.order[first:last] for first, last in spans])).astype(np.int64)


def _nothing(column: Column) -> int:
    return NONE if column.type in (ColumnType.INTEGER, ColumnType.DATE, ColumnType.DATETIME) else -1


def _number_spans(node: Any, column: Column, stored: Stored) -> list[Span]:
    # Rows without a value come first (the least whole number, −1) or last (NaN): never in a span.
    empty_last = column.type is ColumnType.NUMBER
    first = 0 if empty_last else _at(stored, _nothing(column), after=True)
    beyond = _at(stored, np.nan) if empty_last else len(stored.sorted)
    match node:
        case Compare(op, _, value):
            if column.type is ColumnType.BOOLEAN and op not in ("=", "<>"):
                raise _unsuited(value, column)
            wanted = _number(value, column, upper=op in (">", "<="))
            low, high = _at(stored, wanted), _at(stored, wanted, after=True)
        case Between(_, least, most):
            op = "="
            low = _at(stored, _number(least, column))
            high = _at(stored, _number(most, column, upper=True), after=True)
        case In(_, several):
            found = [_number(value, column) for value in several]
            return [(_at(stored, one), _at(stored, one, after=True)) for one in found]
        case _:
            raise _unsuited(getattr(node, "pattern", "LIKE"), column)
    return [(max(low, first), min(high, beyond)) for low, high in _sides(op, low, high, first, beyond)]


def _sides(op: str, low: int, high: int, first: int, beyond: int) -> list[Span]:
    """Return the spans of a comparison with the values that lie from `low` to `high`."""
    table = {
        "=": [(low, high)], "<>": [(first, low), (high, beyond)], "<": [(first, low)], "<=": [(first, high)],
        ">": [(high, beyond)], ">=": [(low, beyond)],
    }  # fmt: skip
    return table[op]


def _number(value: Any, column: Column, *, upper: bool = False) -> Any:
    """Return a literal as its column counts: dates in microseconds since 1970.

    A day compared with a moment stands for its beginning; with `upper`, for its end, so that « jusqu'au 5 » holds it.
    """
    if column.type is ColumnType.BOOLEAN and isinstance(value, bool):
        return int(value)
    if column.type in (ColumnType.INTEGER, ColumnType.NUMBER) and type(value) in (int, float):
        return value if abs(value) < 2**63 else np.copysign(np.inf, value)
    if column.type in (ColumnType.DATE, ColumnType.DATETIME):
        text = value.text if isinstance(value, Instant) else value
        if isinstance(text, str):
            try:
                return _moment_us(text, upper=upper and column.type is ColumnType.DATETIME)
            except (ValueError, OverflowError):
                pass
    raise _unsuited(value, column)


def _moment_us(text: str, *, upper: bool) -> int:
    if len(text) == 10:
        day = (date.fromisoformat(text) - date(1970, 1, 1)).days * _DAY_US
        return day + _DAY_US - 1 if upper else day
    # The lake's moments have no time zone: they are compared as written.
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    whole = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (whole.days * 86_400 + whole.seconds) * 1_000_000 + whole.microseconds


def _unsuited(value: Any, column: Column) -> BadFilter:
    shown = value.text if isinstance(value, Instant) else value
    return BadFilter(
        "« {value} » ne se compare pas à la propriété « {name} » ({type})",
        remedy="donnez une valeur de ce type",
        value=str(shown)[:80],
        name=column.key,
        type=column.type.value,
    )


def folded(text: str, *, case: bool, accent: bool) -> str:
    """Return a text without capital letters or without accents.

    >>> folded("Été", case=True, accent=True)
    'ete'
    """
    if case:
        text = text.casefold()
    if accent:
        text = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    return text


def _code_spans(node: Any, texts: Texts) -> list[Span]:
    """Return the ranks of the distinct texts that a comparison keeps."""
    match node:
        case Compare(op, _, value):
            text = _text(value)
            return _sides(op, texts.rank(text), texts.rank(text, after=True), 0, len(texts))
        case Between(_, low, high):
            return [(texts.rank(_text(low)), texts.rank(_text(high), after=True))]
        case In(_, wanted):
            return [(texts.rank(_text(one)), texts.rank(_text(one), after=True)) for one in wanted]
    raise AssertionError(node)


def _text_codes(node: Any, texts: Texts) -> Any:
    """Return the ranks of the distinct texts that a search keeps."""
    if node.property.case or node.property.accent:
        return _folded_codes(node, texts, node.property)
    return texts.matching(_like(node.pattern))


def _of_codes(codes: Any, count: int, values: Any) -> Any:
    held = np.zeros(count + 1, dtype=bool)  # the last place answers −1, no value
    held[codes] = True
    return held[values]


def _text(value: Any) -> str:
    # A town's codes are texts (34172) that people write as numbers.
    if isinstance(value, Instant):
        return value.text
    return str(value).lower() if isinstance(value, bool) else str(value)


def _like(pattern: str) -> re.Pattern[bytes]:
    return re.compile(b"(?<![^\x00])" + _like_body(pattern) + b"(?=\x00)")


def _like_body(pattern: str) -> bytes:
    parts, escaped = [], False
    for mark in pattern:
        if escaped or mark not in "%_\\":
            parts.append(re.escape(mark.encode("utf-8", "surrogatepass")))
            escaped = False
        elif mark == "\\":
            escaped = True
        else:
            # One character is one byte and those that continue it (UTF-8).
            parts.append(b"[^\x00]*" if mark == "%" else b"[^\x00\x80-\xbf][\x80-\xbf]*")
    return b"".join(parts)


def _folded_codes(node: Any, texts: Texts, property: Property) -> list[int]:
    how = {"case": property.case, "accent": property.accent}
    key = (property.case, property.accent)
    kept = texts.folds.get(key)
    if kept is None:
        kept = [folded(texts.at(code).decode("utf-8", "replace"), **how) for code in range(len(texts))]
        texts.folds[key] = kept
    match node:
        case Compare(op, _, value):
            wanted = folded(_text(value), **how)
            return [code for code, text in enumerate(kept) if _COMPARED[op](text, wanted)]
        case Between(_, low, high):
            first, last = folded(_text(low), **how), folded(_text(high), **how)
            return [code for code, text in enumerate(kept) if first <= text <= last]
        case In(_, values):
            among = {folded(_text(value), **how) for value in values}
            return [code for code, text in enumerate(kept) if text in among]
        case Like(_, pattern):
            looked = re.compile(_like_body(folded(pattern, **how)) + b"$")
            return [code for code, text in enumerate(kept) if looked.match(text.encode())]
    raise AssertionError(node)


def _spatial(source: Source, node: cql.Spatial, negated: bool, rows: Rows | None) -> Mask:
    if not source.has_geometry:
        raise BadFilter("ce jeu de données n'est pas situé", remedy="retirez la condition sur la forme")
    if node.op == "s_disjoint":
        return _spatial(source, cql.Spatial("s_intersects", node.wkb), not negated, rows)
    shape = shapely.from_wkb(node.wkb)
    boxes = source.boxes()
    among = np.arange(source.count) if rows is None else rows
    west, south, east, north = boxes.sides if rows is None else boxes.sides[:, rows]
    low_x, low_y, high_x, high_y = shape.bounds
    near = np.flatnonzero((west <= high_x) & (east >= low_x) & (south <= high_y) & (north >= low_y))
    held = np.zeros(len(among), dtype=bool)
    if node.op in ("s_intersects", "s_within") and not node.flipped and shape.area > 0 and len(near):
        shapely.prepare(shape)
        whole = shapely.contains_properly(shape, shapely.box(west[near], south[near], east[near], north[near]))
        held[near[whole]] = True
        near = near[~whole]
    if len(near):
        predicate, found = getattr(shapely, cql.SPATIAL[node.op]), _exact(source, among[near])
        held[near] = predicate(shape, found) if node.flipped else predicate(found, shape)
    return ~held & ~np.isnan(west) if negated else held
