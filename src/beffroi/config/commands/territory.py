"""`beffroi territory add|list`: the communes of this installation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from beffroi.config.cli import start_django
from beffroi.config.commands.readiness import make_registry, require_registry

if TYPE_CHECKING:
    from beffroi.lake.identity import Identity


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
    from beffroi.base.territory.engine import checked_insee

    code = checked_insee(insee)
    before = next((commune for commune in queries.communes() if commune.code == code), None)
    sources = sources and not code.startswith("00") and not (before and before.fictional)
    told = _identity(code) if sources else None
    commune = operations.add_commune(
        code=code,
        name=name or (before.name if before else told.name if told else f"Commune {code}"),
        population=population or (told.population if told else 0) or (before.population if before else 0),
        contour=told.contour if told else None,
        at=now(),
    )
    click.echo(f"{'Mise à jour' if before else 'Créée'} : {commune.name} ({commune.code})")
    if not name and before is None and told is None:
        click.echo(f"Son nom n’a pas été donné : beffroi territory add {commune.code} --name « … »")
    if sources:
        from beffroi.config.commands.sources import bring

        if not bring(commune):
            raise SystemExit(1)
    click.echo(f"Ce que cela demande et ce qui s’allume : beffroi needs --commune {commune.code}")
    click.echo(f"Importez les vôtres : beffroi import DOSSIER --recursive --commune {commune.code}")


def _identity(code: str) -> Identity | None:
    """Return who the commune is by the nation's own answer, None (and say so) when none came: the rest goes on."""
    import time

    from django.conf import settings

    from beffroi.base.kernel.errors import BeffroiError
    from beffroi.lake.asking import folder_of
    from beffroi.lake.identity import identity_of

    try:
        return identity_of(code, folder=folder_of(code), wait=time.sleep, mirror=settings.MIRROR_DIR)
    except BeffroiError as fault:
        click.echo(f"Nom, habitants et contour non reçus ; {fault}", err=True)
        return None


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
