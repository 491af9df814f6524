"""Read the TOML files of `rules/` against a small schema; say file, key, reason and remedy when they do not fit."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError


class BadRuleFile(BeffroiError):
    """A file of dated rules does not read; the rest of the rules is served without it."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a key of a table holds. `choices` closes the list of its values."""

    kinds: tuple[type, ...]
    required: bool = False
    choices: tuple[str, ...] = ()


TEXT = Key((str,))
REQUIRED_TEXT = Key((str,), required=True)
DATE = Key((date,))
REQUIRED_DATE = Key((date,), required=True)
NAMES = Key((list,))
TABLES = Key((list,))

_FRENCH = {str: "un texte", int: "un nombre entier", bool: "true ou false", date: "une date", list: "une liste"}
_FRENCH |= {datetime: "une date et une heure"}


def read_toml(path: Path, *, name: str) -> dict[str, Any]:
    """Return the tables of a TOML file; `name` is how messages call it.

    Raises:
        BadRuleFile: it is not UTF-8 or not TOML; says the line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise BadRuleFile("ce fichier n'est pas en UTF-8", where=name, remedy="enregistrez-le en UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise BadRuleFile(
            "TOML illisible ({reason})", where=name, remedy="corrigez la ligne indiquée", reason=str(error)
        ) from error


def check_table(table: Any, schema: Mapping[str, Key], *, where: str) -> None:
    """Check one table against `schema`.

    Raises:
        BadRuleFile: a key is unknown (with the nearest known one), missing, of another type or out of its choices.
    """
    if not isinstance(table, dict):
        raise BadRuleFile("une table est attendue", where=where, remedy="écrivez [[…]] puis ses clés")
    for name, value in table.items():
        if name not in schema:
            raise BadRuleFile(
                "clé inconnue" + did_you_mean(name, schema),
                where=f"{where}.{name}",
                remedy="clés admises : {known}",
                known=", ".join(schema),
            )
        _check_value(value, schema[name], where=f"{where}.{name}")
    for name, key in schema.items():
        if key.required and name not in table:
            raise BadRuleFile("clé requise absente", where=f"{where}.{name}", remedy="ajoutez-la")


def _check_value(value: Any, key: Key, *, where: str) -> None:
    exact = isinstance(value, key.kinds) and not (isinstance(value, bool) and bool not in key.kinds)
    if not exact:
        raise BadRuleFile(
            "valeur « {value} » : {expected} est attendu",
            where=where,
            remedy="corrigez la valeur",
            value=value,
            expected=" ou ".join(_FRENCH[kind] for kind in key.kinds),
        )
    if key.choices and value not in key.choices:
        raise BadRuleFile(
            "valeur « {value} » inconnue" + did_you_mean(value, key.choices),
            where=where,
            remedy="valeurs admises : {known}",
            value=value,
            known=", ".join(key.choices),
        )


def did_you_mean(name: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    """Return `` ; vouliez-vous dire « … » ?`` when a known name is near, else an empty text.

    >>> did_you_mean("artcile", ["article", "amount"])
    ' ; vouliez-vous dire « article » ?'
    """
    near = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    return f" ; vouliez-vous dire « {near[0]} » ?".replace("{", "{{").replace("}", "}}") if near else ""
