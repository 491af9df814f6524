"""A lake of its own for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from beffroi.lake import serving


@pytest.fixture
def lake(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """Give an empty lake folder that the settings name."""
    folder = tmp_path / "lake"
    settings.LAKE_DIR = folder
    yield folder
    serving.close_all()
