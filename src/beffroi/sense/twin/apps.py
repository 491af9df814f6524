from __future__ import annotations

from django.apps import AppConfig


class TwinConfig(AppConfig):
    name = "beffroi.sense.twin"
    label = "twin"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.territory.operations import register_sandbox_part
        from beffroi.sense.twin import engine, operations

        engine.register()
        register_sandbox_part("twin", clear=operations.forget_sandbox)
