from __future__ import annotations

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "beffroi.base.privacy"
    label = "privacy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.journal.tasks import every_day
        from beffroi.base.privacy import engine
        from beffroi.base.privacy.operations import daily_retention

        engine.register()
        every_day("privacy.retention", daily_retention, hour=3)
