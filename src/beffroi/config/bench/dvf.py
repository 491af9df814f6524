"""Sales by the million: import beside ogr2ogr into PostGIS, memory, and a filtered aggregate over them."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from beffroi.config.bench.dvf_data import write_sales
from beffroi.config.bench.measure import gdal_name, in_child
from beffroi.config.bench.ogc import servers
from beffroi.config.bench.report import Table, number


def measure_sales(home: Path, *, count: int, told: Callable[[str], None]) -> Table:
    """Measure and return the table; leaves nothing but the source behind it.

    Raises:
        CannotCompare: a program is missing.
    """
    servers.check_needs()
    home.mkdir(parents=True, exist_ok=True)
    source, lake = home / f"dvf_{count}.csv", home / "lake"
    if not source.exists():
        told(f"{number(count)} ventes…")
        aside = home / "aside.csv"
        write_sales(aside, count)
        aside.replace(source)
    shutil.rmtree(lake, ignore_errors=True)
    told("import dans le lac…")
    ours = in_child("import_sales", path=str(source), lake=str(lake))
    told("ogr2ogr vers PostGIS…")
    theirs, theirs_cpu = _by_ogr2ogr(source, home)
    os.environ["BEFFROI_DATA_DIR"] = str(home)
    told("agrégats…")
    asked = in_child("aggregate_sales")
    told("index de consultation…")
    index = in_child("index_sales", lake=str(lake))
    shutil.rmtree(lake, ignore_errors=True)
    table = Table(
        "dvf",
        f"{number(count)} lignes de ventes (colonnes de geo-dvf), face à ogr2ogr vers PostGIS",
        ("quoi", "durée (s)", "lignes/s", "processeur (s)", "mémoire (Mo)", "médiane (ms)", "p95 (ms)"),
        notes=(
            f"GDAL : {gdal_name()}, COPY, index spatial, PostGIS sans écriture durable (fsync éteint) ; Beffroi écrit "
            "durable, types et doublons trouvés, GeoParquet trié, DuckDB borné à 1 400 Mo. L'index de consultation "
            "d'une si grande table est fait derrière, ses données répondent en attendant.",
            f"Rapport des durées : × {number(theirs / ours['seconds'], 2)} (le but est 5), des temps de processeur : "
            f"× {number(theirs_cpu / ours['cpu'], 2)}, PostgreSQL compris.",
            "Agrégat : prix médian et nombre des appartements vendus depuis une année, par département "
            f"({asked['groups']} groupes), par `lake.queries.aggregate`, vingt fois.",
            f"Charge de la machine à la fin : {number(os.getloadavg()[0], 1)} pour {os.cpu_count()} cœurs.",
        ),
    )
    times = asked["aggregate_ms"]
    rates = [number(count / seconds) for seconds in (ours["seconds"], theirs)]
    table.rows += [
        _cost("Beffroi, import (en service)", ours["seconds"], rates[0], ours["cpu"], ours["peak_mb"]),
        _cost("Beffroi, index de consultation, derrière", index["seconds"], "", index["cpu"], index["peak_mb"]),
        _cost("ogr2ogr, import", theirs, rates[1], theirs_cpu, None),
        ("Beffroi, agrégat filtré", "", "", "", "", number(times["median"], 0), number(times["p95"], 0)),
    ]
    return table


def _cost(what: str, seconds: float, rate: str, cpu: float, peak_mb: float | None) -> tuple[str, ...]:
    return (what, number(seconds, 1), rate, number(cpu, 1), "" if peak_mb is None else number(peak_mb), "", "")


def _by_ogr2ogr(source: Path, home: Path) -> tuple[float, float]:
    """Return the seconds that ogr2ogr takes, and those of processor that it and the server take."""
    with servers.postgis(home) as database:
        programs = servers.postgresql_programs()
        psql = [f"{programs}/psql", "-q", database, "-c", "CREATE EXTENSION postgis"]
        subprocess.run(psql, check=True, capture_output=True)
        started, spent = time.monotonic(), _spent(home)
        subprocess.run(
            ["ogr2ogr", "-f", "PostgreSQL", f"PG:{database}", str(source), "-nln", "ventes", "-a_srs", "EPSG:4326",
             "-oo", "X_POSSIBLE_NAMES=longitude", "-oo", "Y_POSSIBLE_NAMES=latitude", "-oo", "AUTODETECT_TYPE=YES",
             "-lco", "GEOMETRY_NAME=geom", "--config", "PG_USE_COPY", "YES"],
            check=True, capture_output=True,
        )  # fmt: skip
        return time.monotonic() - started, _spent(home) - spent


def _spent(home: Path) -> float:
    """Return the seconds of processor of the server, its processes past and present, and of our own children."""
    ours = resource.getrusage(resource.RUSAGE_CHILDREN)
    server = (home / "postgresql" / "data" / "postmaster.pid").read_text().split()[0]
    ticks = sum(sum(map(int, fields[11:15])) for fields in map(_stat, [server, *_children(server)]))
    return ours.ru_utime + ours.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def _stat(process: str) -> list[str]:
    try:
        return Path("/proc", process, "stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        # Ended meanwhile: its time is now that of the server's past children.
        return ["0"] * 15


def _children(process: str) -> list[str]:
    return Path("/proc", process, "task", process, "children").read_text().split()
