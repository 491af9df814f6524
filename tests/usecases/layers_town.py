"""A town whose lake holds the examples of the `layers` use cases: what each file promises, seen on its page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from beffroi.base.catalogue import queries
from beffroi.base.kernel.geo import BBox
from beffroi.lake.definitions import Definition, definition_named, load_definitions
from beffroi.lake.operations import import_source
from beffroi.lake.store import Lake
from beffroi.lake.tasks import bake_missing_tiles
from beffroi.sense.places.operations import index_territory
from registries import made_for_each
from territory_makers import make_town

CODE = "00000"
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
IDS = (
    "1-14", "1-20", "1-23", "2-02", "2-04", "2-09", "2-11", "2-14", "2-15", "3-05", "7-04", "7-06", "7-16", "8-06",
    "8-08", "9-04", "9-08", "11-04", "12-05", "7-15", "6-12", "8-24",
)  # fmt: skip
"""Those whose page is walked; each has its own test of what it alone must do."""

UNPLACED = ("10-09",)
"""Those whose data name a town and no place: their own tests tell what is mapped of them."""

RESERVED = ("1-18", "9-09", "11-09")
"""Those all of whose data are reserved: their own tests tell what each reader sees."""


@pytest.fixture(scope="session")
def layers_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the source of the first example of each dataset of these use cases."""
    return made_for_each(tmp_path_factory, "layers", _import_examples) / "lake"


def _import_examples(folder: Path) -> None:
    definitions, _faults = load_definitions()
    done: set[str] = set()
    for one in IDS:
        for example in queries.catalogue().use_cases[one].examples:
            slug = str(example.when["dataset"])
            if slug in done:
                continue
            done.add(slug)
            path = folder / str(example.when.get("file", f"{slug}.csv"))
            path.write_text(str(example.when["source"]), encoding="utf-8")
            for name, text in example.when.get("beside", {}).items():
                (folder / name).write_text(text, encoding="utf-8")
            outcome = import_source(
                path,
                territory=CODE,
                slug=slug,
                at=AT,
                definition=definition_named(slug, "", definitions) or Definition(slug),
                lake=folder / "lake",
                announce=False,
            )
            assert outcome.version is not None, f"{one} {slug}: {outcome.reason}"
            bake_missing_tiles(Lake(folder / "lake"), outcome.ref, outcome.version)


@pytest.fixture
def layers_town(db: None, layers_lake: Path, settings: Any) -> str:
    """The town, in the registry and in the lake."""
    settings.LAKE_DIR = layers_lake
    code = make_town(CODE, "Bourg-les-Couches", population=812, fictional=True, bbox=BBox(3.86, 43.59, 3.90, 43.62))
    index_territory(code)
    return code
