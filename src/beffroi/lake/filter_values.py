"""What a comparison keeps of one column: spans of its sorted values, or the ranks of its texts. Knows no Django."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from beffroi.lake import cql
from beffroi.lake.columns import NONE, Stored, Texts
from beffroi.lake.cql import BadFilter, Between, Compare, Condition, In, Instant, IsNull, Like, Property
from beffroi.lake.filter_source import Mask, Rows
from beffroi.lake.reading import Column, ColumnType

_DAY_US = 86_400_000_000
_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "=": np.equal,
    "<>": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}

Span = tuple[int, int]
"""Positions, in the order of the values of a column, from the first to the one beyond the last."""


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


def holds(node: Any, column: Column, stored: Stored, values: Any, *, negated: bool) -> Mask:
    """Return where a comparison holds (where its contrary does when `negated`) among `values` of a column.

    Raises:
        BadFilter: a value that does not suit the column.
    """
    if isinstance(node, IsNull):
        empty = np.isnan(values) if column.type is ColumnType.NUMBER else values == _nothing(column)
        return ~empty if negated else empty
    found = spans(node, column, stored)
    if found is not None:
        held = _within(values, stored.sorted, found)
    elif stored.texts is not None:
        held = _of_codes(_text_codes(node, stored.texts), len(stored.texts), values)
    else:
        raise _unsuited(getattr(node, "pattern", "LIKE"), column)
    if not negated:
        return held
    return ~held & (~np.isnan(values) if column.type is ColumnType.NUMBER else values != _nothing(column))


def spans(node: Any, column: Column, stored: Stored) -> list[Span] | None:
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


def rows_of(stored: Stored, spans: list[Span]) -> Rows:
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
