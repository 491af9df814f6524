"""`beffroi mail SOURCE`: put the answers received by e-mail in the threads they belong to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from beffroi.config.cli import start_django

if TYPE_CHECKING:
    from beffroi.serve.cases.replies import Reply


@click.command("mail")
@click.argument("source")
@click.option("--watch", is_flag=True, help="Recommencer toutes les trente secondes, jusqu'à Ctrl-C.")
def mail_command(source: str, watch: bool) -> None:
    """Lire les réponses arrivées dans un dossier Maildir ou une boîte IMAP et les joindre aux demandes.

    SOURCE est un dossier où le serveur de courriel dépose ce qui arrive à l'adresse BEFFROI_EMAIL_REPLY et à ses
    variantes « +jeton », ou l'adresse d'une boîte (imaps://suivi%40mairie.fr@courriel.mairie.fr/INBOX), dont
    BEFFROI_IMAP_PASSWORD donne le mot de passe. Un message lu quitte le dossier ; ce qui n'est pas une réponse à une
    demande va dans le sous-dossier « A-part ».
    """
    start_django()
    from beffroi.base.kernel.errors import BeffroiError

    stop = threading.Event()
    while True:
        try:
            for reply in _replies(source):
                joined = f"{reply.number} : réponse jointe"
                click.echo(joined if reply.number else f"laissé de côté : {reply.left_aside}")
        except BeffroiError as error:
            if not watch:
                raise click.ClickException(str(error)) from error
            # The server may be away for a moment.
            click.echo(str(error), err=True)
        if not watch:
            return
        try:
            stop.wait(30)
        except KeyboardInterrupt:
            return


def _replies(source: str) -> Iterator[Reply]:
    from django.conf import settings

    from beffroi.base.kernel.time import now
    from beffroi.serve.cases.imap import MailboxAddress, receive_imap
    from beffroi.serve.cases.replies import receive_maildir

    if "://" in source:
        address = MailboxAddress.parsed(source)
        return receive_imap(address, settings.IMAP_PASSWORD, at=now())
    folder = Path(source)
    if not folder.is_dir():
        raise click.BadParameter(f"le dossier « {source} » n'existe pas", param_hint="SOURCE")
    return receive_maildir(folder, at=now())
