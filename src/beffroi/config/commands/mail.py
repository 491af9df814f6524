"""`beffroi mail FOLDER`: put the answers received by e-mail in the threads they belong to."""

from __future__ import annotations

import threading
from pathlib import Path

import click

from beffroi.config.cli import start_django


@click.command("mail")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--watch", is_flag=True, help="Recommencer toutes les trente secondes, jusqu'à Ctrl-C.")
def mail_command(folder: Path, watch: bool) -> None:
    """Lire les réponses arrivées dans un dossier Maildir et les joindre aux demandes.

    Le serveur de courriel y dépose ce qui arrive à l'adresse BEFFROI_EMAIL_REPLY et à ses variantes « +jeton ». Un
    message lu quitte le dossier ; ce qui n'est pas une réponse à une demande va dans le sous-dossier « .A-part ».
    """
    start_django()
    from beffroi.base.kernel.time import now
    from beffroi.serve.cases.replies import receive_maildir

    stop = threading.Event()
    while True:
        for reply in receive_maildir(folder, at=now()):
            click.echo(f"{reply.number} : réponse jointe" if reply.number else f"laissé de côté : {reply.left_aside}")
        if not watch:
            return
        try:
            stop.wait(30)
        except KeyboardInterrupt:
            return
