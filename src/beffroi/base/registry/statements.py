"""Statements compiled once and run again with other values: a tenth of the ORM's work at each of them.

The ORM builds the same SQL anew at each call, which costs it far more than the database takes to run it. Here a model
or a query set is compiled the first time, by the ORM itself; later calls only bind values. On PostgreSQL the values
are bound by the server and the statement is prepared there once per connection.

For the few statements of a hot path. No signal is sent, no default of the database is read back.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import connection, models

Adapter = Callable[[Any], Any]
Row = tuple[Any, ...]
_TEXT = ("CharField", "TextField", "SlugField", "EmailField")
_AS_IT_IS = ("BooleanField", "FloatField", "BigIntegerField", "PositiveIntegerField", "PositiveSmallIntegerField")


def cursor() -> Any:
    """Return a cursor whose statements PostgreSQL prepares; Django's own elsewhere. Both are seen by query counts."""
    if connection.vendor != "postgresql":
        return connection.cursor()
    import psycopg

    # As Django opens its own, which put the values into the text: nothing could be prepared.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return connection._prepare_cursor(psycopg.Cursor(connection.connection))  # type: ignore[attr-defined]


class Insertion:
    """Insert rows of one model.

    >>> Insertion(Event).one(kind="dataset.published", …)  # doctest: +SKIP
    12
    """

    def __init__(self, model: type[models.Model]) -> None:
        self._model = model
        self._columns: dict[str, list[tuple[str, Any, Adapter | None]]] = {}
        self._texts: dict[tuple[str, int, bool], str] = {}

    def one(self, **values: Any) -> int:
        """Insert a row and return its key; values are by column (``case_id``), those absent are the model's defaults.

        Raises:
            TypeError: the model has no such column.
            IntegrityError: a constraint forbids it.
        """
        row = self._bound(values)
        with cursor() as run:
            run.execute(self._sql(1, returning=True), row)
            return int(run.fetchone()[0])

    def all(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows by one statement.

        Raises:
            TypeError: the model has no such column.
            IntegrityError: a constraint forbids it.
        """
        if not rows:
            return
        bound = list(chain.from_iterable(self._bound(values) for values in rows))
        with cursor() as run:
            run.execute(self._sql(len(rows), returning=False), bound)

    def _sql(self, count: int, *, returning: bool) -> str:
        key = (connection.vendor, count, returning)
        if (known := self._texts.get(key)) is None:
            meta, quoted = self._model._meta, connection.ops.quote_name
            names = [quoted(str(field.column)) for field in self._fields()]
            marks = ", ".join([f"({', '.join(['%s'] * len(names))})"] * count)
            known = f"INSERT INTO {quoted(meta.db_table)} ({', '.join(names)}) VALUES {marks}"  # noqa: S608 - our models
            if returning and meta.pk is not None:
                known += f" RETURNING {quoted(str(meta.pk.column))}"
            self._texts[key] = known
        return known

    def _fields(self) -> list[models.Field[Any, Any]]:
        return [field for field in self._model._meta.concrete_fields if not isinstance(field, models.AutoField)]

    def _bound(self, values: Mapping[str, Any]) -> list[Any]:
        columns = self._columns.get(connection.vendor)
        if columns is None:
            columns = [(field.attname, field, _adapter(field)) for field in self._fields()]
            self._columns[connection.vendor] = columns
        row, left = [], len(values)
        for name, field, adapt in columns:
            if name in values:
                value, left = values[name], left - 1
            else:
                value = field.get_default()
            row.append(value if value is None or adapt is None else adapt(value))
        if left:
            known = {name for name, _, _ in columns}
            raise TypeError(f"{self._model.__name__} has no column {sorted(set(values) - known)}")
        return row


def _adapter(field: models.Field[Any, Any]) -> Adapter | None:
    kind = field.get_internal_type()
    if kind in _TEXT:
        return _text
    if kind in _AS_IT_IS or field.is_relation:
        return None
    return lambda value: field.get_db_prep_save(value, connection)


def _text(value: str) -> str:
    # A member of an enumeration is written as its value.
    return value if type(value) is str else str(value)


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    # Each value bound, or the name of the word that takes its place.
    bound: tuple[tuple[str, Any], ...]
    converters: Mapping[int, tuple[Sequence[Callable[..., Any]], Any]]


class Question:
    """Ask a query set again and again with other words.

    Args:
        build: returns a query set of ``values_list``, ordered, from arguments that are all texts compared with columns
            of text: each is compiled as a mark, then replaced by what is asked.

    >>> by_prefix = Question(lambda prefix: ApiKey.objects.filter(prefix=prefix).values_list("pk"))  # doctest: +SKIP
    >>> by_prefix.first(prefix="0123")  # doctest: +SKIP
    (7,)
    """

    def __init__(self, build: Callable[..., models.QuerySet[Any, Any]]) -> None:
        self._build = build
        self._marks = {f"\ue000{name}": name for name in inspect.signature(build).parameters}
        self._compiled: dict[str, _Compiled] = {}

    def first(self, **words: str) -> Row | None:
        """Return the first row, None when there is none."""
        compiled = self._compiled.get(connection.vendor) or self._compile()
        with cursor() as run:
            run.execute(compiled.sql, [words[name] if name else value for name, value in compiled.bound])
            row = run.fetchone()
        if row is None:
            return None
        read = list(row)
        for place, (converters, expression) in compiled.converters.items():
            for convert in converters:
                read[place] = convert(read[place], expression, connection)
        return tuple(read)

    def _compile(self) -> _Compiled:
        rows = self._build(**{name: mark for mark, name in self._marks.items()})[:1]
        compiler = rows.query.get_compiler(connection=connection)
        sql, bound = compiler.as_sql()
        converters = compiler.get_converters([column for column, _, _ in compiler.select])
        named = tuple((self._marks.get(one, "") if isinstance(one, str) else "", one) for one in bound)
        made = self._compiled[connection.vendor] = _Compiled(sql, named, converters)
        return made
