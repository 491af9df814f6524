"""Lets a test run empty the journal and the ledger between two tests: their triggers refuse it, it is their job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations


@pytest.fixture(scope="session", autouse=True)
def journal_can_be_emptied() -> Iterator[None]:
    """Lift these triggers around the flush that ends each transactional test, and only there."""
    from beffroi.base.journal.guard import triggers_lifted
    from beffroi.serve.payments.guard import triggers_lifted as ledger_lifted

    flush = BaseDatabaseOperations.execute_sql_flush

    def lifted(self: BaseDatabaseOperations, sql_list: Any) -> Any:
        with triggers_lifted(connection), ledger_lifted(connection):
            return flush(self, sql_list)

    with mock.patch.object(BaseDatabaseOperations, "execute_sql_flush", lifted):
        yield
