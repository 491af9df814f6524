"""Dated rules of who may drive on days of pollution, read from `rules/circulation` as delays are from their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from beffroi.base.clock.files import (
    DATE,
    NAMES,
    REQUIRED_DATE,
    REQUIRED_TEXT,
    TABLES,
    BadRuleFile,
    check_table,
    read_toml,
)
from beffroi.base.clock.rules import RESTRICTIONS
from beffroi.base.kernel.errors import NotFound
from beffroi.base.kernel.resources import shipped_folder

FOLDER = RESTRICTIONS
FILE_KEYS = {"title": REQUIRED_TEXT, "domain": REQUIRED_TEXT, "restriction": TABLES}
RESTRICTION_KEYS = {"id": REQUIRED_TEXT, "title": REQUIRED_TEXT, "version": TABLES}
VERSION_KEYS = {
    "from": REQUIRED_DATE, "until": DATE, "article": REQUIRED_TEXT, "exempt": NAMES, "exempt_classes": NAMES,
}  # fmt: skip


class NoRestriction(NotFound):
    """No such restriction, or it had no value that day."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """A restriction as its text stood on a day: who is exempt, in words and by Crit'Air class."""

    id: str
    title: str
    article: str
    since: date
    until: date | None
    exempt: tuple[str, ...]
    exempt_classes: frozenset[str]


def restriction(name: str, day: date) -> Restriction:
    """Return a restriction as it stood on a day.

    Raises:
        NoRestriction: unknown, or not in force that day.
    """
    for one in reversed(_shipped().get(name, ())):
        if one.since <= day and (one.until is None or day < one.until):
            return one
    raise NoRestriction("la restriction « {name} » n’avait pas de valeur le {day}", where="rules/circulation",
                        remedy="ajoutez une version datée", name=name, day=day.isoformat())  # fmt: skip


@lru_cache(maxsize=1)
def _shipped() -> dict[str, tuple[Restriction, ...]]:
    found: dict[str, tuple[Restriction, ...]] = {}
    for path in sorted((shipped_folder("rules") / FOLDER).glob("*.toml")):
        found |= read_restrictions(read_toml(path, name=f"rules/{FOLDER}/{path.name}"), name=path.name)
    return found


def read_restrictions(content: Mapping[str, Any], *, name: str) -> dict[str, tuple[Restriction, ...]]:
    """Return the restrictions of a file by id, each with its versions in order.

    Raises:
        BadRuleFile: a key is unknown or missing, or versions are not in the order of their dates.
    """
    check_table(dict(content), FILE_KEYS, where=name)
    found = {}
    for number, table in enumerate(content.get("restriction", ()), 1):
        where = f"{name}: restriction[{number}]"
        check_table(table, RESTRICTION_KEYS, where=where)
        versions = [_version(table, one, f"{where}.version[{n}]") for n, one in enumerate(table.get("version", ()), 1)]
        if not versions or sorted(versions, key=lambda one: one.since) != versions:
            raise BadRuleFile("versions absentes ou hors de l'ordre des dates", where=where, remedy="rangez-les")
        found[table["id"]] = tuple(versions)
    return found


def _version(table: Mapping[str, Any], version: Any, where: str) -> Restriction:
    check_table(version, VERSION_KEYS, where=where)
    return Restriction(
        id=table["id"], title=table["title"], article=version["article"], since=version["from"],
        until=version.get("until"), exempt=tuple(version.get("exempt", ())),
        exempt_classes=frozenset(version.get("exempt_classes", ())),
    )  # fmt: skip
