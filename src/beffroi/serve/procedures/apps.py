from __future__ import annotations

from django.apps import AppConfig


class ProceduresConfig(AppConfig):
    name = "beffroi.serve.procedures"
    label = "procedures"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.serve.cases import mails, store
        from beffroi.serve.procedures import drafts, engine, kept, receipts
        from beffroi.serve.procedures.definition import KIND

        engine.register()
        mails.FOLLOW_PAGES[KIND] = "portal:followed-procedure"
        mails.MORE_AT_OPENING[KIND] = receipts.legal_lines
        store.NAMED_ELSEWHERE.extend((drafts.file_digests, kept.file_digests))
