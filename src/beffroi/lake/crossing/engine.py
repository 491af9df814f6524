"""The `indicators` engine: datasets crossed by agents.

[indicators]
tool = "crossing"                       # the workbench; "layers": figures that its `layers` table tells

[[example]]
when = { sources = { ecoles = "nom,eleves\\nA,10\\nB,20\\n" }, steps = ["jeu|ecoles", "resumer||sum|eleves"] }
then = { total = 2, figures = { "" = 30 } }
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.territory.viewer import AGENTS, PUBLIC
from beffroi.lake.crossing.queries import crossed, eyes_of
from beffroi.lake.crossing.recipe import recipe_of
from beffroi.lake.definitions import Definition
from beffroi.lake.intake import import_source
from beffroi.lake.sql import BadQuery
from beffroi.lake.store import DatasetNotFound, Lake

_TOWN, _DAY = "00000", datetime(2026, 1, 1, tzinfo=UTC)


class CrossingSettings(BaseModel):
    """`tool` is what the use case is done with: the workbench, or the figures of its layers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tool: Literal["crossing", "layers"]


def run_crossing(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Import the `sources` (CSV by slug; those of `reserved` for agents) and follow the `steps`, `by` citoyen or agent.

    Keys of the answer: total (rows kept), figures (by group, as text), hushed, refused (why, when it is).
    """
    when = example.when
    reserved = set(when.get("reserved", ()))
    with tempfile.TemporaryDirectory(prefix="beffroi-example-") as folder:
        for slug, text in when["sources"].items():
            path = Path(folder, f"{slug}.csv")
            path.write_text(text, encoding="utf-8")
            definition = Definition(slug, access=AGENTS if slug in reserved else PUBLIC)
            import_source(
                path, territory=_TOWN, definition=definition, at=_DAY, lake=Path(folder, "lake"), announce=False
            )
        eyes = eyes_of(PUBLIC if when.get("by") == "citoyen" else AGENTS, _TOWN)
        try:
            answer = crossed(
                eyes, _TOWN, recipe_of(when["steps"]), least=int(when.get("least", 1)), lake=Lake(Path(folder, "lake"))
            )
        except (BadQuery, DatasetNotFound) as refused:
            return {"refused": str(refused), "figures": {}}
    figures = {str("" if one.key is None else one.key): one.figure for one in answer.groups}
    return {"total": answer.total, "figures": figures, "hushed": answer.hushed, "refused": ""}
