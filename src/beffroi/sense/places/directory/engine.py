"""The engine of directories (see `settings` for the table of a use case).

[[example]]
when = { source = "DELIB_ID,DELIB_OBJET\\n1,Attribution d’une subvention\\n", asked = "subventions attribuées" }
then = { count = 1, titles = ["Attribution d’une subvention"] }
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.lake import operations
from beffroi.lake import queries as lake
from beffroi.lake.definitions import Definition, definition_named, load_definitions
from beffroi.lake.serving import Index
from beffroi.lake.store import DatasetRef, Lake
from beffroi.sense.places.directory.file import File, write_file
from beffroi.sense.places.directory.laying import shaped
from beffroi.sense.places.directory.queries import Asked, Directory
from beffroi.sense.places.directory.settings import ENGINE, DirectorySettings
from beffroi.sense.places.directory.sheets import Row, Source, sheets_of

_TOWN = "00000"
_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def register() -> None:
    """Make the engine available to use cases."""
    register_engine(
        ENGINE,
        schema=DirectorySettings,
        url_name="portal:directory",
        example_runner=run_example,
        lacking=lambda one, territory: lake.missing(territory, one.settings[ENGINE].datasets),
    )


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Import the `source` of an example, make its directory, ask it `asked`, `chosen`, `typed`, `from` and `to`.

    Keys of the answer: status, faults (lines that break the schema), columns (kept), count, titles, facets (counts by
    value), sheets (in all).
    """
    settings: DirectorySettings = use_case.settings[ENGINE]
    slug = str(example.when.get("dataset", settings.datasets[0]))
    known = [one for one in load_definitions()[0] if one.slug == slug]
    definition = definition_named(slug, "", known) or next(iter(known), Definition(slug))
    with tempfile.TemporaryDirectory(prefix="beffroi-example-") as folder:
        source = Path(folder, str(example.when.get("file", f"{slug}.csv")))
        source.write_text(str(example.when["source"]), encoding="utf-8")
        home = Lake(Path(folder, "lake"))
        outcome = operations.import_source(
            source, territory=_TOWN, slug=slug, definition=definition, at=_DAY, lake=home.root, announce=False
        )
        if outcome.version is None:
            return {"status": outcome.status.value, "reason": str(outcome.reason)}
        faults = sum(max(1, one.count) for one in outcome.report.schema_faults) if outcome.report else 0
        columns = [one.key for one in home.manifest(outcome.ref, outcome.version).columns]
        sheets = sheets_of(
            [Source(outcome.ref, list(shaped(_rows(home, outcome.ref), settings.source(slug), {})))],
            settings,
            find=lambda _: None,
            door_of=lambda _: None,
        )
        path = Path(folder, "directory.sqlite")
        write_file(path, sheets, {}, stamp="")
        held = Directory(settings, File(path))
        span = (example.when["from"], example.when["to"]) if "from" in example.when else None
        asked = Asked(
            str(example.when.get("asked", "")), example.when.get("chosen", {}), typed=example.when.get("typed", {}),
            span=span,
        )  # fmt: skip
        found = held.found(asked)
        titles = [held.sheet(number).title for number in found.numbers]
    facets = {name: dict(values) for name, values in found.facets.items()}
    return {"status": outcome.status.value, "faults": faults, "columns": columns, "sheets": len(sheets),
            "count": found.total, "titles": titles, "facets": facets}  # fmt: skip


def _rows(home: Lake, ref: DatasetRef) -> list[Row]:
    """Return the rows of a dataset as everyone reads them."""
    folder = home.version_folder(ref, home.in_force(ref).version)
    index = Index(folder / "serving.public.sqlite")
    try:
        bodies = index.page(bbox=None, limit=1000, after=-1).bodies
    finally:
        index.close()
    rows: list[Row] = []
    for body in bodies:
        read = json.loads(body)
        lon, lat = (read["geometry"] or {}).get("coordinates", (None, None))[:2]
        rows.append({**read["properties"], "_id": str(read["id"]), "lon": lon, "lat": lat})
    return rows
