"""DuckDB, tamed: connections with limits, values bound as parameters, columns from a list. Knows no Django."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakSet

import duckdb_extension_spatial

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.lake import duck
from beffroi.lake.manifest import BOX
from beffroi.lake.reading import Column, ColumnType


class BadQuery(BeffroiError):
    """A filter, a column, an order or a page that cannot be answered; says which and what would do."""


class QueryTooCostly(BeffroiError):
    """The query ran over its time or memory."""

    http_status = 422


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on a column, by key. `op` is one of `FILTER_OPS`; `value` is text or a typed value.

    ``null`` takes True (is empty) or False (is filled). ``contains`` and ``starts`` ignore case and accents.
    """

    column: str
    op: str
    value: Any = None


_COMPARED = {
    "eq": "{0} = ?",
    "ne": "{0} IS DISTINCT FROM ?",
    "lt": "{0} < ?",
    "le": "{0} <= ?",
    "gt": "{0} > ?",
    "ge": "{0} >= ?",
}
_SEARCHED = {
    "contains": "contains(strip_accents(lower(CAST({0} AS VARCHAR))), strip_accents(lower(?)))",
    "starts": "starts_with(strip_accents(lower(CAST({0} AS VARCHAR))), strip_accents(lower(?)))",
}
FILTER_OPS = (*_COMPARED, *_SEARCHED, "null")
_TRUE, _FALSE = ("1", "true", "vrai", "oui", "o"), ("0", "false", "faux", "non", "n")


@cache
def _spatial_extension() -> str:
    folder = Path(duckdb_extension_spatial.__file__).parent / "extensions" / f"v{duck.__version__}"
    return str(folder / "spatial.duckdb_extension")


def connect(*, memory_mb: int = 2048, threads: int | None = None, temp_dir: Path | None = None) -> Any:
    """Open an in-memory DuckDB with its spatial extension, from the wheel: nothing is downloaded.

    It spills to `temp_dir` when given. For imports and exports; questions go through :func:`reading`.
    """
    con = duck.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            # The one extension loaded is the wheel's, whose hash pip checked: verifying its signature again would read
            # 80 MB at each connection, 0.3 s against 2 ms.
            "allow_unsigned_extensions": "true",
            **({"threads": str(int(threads))} if threads else {}),
        }
    )
    con.execute(f"LOAD {literal(_spatial_extension())}")
    con.execute(f"SET memory_limit = '{int(memory_mb)}MB'")
    con.execute("SET temp_directory = " + literal(str(temp_dir) if temp_dir else ""))
    con.execute("SET enable_progress_bar = false")
    return con


class _Workbench(threading.local):
    """The database this thread keeps between two imports, with its spatial extension loaded."""

    key: tuple[int, int, int | None] | None = None
    database: Any = None
    spill: tempfile.TemporaryDirectory[str] | None = None


_kept = _Workbench()


@contextmanager
def workbench(*, memory_mb: int = 2048, threads: int | None = None) -> Iterator[Any]:
    """Yield a connection to import with: an empty database of this thread. Its tables are temporary, gone with it.

    Opening a database costs more than importing a small file. After a fault it is not used again.
    """
    # A forked child must not use its parent's threads, hence the process in the key.
    key = (os.getpid(), memory_mb, threads)
    if _kept.key != key:
        _forget_workbench()
        _kept.spill = tempfile.TemporaryDirectory(prefix="beffroi-spill-", ignore_cleanup_errors=True)
        _kept.database = connect(memory_mb=memory_mb, threads=threads, temp_dir=Path(_kept.spill.name, "spill"))
    database, spill = _kept.database, _kept.spill
    # Taken while in use: an import within an import gets a database of its own.
    _kept.key = _kept.database = _kept.spill = None
    con = database.cursor()
    try:
        yield con
    except BaseException:
        _close(con, database, spill=spill)
        raise
    con.close()
    _forget_workbench()
    _kept.key, _kept.database, _kept.spill = key, database, spill


FEW_ROWS = 2_000
_as_written: WeakSet[Any] = WeakSet()


def plan_for(con: Any, rows: int) -> None:
    """Have the queries of `con` run as they are written, from now on, when `rows` are few; better planned otherwise.

    Planning better a query over dozens of columns costs more than those rows: a tenth of the import of small datasets.
    """
    few = rows <= FEW_ROWS
    # Saying it costs a third of a millisecond: it is said when it changes.
    if few != (con in _as_written):
        con.execute(f"PRAGMA {'disable' if few else 'enable'}_optimizer")
        (_as_written.add if few else _as_written.discard)(con)


_MOST_ASKING = 8


@contextmanager
def alone_and_in_order(con: Any) -> Iterator[int]:
    """Have each query of the database of `con` run by the thread that asks it, alone, its rows in their order.

    Yield how many threads may ask at once. A query that keeps the order of its rows between threads holds them twice.
    """
    threads = con.execute("SELECT current_setting('threads')").fetchall()[0][0]
    con.execute("SET threads = 1; SET preserve_insertion_order = false")
    try:
        yield min(threads, _MOST_ASKING)
    finally:
        con.execute(f"SET threads = {int(threads)}; SET preserve_insertion_order = true")


def _forget_workbench() -> None:
    if _kept.key is not None and _kept.key[0] == os.getpid():
        _close(_kept.database, spill=_kept.spill)
    _kept.key = _kept.database = _kept.spill = None


def _close(*connections: Any, spill: tempfile.TemporaryDirectory[str] | None) -> None:
    for connection in connections:
        connection.close()
    if spill is not None:
        spill.cleanup()


_pool: dict[tuple[int, Path, int], duck.Connection] = {}
_pool_lock = threading.Lock()


def _pooled(root: Path, memory_mb: int) -> duck.Connection:
    """Return this process's database for `memory_mb`: it reads nothing outside `root` and takes no other setting."""
    # A forked child must not use its parent's threads, hence the process in the key.
    key = (os.getpid(), root, memory_mb)
    with _pool_lock:
        if key not in _pool:
            con = connect(memory_mb=memory_mb, threads=2)
            con.execute(f"SET allowed_directories = [{literal(str(root) + os.sep)}]")
            con.execute("SET enable_external_access = false")
            con.execute("SET lock_configuration = true")
            _pool[key] = con
        return _pool[key]


@contextmanager
def reading(root: Path, *, timeout_s: float, memory_mb: int) -> Iterator[duck.Connection]:
    """Yield a connection that only reads under `root`, interrupted after `timeout_s`.

    Raises:
        QueryTooCostly: the block ran over the time or the memory allowed.
    """
    cursor = _pooled(root, memory_mb).cursor()
    timer = threading.Timer(timeout_s, cursor.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield cursor
    except duck.InterruptException as error:
        raise QueryTooCostly(
            "la requête dépasse {seconds} s", remedy="filtrez davantage ou demandez moins de lignes", seconds=timeout_s
        ) from error
    except duck.OutOfMemoryException as error:
        raise QueryTooCostly(
            "la requête dépasse {memory} Mo de mémoire",
            remedy="filtrez davantage ou demandez moins de colonnes",
            memory=memory_mb,
        ) from error
    finally:
        timer.cancel()
        cursor.close()


def literal(text: str) -> str:
    """Quote a text we made ourselves as an SQL literal; values of readers are bound, never quoted."""
    return "'" + text.replace("'", "''") + "'"


def name(identifier: str) -> str:
    """Quote an identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def known_column(key: str, columns: Mapping[str, Column]) -> Column:
    """Return the column `key` of those the viewer may read.

    Raises:
        BadQuery: it is not one of them, whether hidden or absent.
    """
    if key not in columns:
        raise BadQuery(
            "colonne « {column} » inconnue",
            remedy="colonnes : {known}",
            column=key[:80],
            known=", ".join(list(columns)[:40]),
        )
    return columns[key]


def conditions(
    where: Sequence[Filter], columns: Mapping[str, Column], *, bbox: BBox | None = None
) -> tuple[str, list[Any]]:
    """Return an SQL condition and its parameters.

    Raises:
        BadQuery: an unknown column or operator, or a value that does not suit the type of its column.
    """
    parts: list[str] = []
    values: list[Any] = []
    for item in where:
        column = known_column(item.column, columns)
        if item.op == "null":
            parts.append(f"{name(column.key)} IS {'' if _flag(item.value, column) else 'NOT '}NULL")
        elif item.op in _SEARCHED:
            parts.append(_SEARCHED[item.op].format(name(column.key)))
            values.append(str(item.value))
        elif item.op in _COMPARED:
            parts.append(_COMPARED[item.op].format(name(column.key)))
            values.append(typed(item.value, column))
        else:
            raise BadQuery(
                "opérateur « {op} » inconnu", remedy="opérateurs : {known}", op=item.op, known=", ".join(FILTER_OPS)
            )
    if bbox is not None:
        # A box that crosses the antimeridian has its west beyond its east: two halves.
        across = "OR" if bbox.west > bbox.east else "AND"
        parts.append(f"({BOX}.xmin <= ? {across} {BOX}.xmax >= ?) AND {BOX}.ymin <= ? AND {BOX}.ymax >= ?")
        values += [bbox.east, bbox.west, bbox.north, bbox.south]
    return " AND ".join(parts) or "TRUE", values


def _flag(value: Any, column: Column) -> bool:
    text = str(value).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise _ill_typed(value, column, "oui ou non")


def _number(value: Any, column: Column) -> float:
    return float(str(value).strip().replace("\u202f", "").replace(" ", "").replace(",", "."))


_READERS: dict[ColumnType, tuple[Any, str]] = {
    ColumnType.TEXT: (lambda value, column: str(value), "un texte"),
    ColumnType.INTEGER: (lambda value, column: _whole(value, column), "un nombre"),
    ColumnType.NUMBER: (_number, "un nombre"),
    ColumnType.BOOLEAN: (_flag, "oui ou non"),
    ColumnType.DATE: (
        lambda value, column: value if isinstance(value, date) else date.fromisoformat(value),
        "AAAA-MM-JJ",
    ),
    ColumnType.DATETIME: (
        lambda value, column: value if isinstance(value, datetime) else datetime.fromisoformat(value),
        "AAAA-MM-JJThh:mm:ss",
    ),
    ColumnType.TIME: (
        lambda value, column: value if isinstance(value, time) else time.fromisoformat(value),
        "hh:mm:ss",
    ),
}


def _whole(value: Any, column: Column) -> int | float:
    number = _number(value, column)
    # "annee > 1999.5" is a fair question; a whole number keeps every digit.
    return int(str(value)) if str(value).strip().lstrip("+-").isdigit() else number


def typed(value: Any, column: Column) -> Any:
    """Return `value` (text or typed) as the type of `column` wants it.

    Raises:
        BadQuery: it cannot be read so.
    """
    reader, expected = _READERS[column.type]
    try:
        read = reader(value, column)
    except (TypeError, ValueError) as error:
        raise _ill_typed(value, column, expected) from error
    if isinstance(read, int) and not isinstance(read, bool) and abs(read) >= 2**63:
        raise _ill_typed(value, column, expected)
    return read


def _ill_typed(value: Any, column: Column, expected: str) -> BadQuery:
    return BadQuery(
        "valeur « {value} » illisible pour la colonne « {column} »",
        remedy="attendu : {expected}",
        value=str(value)[:80],
        column=column.key,
        expected=expected,
    )
