"""`beffroi manage …`: Django's own commands, for developers."""

from __future__ import annotations

import click

from beffroi.config.cli import start_django


@click.command("manage", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage_command(arguments: tuple[str, ...]) -> None:
    """Commandes de Django, pour développer (makemigrations, shell…)."""
    start_django()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["beffroi manage", *arguments])
