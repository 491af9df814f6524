"""What keeps the ledger append-only: triggers in the database itself, on SQLite and on PostgreSQL.

An entry and its postings are never changed nor deleted: a mistake is put right by the opposite entry. No row of these
two tables names a person, so that no erasure has to touch them. Only what a sandbox counted, where no money ever moved,
goes when it begins again. On SQLite a migration that alters a table builds it anew, drops its triggers and stumbles on
those that read it: they go before each migration and are put back after it (`apps.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = ("payments_entry", "payments_posting")
# The territory of a row: of a sandbox (`territory.engine.is_sandbox`), it may be deleted.
_TERRITORY = {
    "payments_entry": "SELECT r.territory FROM payments_register r WHERE r.id = OLD.register_id",
    "payments_posting": "SELECT r.territory FROM payments_entry e JOIN payments_register r ON r.id = e.register_id"
    " WHERE e.id = OLD.entry_id",
}
_SANDBOX = "99___"
_MOMENTS = {"sqlite": ("update", "delete", "replace"), "postgresql": ("update", "delete")}


def _sqlite(table: str) -> list[str]:
    # INSERT OR REPLACE deletes the old row without firing DELETE triggers.
    whens = {
        "update": ("UPDATE", ""),
        "delete": ("DELETE", f"WHEN COALESCE(({_TERRITORY[table]}), '') NOT LIKE '{_SANDBOX}'"),
        "replace": ("INSERT", f"WHEN EXISTS (SELECT 1 FROM {table} old WHERE old.id = NEW.id)"),  # noqa: S608 - constants
    }
    return [
        f"CREATE TRIGGER {table}_{name} BEFORE {moment} ON {table} {when} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for name, (moment, when) in whens.items()
    ]


def _postgresql(table: str) -> list[str]:
    spared = "".join(
        f"IF TG_OP = 'DELETE' AND TG_TABLE_NAME = '{name}' THEN "
        f"IF ({territory}) LIKE '{_SANDBOX}' THEN RETURN OLD; END IF; END IF; "
        for name, territory in _TERRITORY.items()
    )
    function = f"""CREATE OR REPLACE FUNCTION payments_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          {spared}
          RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
        END $$"""
    triggers = (
        f"CREATE TRIGGER {table}_{moment} BEFORE {moment.upper()} ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION payments_refuse()"
        for moment in _MOMENTS["postgresql"]
    )
    return [function, *triggers]


def remove_triggers(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers; only `install_triggers`, a reversed migration and the tests' clean-up do this."""
    with connection.cursor() as cursor:
        for table in TABLES:
            for moment in _MOMENTS[connection.vendor]:
                on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_{moment}{on_table}")


def install_triggers(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers, whether or not they are there."""
    remove_triggers(connection)
    statements = {"sqlite": _sqlite, "postgresql": _postgresql}[connection.vendor]
    with connection.cursor() as cursor:
        for table in TABLES:
            for statement in statements(table):
                cursor.execute(statement)


@contextmanager
def triggers_lifted(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Let a test run empty the ledger's tables between two tests. Never used by the product."""
    if not set(TABLES) <= set(connection.introspection.table_names()):
        yield
        return
    remove_triggers(connection)
    try:
        yield
    finally:
        install_triggers(connection)
