"""A demonstration killed while it made its registry begins it again; no other registry is ever touched."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from beffroi.config.commands.demo import _begin_registry


@pytest.fixture
def half_made(tmp_path: Path) -> Path:
    """A folder whose registry holds a table that no migration is noted for."""
    with closing(sqlite3.connect(tmp_path / "registry.sqlite3")) as registry:
        registry.execute("CREATE TABLE journal_dailyrun (name TEXT)")
    return tmp_path


def test_a_registry_begun_and_never_made_is_begun_again(half_made: Path) -> None:
    state: dict[str, Any] = {"registry": "begun"}
    _begin_registry(half_made, state)
    assert not (half_made / "registry.sqlite3").exists()
    assert state["registry"] == "begun"


@pytest.mark.parametrize("state", [{}, {"registry": "made"}, {"ready": {"population": 2000}}])
def test_a_registry_this_command_did_not_leave_half_made_is_kept(half_made: Path, state: dict[str, Any]) -> None:
    before = dict(state)
    _begin_registry(half_made, state)
    assert (half_made / "registry.sqlite3").exists()
    assert state == before


def test_a_first_start_says_what_it_begins(tmp_path: Path) -> None:
    state: dict[str, Any] = {}
    _begin_registry(tmp_path, state)
    assert state == {"registry": "begun"}
