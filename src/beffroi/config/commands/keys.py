"""`beffroi keys check|turn`: the keys that seal the notes of outreach rounds."""

from __future__ import annotations

import click

from beffroi.config.cli import start_django
from beffroi.config.commands.readiness import require_registry


@click.group("keys")
def keys_command() -> None:
    """Les clés des textes chiffrés, gardées hors du registre (`notes.key`)."""


@keys_command.command("check")
def check() -> None:
    """Compter les textes chiffrés que les clés de ce serveur n’ouvrent pas ; l’état de sortie vaut 1 s’il y en a."""
    start_django()
    require_registry()
    from beffroi.base.privacy.sealing import unreadable

    count = unreadable()
    click.echo(f"{count} textes chiffrés illisibles" if count else "Tout s’ouvre avec les clés de ce serveur.")
    if count:
        raise SystemExit(1)


@keys_command.command("turn")
def turn() -> None:
    """Tirer une nouvelle clé et tout chiffrer à nouveau avec elle ; sauvegardez ensuite."""
    start_django()
    require_registry()
    from beffroi.base.privacy.sealing import turn_keys

    click.echo(f"Nouvelle clé ; {turn_keys()} textes chiffrés à nouveau. Sauvegardez le fichier notes.key.")
