"""What a dataset file declares of rows: which are the town's, which make one, what is computed, where they are fetched.

The SQL of a dataset file is an expression over the columns of one row (or, for `RowOptions.figures`, of one group): no
query, no table. A dataset file is as trusted as a setting; the rule keeps it readable, and rights where they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from beffroi.lake.definition_values import (
    KEY,
    Reader,
    bad,
    checked,
    flag,
    labels,
    mapping,
    number,
    text,
    texts,
    type_of,
)
from beffroi.lake.reading import ColumnType


@dataclass(frozen=True, slots=True)
class Derived:
    """A column made from others: `sql` is its expression, `labels` say its coded values."""

    column: str
    sql: str
    title: str = ""
    type: ColumnType = ColumnType.TEXT
    unit: str | None = None
    description: str = ""
    access: str = "public"
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowOptions:
    """Which rows become rows of the dataset.

    `commune` names the column that holds a commune's code, or an IRIS's: of a wider file, the town's rows alone are
    kept. Rows alike in all of `distinct` count once. Rows alike in all of `by` become one: `figures` are computed over
    them, every other column is that of the first. `told` says what one such row is (« vente »), for the report.

    `kept` is an expression: rows for which it is not true are not taken, whatever their publisher let through.

    `department` names the column that holds a commune's code: the rows of the town's department are kept, to set it
    beside the others.

    `near`: of a wider file that names no commune, only what meets the box of the town is kept.

    `only` are the columns taken: the others (names of persons, often) never enter the lake. Empty, all are.
    """

    commune: str = ""
    department: str = ""
    near: bool = False
    distinct: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    figures: tuple[Derived, ...] = ()
    told: str = ""
    kept: str = ""
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkedTable:
    """A table whose rows tell more of those of the dataset.

    `name` are patterns of its name, without regard to case: a layer or a member of the same archive, else a file beside
    the source, of the same year where both names say one. A row here goes with those there whose `to` (an expression;
    the column named `on` when not said) equals its column `on`. `figures` are computed over those rows.
    """

    name: tuple[str, ...] = ()
    on: str = ""
    to: str = ""
    figures: tuple[Derived, ...] = ()


@dataclass(frozen=True, slots=True)
class TableOptions:
    """Which tables of a source of several are the dataset: those `rows` name, put end to end, and what is linked."""

    rows: tuple[str, ...] = ()
    linked: tuple[LinkedTable, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """Where the source is published. `url` and `name`, the file it becomes, may hold {commune} and {department}.

    `service` says how the address is read, one of `SERVICES` (empty: a file); `layer` is which table of the service.

    `beside` are the files that go with it: each its address and its name.

    A fetch that would lose more than `most_lost` of the rows (a share, 0 to 1) waits for an agent's word.
    """

    url: str = ""
    name: str = ""
    most_lost: float = 0.2
    beside: tuple[tuple[str, str], ...] = ()
    service: str = ""
    layer: str = ""


SERVICES = ("arcgis", "opendatasoft", "ckan", "oapif", "sensorthings", "wfs", "file")
"""How an address may be read: see `services.reading.KINDS`, which a test holds to the same names."""


def derived(value: Any, where: str, key: str) -> tuple[Derived, ...]:
    """Read a list of tables of computed columns."""
    if not isinstance(value, list):
        raise bad(where, key, value, f"des tables [[{key}]]")
    found = []
    for number_of, entry in enumerate(value, start=1):
        prefix = f"{key}[{number_of}]."
        read = checked(mapping(entry, where, prefix.rstrip(".")), _DERIVED, where, prefix)
        for needed in ("column", "sql"):
            if needed not in read:
                raise bad(where, prefix + needed, "", "un texte : elle est obligatoire")
        if not KEY.fullmatch(read["column"]):
            raise bad(where, f"{prefix}column", read["column"], "une clé en minuscules, chiffres et « _ »")
        found.append(Derived(**read))
    return tuple(found)


def rows(value: Any, where: str, key: str) -> RowOptions:
    """Read the table `[rows]`."""
    read = RowOptions(**checked(mapping(value, where, key), _ROWS, where, f"{key}."))
    if read.figures and not read.by:
        raise bad(where, f"{key}.figures", "", "rows.by, les colonnes dont les lignes égales n’en font qu’une")
    return read


def tables(value: Any, where: str, key: str) -> TableOptions:
    """Read the table `[tables]`."""
    return TableOptions(**checked(mapping(value, where, key), _TABLES, where, f"{key}."))


def _linked(value: Any, where: str, key: str) -> tuple[LinkedTable, ...]:
    if not isinstance(value, list):
        raise bad(where, key, value, f"des tables [[{key}]]")
    found = []
    for number_of, entry in enumerate(value, start=1):
        prefix = f"{key}[{number_of}]."
        read = LinkedTable(**checked(mapping(entry, where, prefix.rstrip(".")), _LINKED, where, prefix))
        for needed in ("name", "on", "figures"):
            if not getattr(read, needed):
                raise bad(where, prefix + needed, "", "une valeur : elle est obligatoire")
        found.append(read)
    return tuple(found)


def _beside(value: Any, where: str, key: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list):
        raise bad(where, key, value, f"des tables [[{key}]]")
    found = []
    for number_of, entry in enumerate(value, start=1):
        prefix = f"{key}[{number_of}]."
        read = checked(mapping(entry, where, prefix.rstrip(".")), {"url": text, "name": text}, where, prefix)
        found.append(_address(read.get("url", ""), read.get("name", ""), where, prefix))
    return tuple(found)


def _address(url: str, name: str, where: str, prefix: str) -> tuple[str, str]:
    if not url.startswith(("https://", "http://")):
        raise bad(where, f"{prefix}url", url, "une adresse https:// (http:// pour un serveur de la commune)")
    if not name or "/" in name:
        raise bad(where, f"{prefix}name", name, "le nom de fichier que prend la source")
    return url, name


def fetch(value: Any, where: str, key: str) -> FetchOptions:
    """Read the table `[fetch]`."""
    read = FetchOptions(**checked(mapping(value, where, key), _FETCH, where, f"{key}."))
    _address(read.url, read.name, where, f"{key}.")
    if not 0 <= read.most_lost <= 1:
        raise bad(where, f"{key}.most_lost", read.most_lost, "une part, de 0 à 1")
    if read.service and read.service not in SERVICES:
        raise bad(where, f"{key}.service", read.service, ", ".join(SERVICES))
    return read


def rows_from_json(payload: Mapping[str, Any]) -> RowOptions:
    """Rebuild what `dataclasses.asdict` made of a `RowOptions`."""
    lists = {name: tuple(payload.get(name, ())) for name in ("distinct", "by", "only")}
    return RowOptions(**{**payload, **lists, "figures": derived_from_json(payload["figures"])})


def tables_from_json(payload: Mapping[str, Any]) -> TableOptions:
    """Rebuild what `dataclasses.asdict` made of a `TableOptions`."""
    linked = [
        LinkedTable(tuple(one["name"]), one["on"], one["to"], derived_from_json(one["figures"]))
        for one in payload["linked"]
    ]
    return TableOptions(tuple(payload["rows"]), tuple(linked))


def derived_from_json(payload: Any) -> tuple[Derived, ...]:
    """Rebuild what `dataclasses.asdict` made of computed columns."""
    return tuple(Derived(**{**entry, "type": ColumnType(entry["type"])}) for entry in payload)


_DERIVED: dict[str, Reader] = {
    **dict.fromkeys(("column", "sql", "title", "unit", "description", "access"), text),
    "type": type_of,
    "labels": labels,
}
_ROWS: dict[str, Reader] = {
    **dict.fromkeys(("commune", "department", "told", "kept"), text),
    **dict.fromkeys(("distinct", "by", "only"), texts),
    "figures": derived,
    "near": flag,
}
_LINKED: dict[str, Reader] = {"name": texts, "on": text, "to": text, "figures": derived}
_TABLES: dict[str, Reader] = {"rows": texts, "linked": _linked}
_FETCH: dict[str, Reader] = {
    **dict.fromkeys(("url", "name", "service", "layer"), text),
    "most_lost": number,
    "beside": _beside,
}
