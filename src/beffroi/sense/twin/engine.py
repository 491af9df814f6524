"""The engine the twin gives to the catalogue: the town in three dimensions (7-01), the life of its buildings (7-02),
the stocks of landlords (11-12).

[twin]
shows = "model"

[[example]]
when = { source = '''{"type":"CityJSON",…}''', zone = "3.87,43.60,3.88,43.61" }
then = { status = "published", buildings = 1, roofs = 2, lod = "2.2", cityjson = "2.0", triangles = 12 }

[twin]
shows = "life"

[[example]]
when = { component = "toiture", read = { 2014-05-02 = 5, 2019-05-02 = 4, 2024-05-02 = 3 }, anew = 2013-01-01 }
then = { readings = 3, year = 2029, per_year = -0.2 }

[twin]
shows = "stock"

[[example]]
when = { table = "lots", lines = "lot_ref,batiment_ref,usage\nL1,B1,villa\n" }
then = { taken = 0, where = "lots, ligne 1, usage" }
"""

from __future__ import annotations

import json
import struct
import tempfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.base.kernel.geo import BBox
from beffroi.lake import queries as lake
from beffroi.lake.definition_values import KEY, SLUG
from beffroi.lake.volumes import ROOF, read

ENGINE = "twin"
_TOWN = "00000"
_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Colours(BaseModel):
    """A column of a dataset the page offers to colour the buildings by, when the town has it; `title` says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = Field(pattern=SLUG.pattern)
    column: str = Field(pattern=KEY.pattern)
    title: str = Field(min_length=1)


class Settings(BaseModel):
    """The table of a use case: what its page shows, and the colours it offers the buildings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shows: Literal["model", "life", "stock"]
    colours: list[Colours] = Field(default_factory=list)


def register() -> None:
    """Make the engine available to use cases; each opens on what it shows."""
    register_engine(
        ENGINE, schema=Settings, url_name="portal:twin-for", example_runner=run_example, lacking=_lacking_buildings
    )


def _lacking_buildings(use_case: UseCase, territory: str) -> tuple[str, ...]:
    if use_case.settings[ENGINE].shows == "stock":
        # What landlords bring themselves.
        return ()
    from beffroi.sense.twin.queries import names_buildings

    return () if any(names_buildings(ref.slug) for ref in lake.all_datasets(territory)) else ("batiments",)


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Draw the city model of an example, take lines of a stock, or tell the ageing that its readings show."""
    if "table" in example.when:
        return _taken(example)
    return _drawn(example) if "source" in example.when else _aged(example)


def _taken(example: Example) -> Mapping[str, Any]:
    """Read the CSV `lines` of a `table` of a stock; return how many are taken and what is known of the first, or the
    first refusal."""
    from beffroi.sense.twin.stock.tables import BadStock, checked, read_csv, table_named

    table = table_named(str(example.when["table"]))
    try:
        found = checked(table, read_csv(table, str(example.when["lines"]).encode()))
    except BadStock as error:
        first = error.faults[0] if error.faults else {"where": error.where, "what": str(error.what)}
        return {"taken": 0, **first}
    first = {key: value for key, value in next(iter(found.values()), {}).items() if value not in (None, "")}
    return {"taken": len(found), "first": first}


def _aged(example: Example) -> Mapping[str, Any]:
    """Read the grades `read` of a `component` by day; `anew` is when works made it anew.

    Keys of the answer: readings (those that count, 0 when too few), year (None when none is foreseen), per_year.
    """
    from beffroi.sense.twin.condition import COMPONENTS, ageing_of

    component, anew = str(example.when["component"]), example.when.get("anew")
    readings = [(date.fromisoformat(str(day)), int(grade)) for day, grade in example.when["read"].items()]
    ageing = ageing_of(component, readings, anew=date.fromisoformat(str(anew)) if anew else None)
    answer: dict[str, Any] = {"known": component in COMPONENTS, "readings": 0, "year": None}
    if ageing is None:
        return answer
    return answer | {"readings": ageing.readings, "year": ageing.year, "per_year": round(ageing.per_year, 2)}


def _drawn(example: Example) -> Mapping[str, Any]:
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
