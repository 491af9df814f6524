"""Sales by the million: import beside ogr2ogr into PostGIS, memory, and a filtered aggregate over them."""

from __future__ import annotations

import os
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
    os.environ["BEFFROI_DATA_DIR"] = str(home)
    told("agrégats…")
    asked = in_child("aggregate_sales")
    told("ogr2ogr vers PostGIS…")
    theirs = _by_ogr2ogr(source, home)
    shutil.rmtree(lake, ignore_errors=True)
    table = Table(
        "dvf",
        f"{number(count)} lignes de ventes (colonnes de geo-dvf), face à ogr2ogr vers PostGIS",
        ("quoi", "durée (s)", "lignes/s", "mémoire (Mo)", "médiane (ms)", "p95 (ms)"),
        notes=(
            f"GDAL : {gdal_name()}, COPY, index spatial, PostGIS sans écriture durable (fsync éteint) ; Beffroi écrit "
            "durable, types et doublons trouvés, GeoParquet trié, index de consultation, DuckDB borné à 1 400 Mo.",
            f"Rapport : × {number(theirs / ours['seconds'], 2)} (le but est 5).",
            "Agrégat : prix médian et nombre des appartements vendus depuis une année, par département "
            f"({asked['groups']} groupes), par `lake.queries.aggregate`, vingt fois.",
            f"Charge de la machine à la fin : {number(os.getloadavg()[0], 1)} pour {os.cpu_count()} cœurs.",
        ),
    )
    times = asked["aggregate_ms"]
    rates = [number(count / seconds) for seconds in (ours["seconds"], theirs)]
    table.rows += [
        ("Beffroi, import", number(ours["seconds"], 1), rates[0], number(ours["peak_mb"]), "", ""),
        ("ogr2ogr, import", number(theirs, 1), rates[1], "", "", ""),
        ("Beffroi, agrégat filtré", "", "", "", number(times["median"], 0), number(times["p95"], 0)),
    ]
    return table


def _by_ogr2ogr(source: Path, home: Path) -> float:
    with servers.postgis(home) as database:
        programs = servers.postgresql_programs()
        psql = [f"{programs}/psql", "-q", database, "-c", "CREATE EXTENSION postgis"]
        subprocess.run(psql, check=True, capture_output=True)
        started = time.monotonic()
        subprocess.run(
            ["ogr2ogr", "-f", "PostgreSQL", f"PG:{database}", str(source), "-nln", "ventes", "-a_srs", "EPSG:4326",
             "-oo", "X_POSSIBLE_NAMES=longitude", "-oo", "Y_POSSIBLE_NAMES=latitude", "-oo", "AUTODETECT_TYPE=YES",
             "-lco", "GEOMETRY_NAME=geom", "--config", "PG_USE_COPY", "YES"],
            check=True, capture_output=True,
        )  # fmt: skip
        return time.monotonic() - started
