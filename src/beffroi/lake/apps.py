from __future__ import annotations

from django.apps import AppConfig


class LakeConfig(AppConfig):
    name = "beffroi.lake"
    label = "lake"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.journal.tasks import every_day
        from beffroi.base.territory.operations import register_sandbox_part
        from beffroi.lake import engine, sandbox, tasks

        engine.register()
        register_sandbox_part("lake", clear=sandbox.clear, fill=sandbox.fill)
        every_day("lake.daily", tasks.daily, hour=4)
        every_day("lake.sources", tasks.nightly_sources, hour=1)
