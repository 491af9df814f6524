from __future__ import annotations

from django.apps import AppConfig


class TwinConfig(AppConfig):
    name = "beffroi.sense.twin"
    label = "twin"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.journal.events import subscribe
        from beffroi.base.territory.operations import register_sandbox_part
        from beffroi.lake.events import DATASET_PUBLISHED, DATASET_RESTORED
        from beffroi.sense.twin import engine, operations, proposals

        engine.register()
        subscribe("twin.energy", (DATASET_PUBLISHED, DATASET_RESTORED), proposals.on_dataset)
        register_sandbox_part("twin", clear=operations.forget_sandbox)
