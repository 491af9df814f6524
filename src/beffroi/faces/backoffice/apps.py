from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    name = "beffroi.faces.backoffice"
    label = "backoffice"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.faces.backoffice import engine
        from beffroi.faces.backoffice.procedures.sites import OVERLAY as SITES
        from beffroi.faces.backoffice.reports.queue import OVERLAY
        from beffroi.faces.backoffice.rounds.pages import OVERLAY as ROUNDS
        from beffroi.faces.shell import overlays

        engine.register()
        overlays.register(OVERLAY)
        overlays.register(ROUNDS)
        overlays.register(SITES)
