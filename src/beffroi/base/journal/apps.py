from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

if TYPE_CHECKING:
    from beffroi.base.territory.events import TerritoryEvent


class JournalConfig(AppConfig):
    name = "beffroi.base.journal"
    label = "journal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.territory import events as territory_events

        post_migrate.connect(_guard_journal, sender=self, dispatch_uid="journal.guard")
        territory_events.subscribe("journal", _record_territory_event)


def _guard_journal(using: str, **_: Any) -> None:
    from beffroi.base.journal.guard import install_triggers

    connection = connections[using]
    if {"journal_event", "journal_redaction"} <= set(connection.introspection.table_names()):
        install_triggers(connection)


def _record_territory_event(event: TerritoryEvent) -> None:
    from beffroi.base.journal.operations import record

    record(
        kind=event.kind,
        subject=event.subject,
        payload=event.payload(),
        actor=event.actor,
        territory=event.territory,
        at=event.at,
    )
