"""A lake of its own for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import SettingsWrapper

from beffroi.lake import serving


@pytest.fixture
def lake(tmp_path: Path, settings: SettingsWrapper) -> Iterator[Path]:
    """Give an empty lake folder that the settings name."""
    folder = tmp_path / "lake"
    settings.LAKE_DIR = folder
    yield folder
    serving.close_all()
