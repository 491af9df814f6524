from __future__ import annotations

from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "beffroi.sense.live"
    label = "live"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.journal.events import subscribe
        from beffroi.base.journal.tasks import every_day, every_seconds
        from beffroi.base.territory.engine import real_only
        from beffroi.sense.live import engine, notices, tasks

        engine.register()
        subscribe("live.notices", notices.KINDS, real_only(notices.tell_service))
        every_seconds("live.turn", tasks.turn, seconds=120)
        every_day("live.daily", tasks.daily, hour=3)
