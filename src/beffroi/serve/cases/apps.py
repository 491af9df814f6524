from __future__ import annotations

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "beffroi.serve.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.journal.events import subscribe
        from beffroi.base.journal.tasks import every_day
        from beffroi.base.territory.engine import real_only
        from beffroi.serve.cases import mails, tasks, webhooks
        from beffroi.serve.cases.push import telling

        subscribe("cases.mails", mails.KINDS, real_only(mails.tell_parties))
        subscribe("cases.push", telling.KINDS, real_only(telling.tell_devices))
        subscribe("cases.webhooks", webhooks.KINDS, real_only(webhooks.tell_webhooks))
        every_day("cases.daily", tasks.daily, hour=3)
