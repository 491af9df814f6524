from __future__ import annotations

from django.apps import AppConfig


class PlanningConfig(AppConfig):
    name = "beffroi.sense.planning"
    label = "planning"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.sense.planning import engine

        engine.register()
