from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "beffroi.faces.portal"
    label = "portal"

    def ready(self) -> None:
        from beffroi.faces.portal import engine

        engine.register()
