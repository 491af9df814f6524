from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate


class PaymentsConfig(AppConfig):
    name = "beffroi.serve.payments"
    label = "payments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.journal.events import subscribe
        from beffroi.base.journal.tasks import every_seconds
        from beffroi.base.territory.engine import real_only
        from beffroi.serve.payments import engine, mails, tasks

        pre_migrate.connect(_free_ledger, sender=self, dispatch_uid="payments.guard")
        post_migrate.connect(_guard_ledger, sender=self, dispatch_uid="payments.guard")
        engine.register()
        subscribe("payments.mails", mails.KINDS, real_only(mails.tell_family))
        every_seconds("payments.ask", tasks.ask_again, seconds=tasks.TURN_S)


def _free_ledger(using: str, **_: Any) -> None:
    # They read another table: SQLite could not build that one anew. Until a migration ends well, nothing else starts.
    from beffroi.serve.payments.guard import TABLES, remove_triggers

    connection = connections[using]
    if set(TABLES) <= set(connection.introspection.table_names()):
        remove_triggers(connection)


def _guard_ledger(using: str, **_: Any) -> None:
    from beffroi.serve.payments.guard import TABLES, install_triggers

    connection = connections[using]
    if set(TABLES) <= set(connection.introspection.table_names()):
        install_triggers(connection)
