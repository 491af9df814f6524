"""`beffroi migrate`: create or update the registry."""

from __future__ import annotations

import click

from beffroi.config.cli import start_django


@click.command("migrate")
def migrate_command() -> None:
    """Créer le registre ou le mettre à jour."""
    start_django()
    from beffroi.config.migrating import migrate

    migrate(verbosity=1)
