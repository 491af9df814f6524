from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class JournalConfig(AppConfig):
    name = "beffroi.base.journal"
    label = "journal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(_guard_journal, sender=self, dispatch_uid="journal.guard")


def _guard_journal(using: str, **_: Any) -> None:
    from beffroi.base.journal.guard import install_triggers

    connection = connections[using]
    if {"journal_event", "journal_redaction"} <= set(connection.introspection.table_names()):
        install_triggers(connection)
