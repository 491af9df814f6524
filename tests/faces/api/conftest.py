"""A town with a public dataset, one for agents and one column for agents, behind the API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from beffroi.base.catalogue import queries
from beffroi.base.territory.operations import add_commune
from beffroi.lake import serving
from beffroi.lake.store import Lake
from beffroi.lake.tasks import bake_missing_tiles
from lake.store.lakes import TREES, published, tree
from registries import made_for_each

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def addresses(settings: Any) -> None:
    """Have the API answer at its address."""
    settings.ROOT_URLCONF = "faces.api.api_addresses"


@pytest.fixture(scope="session")
def shared_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake that tests only read, made once in a run."""

    def make(folder: Path) -> None:
        lake = folder / "lake"
        trees = published(lake, [tree(number) for number in range(1, 26)], TREES, accesses={"note": "agents"})
        bake_missing_tiles(Lake(lake), trees.ref, str(trees.version))
        published(lake, [tree(1)], TREES, slug="ruches", access="agents")

    return made_for_each(tmp_path_factory, "api-lake", make) / "lake"


@pytest.fixture
def town(db: None, shared_lake: Path, settings: Any) -> Iterator[Path]:
    """Give the lake of a commune that has trees everyone sees and hives that agents see."""
    settings.LAKE_DIR = shared_lake
    settings.DEFAULT_COMMUNE = "34172"
    add_commune(code="34172", name="Montpellier", at=AT)
    queries.forget_catalogue()
    yield shared_lake
    serving.close_all()
