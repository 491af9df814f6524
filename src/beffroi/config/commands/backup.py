"""`beffroi backup FILE` and `beffroi restore FILE`: all that a town would lose, in one file."""

from __future__ import annotations

from pathlib import Path

import click

from beffroi.config.cli import start_django
from beffroi.config.commands.readiness import require_registry


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup_command(file: Path) -> None:
    """Sauvegarder le registre, le lac et les dépôts dans FILE (tar), sans arrêter le service.

    Le fichier contient des données personnelles et la clé secrète : il n’est lisible que de son propriétaire.
    """
    start_django()
    require_registry()
    from beffroi.base.kernel.time import now
    from beffroi.config.commands.backup_archive import write_backup

    done = write_backup(file, at=now())
    click.echo(
        f"{file} : {done.rows} lignes du registre, {done.files} fichiers, "
        f"{file.stat().st_size / 1e6:.1f} Mo, empreintes vérifiables"
    )


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Remplacer ce qui est là ; l’ancien est gardé à côté.")
def restore_command(file: Path, *, force: bool) -> None:
    """Remettre ce que FILE contient, dans SQLite ou PostgreSQL, d’où qu’il vienne. Arrêtez le service avant."""
    start_django()
    from beffroi.base.kernel.time import now
    from beffroi.config.commands.backup_restore import restore_backup

    done = restore_backup(file, force=force, at=now())
    click.echo(f"{done.rows} lignes du registre et {done.files} fichiers remis en place")
    if done.kept_aside is not None:
        click.echo(f"Ce qui était là est gardé dans {done.kept_aside} : effacez-le quand tout est bon")
