from django.apps import AppConfig


class CockpitConfig(AppConfig):
    name = "beffroi.faces.cockpit"
    label = "cockpit"
