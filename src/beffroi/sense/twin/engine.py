"""The engine the twin gives to the catalogue: the town in three dimensions (7-01).

[twin]
shows = "model"

[[example]]
when = { source = '''{"type":"CityJSON",…}''', zone = "3.87,43.60,3.88,43.61" }
then = { status = "published", buildings = 1, roofs = 2, lod = "2.2", cityjson = "2.0", triangles = 12 }
"""

from __future__ import annotations

import json
import struct
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.base.kernel.geo import BBox
from beffroi.lake.volumes import ROOF, read

ENGINE = "twin"
_TOWN = "00000"
_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Settings(BaseModel):
    """The table of a use case: what its page shows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shows: Literal["model"]


def register() -> None:
    """Make the engine available to use cases; its page is that of the model."""
    register_engine(ENGINE, schema=Settings, url_name="portal:twin", example_runner=run_example)


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Import the city model `source` in a lake of its own; return what can then be drawn of it.

    Keys of the answer: status, reason, buildings, roofs and walls (faces), lod, height_m, cityjson (the version
    written), triangles (of the GLB).
    """
    from beffroi.lake import operations
    from beffroi.lake.definitions import Definition
    from beffroi.lake.serving import Index
    from beffroi.lake.store import DatasetRef, Lake
    from beffroi.sense.twin import cityjson, glb
    from beffroi.sense.twin.queries import Building, footprint_of

    ref = DatasetRef(_TOWN, "maquette")
    with tempfile.TemporaryDirectory(prefix="beffroi-example-") as folder:
        source, home = Path(folder, str(example.when.get("file", "maquette.city.json"))), Path(folder, "lake")
        source.write_text(str(example.when["source"]), encoding="utf-8")
        outcome = operations.import_source(
            source, territory=_TOWN, at=_DAY, definition=Definition(ref.slug), lake=home, announce=False
        )
        answer: dict[str, Any] = {"status": outcome.status.value, "reason": str(outcome.reason or "")}
        if outcome.version is None:
            return answer
        index = Index(Lake(home).version_folder(ref, outcome.version) / "serving.public.sqlite")
        try:
            bodies = index.page(bbox=None, limit=100, after=-1).bodies
        finally:
            index.close()
    seen = [one for body in bodies if (one := footprint_of(ref, body.encode())) is not None]
    found = [Building(one, read(one.surfaces or ""), is_block=False, is_supposed=False) for one in seen]
    kinds = [kind for one in found for kind in one.volume.kinds]
    box = BBox(*found[0].footprint.shape.bounds)
    written = json.loads(cityjson.document(found, bbox=box, title="", day=_DAY.date()))
    return answer | {
        "buildings": len(found),
        "roofs": kinds.count(ROOF),
        "walls": kinds.count("WallSurface"),
        "lod": found[0].volume.lod,
        "height_m": round(found[0].volume.top_m - found[0].volume.base_m, 2),
        "cityjson": written["version"],
        "triangles": _triangles(glb.glb(found, lon=box.west, lat=box.south)),
    }


def _triangles(content: bytes) -> int:
    """Count the triangles a GLB tells, from its own accessors."""
    (length,) = struct.unpack_from("<I", content, 12)
    root = json.loads(content[20 : 20 + length])
    drawn = [one["indices"] for mesh in root["meshes"] for one in mesh["primitives"]]
    return sum(root["accessors"][index]["count"] for index in drawn) // 3
