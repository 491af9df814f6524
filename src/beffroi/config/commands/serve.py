"""`beffroi serve`: the web processes (granian, WSGI)."""

from __future__ import annotations

import os
from typing import Any

import click

from beffroi.base.kernel.errors import BeffroiError
from beffroi.config.cli import start_django
from beffroi.config.commands.readiness import require_registry


class CannotServe(BeffroiError):
    """The address cannot be listened to."""


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Adresse écoutée ; 0.0.0.0 pour toutes.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65_535))
@click.option("--workers", default=0, type=click.IntRange(0, 64), help="Processus ; 0 : un par cœur, quatre au plus.")
def serve_command(host: str, port: int, workers: int) -> None:
    """Servir le site. Ctrl-C, ou le signal TERM, laisse finir les réponses en cours."""
    start_django()
    check_ready(host, port)
    click.echo(f"Beffroi : http://{host}:{port}/")
    server(host=host, port=port, workers=workers or min(4, os.cpu_count() or 1)).serve()


def server(*, host: str, port: int, workers: int) -> Any:
    """Return the web server, ready to `serve()`; `beffroi demo` uses it too."""
    from granian import Granian
    from granian.constants import Interfaces

    return Granian(
        "beffroi.config.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        # Pages mostly wait for the registry or a file: a few threads per process keep both cores busy.
        blocking_threads=4,
        backlog=1024,
        workers_kill_timeout=30,
        respawn_failed_workers=True,
        log_access=False,
    )


def check_ready(host: str, port: int) -> None:
    """Refuse to start on a registry that is not up to date or a port that is taken, rather than fail page by page.

    Raises:
        NotReady: the registry does not answer or is behind.
        CannotServe: the port is taken.
    """
    import socket

    from django.db import connection

    try:
        require_registry()
    finally:
        connection.close()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotServe(
                "l’adresse {host}:{port} n’est pas libre ({reason})",
                remedy="choisissez un autre port : beffroi serve --port 8001",
                host=host,
                port=port,
                reason=error.strerror,
            ) from error
