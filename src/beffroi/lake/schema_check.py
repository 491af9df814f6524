"""What a source's schema demands, checked on its rows: each fault with its lines, its values and what was expected.

The rules are those of Table Schema (required, unique, enum, pattern, minimum, maximum), declared by the columns of a
dataset file. A row is never refused for one: the report tells the publisher. Knows no Django.
"""

# ruff: noqa: S608 - identifiers are quoted keys, values are quoted literals

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.lake.definitions import ColumnDefinition, Definition
from beffroi.lake.manifest import SchemaFault
from beffroi.lake.reading import LINE, Column, ColumnType, Reading
from beffroi.lake.sql import literal, name

MOST_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class _Rule:
    key: str
    title: str
    expected: Sentence
    broken: str


def demands_anything(definition: Mapping[str, Any]) -> bool:
    """Tell whether a dataset file, as JSON, demands anything of its columns."""
    rules = ("required", "unique", "enum", "pattern", "min", "max")
    return any(said.get(rule) is not None for said in definition.get("columns", {}).values() for rule in rules)


def check(reading: Reading, definition: Definition) -> tuple[SchemaFault, ...]:
    """Return what the rows of `reading` break of the rules of `definition`, in the order of its columns."""
    known = {column.key: column for column in reading.columns}
    absent = [
        SchemaFault(key, said.title or key, Sentence(gettext_noop("cette colonne : elle est obligatoire")), 0)
        for key, said in definition.columns.items()
        if said.required and key not in known
    ]
    rules = [rule for key, said in definition.columns.items() if key in known for rule in _rules(known[key], said)]
    if not rules:
        return tuple(absent)
    for key, said in definition.columns.items():
        if said.unique and key in known:
            text = f"trim(CAST({name(key)} AS VARCHAR))"
            reading.con.execute(
                f"CREATE OR REPLACE TEMP TABLE _twice_{key} AS SELECT {text} AS v FROM {_source(reading)} "
                f"GROUP BY 1 HAVING count(*) > 1"
            )
    told = ", ".join(f"({rule.broken}) AS r{rank}" for rank, rule in enumerate(rules))
    sums = ", ".join(f"count(*) FILTER (r{rank})" for rank in range(len(rules)))
    found: Any = reading.con.execute(f"SELECT {sums} FROM (SELECT {told} FROM {_source(reading)})").fetchone()
    broken = [
        SchemaFault(rule.key, rule.title, rule.expected, count, _examples(reading, rule))
        for rule, count in zip(rules, found, strict=True)
        if count
    ]
    return (*absent, *broken)


def _source(reading: Reading) -> str:
    return name(reading.table)


def _rules(column: Column, said: ColumnDefinition) -> Iterator[_Rule]:
    text = f"trim(CAST({name(column.key)} AS VARCHAR))"
    title = said.title or column.title
    filled = f"{text} <> ''"
    if said.missing:
        filled += f" AND {text} NOT IN ({', '.join(literal(value) for value in said.missing)})"
    numeric = f"TRY_CAST(replace({text}, ',', '.') AS DOUBLE)"
    if said.required:
        yield _Rule(column.key, title, Sentence(gettext_noop("une valeur, obligatoire")), f"coalesce({text}, '') = ''")
    if said.enum:
        listed = ", ".join(literal(value) for value in said.enum)
        values = ", ".join(f"« {value} »" for value in said.enum[:12])
        broken = f"{filled} AND {text} NOT IN ({listed})"
        if column.type is ColumnType.BOOLEAN:
            broken = "false"
        yield _Rule(column.key, title, Sentence(gettext_noop("l’une de : {values}"), {"values": values}), broken)
    if said.pattern:
        shown = said.example or said.pattern
        expected = Sentence(gettext_noop("une valeur de la forme « {shape} »"), {"shape": shown})
        yield _Rule(column.key, title, expected, f"{filled} AND NOT regexp_full_match({text}, {literal(said.pattern)})")
    if said.min is not None:
        least = _plain(said.min)
        expected = Sentence(gettext_noop("un nombre d’au moins {least}"), {"least": least})
        yield _Rule(column.key, title, expected, f"{filled} AND coalesce({numeric} < {said.min!r}, true)")
    if said.max is not None:
        most = _plain(said.max)
        expected = Sentence(gettext_noop("un nombre d’au plus {most}"), {"most": most})
        yield _Rule(column.key, title, expected, f"{filled} AND coalesce({numeric} > {said.max!r}, true)")
    if said.unique:
        expected = Sentence(gettext_noop("une valeur que nulle autre ligne ne porte"))
        yield _Rule(column.key, title, expected, f"{filled} AND {text} IN (SELECT v FROM _twice_{column.key})")


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value).replace(".", ",")


def _examples(reading: Reading, rule: _Rule) -> tuple[tuple[int | None, str], ...]:
    line = name(LINE) if LINE in reading.con.table(name(reading.table)).columns else "NULL"
    found = reading.con.execute(
        f"SELECT {line} AS line, coalesce(CAST({name(rule.key)} AS VARCHAR), '') FROM {_source(reading)} "
        f"WHERE {rule.broken} ORDER BY line NULLS LAST LIMIT {MOST_EXAMPLES}"
    ).fetchall()
    return tuple((row[0], row[1][:80]) for row in found)
