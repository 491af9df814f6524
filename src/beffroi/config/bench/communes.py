"""Many small communes refreshed on Dask by one process, then by two: how much sooner, and the same bytes."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from beffroi.config.bench.measure import in_child
from beffroi.config.bench.report import Table, number

AT_MOST = 999
_WORKERS = (1, 2)
_TURNS = 2
"""How many times each is measured, one after the other, after a pass that is not counted: the first pays for what the
machine then remembers."""
_SPECIES = ("Platane", "Micocoulier", "Tilleul", "Érable champêtre", "Pin d'Alep", "Olivier")


def measure_communes(home: Path, *, communes: int, told: Callable[[str], object]) -> Table:
    """Measure and return the table; leaves nothing but the sources behind it."""
    sources, lake = home / f"sources-{communes}", home / "lake"
    if not sources.exists():
        told(f"{number(communes)} communes…")
        write_communes(home / "aside", communes)
        (home / "aside").rename(sources)
    passes: dict[int, list[dict[str, Any]]] = {workers: [] for workers in _WORKERS}
    for turn in range(_TURNS + 1):
        for workers in _WORKERS if turn else _WORKERS[-1:]:
            told(f"{workers} processus{'' if turn else ', pour rien'}…")
            shutil.rmtree(lake, ignore_errors=True)
            done = in_child("refresh_on_dask", sources=str(sources), lake=str(lake), workers=workers)
            passes[workers] += [done] if turn else []
    shutil.rmtree(lake, ignore_errors=True)
    one, two = found = [_middle(passes[workers]) for workers in _WORKERS]
    same = len({done["digest"] for some in passes.values() for done in some}) == 1
    bound = 2 * one["workers_cpu"] / (two["workers_cpu"] + two["scheduler_cpu"])
    table = Table(
        "communes",
        "Rafraîchir des communes sur Dask",
        ("communes", "processus", "durée (s)", "processeur des processus (s)", "du répartiteur (s)", "octets"),
        notes=(
            f"{number(communes)} petites communes inventées, trois jeux chacune (1 500 arbres, 1 500 adresses, 500 "
            f"ventes ; {number(one['datasets'])} jeux publiés), comme `beffroi lake communes --engine dask`, sur une "
            f"machine, processus déjà chauds. Une passe pour rien, puis {number(_TURNS)} de chaque en alternant : "
            f"médianes (durées : {_durations(passes)}). Octets : empreinte de tous les `data.parquet`, "
            "`manifest.json` et index de consultation.",
            f"**Accélération : {number(one['seconds'] / two['seconds'], 2)}** (le but est 1,7), octets "
            f"{'les mêmes' if same else '**différents**'}. Sur deux cœurs libres, "
            f"répartiteur compris, le plus que l'on puisse attendre est {number(bound, 2)}.",
            f"Charge de la machine à la fin : {number(os.getloadavg()[0], 1)} pour {os.cpu_count()} cœurs.",
        ),
    )
    for workers, cost in zip(_WORKERS, found, strict=True):
        spent = (number(cost[part], 1) for part in ("seconds", "workers_cpu", "scheduler_cpu"))
        table.rows.append((number(communes), str(workers), *spent, cost["digest"]))
    return table


def _middle(passes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one pass of which each cost is the median of all."""
    costs = ("seconds", "workers_cpu", "scheduler_cpu")
    return passes[0] | {cost: statistics.median(done[cost] for done in passes) for cost in costs}


def _durations(passes: dict[int, list[dict[str, Any]]]) -> str:
    said = (
        f"{workers} processus, {' et '.join(number(done['seconds'], 1) for done in some)} s"
        for workers, some in passes.items()
    )
    return " ; ".join(said)


def write_communes(folder: Path, communes: int) -> None:
    """Write the sources of communes that do not exist, a folder each: the same for the same number.

    Raises:
        ValueError: more communes than one department has codes.
    """
    if not 1 <= communes <= AT_MOST:
        raise ValueError(f"{communes} communes")
    for rank in range(1, communes + 1):
        rng, home = random.Random(rank), folder / f"34{rank:03}"  # noqa: S311 - invented data, the same each time
        home.mkdir(parents=True)
        for name, (head, row, rows) in _TABLES.items():
            lines = (",".join(map(str, row(rng, number))) for number in range(1, rows + 1))
            (home / f"{name}.csv").write_text("\n".join([head, *lines, ""]), encoding="utf-8")


def _place(rng: random.Random) -> tuple[float, float]:
    return round(3.7 + rng.random() / 5, 6), round(43.5 + rng.random() / 5, 6)


def _tree(rng: random.Random, rank: int) -> tuple[Any, ...]:
    return (rank, rng.choice(_SPECIES), rng.randint(2, 25), rng.randint(1950, 2025), *_place(rng))


def _address(rng: random.Random, rank: int) -> tuple[Any, ...]:
    street = f"Rue du Modèle {rng.randint(1, 90)}"
    return (f"a{rank:05}", rng.randint(1, 180), street, "34000", *_place(rng))


def _sale(rng: random.Random, rank: int) -> tuple[Any, ...]:
    day = f"2024-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    return (f"2024-{rank}", day, rng.randrange(60_000, 900_000), rng.randint(18, 200), *_place(rng))


_TABLES = {
    "arbres": ("id,espece,hauteur_m,annee_plantation,longitude,latitude", _tree, 1_500),
    "adresses": ("cle,numero,voie,code_postal,longitude,latitude", _address, 1_500),
    "ventes": ("id_mutation,date_mutation,valeur_fonciere,surface_m2,longitude,latitude", _sale, 500),
}


def refresh_on_dask(*, sources: str, lake: str, workers: int) -> dict[str, Any]:
    """Refresh the communes on `workers` processes of this machine, and say what they and their scheduler took."""
    from distributed import Client

    from beffroi.config.bench.child import AT
    from beffroi.lake.communes import DASK, communes_in, local_cluster, refresh_communes

    with local_cluster(workers) as cluster, Client(cluster) as client:
        # Each process loads what it needs once, whatever the number of communes.
        client.run(_warm, communes_in(Path(sources))[0], AT)
        spent = sum(client.run(time.process_time).values())
        mine, started = time.process_time(), time.perf_counter()
        asked = {"engine": DASK, "scheduler": cluster.scheduler_address}
        done = list(refresh_communes(Path(sources), lake=Path(lake), at=AT, **asked))
        seconds, mine = time.perf_counter() - started, time.process_time() - mine
        spent = sum(client.run(time.process_time).values()) - spent
    refused = [reason for one in done for reason in one.refused]
    if refused:
        raise SystemExit(f"{len(refused)} refus : {refused[0]}")
    found = {"seconds": seconds, "workers_cpu": spent, "scheduler_cpu": mine}
    return found | {"datasets": sum(one.published for one in done), "digest": _digest(Path(lake))}


def _warm(commune: tuple[str, Path], at: datetime) -> None:
    from beffroi.lake.communes import refresh_commune

    with tempfile.TemporaryDirectory() as aside:
        refresh_commune(commune, lake=Path(aside), at=at, definitions=())


def _digest(lake: Path) -> str:
    """Return what tells apart two lakes by the bytes of their data, papers and indexes."""
    kept = [one for one in lake.rglob("*") if one.name in ("data.parquet", "manifest.json") or one.suffix == ".sqlite"]
    found = hashlib.sha256()
    for one in sorted(kept):
        found.update(str(one.relative_to(lake)).encode() + hashlib.sha256(one.read_bytes()).digest())
    return found.hexdigest()[:16]
