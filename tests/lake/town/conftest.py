"""One small town, drawn once for every test of the room."""

from __future__ import annotations

from pathlib import Path

import pytest

from beffroi.lake.town import Town, write_town

POPULATION = 4_000


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return write_town(tmp_path_factory.mktemp("town") / "ville", population=POPULATION)


@pytest.fixture(scope="session")
def town_folder(town: Town) -> Path:
    return town.folder
