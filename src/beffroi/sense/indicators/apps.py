from __future__ import annotations

from django.apps import AppConfig


class IndicatorsConfig(AppConfig):
    name = "beffroi.sense.indicators"
    label = "indicators"

    def ready(self) -> None:
        from beffroi.sense.indicators import engine

        engine.register()
