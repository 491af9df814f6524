"""`beffroi usecases list|check`: what the catalogue holds, and what is wrong with its files."""

from __future__ import annotations

import click

from beffroi.config.cli import start_django
from beffroi.config.commands.readiness import require_registry


@click.group("usecases")
def usecases_command() -> None:
    """Les usages : liste et vérification de leurs fichiers."""


@usecases_command.command("list")
@click.option("--territory", default="", help="Code INSEE de la commune ; vide : l’état par défaut des fichiers.")
@click.option("--state", "states", multiple=True, type=click.Choice(["draft", "pilot", "live", "retired"]))
@click.option("--workshop", type=click.IntRange(0, 12), help="Numéro d’atelier ; 0 : la plateforme.")
def list_use_cases(territory: str, states: tuple[str, ...], workshop: int | None) -> None:
    """Lister les usages avec leur état."""
    start_django()
    require_registry()
    from rich.console import Console
    from rich.table import Table

    from beffroi.base.catalogue import queries
    from beffroi.base.catalogue.definition import State

    chosen = [State(state) for state in states] or None
    views = queries.use_cases(territory=territory, workshop=workshop, states=chosen)
    table = Table(title=f"{len(views)} usages", title_justify="left")
    for heading in ("Identifiant", "État", "Moteur", "Public", "Titre"):
        table.add_column(heading, overflow="fold")
    for view in views:
        one = view.use_case
        table.add_row(one.id, view.state.value, one.engine, ", ".join(one.audience), one.title)
    Console().print(table)


@usecases_command.command("check")
@click.option("--examples", is_flag=True, help="Exécuter aussi les exemples, sans rien garder dans le registre.")
def check_use_cases(examples: bool) -> None:
    """Vérifier chaque fichier ; l’état de sortie vaut 1 s’il y a un problème."""
    start_django()
    from beffroi.base.catalogue import queries

    found = queries.catalogue()
    for problem in found.problems:
        click.echo(str(problem), err=True)
    failed = _failed_examples() if examples else 0
    click.echo(f"{len(found.use_cases)} usages valides, {len(found.problems)} problème(s)")
    if found.problems or failed:
        raise SystemExit(1)


def _failed_examples() -> int:
    """Run every example in a transaction that is rolled back; print what does not hold and return how many."""
    from django.db import transaction

    from beffroi.base.catalogue import queries
    from beffroi.base.catalogue.examples import run_example
    from beffroi.base.kernel.errors import BeffroiError

    require_registry()
    run = failed = 0
    for one in queries.catalogue().use_cases.values():
        for example in one.examples:
            run += 1
            with transaction.atomic():
                try:
                    run_example(one, example)
                except BeffroiError as error:
                    failed += 1
                    click.echo(str(error), err=True)
                transaction.set_rollback(True)
    click.echo(f"{run} exemple(s), {failed} qui ne tien(nen)t pas")
    return failed
