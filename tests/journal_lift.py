"""Lets a test run empty the journal between two tests: its triggers refuse it, which is their job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations


@pytest.fixture(scope="session", autouse=True)
def journal_can_be_emptied() -> Iterator[None]:
    """Lift the journal's triggers around the flush that ends each transactional test, and only there."""
    from beffroi.base.journal.guard import triggers_lifted

    flush = BaseDatabaseOperations.execute_sql_flush

    def lifted(self: BaseDatabaseOperations, sql_list: Any) -> Any:
        with triggers_lifted(connection):
            return flush(self, sql_list)

    with mock.patch.object(BaseDatabaseOperations, "execute_sql_flush", lifted):
        yield
