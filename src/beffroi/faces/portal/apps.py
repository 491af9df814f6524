from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "beffroi.faces.portal"
    label = "portal"
