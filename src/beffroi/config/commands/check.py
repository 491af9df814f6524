"""`beffroi check`: is this installation sound? One line per thing looked at, and what to do about what is not."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from beffroi.base.kernel.errors import BeffroiError
from beffroi.config.commands.readiness import NotReady, migrations_behind
from beffroi.config.environment import read_environment

GOOD, DOUBTFUL, BAD = "bon", "à voir", "mauvais"
MIN_FREE_BYTES = 1_000_000_000
WARN_FREE_BYTES = 5_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing: its state, what is so, and what to do when it is not good."""

    subject: str
    state: str
    what: str
    remedy: str = ""


@click.command("check")
def check_command() -> None:
    """Vérifier la configuration et les données ; l’état de sortie vaut 1 si quelque chose est mauvais."""
    from rich.console import Console
    from rich.table import Table

    findings = list(found())
    table = Table(title="Santé de cette installation", title_justify="left", show_lines=False)
    for heading in ("Objet", "État", "Constat", "Que faire"):
        table.add_column(heading, overflow="fold")
    for one in findings:
        table.add_row(one.subject, one.state, one.what, one.remedy)
    Console().print(table)
    bad = sum(one.state == BAD for one in findings)
    doubtful = sum(one.state == DOUBTFUL for one in findings)
    click.echo(f"{len(findings)} points vérifiés : {bad} mauvais, {doubtful} à voir")
    if bad:
        raise SystemExit(1)


def found() -> Iterator[Finding]:
    """Yield every finding; what depends on something bad is not looked at."""
    try:
        environment = read_environment()
        # Reading the settings is part of what is checked: a bad one stops here, in one sentence.
        from beffroi.config.cli import start_django

        start_django()
    except BeffroiError as error:
        yield Finding("Configuration", BAD, f"{error.where} : {error.what}", str(error.remedy))
        return
    yield Finding("Configuration", GOOD, "variables d’environnement lisibles")
    yield from _debugging(environment)
    yield from _folders()
    yield from _registry()
    for subject in LOOKS:
        yield from _looked(subject)


def _debugging(environment: dict[str, object]) -> Iterator[Finding]:
    if environment["BEFFROI_DEBUG"]:
        yield Finding("Mode de développement", DOUBTFUL, "BEFFROI_DEBUG vaut 1", "mettez 0 en production")
    if environment["BEFFROI_HOSTS"] != ["localhost", "127.0.0.1", "[::1]"] and not environment["BEFFROI_HTTPS"]:
        yield Finding("HTTPS", DOUBTFUL, "BEFFROI_HTTPS vaut 0", "mettez 1 derrière votre mandataire HTTPS")


def _folders() -> Iterator[Finding]:
    from django.conf import settings

    for subject, folder in (
        ("Dossier de données", Path(settings.DATA_DIR)),
        ("Lac", Path(settings.LAKE_DIR)),
        ("Dépôts", Path(settings.UPLOAD_DIR)),
    ):
        yield _writable(subject, folder)
    free = shutil.disk_usage(_existing(Path(settings.DATA_DIR))).free
    amount = f"{free / 1e9:.1f} Go libres"
    if free < MIN_FREE_BYTES:
        yield Finding("Place sur le disque", BAD, amount, "libérez de la place : un import pourrait s’arrêter")
    elif free < WARN_FREE_BYTES:
        yield Finding("Place sur le disque", DOUBTFUL, amount, "prévoyez d’agrandir le disque")
    else:
        yield Finding("Place sur le disque", GOOD, amount)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _writable(subject: str, folder: Path) -> Finding:
    nearest = _existing(folder)
    try:
        # Rights alone do not tell a read-only or full disk: write, and take it back.
        with tempfile.TemporaryFile(dir=nearest) as probe:
            probe.write(b"x")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return Finding(subject, BAD, f"{folder} : {error.strerror}", "donnez à ce compte le droit d’y écrire")
    return Finding(subject, GOOD, f"{folder} accessible en écriture" if nearest == folder else f"{folder} sera créé")


def _registry() -> Iterator[Finding]:
    from django.db import connection

    try:
        behind = migrations_behind()
    except NotReady as error:
        yield Finding("Registre", BAD, str(error.what), str(error.remedy))
        return
    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.vendor]
    if behind:
        yield Finding("Registre", BAD, f"{kind} : {behind} changement(s) à appliquer", "beffroi migrate")
        return
    yield Finding("Registre", GOOD, f"{kind}, à jour")
    if connection.vendor == "sqlite":
        yield from _sqlite_soundness()


def _sqlite_soundness() -> Iterator[Finding]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA quick_check(1)")
        answer = cursor.fetchone()[0]
        cursor.execute("PRAGMA foreign_key_check")
        orphans = len(cursor.fetchall())
    if answer != "ok":
        yield Finding(
            "Fichier du registre", BAD, str(answer), "restaurez la dernière sauvegarde : beffroi restore FICHIER"
        )
    elif orphans:
        yield Finding("Fichier du registre", BAD, f"{orphans} lien(s) rompus", "restaurez la dernière sauvegarde")
    else:
        yield Finding("Fichier du registre", GOOD, "intègre")


def _communes() -> Iterator[Finding]:
    from django.conf import settings

    from beffroi.base.territory import queries

    communes = queries.communes()
    wanted = settings.DEFAULT_COMMUNE
    if not communes:
        yield Finding("Communes", DOUBTFUL, "aucune", "beffroi territory add CODE_INSEE --name « … »")
    elif wanted and wanted not in {one.code for one in communes}:
        yield Finding(
            "Communes", BAD, f"BEFFROI_COMMUNE vaut {wanted}, inconnue ici", f"beffroi territory add {wanted}"
        )
    else:
        yield Finding("Communes", GOOD, ", ".join(f"{one.name} ({one.code})" for one in communes[:5]))


def _use_cases() -> Iterator[Finding]:
    from beffroi.base.catalogue import queries

    for problem in queries.problems():
        yield Finding("Usage", BAD, f"{problem.where} : {problem.what}", str(problem.remedy))
    yield Finding("Usages", GOOD, f"{len(queries.catalogue().use_cases)} fichiers valides")


def _datasets() -> Iterator[Finding]:
    from django.conf import settings

    from beffroi.lake.store import Lake

    lake = Lake(Path(settings.LAKE_DIR))
    broken = 0
    count = 0
    for pointer in sorted(lake.root.glob("*/*/current")):
        count += 1
        version = pointer.parent / "versions" / pointer.read_text().strip()
        lacking = [name for name in ("manifest.json", "data.parquet") if not (version / name).is_file()]
        if lacking:
            broken += 1
            where = f"{pointer.parent.parent.name}/{pointer.parent.name}"
            yield Finding("Jeu de données", BAD, f"{where} : {', '.join(lacking)} absent", "réimportez-le")
    if not broken:
        yield Finding("Jeux de données", GOOD, f"{count} en service, fichiers présents")


def _worker() -> Iterator[Finding]:
    from beffroi.base.journal import queries
    from beffroi.base.kernel.time import now

    health = queries.worker_health(at=now())
    if health.dead:
        yield Finding("Livraisons", DOUBTFUL, f"{health.dead} abandonnée(s)", "voyez la page du journal dans /agent/")
    if health.alive:
        yield Finding("Tâches de fond", GOOD, "un ouvrier travaille")
    else:
        waiting = f"{health.waiting} livraison(s) en attente"
        yield Finding("Tâches de fond", DOUBTFUL, f"aucun ouvrier, {waiting}", "lancez : beffroi worker")


LOOKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "Communes": _communes,
    "Usages": _use_cases,
    "Jeux de données": _datasets,
    "Tâches de fond": _worker,
}


def _looked(subject: str) -> Iterator[Finding]:
    from django.db import DatabaseError

    try:
        yield from LOOKS[subject]()
    except DatabaseError:
        # The registry was already told bad: saying it once per table would hide the rest.
        yield Finding(subject, DOUBTFUL, "non vérifié", "mettez d’abord le registre en état")
