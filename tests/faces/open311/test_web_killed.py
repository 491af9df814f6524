"""The web process killed in the middle of a load, on both databases: what was acknowledged is there, once."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

import warm
from beffroi.config.bench.reports import load as bench
from beffroi.serve.cases.numbers import number_of
from servers import free_port

CHILD = ("-c", "from beffroi.config.bench.child import main; main()")
WRITTEN = """
    SELECT c.id, c.idempotency_key FROM cases_case c JOIN reports_report r ON r.case_id = c.id
    JOIN cases_party p ON p.case_id = c.id WHERE c.idempotency_key IS NOT NULL
"""
TOLD = "SELECT subject FROM journal_event WHERE kind = 'case.opened'"


@pytest.fixture(params=["sqlite_registry", pytest.param("postgresql_registry", marks=pytest.mark.postgresql)])
def registry(request: Any) -> dict[str, str]:
    """The environment of a site on each database."""
    given: dict[str, str] = request.getfixturevalue(request.param)
    return given | {"BEFFROI_LOG_LEVEL": "CRITICAL"}


def read(registry: dict[str, str], query: str) -> list[tuple[Any, ...]]:
    """Ask the database itself, not the site."""
    if registry["DATABASE_URL"]:
        with psycopg.connect(registry["DATABASE_URL"]) as connection:
            return connection.execute(query.encode()).fetchall()
    with closing(sqlite3.connect(Path(registry["BEFFROI_DATA_DIR"]) / "registry.sqlite3")) as file:
        return file.execute(query).fetchall()


@pytest.mark.slow
def test_a_killed_site_loses_nothing_and_doubles_nothing(
    registry: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = warm.run(*CHILD, "prepare_reports", "{}", env=registry, check=True).stdout
    key = json.loads(said.splitlines()[-1])["key"]
    # The port stays its own while the site is down.
    monkeypatch.setattr(bench, "free_port", free_port)
    load = bench.killed(key, each=30, workers=1, kills=1, clients=6, environment=registry)
    assert load.refused == 0
    assert len(load.acknowledged) >= 60
    # Some were cut in mid-air, or the kill fell on nothing.
    assert load.broken >= 6

    written = read(registry, WRITTEN)
    assert {key: number_of(case) for case, key in written}.items() >= load.acknowledged.items()
    assert max(Counter(key for _, key in written).values()) == 1
    told = Counter(subject for (subject,) in read(registry, TOLD))
    assert told == Counter(f"case:{number_of(case)}" for case, _ in written)
