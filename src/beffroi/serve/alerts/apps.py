from __future__ import annotations

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "beffroi.serve.alerts"
    label = "alerts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.journal.events import subscribe
        from beffroi.base.journal.tasks import every_day, every_seconds
        from beffroi.base.territory.engine import real_only
        from beffroi.serve.alerts import cap_feeds, engine, events, following, hearing, issuing, tasks

        engine.register()
        subscribe("alerts.raised", [hearing.RAISED], hearing.take_up)
        subscribe("alerts.raised_ended", [hearing.RAISED_ENDED], hearing.let_go)
        subscribe("alerts.confirmations", [events.FOLLOWER_ASKED], real_only(following.ask_to_confirm))
        every_seconds("alerts.turn", issuing.turn, seconds=tasks.TURN_S)
        every_seconds("alerts.cap", cap_feeds.poll, seconds=cap_feeds.TURN_S)
        every_day("alerts.daily", tasks.daily, hour=2)
