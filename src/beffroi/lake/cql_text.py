"""CQL2 as people write it: `espece LIKE 'Plat%' AND hauteur_m > 10`. Knows no Django.

A recursive descent over the part of the grammar that `cql` has values for. Source: OGC 21-065r2, annex B.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from beffroi.lake import cql
from beffroi.lake.cql import (
    AllOf,
    Always,
    AnyOf,
    BadFilter,
    Between,
    Condition,
    Instant,
    IsNull,
    Not,
    Projector,
    Property,
)

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<text>'(?:[^'\\]|''|\\.)*')
  | (?P<quoted>"(?:[^"]|"")+")
  | (?P<word>[^\W\d][\w.:]*)
  | (?P<sign><>|<=|>=|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE | re.DOTALL,
)
_SHAPES = {
    "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION",
}  # fmt: skip
_RESERVED = {"AND", "OR", "NOT", "LIKE", "BETWEEN", "IN", "IS", "NULL", "TRUE", "FALSE", "DATE", "TIMESTAMP"}
_END = ("end", "", 0, 0)
_Token = tuple[str, str, int, int]


def from_text(text: str, projected: Projector = lambda shape: shape) -> Condition:
    """Read a filter in CQL2 text; `projected` brings the shapes it holds to longitude, latitude.

    Raises:
        BadFilter: not CQL2, or beyond what is offered here; tells near which character.

    >>> from_text("hauteur_m > 10")
    Compare(op='>', property=Property(key='hauteur_m', case=False, accent=False), value=10)
    """
    if len(text) > cql.MAX_TEXT:
        raise BadFilter("filtre trop long", remedy="{most} caractères au plus", most=cql.MAX_TEXT)
    return _Reader(text, projected).whole()


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while position < len(text.rstrip()):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _unexpected(text, position)
        kind = str(found.lastgroup)
        yield kind, found[kind], found.start(kind), found.end(kind)
        position = found.end()


def _unexpected(text: str, position: int) -> BadFilter:
    near = text[position : position + 30].strip() or "la fin"
    return BadFilter("filtre illisible près de « {near} » (caractère {position})", near=near, position=position + 1)


class _Reader:
    def __init__(self, text: str, projected: Projector) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0
        self._projected = projected

    def whole(self) -> Condition:
        condition = self._either()
        if self._next() != _END:
            raise self._lost()
        return condition

    def _next(self, ahead: int = 0) -> _Token:
        position = self._at + ahead
        return self._tokens[position] if position < len(self._tokens) else _END

    def _lost(self) -> BadFilter:
        token = self._next()
        return _unexpected(self._text, len(self._text) if token == _END else token[2])

    def _is(self, word: str, ahead: int = 0) -> bool:
        kind, text, _, _ = self._next(ahead)
        return kind in ("word", "sign") and text.upper() == word

    def _taken(self, word: str) -> bool:
        if self._is(word):
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._taken(word):
            raise self._lost()

    def _either(self) -> Condition:
        self._depth += 1
        if self._depth > cql.MAX_DEPTH:
            raise BadFilter("filtre trop imbriqué", remedy="{most} niveaux au plus", most=cql.MAX_DEPTH)
        parts = [self._both()]
        while self._taken("OR"):
            parts.append(self._both())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _both(self) -> Condition:
        parts = [self._factor()]
        while self._taken("AND"):
            parts.append(self._factor())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _factor(self) -> Condition:
        negated = False
        while self._taken("NOT"):
            negated = not negated
        found = self._primary()
        return Not(found) if negated else found

    def _primary(self) -> Condition:
        if self._taken("("):
            inner = self._either()
            self._expect(")")
            return inner
        for word, holds in (("TRUE", True), ("FALSE", False)):
            if self._is(word) and self._next(1)[1] not in cql.COMPARISONS:
                self._at += 1
                return Always(holds)
        kind, text, _, _ = self._next()
        if kind == "word" and text.lower() in cql.SPATIAL:
            self._at += 1
            self._expect("(")
            left = self._operand()
            self._expect(",")
            right = self._operand()
            self._expect(")")
            return cql.spatial(text.lower(), left, right, self._projected)
        return self._predicate()

    def _predicate(self) -> Condition:
        left = self._operand()
        kind, sign, _, _ = self._next()
        if kind == "sign" and sign in cql.COMPARISONS:
            self._at += 1
            return cql.compared(sign, left, self._operand())
        if self._taken("IS"):
            negated = self._taken("NOT")
            self._expect("NULL")
            empty = IsNull(cql.property_of(left))
            return Not(empty) if negated else empty
        negated = self._taken("NOT")
        found = self._searched(left)
        return Not(found) if negated else found

    def _searched(self, left: Any) -> Condition:
        if self._taken("LIKE"):
            return cql.like(left, self._operand())
        if self._taken("BETWEEN"):
            low = cql.value_of(self._operand())
            self._expect("AND")
            return Between(cql.property_of(left), low, cql.value_of(self._operand()))
        if self._taken("IN"):
            self._expect("(")
            values = [self._operand()]
            while self._taken(","):
                values.append(self._operand())
            self._expect(")")
            return cql.one_of(left, values)
        raise self._lost()

    def _operand(self) -> Any:
        kind, text, _, _ = self._next()
        if kind == "number":
            self._at += 1
            return int(text) if text.lstrip("+-").isdigit() else float(text)
        if kind == "text":
            self._at += 1
            return re.sub(r"''|\\'", "'", text[1:-1])
        if kind == "quoted":
            self._at += 1
            return Property(text[1:-1].replace('""', '"'))
        if kind == "word":
            return self._named(text)
        raise self._lost()

    def _named(self, text: str) -> Any:
        upper = text.upper()
        if not self._is("(", 1):
            if upper in ("TRUE", "FALSE"):
                self._at += 1
                return upper == "TRUE"
            if upper in _RESERVED:
                raise self._lost()
            # A shape may say its dimension before its parenthesis: POINT Z (…).
            if not (upper in _SHAPES and self._next(1)[1].upper() == "Z"):
                self._at += 1
                return Property(text)
        if upper in _SHAPES:
            return self._shape()
        if upper not in ("DATE", "TIMESTAMP", "CASEI", "ACCENTI", "BBOX"):
            raise BadFilter("fonction « {name} » inconnue", name=text[:40])
        self._at += 2
        if upper == "BBOX":
            numbers = [self._number()]
            while self._taken(","):
                numbers.append(self._number())
            self._expect(")")
            return cql.box(numbers)
        inner = self._operand()
        self._expect(")")
        if upper in ("CASEI", "ACCENTI"):
            return cql.folded(upper.lower(), inner)
        if not isinstance(inner, str):
            raise BadFilter("{name} attend un texte entre apostrophes", name=upper)
        return Instant(inner)

    def _number(self) -> float:
        kind, text, _, _ = self._next()
        if kind != "number":
            raise self._lost()
        self._at += 1
        return float(text)

    def _shape(self) -> Any:
        """Read WKT up to the parenthesis that closes it."""
        start, depth = self._next()[2], 0
        while True:
            kind, text, _, end = self._next()
            if kind == "end":
                raise self._lost()
            self._at += 1
            depth += (text == "(") - (text == ")")
            if text == ")" and depth == 0:
                break
        try:
            # A number too large becomes infinite, and is refused for what it is.
            with np.errstate(all="ignore"):
                return shapely.from_wkt(self._text[start:end])
        except (shapely.errors.ShapelyError, ValueError) as error:
            raise BadFilter("géométrie WKT illisible : {found}", found=self._text[start:end][:60]) from error
