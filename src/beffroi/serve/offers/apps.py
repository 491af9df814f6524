from __future__ import annotations

from django.apps import AppConfig


class OffersConfig(AppConfig):
    name = "beffroi.serve.offers"
    label = "offers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.journal.events import subscribe
        from beffroi.base.journal.tasks import every_day
        from beffroi.base.territory.engine import real_only
        from beffroi.serve.cases import store
        from beffroi.serve.offers import claim_mails, engine, kept, queries

        engine.register()
        store.NAMED_ELSEWHERE.append(queries.photo_digests)
        subscribe("offers.claim_mails", claim_mails.KINDS, real_only(claim_mails.tell))
        subscribe("offers.kept", kept.KINDS, kept.follow)
        every_day("offers.kept", kept.publish_all, hour=4)
