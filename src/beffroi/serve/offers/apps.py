from __future__ import annotations

from django.apps import AppConfig


class OffersConfig(AppConfig):
    name = "beffroi.serve.offers"
    label = "offers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.serve.cases import store
        from beffroi.serve.offers import engine, queries

        engine.register()
        store.NAMED_ELSEWHERE.append(queries.photo_digests)
