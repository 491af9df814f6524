"""The two engines the lake gives to the catalogue: layers of the map, and datasets.

[layers]
datasets = ["arbres", "parcs"]          # slugs, in the order of the legend
columns  = ["espece", "hauteur"]        # what the list tells of each thing, in order; all that is told by default
counted  = "infractions-par-carreau"    # the public view of the first dataset, which is reserved (see `aggregating`)

[[example]]
when = { dataset = "arbres", by = "citoyen", source = "id,espece,lon,lat\\n1,Platane,3.88,43.61\\n" }
then = { status = "published", rows = 1, columns = ["id", "espece"] }
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake import operations, rights
from beffroi.lake.aggregating import refresh_public_view
from beffroi.lake.definitions import KEY, SLUG, Definition, load_definitions
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


class Settings(BaseModel):
    """The table of a use case: the datasets it shows, in the order of the legend, and the columns its list tells."""

    model_config = ConfigDict(extra="forbid")

    datasets: list[str] = Field(min_length=1)
    columns: list[str] = Field(default_factory=list)
    counted: str = ""

    def model_post_init(self, _context: Any) -> None:
        """Refuse what cannot be a slug."""
        for slug in [*self.datasets, *([self.counted] if self.counted else [])]:
            if not SLUG.fullmatch(slug):
                raise ValueError(f"« {slug} » n'est pas un nom de jeu de données")
        for key in self.columns:
            if not KEY.fullmatch(key):
                raise ValueError(f"« {key} » n'est pas un nom de colonne")


def register() -> None:
    """Make both engines available to use cases."""
    for name in ("layers", "datasets"):
        register_engine(name, schema=Settings, url_name="portal:service", example_runner=run_example)


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Import the `source` text of an example under its dataset's definition; return what its reader then sees.

    Where the dataset has a public view and the reader may not read it, what she sees is that view.

    Keys of the answer: status, reason, rows, columns (keys), geometry (its type, empty for a
    table), first (the first feature as text, of located data).
    """
    slug, by = str(example.when["dataset"]), str(example.when.get("by", "citoyen"))
    known = {definition.slug: definition for definition in load_definitions()[0]}
    viewer, ref, definition = _VIEWERS[by], DatasetRef(_EXAMPLE_TOWN, slug), known.get(slug, Definition(slug))
    with tempfile.TemporaryDirectory(prefix="beffroi-example-") as folder:
        source = Path(folder, str(example.when.get("file", f"{slug}.csv")))
        source.write_text(str(example.when["source"]), encoding="utf-8")
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
        seen = _seen(lake, ref, viewer) if outcome.version else {}
        if view is not None and seen.get("rows", 0) is None:
            counted = refresh_public_view(lake, ref, at=_EXAMPLE_DAY)
            seen = _seen(lake, DatasetRef(_EXAMPLE_TOWN, view.slug), viewer) if counted else {"rows": 0, "columns": []}
    return {"status": outcome.status.value, "reason": str(outcome.reason or ""), **seen}


def _seen(lake: Lake, ref: DatasetRef, viewer: Viewer) -> dict[str, Any]:
    force = lake.in_force(ref)
    manifest = lake.manifest(ref, force.version)
    class_name = rights.class_of(viewer.clearances(ref.territory), force.access, manifest.columns)
    if class_name is None:
        return {"rows": None, "columns": []}
    folder = lake.version_folder(ref, force.version)
    index = Index(folder / f"serving.{rights.file_part(class_name)}.sqlite")
    try:
        page = index.page(bbox=None, limit=1, after=-1)
    finally:
        index.close()
    columns = [column.key for column in rights.visible(manifest.columns, rights.clearance(class_name))]
    first = page.bodies[0] if page.bodies else ""
    return {"rows": manifest.rows, "columns": columns, "geometry": manifest.geometry_type or "", "first": first}
