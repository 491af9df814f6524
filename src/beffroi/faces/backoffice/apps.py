from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    name = "beffroi.faces.backoffice"
    label = "backoffice"
