"""What every test may use. `--registry-only` keeps the tests that touch the registry: the PostgreSQL run."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

import servers
from beffroi.base.kernel.time import PARIS
from journal_lift import journal_can_be_emptied as journal_can_be_emptied
from registries import aside as aside
from registries import django_db_modify_db_settings as django_db_modify_db_settings
from registries import migrated_database as migrated_database
from registries import migrated_file as migrated_file
from registries import postgresql_registry as postgresql_registry
from registries import sqlite_registry as sqlite_registry

# The processes that tests start keep their bytecode: without it each compiles Django and numpy again (1.3 s).
os.environ["PYTHONDONTWRITEBYTECODE"] = ""
sys.dont_write_bytecode = False

# What is drawn at random is drawn alike in each run, and may be slow: a run refuses a change for what the change does.
hypothesis_settings.register_profile(
    "alike", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("alike")

REPOSITORY = Path(__file__).resolve().parents[1]
DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "django_db_setup", "client", "admin_client"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--registry-only", action="store_true", help="only the tests that touch the registry")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # Files go whole to one process: with the slow ones first, in their random order, no process waits for the last.
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
    if not config.getoption("--registry-only"):
        return
    kept = [item for item in items if _touches_registry(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool, bool]:
    """Let midnight pass between two tests, never within one: what it made today would be of yesterday."""
    left = _seconds_to_midnight()
    if left < (120 if item.get_closest_marker("slow") else 20):
        time.sleep(left + 0.1)
    return (yield)


def _seconds_to_midnight() -> float:
    """Return how long the day still lasts: where it ends first of France, UTC, and where this machine says it is."""
    ends = []
    for zone in (PARIS, UTC, None):
        at = datetime.now(zone)
        ends.append((at + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0) - at)
    return min(ends).total_seconds()


def _touches_registry(item: pytest.Item) -> bool:
    names = set(getattr(item, "fixturenames", ()))
    touches = item.get_closest_marker("django_db") is not None or bool(names & DATABASE_FIXTURES)
    # The browser sees the same pages whatever the registry; one pass in it is enough.
    return touches and item.get_closest_marker("chromium") is None


def lacking(reason: str) -> None:
    """Skip, saying why; on CI, where everything can be had, fail instead."""
    if os.environ.get("CI"):
        pytest.fail(f"on CI this must not be lacking: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def open_data() -> Path:
    """The folder of real open data, kept beside the checkout and never copied into it."""
    folder = Path(os.environ.get("BEFFROI_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no open data in {folder.name}: set BEFFROI_DATA to the folder that holds it")
    return folder


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL server of ours, for the tests that need one whatever the registry of the run."""
    if shared := os.environ.get("TESTS_POSTGRESQL"):
        yield shared
        return
    if servers.postgresql_programs() is None:
        lacking("PostgreSQL is not installed")
    with servers.postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium of this machine."""
    path = servers.chromium_program()
    if path is None:
        lacking("Chromium is not installed")
    return str(path)


@pytest.fixture(autouse=True)
def uses_forgotten() -> Iterator[None]:
    """Let go of the uses a test counted: written by the next one, they would cost it queries, or find no registry."""
    yield
    from beffroi.base.catalogue import counting

    counting.BUFFER._counts.clear()
    counting.BUFFER._since = None
    # Rolled back, the decisions of the next test bear the same numbers: what was read of these would be taken for it.
    from beffroi.serve.procedures.opened import forget_procedures
    from beffroi.serve.reports.categories import forget_categories

    forget_categories()
    forget_procedures()


@pytest.fixture
def connection_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the connection of the test open when an answer is closed, as a server does after each request.

    Django's own test client does so for its calls, by signals that it connects again after each; a test that closes
    answers itself, or calls WSGI, must ask.
    """
    from django.db.backends.base.base import BaseDatabaseWrapper

    monkeypatch.setattr(BaseDatabaseWrapper, "close_if_unusable_or_obsolete", lambda _self: None)
