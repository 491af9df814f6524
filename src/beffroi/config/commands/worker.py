"""`beffroi worker`: deliver events, run background tasks and daily jobs."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

import click

from beffroi.config.cli import start_django


@click.command("worker")
def worker_command() -> None:
    """Livrer les événements, exécuter les tâches de fond et les travaux quotidiens.

    Ctrl-C ou SIGTERM : finit ce qui est en cours, puis s'arrête. Un second signal arrête tout de suite ; ce qui
    n'était pas fini est repris au prochain démarrage.
    """
    start_django()
    from beffroi.base.journal.worker import run_worker

    stop = threading.Event()

    def ask_to_stop(signum: int, frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + signum)
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    run_worker(stop)
