from __future__ import annotations

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "beffroi.serve.reports"
    label = "reports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.journal.tasks import every_day
        from beffroi.serve.reports import engine, tasks

        engine.register()
        every_day("reports.daily", tasks.daily, hour=2)
