"""Registries of their own, for what several processes do at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MIGRATE = [sys.executable, "-c", "from beffroi.config.cli import main; main()", "migrate"]


def _migrated(environment: dict[str, str]) -> dict[str, str]:
    subprocess.run(MIGRATE, env=environment, check=True, capture_output=True)
    return environment


@pytest.fixture
def sqlite_registry(tmp_path: Path) -> dict[str, str]:
    """The environment of a process whose registry is a SQLite file."""
    kept = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    return _migrated(kept | {"BEFFROI_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "beffroi.config.settings"})


@pytest.fixture
def postgresql_registry(tmp_path: Path, postgresql_url: str) -> dict[str, str]:
    """The environment of a process whose registry is a PostgreSQL database."""
    given = {"BEFFROI_DATA_DIR": str(tmp_path), "DATABASE_URL": postgresql_url}
    return _migrated(os.environ | given | {"DJANGO_SETTINGS_MODULE": "beffroi.config.settings"})
