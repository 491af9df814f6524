"""``$filter`` and ``$orderby`` over the registry: comparisons, and, or, not, four functions of text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from beffroi.sense.live.definition import ms_of
from beffroi.sense.live.sta.asked import BadAsk
from beffroi.sense.live.sta.entities import ENTITIES, INSTANT, MILLISECONDS, NUMBER, Column, Entity

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d))"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?)"
    r"|(?P<name>@?[A-Za-z_][\w.@]*(?:/[A-Za-z_@][\w.@]*)*)"
    r"|(?P<sign>[(),]))"
)
_LOOKUPS = {"eq": "exact", "gt": "gt", "ge": "gte", "lt": "lt", "le": "lte"}
_TURNED = {"gt": "lt", "lt": "gt", "ge": "le", "le": "ge"}
_FUNCTIONS = {"startswith": "startswith", "endswith": "endswith", "contains": "contains", "substringof": "contains"}
_MOST_DEEP = 30


@dataclass(frozen=True, slots=True)
class _Word:
    kind: str
    text: str


def compared(entity: Entity, text: str) -> Q:
    """Return what a filter keeps.

    Raises:
        BadAsk: it cannot be read, names a property that does not exist, or asks for what is not answered here.
    """
    return _Reader(entity, text).whole()


def is_crossing(entity: Entity, text: str) -> bool:
    """Tell whether a filter goes through a link to many, so that a row might be found twice."""
    return any(link.many and link.path and f"{name}/" in text for name, link in entity.links.items())


def ordered(entity: Entity, text: str) -> list[str]:
    """Return the columns to sort by, the key last so that pages never overlap.

    Raises:
        BadAsk: a part cannot be read.
    """
    columns = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, _space, way = part.partition(" ")
        if way.strip() not in ("", "asc", "desc"):
            raise BadAsk("« {part} » ne se lit pas", where="$orderby", remedy="écrivez name desc", part=part[:60])
        columns.append(("-" if way.strip() == "desc" else "") + column_of(entity, name, "$orderby").path)
    return [*columns, "pk"]


def column_of(entity: Entity, name: str, where: str) -> Column:
    """Return the column of a property, links followed.

    Raises:
        BadAsk: no such property.
    """
    path, here, rest = "", entity, name.replace("@iot.id", "id")
    while rest:
        if rest in here.columns:
            found = here.columns[rest]
            return Column(path + found.path, found.kind)
        first, _slash, rest = rest.partition("/")
        link = here.links.get(first)
        if link is None or (not link.path and ENTITIES[link.entity].model is not here.model):
            break
        path, here = path + link.path, ENTITIES[link.entity]
    known = sorted({*entity.columns, *(f"{one}/…" for one in entity.links)})
    raise BadAsk(
        "« {name} » ne se compare pas ici", where=where, remedy="propriétés : {known}", name=name[:60],
        known=", ".join(known),
    )  # fmt: skip


class _Reader:
    def __init__(self, entity: Entity, text: str) -> None:
        self._entity, self._words, self._place = entity, list(_words(text)), 0

    def whole(self) -> Q:
        found = self._either(0)
        if self._place < len(self._words):
            raise _unread(self._words[self._place].text)
        return found

    def _either(self, depth: int) -> Q:
        if depth > _MOST_DEEP:
            raise BadAsk("trop de parenthèses", where="$filter", remedy="au plus {most}", most=_MOST_DEEP)
        found = self._both(depth)
        while self._took("or"):
            found |= self._both(depth)
        return found

    def _both(self, depth: int) -> Q:
        found = self._one(depth)
        while self._took("and"):
            found &= self._one(depth)
        return found

    def _one(self, depth: int) -> Q:
        if self._took("not"):
            if depth > _MOST_DEEP:
                raise BadAsk("trop de négations", where="$filter", remedy="au plus {most}", most=_MOST_DEEP)
            return ~self._one(depth + 1)
        if self._took("("):
            found = self._either(depth + 1)
            self._expect(")")
            return found
        word = self._next()
        if word.kind == "name" and self._took("("):
            return self._called(word.text)
        return self._comparison(word)

    def _called(self, name: str) -> Q:
        first = self._next()
        self._expect(",")
        second = self._next()
        self._expect(")")
        if name not in _FUNCTIONS:
            raise BadAsk(
                "la fonction « {name} » n’est pas offerte", where="$filter", remedy="fonctions : {known}",
                name=name[:40], known=", ".join(_FUNCTIONS),
            )  # fmt: skip
        # substringof('x', name) is written the other way round.
        subject, text = (second, first) if name == "substringof" else (first, second)
        column = column_of(self._entity, subject.text, "$filter")
        if column.kind != "text" or text.kind != "text":
            raise BadAsk(
                "« {name} » compare un texte", where="$filter", remedy="par exemple startswith(name,'Pisc')", name=name
            )
        return Q(**{f"{column.path}__{_FUNCTIONS[name]}": text.text})

    def _comparison(self, left: _Word) -> Q:
        sign, right = self._next().text, self._next()
        if sign not in (*_LOOKUPS, "ne"):
            raise _unread(sign)
        if left.kind != "name" or left.text in ("null", "true", "false"):
            left, right, sign = right, left, _TURNED.get(sign, sign)
        column = column_of(self._entity, left.text, "$filter")
        if right.kind == "name" and right.text == "null" and sign in ("eq", "ne"):
            return Q(**{f"{column.path}__isnull": sign == "eq"})
        value = _value(column, right)
        if sign == "ne":
            return ~Q(**{column.path: value})
        return Q(**{f"{column.path}__{_LOOKUPS[sign]}": value})

    def _next(self) -> _Word:
        if self._place >= len(self._words):
            raise BadAsk("le filtre s’arrête trop tôt", where="$filter", remedy="écrivez par exemple result gt 20")
        self._place += 1
        return self._words[self._place - 1]

    def _took(self, text: str) -> bool:
        here = self._words[self._place] if self._place < len(self._words) else None
        if here is None or here.text != text or here.kind not in ("name", "sign"):
            return False
        self._place += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._took(text):
            raise BadAsk("il manque « {sign} »", where="$filter", remedy="vérifiez les parenthèses", sign=text)


def _words(text: str) -> list[_Word]:
    found, place = [], 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise _unread(text[place : place + 20])
        place = match.end()
        kind = str(match.lastgroup)
        word = match[kind]
        found.append(_Word(kind, word[1:-1].replace("''", "'") if kind == "text" else word))
    return found


def _value(column: Column, word: _Word) -> Any:
    """Return a literal as its column is compared with."""
    try:
        if column.kind == NUMBER and word.kind == "number":
            return _number(word.text)
        if column.kind in (MILLISECONDS, INSTANT) and word.kind in ("time", "text"):
            at = datetime.fromisoformat(word.text)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            return ms_of(at) if column.kind == MILLISECONDS else at
    except (ValueError, OverflowError):
        raise _unread(word.text) from None
    if column.kind == "text" and word.kind == "text" and "\x00" not in word.text:
        return word.text
    raise BadAsk(
        "« {value} » ne se compare pas à cette propriété", where="$filter", value=word.text[:60],
        remedy="un nombre nu, un texte entre apostrophes, un instant comme 2026-03-01T08:00:00Z",
    )  # fmt: skip


def _number(text: str) -> float | int:
    value = float(text)
    if abs(value) > 1e300:
        raise ValueError(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _unread(text: str) -> BadAsk:
    return BadAsk(
        "« {part} » ne se lit pas", where="$filter", part=text[:60],
        remedy="écrivez par exemple result gt 20 and phenomenonTime ge 2026-03-01T00:00:00Z",
    )  # fmt: skip
