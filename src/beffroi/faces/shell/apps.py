from django.apps import AppConfig


class ShellConfig(AppConfig):
    name = "beffroi.faces.shell"
    label = "shell"
