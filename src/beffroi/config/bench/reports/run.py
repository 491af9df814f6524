"""The parts of `beffroi bench reports`, each on a registry of its own, and the table of what they found."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from beffroi.config.bench.measure import BenchFailed, in_child
from beffroi.config.bench.report import Table, number
from beffroi.config.bench.reports.load import CLIENTS, Load, killed, throughput

FILLED = 200_000
HOSTILE = 10_000
WORKERS = 2
Told = Callable[[str], None]


def reports_table(folder: Path, parts: Sequence[str], *, seconds: float, told: Told) -> Table:
    """Measure the parts asked for, all when none is, on the registry of DATABASE_URL (SQLite without it).

    Raises:
        BenchFailed: a part is unknown, or something acknowledged was lost.
    """
    if unknown := set(parts) - set(_PARTS):
        raise BenchFailed(
            "partie « {name} » inconnue",
            where="bench reports",
            remedy="choisissez parmi {known}",
            name=", ".join(sorted(unknown)),
            known=", ".join(_PARTS),
        )
    on_postgresql = bool(os.environ.get("DATABASE_URL"))
    table = Table(
        f"reports-{'postgresql' if on_postgresql else 'sqlite'}",
        f"Signalements, registre {'PostgreSQL' if on_postgresql else 'SQLite'}",
        ("quoi", "détail", "mesure"),
        notes=(
            f"Envois par Open311, {CLIENTS} clients, {WORKERS} processus web, écriture durable (fsync) à chaque "
            "200 ; chaque numéro acquitté est cherché ensuite dans le registre, chaque clé une fois.",
            "Clients, site et base se partagent les mêmes cœurs. Le client : un processus asyncio sur prises nues, aux "
            "requêtes faites d'avance.",
        ),
    )
    with _registry(folder, "modele") as model:
        told("Registre du banc…")
        key = in_child("prepare_reports")["key"]
        for part in parts or tuple(_PARTS):
            told(f"{part}…")
            with _registry(folder, part, model=model):
                table.rows += _PARTS[part](key, seconds)
    return table


# --- A registry for each part -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def _registry(folder: Path, part: str, *, model: tuple[Path, str] | None = None) -> Iterator[tuple[Path, str]]:
    """Have `BEFFROI_DATA_DIR` and `DATABASE_URL` name a registry made anew, empty or copied from another."""
    home, server = folder / part, os.environ.get("DATABASE_URL", "")
    shutil.rmtree(home, ignore_errors=True)
    if model is None:
        home.mkdir(parents=True)
    else:
        shutil.copytree(model[0], home)
    before = {name: os.environ.get(name) for name in ("BEFFROI_DATA_DIR", "DATABASE_URL")}
    name = f"beffroi_bench_{part}"
    os.environ["BEFFROI_DATA_DIR"] = str(home)
    if server:
        _create_database(server, name, model[1] if model else "template1")
        os.environ["DATABASE_URL"] = f"{server.rpartition('/')[0]}/{name}"
    try:
        yield home, name
    finally:
        for variable, value in before.items():
            os.environ.pop(variable, None)
            if value is not None:
                os.environ[variable] = value
        if server:
            _on_server(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        shutil.rmtree(home, ignore_errors=True)


def _create_database(server: str, name: str, template: str) -> None:
    _on_server(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name} TEMPLATE {template}")


def _on_server(server: str, *statements: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


# --- The parts --------------------------------------------------------------------------------------------------------

Rows = list[tuple[str, ...]]


def _load(key: str, seconds: float) -> Rows:
    load = throughput(key, seconds=seconds, workers=WORKERS)
    _check(load)
    detail = f"{number(len(load.acknowledged))} en {number(load.seconds)} s"
    return [
        ("signalements acquittés par seconde", detail, number(load.per_second)),
        ("refusés", "", number(load.refused)),
        ("processeur du site par signalement (ms)", "base exceptée", number(load.per_report_ms(load.web_cpu_s), 2)),
        ("processeur du client par signalement (ms)", "", number(load.per_report_ms(load.client_cpu_s), 2)),
    ]  # fmt: skip


def _kill(key: str, seconds: float) -> Rows:
    load = killed(key, each=int(40 * seconds), workers=WORKERS)
    _check(load)
    return [
        ("acquittés pendant trois coupures du site", "SIGKILL en pleine charge", number(len(load.acknowledged))),
        ("envois coupés, refaits sous la même clé", "", number(load.broken)),
        ("perdus ou en double", "", "0"),
    ]


def _check(load: Load) -> None:
    kept = Path(os.environ["BEFFROI_DATA_DIR"]) / "acknowledged.json"
    kept.write_text(json.dumps(load.acknowledged), encoding="utf-8")
    found = in_child("check_reports", path=str(kept))
    if found["lost"] or found["twice"] or load.refused or not load.acknowledged:
        raise BenchFailed(
            "{lost} signalements acquittés perdus, {twice} en double, {refused} refusés",
            where="bench reports",
            lost=found["lost"],
            twice=found["twice"],
            refused=load.refused,
        )


def _full(key: str, seconds: float) -> Rows:
    found = in_child("ask_filled_reports", count=FILLED)
    named = {"page": "page de la file d'un service (ms)", "following": "signalement suivant de la file (ms)"}
    named["similar"] = "doublons proposés (ms)"
    rows: Rows = []
    for name, title in named.items():
        one = found[name]
        detail = f"p95 {number(one['p95'], 1)} ; processeur {number(one['cpu'], 1)} ; {one['queries']:.0f} requêtes"
        rows.append((f"{title}, {number(FILLED)} ouverts", detail, number(one["median"], 1)))
    return rows


def _hostile(key: str, seconds: float) -> Rows:
    def send(share: int) -> dict[str, Any]:
        return in_child("send_hostile_reports", key=key, count=HOSTILE, share=share, shares=WORKERS)

    with ThreadPoolExecutor(WORKERS) as pool:
        parts = list(pool.map(send, range(WORKERS)))
    found = {name: sum(part[name] for part in parts) for name in ("wrong", "refused", "taken", "cpu_s")}
    if found["wrong"]:
        raise BenchFailed(
            "{count} envois malveillants mal reçus, par exemple {sample}",
            where="bench reports",
            count=found["wrong"],
            sample=str([one for part in parts for one in part["samples"]])[:600],
        )
    return [
        (
            "envois malveillants refusés par une phrase (4xx)",
            f"{number(HOSTILE)} envois, {WORKERS} processus",
            number(found["refused"]),
        ),
        ("pris, parce qu'inoffensifs", "2xx ou 3xx", number(found["taken"])),
        ("processeur par envoi malveillant (ms)", "", number(found["cpu_s"] * 1000 / HOSTILE, 2)),
    ]


_PARTS: dict[str, Callable[[str, float], Rows]] = {"load": _load, "kill": _kill, "full": _full, "hostile": _hostile}
PARTS = tuple(_PARTS)
