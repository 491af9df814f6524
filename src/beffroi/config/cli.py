"""The `beffroi` command line: one module per command in `commands/`, loaded only when called."""

from __future__ import annotations

import importlib
import os

import click

from beffroi import __version__
from beffroi.base.kernel.errors import BeffroiError

# Name of the command: module of `commands/` that holds a click command of that name.
COMMANDS: dict[str, str] = {
    "demo": "demo",
    "serve": "serve",
    "worker": "worker",
    "import": "importing",
    "territory": "territory",
    "lake": "lake",
    "mobility": "mobility",
    "transit": "transit",
    "usecases": "usecases",
    "check": "check",
    "needs": "needs",
    "backup": "backup",
    "restore": "backup",
    "bench": "bench",
    "mail": "mail",
    "keys": "keys",
    "migrate": "migrate",
    "manage": "manage",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module_name = COMMANDS.get(cmd_name)
        if module_name is None:
            return None
        module = importlib.import_module(f"beffroi.config.commands.{module_name}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command


@click.group(cls=_Commands)
@click.version_option(__version__, prog_name="beffroi")
def beffroi() -> None:
    """Beffroi : la ville, ses services et ses données, sur une seule plateforme."""


def start_django() -> None:
    """Load the settings and the applications, once, for the commands that need the registry."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "beffroi.config.settings")
    import django

    django.setup()


def main() -> None:
    """Run the command line; an error a person can mend is one sentence and exit status 1, never a traceback."""
    try:
        beffroi(prog_name="beffroi")
    except BeffroiError as error:
        click.echo(f"beffroi : {error}", err=True)
        raise SystemExit(1) from None
