"""How the values of a dataset file are read, key by key: each refused with a sentence. Knows no Django."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import AGENTS, PUBLIC, SERVICE_PREFIX
from beffroi.lake.reading import ColumnType

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
KEY = re.compile(r"[a-z][a-z0-9_]*")
_ACCESS = re.compile(rf"{PUBLIC}|{AGENTS}|{SERVICE_PREFIX}{SLUG.pattern}")


class BadDefinition(BeffroiError):
    """A dataset file cannot be used; names the file, the key, the reason and the remedy."""


Reader = Callable[[Any, str, str], Any]


def checked(payload: Mapping[str, Any], table: Mapping[str, Reader], where: str, prefix: str) -> dict[str, Any]:
    """Read each key of `payload` by the reader `table` gives it; a key it does not know is refused."""
    for key in payload:
        if key not in table:
            close = difflib.get_close_matches(key, table, n=1)
            raise BadDefinition(
                "clé « {key} » inconnue",
                where=where,
                remedy="vouliez-vous « {close} » ?" if close else "clés admises : {known}",
                key=prefix + key,
                close=prefix + close[0] if close else "",
                known=", ".join(table),
            )
    return {key: table[key](value, where, prefix + key) for key, value in payload.items()}


def bad(where: str, key: str, value: object, expected: str) -> BadDefinition:
    """Return the refusal of a value: what was expected of its key."""
    return BadDefinition(
        "{key} = « {value} » ne convient pas",
        where=where,
        remedy="attendu : {expected}",
        key=key,
        value=str(value)[:80],
        expected=expected,
    )


def of(kind: type, expected: str) -> Reader:
    """Return the reader of values of one kind."""

    def read(value: Any, where: str, key: str) -> Any:
        # bool is an int in Python, never in a dataset file.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise bad(where, key, value, expected)
        return value

    return read


text, flag, count = of(str, "un texte"), of(bool, "true ou false"), of(int, "un nombre entier")


def texts(value: Any, where: str, key: str) -> tuple[str, ...]:
    """Read a list of texts."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise bad(where, key, value, "une liste de textes")
    return tuple(value)


def access(value: Any, where: str, key: str) -> str:
    """Read who may read."""
    if not isinstance(value, str) or not _ACCESS.fullmatch(value):
        raise bad(where, key, value, "public, agents ou service:<nom-du-service>")
    return value


def type_of(value: Any, where: str, key: str) -> ColumnType:
    """Read a type of column."""
    known = [kind.value for kind in ColumnType]
    if value not in known:
        close = difflib.get_close_matches(str(value), known, n=1)
        raise bad(where, key, value, f"{', '.join(known)}{f' ; vouliez-vous « {close[0]} » ?' if close else ''}")
    return ColumnType(value)


def zoom(value: Any, where: str, key: str) -> int:
    """Read a level of zoom."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 20:
        raise bad(where, key, value, "un niveau de zoom de 0 à 20")
    return value


def mapping(value: Any, where: str, key: str) -> Mapping[str, Any]:
    """Read a table."""
    if not isinstance(value, Mapping):
        raise bad(where, key, value, f"une table [{key}]")
    return value


def number(value: Any, where: str, key: str) -> float:
    """Read a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bad(where, key, value, "un nombre")
    return float(value)


def labels(value: Any, where: str, key: str) -> dict[str, str]:
    """Read a table of texts: what each value means."""
    return {name: text(told, where, f"{key}.{name}") for name, told in mapping(value, where, key).items()}
