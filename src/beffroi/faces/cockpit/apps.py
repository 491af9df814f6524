from django.apps import AppConfig


class CockpitConfig(AppConfig):
    name = "beffroi.faces.cockpit"
    label = "cockpit"

    def ready(self) -> None:
        from beffroi.faces.cockpit import engine

        engine.register()
