"""Migrations of the registry, each noted in the transaction of its change.

Django notes a migration after committing its tables when it has indexes or keys to add: killed in between, the next run
finds tables it does not know, and somebody must mend the registry by hand.
"""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.commands import migrate as command
from django.db import transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration


class NotedWithin(MigrationExecutor):
    """Make each migration and its note in one transaction."""

    def apply_migration(self, state: Any, migration: Migration, fake: bool = False, fake_initial: bool = False) -> Any:
        if fake or not migration.atomic:
            return super().apply_migration(state, migration, fake=fake, fake_initial=fake_initial)
        # SQLite lets go of foreign keys outside a transaction alone, and its tables are remade without them.
        let_go = self.connection.disable_constraint_checking()
        try:
            with transaction.atomic(using=self.connection.alias):
                return super().apply_migration(state, migration, fake=fake, fake_initial=fake_initial)
        finally:
            if let_go:
                self.connection.enable_constraint_checking()


def migrate(*, verbosity: int = 0) -> None:
    """Bring the registry to the tables of this code; killed at any moment, it goes on from there the next time."""
    given = command.MigrationExecutor  # type: ignore[attr-defined]
    # Django's command takes its executor from its own module, and no setting names another.
    command.MigrationExecutor = NotedWithin  # type: ignore[attr-defined]
    try:
        call_command("migrate", interactive=False, verbosity=verbosity)
    finally:
        command.MigrationExecutor = given  # type: ignore[attr-defined]
