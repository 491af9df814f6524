"""The engines the lake gives to the catalogue: layers of the map, and datasets.

[layers]
datasets = ["arbres", "parcs"]          # slugs, in the order of the legend; `layer_settings` tells the rest

[[example]]
when = { dataset = "arbres", by = "citoyen", source = "id,espece,lon,lat\\n1,Platane,3.88,43.61\\n" }
then = { status = "published", rows = 1, columns = ["id", "espece"] }
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.base.territory.viewer import ANONYMOUS, SERVICE_PREFIX, Grant, Role, Viewer
from beffroi.lake import operations, rights
from beffroi.lake.aggregating import refresh_public_view
from beffroi.lake.definitions import Definition, definition_named, load_definitions
from beffroi.lake.layer_settings import Settings
from beffroi.lake.seeing import missing
from beffroi.lake.serving import Index
from beffroi.lake.store import DatasetRef, Lake

_EXAMPLE_TOWN = "00000"
_EXAMPLE_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_VIEWERS = {
    "citoyen": ANONYMOUS,
    "agent": Viewer(1, (Grant(_EXAMPLE_TOWN, Role.AGENT),)),
    "police": Viewer(1, (Grant(_EXAMPLE_TOWN, Role.AGENT, frozenset({"police-municipale"})),)),
    "elu": Viewer(1, (Grant(_EXAMPLE_TOWN, Role.ELECTED),)),
}


class DatasetsSettings(BaseModel):
    """The table of a use case about all the data, not some: its page is the list of every dataset."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: Literal["list"]


def register() -> None:
    """Make them available to use cases."""
    register_engine(
        "layers", schema=Settings, url_name="portal:service", example_runner=run_example, lacking=lacking_layers
    )
    register_engine("datasets", schema=DatasetsSettings, url_name="portal:datasets", example_runner=run_example)


def lacking_layers(use_case: UseCase, territory: str) -> tuple[str, ...]:
    """Return the datasets of a use case when none of them holds a row in a territory."""
    settings = use_case.settings.get("layers")
    return missing(territory, settings.datasets) if isinstance(settings, Settings) else ()


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Import the `source` text of an example under its dataset's definition; return what its reader then sees.

    `beside` are the files, by name, that hold its linked tables.

    Where the dataset has a public view and the reader may not read it, what she sees is that view.

    Keys of the answer: status, reason, rows, columns (keys), geometry (its type, empty for a table), first (the first
    feature as text, of located data), faults (how many lines break a rule of the schema), values (of each column that
    `then` names there, its values as text, sorted).
    """
    slug, by = str(example.when["dataset"]), str(example.when.get("by", "citoyen"))
    known = [one for one in load_definitions()[0] if one.slug == slug]
    # The one of everywhere, else that of the one town that has such data.
    definition = definition_named(slug, "", known) or next(iter(known), Definition(slug))
    viewer, ref = _reader(by), DatasetRef(_EXAMPLE_TOWN, slug)
    with tempfile.TemporaryDirectory(prefix="beffroi-example-") as folder:
        source = Path(folder, str(example.when.get("file", f"{slug}.csv")))
        source.write_text(str(example.when["source"]), encoding="utf-8")
        for name, text in example.when.get("beside", {}).items():
            Path(folder, name).write_text(text, encoding="utf-8")
        outcome = operations.import_source(
            source,
            territory=_EXAMPLE_TOWN,
            slug=slug,
            definition=definition,
            at=_EXAMPLE_DAY,
            lake=Path(folder, "lake"),
            announce=False,
        )
        lake, view = Lake(Path(folder, "lake")), definition.public_view
        seen = _seen(lake, ref, viewer, example) if outcome.version else {}
        if view is not None and seen.get("rows", 0) is None:
            counted = refresh_public_view(lake, ref, at=_EXAMPLE_DAY)
            shown = DatasetRef(_EXAMPLE_TOWN, view.slug)
            seen = _seen(lake, shown, viewer, example) if counted else {"rows": 0, "columns": []}
        faults = sum(max(1, fault.count) for fault in outcome.report.schema_faults) if outcome.report else 0
    return {"status": outcome.status.value, "reason": str(outcome.reason or ""), "faults": faults, **seen}


def _reader(by: str) -> Viewer:
    """Return who reads an example: citoyen, agent, elu, or ``service:<slug>``, an agent of that service."""
    if by.startswith(SERVICE_PREFIX):
        return Viewer(None, (Grant(_EXAMPLE_TOWN, Role.AGENT, frozenset({by.removeprefix(SERVICE_PREFIX)})),))
    return _VIEWERS[by]


def _seen(lake: Lake, ref: DatasetRef, viewer: Viewer, example: Example) -> dict[str, Any]:
    force = lake.in_force(ref)
    manifest = lake.manifest(ref, force.version)
    class_name = rights.class_of(viewer.clearances(ref.territory), force.access, manifest.columns)
    if class_name is None:
        return {"rows": None, "columns": []}
    folder = lake.version_folder(ref, force.version)
    index = Index(folder / f"serving.{rights.file_part(class_name)}.sqlite")
    try:
        page = index.page(bbox=None, limit=100, after=-1)
    finally:
        index.close()
    columns = [column.key for column in rights.visible(manifest.columns, rights.clearance(class_name))]
    first = page.bodies[0] if page.bodies else ""
    read = [json.loads(body)["properties"] for body in page.bodies]
    values = {key: sorted(_text(one.get(key)) for one in read) for key in example.then.get("values", {})}
    seen = {"rows": manifest.rows, "columns": columns, "geometry": manifest.geometry_type or "", "first": first}
    return seen | {"values": values}


def _text(value: Any) -> str:
    return "" if value is None else str(value)
