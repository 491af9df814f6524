"""Offences of the small town, told in full in one place, by nature in another, as one number, not at all."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path

from beffroi.lake import operations, tasks
from beffroi.lake.aggregating import refresh_public_view
from beffroi.lake.definitions import load_definitions
from beffroi.lake.queries import DatasetRef
from beffroi.lake.store import Lake

CODE = "00001"
POINTS, VIEW = DatasetRef(CODE, "infractions"), DatasetRef(CODE, "infractions-par-carreau")
NATURES, SOURCES = ("Vols", "Dégradations"), ("Police nationale", "Habitants")
# How many of each nature and source, by longitude.
COUNTS = {2.999: (7, 6, 5, 5), 3.007: (6, 2, 5, 1), 3.014: (3, 1, 1, 1), 3.021: (2, 1, 1, 0)}
AT = datetime(2026, 2, 1, tzinfo=UTC)


def _source() -> str:
    lines, number = ["numero;date_faits;nature;source;voie;longitude;latitude"], 0
    for longitude, counts in COUNTS.items():
        for (nature, source), count in zip(itertools.product(NATURES, SOURCES), counts, strict=True):
            for _ in range(count):
                number += 1
                day = f"2025-{1 + number % 12:02}-{1 + number % 28:02}"
                lines.append(f"INF{number:04};{day};{nature};{source};Impasse du Secret;{longitude};45.010")
    return "\n".join(lines) + "\n"


def place_offences(lake: Path, sources: Path) -> None:
    """Publish the offences and what the public gets of them, and bake their tiles; says nothing to the journal."""
    source = sources / "infractions.csv"
    source.write_text(_source(), encoding="utf-8")
    definition = next(one for one in load_definitions()[0] if one.slug == POINTS.slug)
    operations.import_source(source, territory=CODE, at=AT, definition=definition, lake=lake, announce=False)
    home = Lake(lake)
    refresh_public_view(home, POINTS, at=AT)
    for ref in (POINTS, VIEW):
        tasks.bake_missing_tiles(home, ref, home.in_force(ref).version)
