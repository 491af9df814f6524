"""A national source imported by its dataset file, and what is read of it afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries
from beffroi.lake.beside import definitions_of
from beffroi.lake.definitions import load_definitions
from beffroi.lake.operations import ImportOutcome, import_source
from beffroi.lake.queries import DatasetRef
from beffroi.lake.reading import ReadOptions

AT = datetime(2026, 3, 2, tzinfo=UTC)


def imported(source: Path, lake: Path, *, slug: str = "", town: str = "34172", extent: Any = None) -> ImportOutcome:
    """Import a source by its dataset file: the only one it has, or that of `slug` when it has several."""
    held = definitions_of(source, town, load_definitions()[0])
    (definition,) = [one for one in held if slug in ("", one.slug)]
    options = ReadOptions(extent=extent)
    outcome = import_source(
        source, territory=town, at=AT, definition=definition, options=options, lake=lake, announce=False
    )
    assert outcome.version is not None, outcome.reason
    return outcome


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def rows(slug: str, columns: list[str], town: str = "34172") -> list[tuple[Any, ...]]:
    return sorted(queries.rows(ANONYMOUS, DatasetRef(town, slug), columns=columns).rows, key=str)


def faults(outcome: ImportOutcome) -> dict[str, tuple[Any, ...]]:
    assert outcome.report is not None
    return {one.column: one.examples for one in outcome.report.schema_faults}
