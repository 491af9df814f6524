"""Factories: readings as a connector would give them, and lakes that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.lake import sql
from beffroi.lake.definitions import ColumnDefinition, Definition
from beffroi.lake.manifest import SourceInfo
from beffroi.lake.operations import ImportOutcome, publish_reading
from beffroi.lake.reading import DUCKDB_TYPE, GEOMETRY, LINE, Column, ColumnType, Reading
from beffroi.lake.store import DatasetRef

TOWN = "34172"
AT = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
AGENT = Viewer(7, (Grant(TOWN, Role.AGENT),))
GARDENER = Viewer(8, (Grant(TOWN, Role.AGENT, frozenset({"espaces-verts"})),))
OTHER_TOWN = Viewer(9, (Grant("93010", Role.AGENT, frozenset({"espaces-verts"})),))

TREES = (
    Column("id", "Identifiant", ColumnType.INTEGER),
    Column("espece", "Espèce"),
    Column("hauteur_m", "Hauteur", ColumnType.NUMBER, unit="m"),
    Column("plante_le", "Plantation", ColumnType.DATE),
    Column("remarquable", "Remarquable", ColumnType.BOOLEAN),
    Column("note", "Note de l'agent"),
)


def tree(number: int, **values: Any) -> dict[str, Any]:
    """Return one tree near Montpellier's town hall."""
    row = {
        "id": number,
        "espece": f"Platane {number % 7}",
        "hauteur_m": 3.5 + number % 20,
        "plante_le": f"{1950 + number % 70}-03-{1 + number % 28:02d}",
        "remarquable": number % 11 == 0,
        "note": f"secret-{number}",
        GEOMETRY: f"POINT({3.80 + (number * 37 % 1000) / 10000} {43.56 + (number * 91 % 1000) / 10000})",
    }
    return row | values


def reading_of(
    rows: Sequence[dict[str, Any]], columns: Sequence[Column] = TREES, *, con: Any = None, **facts: Any
) -> Reading:
    """Return a reading that holds `rows`; a row's `geometry` is WKT or None."""
    con = con or sql.connect(threads=2)
    placed = any(GEOMETRY in row for row in rows) if rows else facts.pop("has_geometry", False)
    names = [(column.key, DUCKDB_TYPE[column.type]) for column in columns]
    shape = [(GEOMETRY, "BLOB")] if placed else []
    described = ", ".join(f'"{key}" {kind}' for key, kind in [(LINE, "BIGINT"), *names, *shape])
    con.execute(f"CREATE OR REPLACE TABLE source ({described})")
    marks = ["?"] * (1 + len(names)) + ["ST_AsWKB(ST_GeomFromText(?))"] * len(shape)
    values = [
        [line, *(row.get(key) for key, _ in names), *(row.get(GEOMETRY) for _ in shape)]
        for line, row in enumerate(rows, start=2)
    ]
    mark = f"({', '.join(marks)})"
    for start in range(0, len(values), 500):
        batch = values[start : start + 500]
        flat = [value for row in batch for value in row]
        con.execute(f"INSERT INTO source VALUES {', '.join([mark] * len(batch))}", flat)
    return Reading(con, "source", tuple(columns), len(rows), has_geometry=placed, crs="OGC:CRS84", **facts)


def published(
    lake: Path,
    rows: Sequence[dict[str, Any]],
    columns: Sequence[Column] = TREES,
    *,
    slug: str = "arbres",
    at: datetime = AT,
    access: str = "public",
    accesses: dict[str, str] | None = None,
    **facts: Any,
) -> ImportOutcome:
    """Publish `rows` as a version; `accesses` restrict columns by key, `facts` go to the definition."""
    definition = Definition(
        slug,
        theme="nature",
        access=access,
        columns={key: ColumnDefinition(access=value) for key, value in (accesses or {}).items()},
        **facts,
    )
    return publish_reading(
        reading_of(rows, columns),
        territory=TOWN,
        slug=slug,
        at=at,
        source=SourceInfo("arbres.csv", "csv", 10, "00"),
        definition=definition,
        lake=lake,
    )


def ref(slug: str = "arbres") -> DatasetRef:
    """Return the reference of a dataset of the town of the tests."""
    return DatasetRef(TOWN, slug)


def with_definition(lake: Path, rows: Sequence[dict[str, Any]], definition: Definition) -> ImportOutcome:
    """Publish `rows` under a definition made by the test."""
    return publish_reading(
        reading_of(rows),
        territory=TOWN,
        slug=definition.slug,
        at=AT,
        source=SourceInfo("arbres.csv"),
        definition=definition,
        lake=lake,
    )


def in_territory(lake: Path, territory: str, rows: Sequence[dict[str, Any]]) -> DatasetRef:
    """Publish `rows` in another territory."""
    outcome = publish_reading(
        reading_of(rows), territory=territory, slug="arbres", at=AT, source=SourceInfo("arbres.csv"), lake=lake
    )
    return outcome.ref
