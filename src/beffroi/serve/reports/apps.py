from __future__ import annotations

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "beffroi.serve.reports"
    label = "reports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.journal.events import subscribe
        from beffroi.base.journal.tasks import every_day
        from beffroi.base.territory.engine import real_only
        from beffroi.base.territory.operations import register_sandbox_part
        from beffroi.sense.mobility.events import WORKS_ENDED, WORKS_PUBLISHED
        from beffroi.serve.cases import audiences, life, mails, store
        from beffroi.serve.cases import events as cases
        from beffroi.serve.reports import (
            audience,
            engine,
            events,
            matching,
            news,
            sandbox,
            snapshot,
            tasks,
            visits,
            ways,
            works_news,
        )

        engine.register()
        audiences.AUDIENCES["reports"] = audience.AUDIENCE
        mails.FOLLOW_PAGES["report"] = "portal:followed-report"
        store.NAMED_ELSEWHERE.append(visits.photo_digests)
        register_sandbox_part("reports", fill=sandbox.fill)
        life.WITH_EACH_MOVE["report"] = ways.follow_move
        subscribe("reports.matching", [cases.OPENED, cases.RELEASED], matching.look_for_counterpart)
        subscribe("reports.news", news.KINDS, real_only(news.gather))
        subscribe("reports.subscription_mails", [events.SUBSCRIPTION_ASKED], real_only(news.ask_to_confirm))
        subscribe("reports.works", [WORKS_PUBLISHED, WORKS_ENDED], real_only(works_news.tell_followers))
        subscribe("reports.withdrawal", [events.RECLASSIFIED, cases.CLOSED, cases.HELD], snapshot.follow)
        every_day("reports.daily", tasks.daily, hour=2)
        every_day("reports.snapshot", snapshot.take_snapshots, hour=4)
