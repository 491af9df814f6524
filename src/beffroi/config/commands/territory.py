"""`beffroi territory add|list`: the communes of this installation."""

from __future__ import annotations

import click

from beffroi.config.cli import start_django
from beffroi.config.commands.readiness import make_registry, require_registry


@click.group("territory")
def territory_command() -> None:
    """Les communes de cette installation."""


@territory_command.command("add")
@click.argument("insee")
@click.option("--name", default="", help="Nom de la commune.")
@click.option("--population", type=click.IntRange(min=0), default=0, help="Nombre d’habitants.")
@click.option("--sources/--no-sources", default=True, help="Chercher ses données nationales (oui, sauf mention).")
def add_territory(insee: str, name: str, population: int, *, sources: bool) -> None:
    """Créer la commune de code INSEE donné, ou la mettre à jour, et chercher ce que la France publie d’elle.

    Ce qui est interrompu reprend où il s’était arrêté ; BEFFROI_MIRROR désigne un dossier à lire à la place des sites.
    """
    start_django()
    if make_registry():
        click.echo("Registre créé")
    require_registry()
    from beffroi.base.kernel.time import now
    from beffroi.base.territory import operations, queries

    known = {commune.code: commune for commune in queries.communes()}
    before = known.get(insee.strip().upper())
    commune = operations.add_commune(
        code=insee,
        name=name or (before.name if before else f"Commune {insee.strip().upper()}"),
        population=population or (before.population if before else 0),
        at=now(),
    )
    click.echo(f"{'Mise à jour' if before else 'Créée'} : {commune.name} ({commune.code})")
    if not name and before is None:
        click.echo(f"Son nom n’a pas été donné : beffroi territory add {commune.code} --name « … »")
    if sources and not commune.fictional and not commune.code.startswith("00"):
        from beffroi.config.commands.sources import bring

        if not bring(commune):
            raise SystemExit(1)
    click.echo(f"Ce que cela demande et ce qui s’allume : beffroi needs --commune {commune.code}")
    click.echo(f"Importez les vôtres : beffroi import DOSSIER --recursive --commune {commune.code}")


@territory_command.command("list")
def list_territories() -> None:
    """Lister les communes et les groupements."""
    start_django()
    require_registry()
    from beffroi.base.territory import queries

    found = [*queries.communes(), *queries.groupings()]
    for one in found:
        click.echo(f"{one.code:<9}  {one.name}{'  (fictive)' if one.fictional else ''}")
    if not found:
        click.echo("Aucune commune : beffroi territory add CODE_INSEE --name « … »")
