"""`beffroi serve`: the web processes (granian, WSGI)."""

from __future__ import annotations

import os

import click

from beffroi.base.kernel.errors import BeffroiError
from beffroi.config.cli import start_django


class CannotServe(BeffroiError):
    """Something must be put right before pages can be served."""


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


def server(*, host: str, port: int, workers: int) -> object:
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
        CannotServe: says what to do first.
    """
    import socket

    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise CannotServe(
            "le registre ne répond pas ({reason})",
            where="DATABASE_URL",
            remedy="vérifiez que la base est démarrée et que l’adresse est bonne",
            reason=str(error).strip().splitlines()[0],
        ) from error
    finally:
        connection.close()
    if behind:
        raise CannotServe(
            "le registre n’est pas à jour ({count} changement(s) à appliquer)",
            remedy="lancez d’abord : beffroi migrate",
            count=len(behind),
        )
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
