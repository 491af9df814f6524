"""What a dataset file makes of the rows of a source: the town's, without what stands for nothing, one per thing.

In order: the columns the file does not take leave, then the rows of other communes, then those the file does not keep;
what the schema demands is checked on what remains, line by line; values that mean « none » become none, with their
reason; columns are computed; rows of one thing become one. Knows no Django.
"""

# ruff: noqa: S608 - identifiers are quoted keys; expressions are those of a dataset file, kept to one row

from __future__ import annotations

import itertools
import json
import re
from typing import Any

from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.base.territory.engine import department_of
from beffroi.lake import duck
from beffroi.lake.declared import Derived
from beffroi.lake.definitions import ColumnDefinition, Definition
from beffroi.lake.manifest import SchemaFault
from beffroi.lake.preparing import ImportRefused
from beffroi.lake.reading import ABSENCE, DUCKDB_TYPE, LINE, Column, ColumnType, Evidence, Reading
from beffroi.lake.schema_check import check
from beffroi.lake.sql import literal, name

_NUMERIC = (ColumnType.INTEGER, ColumnType.NUMBER)
_steps = itertools.count(1)


def shape(reading: Reading, definition: Definition, *, territory: str, where: str) -> tuple[SchemaFault, ...]:
    """Make the table of `reading` what its dataset file says; return what does not meet the schema, on its own lines.

    Raises:
        ImportRefused: a column the file counts on is absent, or an expression cannot be computed.
    """
    rows = definition.rows
    if rows.only:
        _keep_columns(reading, rows.only)
    if rows.commune:
        _keep_commune(reading, rows.commune, territory, where)
    if rows.department:
        _keep_department(reading, rows.department, territory, where)
    if rows.kept:
        _keep_rows(reading, rows.kept, where)
    faults = check(reading, definition)
    _clear_missing(reading, definition)
    if definition.derived:
        _add(reading, definition, definition.derived, where)
    if rows.distinct:
        _once(reading, rows.distinct, where)
    if rows.by:
        _put_together(reading, definition, where)
    return faults


def _keys(reading: Reading) -> dict[str, Column]:
    return {column.key: column for column in reading.columns}


def _required(reading: Reading, keys: tuple[str, ...], where: str, said: str) -> None:
    known = _keys(reading)
    for key in keys:
        if key not in known:
            raise ImportRefused(
                "{said} nomme la colonne « {column} », absente de la source",
                where=where,
                remedy="donnez-en le nouveau nom, parmi : {known}",
                said=said,
                column=key,
                known=", ".join(list(known)[:30]),
            )


def _remade(reading: Reading, query: str) -> None:
    """Replace the table of a reading by the rows of `query`."""
    table = f"{reading.table}_{next(_steps)}"
    reading.con.execute(f"CREATE TEMP TABLE {name(table)} AS {query}")
    reading.con.execute(f"DROP TABLE IF EXISTS {name(reading.table)}") if _is_table(reading) else None
    reading.table = table


def _is_table(reading: Reading) -> bool:
    found = reading.con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [reading.table]).fetchone()
    return bool(found and found[0])


def _count(reading: Reading) -> int:
    found = reading.con.execute(f"SELECT count(*) FROM {name(reading.table)}").fetchone()
    return int(found[0]) if found else 0


def _keep_commune(reading: Reading, key: str, territory: str, where: str) -> None:
    _required(reading, (key,), where, "rows.commune")
    # Spreadsheets eat the leading zero of a code; that of an IRIS begins with its commune's.
    text = f"trim(CAST({name(key)} AS VARCHAR))"
    code = f"CASE WHEN length({text}) > 5 THEN left(lpad({text}, 9, '0'), 5) ELSE lpad({text}, 5, '0') END"
    before = _count(reading)
    _remade(reading, f"SELECT * FROM {name(reading.table)} WHERE {code} = {literal(territory)}")
    left = before - _count(reading)
    if left:
        reading.rows_read -= left
        why = Sentence(
            gettext_noop("fichier national : {left} lignes d’autres communes n’ont pas été prises"), {"left": left}
        )
        reading.evidences.append(Evidence("values", territory, why))


def _keep_department(reading: Reading, key: str, territory: str, where: str) -> None:
    _required(reading, (key,), where, "rows.department")
    code, before = f"lpad(trim(CAST({name(key)} AS VARCHAR)), 5, '0')", _count(reading)
    _remade(reading, f"SELECT * FROM {name(reading.table)} WHERE {code} LIKE {literal(department_of(territory) + '%')}")
    left = before - _count(reading)
    if left:
        reading.rows_read -= left
        why = Sentence(
            gettext_noop("fichier national : {left} lignes d’autres départements n’ont pas été prises"), {"left": left}
        )
        reading.evidences.append(Evidence("values", territory, why))


def _keep_columns(reading: Reading, only: tuple[str, ...]) -> None:
    """Leave out the columns a file does not name: neither shown, nor kept, nor counted."""
    left = [column.key for column in reading.columns if column.key not in only]
    if not left:
        return
    _remade(reading, f"SELECT * EXCLUDE ({', '.join(map(name, left))}) FROM {name(reading.table)}")
    reading.columns = tuple(column for column in reading.columns if column.key in only)
    why = Sentence(gettext_noop("{left} colonnes que ce jeu ne prend pas n’ont pas été lues"), {"left": len(left)})
    reading.evidences.append(Evidence("values", "rows.only", why))


def _keep_rows(reading: Reading, expression: str, where: str) -> None:
    before = _count(reading)
    try:
        _remade(reading, f"SELECT * FROM {name(reading.table)} WHERE coalesce(({expression}), false)")
    except duck.Error as error:
        raise ImportRefused(
            "rows.kept : {reason}", where=where, remedy="écrivez une condition sur une ligne", reason=str(error)[:200]
        ) from error
    left = before - _count(reading)
    if left:
        reading.rows_read -= left
        why = Sentence(gettext_noop("{left} lignes hors de ce que garde ce jeu n’ont pas été prises"), {"left": left})
        reading.evidences.append(Evidence("values", expression, why))


def _clear_missing(reading: Reading, definition: Definition) -> None:
    known = _keys(reading)
    clearing = {key: said for key, said in definition.columns.items() if said.missing and key in known}
    if not clearing:
        return
    cells, more, columns = [], [], list(reading.columns)
    for key, said in clearing.items():
        column = known[key]
        kind = _type_once_cleared(reading, column, said)
        cells.append(f"{_cast(key, said, kind, column.type)} AS {name(key)}")
        columns[columns.index(column)] = Column(key, column.title, kind, column.unit, column.description, column.access)
        reasons = {value: why for value, why in said.missing.items() if why}
        if reasons:
            choices = " ".join(f"WHEN {literal(value)} THEN {literal(why)}" for value, why in reasons.items())
            more.append(f"CASE trim(CAST({name(key)} AS VARCHAR)) {choices} END AS {name(key + ABSENCE)}")
            title = f"{said.title or column.title} : raison d’une absence"
            columns.append(Column(key + ABSENCE, title, access=said.access or column.access))
    count = _cleared_cells(reading, clearing)
    _remade(
        reading,
        f"SELECT * REPLACE ({', '.join(cells)}){''.join(f', {one}' for one in more)} FROM {name(reading.table)}",
    )
    reading.columns = tuple(columns)
    if count:
        why = Sentence(
            gettext_noop("{count} cellules portaient un code qui veut dire « rien » ({columns}) : vidées"),
            {"count": count, "columns": ", ".join(clearing)},
        )
        reading.evidences.append(Evidence("values", str(count), why))


def _is_missing(key: str, said: ColumnDefinition) -> str:
    return f"trim(CAST({name(key)} AS VARCHAR)) IN ({', '.join(literal(value) for value in said.missing)})"


def _cast(key: str, said: ColumnDefinition, kind: ColumnType, found: ColumnType) -> str:
    kept = f"CASE WHEN {_is_missing(key, said)} THEN NULL ELSE {name(key)} END"
    if kind is found:
        return kept
    text = f"replace({kept}, ',', '.')" if kind in _NUMERIC else kept
    return f"TRY_CAST({text} AS {DUCKDB_TYPE[kind]})"


def _type_once_cleared(reading: Reading, column: Column, said: ColumnDefinition) -> ColumnType:
    """Return the type the file declares, when every value left suits it; else the one that was found."""
    if said.type is None or said.type is column.type or column.type is not ColumnType.TEXT:
        return column.type
    read = _cast(column.key, said, said.type, column.type)
    filled = f"NOT {_is_missing(column.key, said)} AND trim({name(column.key)}) <> ''"
    bad = reading.con.execute(
        f"SELECT count(*) FROM {name(reading.table)} WHERE {filled} AND {read} IS NULL"
    ).fetchone()
    return said.type if bad == (0,) else column.type


def _cleared_cells(reading: Reading, clearing: dict[str, ColumnDefinition]) -> int:
    sums = " + ".join(f"count(*) FILTER ({_is_missing(key, said)})" for key, said in clearing.items())
    found = reading.con.execute(f"SELECT {sums} FROM {name(reading.table)}").fetchone()
    return int(found[0]) if found else 0


def _add(reading: Reading, definition: Definition, computed: tuple[Derived, ...], where: str) -> None:
    for one in computed:
        check_expression(reading, definition, one, where)
        absent = lacking(reading, one)
        if absent:
            why = Sentence(
                gettext_noop("« {column} » n’a pas été calculée : la source n’a pas la colonne « {lacking} »"),
                {"column": one.title or one.column, "lacking": absent},
            )
            reading.evidences.append(Evidence("values", one.column, why))
            continue
        kept = "* EXCLUDE (" + name(one.column) + ")" if one.column in _keys(reading) else "*"
        _tried(reading, f"SELECT {kept}, {typed(one)} FROM {name(reading.table)}", one, where)
        reading.columns = (*(c for c in reading.columns if c.key != one.column), column_of(one))


_ABSENT = re.compile(r'Referenced column "([^"]+)" not found')


def lacking(reading: Reading, one: Derived) -> str:
    """Return the name of a column the expression names and the source has not, empty when it has all of them."""
    try:
        reading.con.execute(f"SELECT {typed(one)} FROM {name(reading.table)} LIMIT 0")
    except duck.BinderException as error:
        found = _ABSENT.search(str(error))
        return found[1] if found else ""
    return ""


def typed(one: Derived) -> str:
    """Return the SQL of a computed column, in its type."""
    return f"CAST(({one.sql}) AS {DUCKDB_TYPE[one.type]}) AS {name(one.column)}"


def column_of(one: Derived) -> Column:
    """Return a computed column as a reading has it."""
    return Column(
        one.column, one.title or one.column, one.type, one.unit, one.description, one.access, tuple(one.labels.items())
    )


def _tried(reading: Reading, query: str, one: Derived, where: str) -> None:
    try:
        _remade(reading, query)
    except duck.Error as error:
        raise ImportRefused(
            "la colonne calculée « {column} » ne peut pas l’être ({reason})",
            where=where,
            remedy="corrigez son expression sql",
            column=one.column,
            reason=str(error).splitlines()[0][:200],
        ) from error


_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_expression(reading: Reading, definition: Definition, one: Derived, where: str) -> None:
    """Refuse what is no expression over a row, and one that would show all what some may not see."""
    said: Any = reading.con.execute("SELECT json_serialize_sql(?)", [f"SELECT {one.sql}"]).fetchone()
    plan = json.loads(said[0])
    text = said[0]
    if plan.get("error") or len(plan["statements"]) != 1 or '"SUBQUERY"' in text or '"type":"EMPTY"' not in text:
        raise ImportRefused(
            "l’expression sql de « {column} » n’est pas celle d’une ligne",
            where=where,
            remedy="écrivez une expression sur les colonnes, sans SELECT ni FROM",
            column=one.column,
        )
    accesses = {key: column.access or definition.access for key, column in definition.columns.items()}
    seen = {key for key, access in accesses.items() if access in (definition.access, one.access)}
    hidden = sorted(set(_WORD.findall(one.sql)) & (accesses.keys() - seen))
    if hidden:
        raise ImportRefused(
            "la colonne calculée « {column} » montrerait à tous « {hidden} », qui est réservée",
            where=where,
            remedy="donnez-lui le même accès",
            column=one.column,
            hidden=hidden[0],
        )


def _ordered(reading: Reading) -> str:
    return name(LINE) if LINE in _fields(reading) else "rowid"


def _fields(reading: Reading) -> list[str]:
    return list(reading.con.table(name(reading.table)).columns)


def _once(reading: Reading, keys: tuple[str, ...], where: str) -> None:
    # Columns differ between the years of a source: those it has are enough to tell its rows apart.
    keys = tuple(key for key in keys if key in _keys(reading))
    if not keys:
        return
    before = _count(reading)
    listed = ", ".join(name(key) for key in keys)
    _remade(
        reading,
        f"SELECT * FROM {name(reading.table)} "
        f"QUALIFY row_number() OVER (PARTITION BY {listed} ORDER BY {_ordered(reading)}) = 1",
    )
    gone = before - _count(reading)
    if gone:
        why = Sentence(
            gettext_noop("{gone} lignes répétaient une autre ({columns}) : comptées une seule fois"),
            {"gone": gone, "columns": ", ".join(keys)},
        )
        reading.evidences.append(Evidence("values", str(gone), why))


def _put_together(reading: Reading, definition: Definition, where: str) -> None:
    rows = definition.rows
    _required(reading, rows.by, where, "rows.by")
    for one in rows.figures:
        check_expression(reading, definition, one, where)
    before, order = _count(reading), _ordered(reading)
    made = {one.column: one for one in rows.figures}
    firsts = [
        f"arg_min({name(key)}, {order}) AS {name(key)}" if key != LINE else f"min({name(LINE)}) AS {name(LINE)}"
        for key in _fields(reading)
        if key not in rows.by and key not in made
    ]
    chosen = [*(name(key) for key in rows.by), *firsts, *(typed(one) for one in rows.figures)]
    query = (
        f"SELECT {', '.join(chosen)} FROM {name(reading.table)} GROUP BY {', '.join(name(key) for key in rows.by)} "
        f"ORDER BY min({order})"
    )
    _tried(reading, query, rows.figures[0] if rows.figures else Derived(", ".join(rows.by), ""), where)
    reading.columns = (
        *(column for column in reading.columns if column.key not in made),
        *(column_of(one) for one in rows.figures),
    )
    why = Sentence(
        gettext_noop("{before} lignes réunies en {after} ({told}), d’après {columns}"),
        {"before": before, "after": _count(reading), "told": rows.told or "?", "columns": ", ".join(rows.by)},
    )
    reading.evidences.append(Evidence("values", rows.told or "lignes", why))
