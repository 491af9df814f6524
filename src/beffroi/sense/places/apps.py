from __future__ import annotations

from django.apps import AppConfig


class PlacesConfig(AppConfig):
    name = "beffroi.sense.places"
    label = "places"

    def ready(self) -> None:
        from beffroi.base.journal.tasks import every_day
        from beffroi.sense.places import events, tasks

        events.listen()
        every_day("places.daily", tasks.daily, hour=5)
