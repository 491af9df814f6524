"""What keeps the journal append-only: triggers in the database itself, on SQLite and on PostgreSQL.

An event may change in one way only: its personal values are struck out (`operations.strike_out`). The trigger lets an
UPDATE pass when it consumes exactly one new row of `journal_redaction`, leaves what happened (id, instant, kind,
subject, territory) as it was, and either keeps the persons or replaces them by nobody or an erased number (negative).
Redactions are append-only themselves: every strike leaves its trace. See docs/decisions/0021.

On SQLite, a migration that alters a table builds it anew and drops its triggers: they are put back after each
migration (`apps.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = ("journal_event", "journal_redaction")

_ALLOWED_UPDATE = """
    NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.kind = OLD.kind AND NEW.subject = OLD.subject
    AND NEW.territory = OLD.territory
    AND (NEW.actor {same} OLD.actor OR NEW.actor IS NULL OR NEW.actor < 0)
    AND (NEW.on_behalf_of {same} OLD.on_behalf_of OR NEW.on_behalf_of IS NULL OR NEW.on_behalf_of < 0)
    AND NEW.redactions = OLD.redactions + 1
    AND EXISTS (SELECT 1 FROM journal_redaction r WHERE r.event_id = OLD.id AND r.number = NEW.redactions)
"""


def _sqlite() -> list[str]:
    def refuse(name: str, table: str, moment: str, when: str = "") -> str:
        return (
            f"CREATE TRIGGER {name} BEFORE {moment} ON {table} {when} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )

    allowed = _ALLOWED_UPDATE.format(same="IS")
    statements = [
        refuse("journal_event_update", "journal_event", "UPDATE", f"WHEN NOT COALESCE(({allowed}), 0)"),
        refuse("journal_redaction_update", "journal_redaction", "UPDATE"),
    ]
    for table in TABLES:
        statements.append(refuse(f"{table}_delete", table, "DELETE"))
        # INSERT OR REPLACE deletes the old row without firing DELETE triggers.
        replaces = f"WHEN EXISTS (SELECT 1 FROM {table} old WHERE old.id = NEW.id)"  # noqa: S608 - constants
        statements.append(refuse(f"{table}_replace", table, "INSERT", replaces))
    return statements


def _postgresql() -> list[str]:
    allowed = _ALLOWED_UPDATE.format(same="IS NOT DISTINCT FROM")
    return [
        """CREATE OR REPLACE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
        END $$""",
        f"""CREATE OR REPLACE FUNCTION journal_refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NOT COALESCE(({allowed}), false) THEN
            RAISE EXCEPTION 'journal_event is append-only' USING ERRCODE = 'integrity_constraint_violation';
          END IF;
          RETURN NEW;
        END $$""",
        "CREATE TRIGGER journal_event_update BEFORE UPDATE ON journal_event "
        "FOR EACH ROW EXECUTE FUNCTION journal_refuse_update()",
        "CREATE TRIGGER journal_redaction_update BEFORE UPDATE ON journal_redaction "
        "FOR EACH ROW EXECUTE FUNCTION journal_refuse()",
        *(
            f"CREATE TRIGGER {table}_{moment.lower()} BEFORE {moment} ON {table} "
            f"FOR EACH {each} EXECUTE FUNCTION journal_refuse()"
            for table in TABLES
            for moment, each in (("DELETE", "ROW"), ("TRUNCATE", "STATEMENT"))
        ),
    ]


_NAMES = {
    "sqlite": [f"{table}_{moment}" for table in TABLES for moment in ("update", "delete", "replace")],
    "postgresql": [f"{table}_{moment}" for table in TABLES for moment in ("update", "delete", "truncate")],
}


def remove_triggers(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers; only `install_triggers`, a reversed migration and the tests' clean-up do this."""
    with connection.cursor() as cursor:
        for name in _NAMES[connection.vendor]:
            table = name.rpartition("_")[0]
            on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")


def install_triggers(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers, whether or not they are there."""
    remove_triggers(connection)
    with connection.cursor() as cursor:
        for statement in {"sqlite": _sqlite, "postgresql": _postgresql}[connection.vendor]():
            cursor.execute(statement)


@contextmanager
def triggers_lifted(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Let a test run empty the journal's tables between two tests. Never used by the product."""
    if "journal_event" not in connection.introspection.table_names():
        yield
        return
    remove_triggers(connection)
    try:
        yield
    finally:
        install_triggers(connection)
