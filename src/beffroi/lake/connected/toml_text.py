"""A dataset file written from what it says: tables after values, lists on one line. Knows no Django."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def as_toml(payload: Mapping[str, Any]) -> str:
    """Return the TOML text of texts, numbers, truths, lists of texts and tables of those.

    >>> print(as_toml({"title": 'Les "arbres"', "columns": {"nom": {"drop": True}}}), end="")
    title = "Les \\"arbres\\""
    <BLANKLINE>
    [columns.nom]
    drop = true
    """
    return "\n".join(_lines(payload, ())) + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    values = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    if path and values:
        yield ""
        yield f"[{'.'.join(map(_key, path))}]"
    for key, value in values.items():
        yield f"{_key(key)} = {_value(value)}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _lines(value, (*path, key))


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _value(text)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    # The escapes of JSON are those of TOML's basic strings, but for what JSON leaves as it is (DEL).
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
