"""The pages of a table of sales, by the million: near and far, sorted and filtered."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from beffroi.config.bench.dvf_data import write_sales
from beffroi.config.bench.measure import in_child
from beffroi.config.bench.report import Table, number


def measure_pages(home: Path, *, count: int, told: Callable[[str], None]) -> Table:
    """Measure the pages of a table of `count` rows and return the figures; leaves nothing behind it."""
    source, lake = home / "ventes.csv", home / "lake"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    told(f"{number(count)} ventes…")
    write_sales(source, count)
    told("import dans le lac…")
    in_child("import_sales", path=str(source), lake=str(lake))
    os.environ["BEFFROI_DATA_DIR"] = str(home)
    told("pages…")
    found = in_child("page_sales")
    shutil.rmtree(home)
    table = Table(
        "pages",
        f"Les pages d'un tableau de {number(count)} lignes et 24 colonnes",
        ("page de 50 lignes", "lignes retenues", "médiane (ms)", "p95 (ms)", "processeur (ms)"),
        notes=(
            "Par `lake.queries.table`, un lecteur anonyme, vingt fois chacune, deux fils, 512 Mo au plus pour DuckDB.",
            f"Mémoire du processus à la fin : {number(found['peak_mb'])} Mo, Python et Django compris.",
            f"Charge de la machine à la fin : {number(os.getloadavg()[0], 1)} pour {os.cpu_count()} cœurs.",
        ),
    )
    table.rows += [
        (one["what"], number(one["total"]), *(number(one[key], 0) for key in ("median", "p95", "cpu")))
        for one in found["pages"]
    ]
    return table
