from django.apps import AppConfig
from django.core.signals import request_finished


class CatalogueConfig(AppConfig):
    name = "beffroi.base.catalogue"
    label = "catalogue"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.catalogue import counting, lifecycle, operations
        from beffroi.base.territory.operations import register_sandbox_part

        register_sandbox_part("catalogue", clear=operations.forget_sandbox)
        lifecycle.register()
        request_finished.connect(counting.flush_when_due, dispatch_uid="catalogue.usage")
