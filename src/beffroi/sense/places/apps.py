from __future__ import annotations

from django.apps import AppConfig


class PlacesConfig(AppConfig):
    name = "beffroi.sense.places"
    label = "places"

    def ready(self) -> None:
        from beffroi.base.journal.tasks import every_day
        from beffroi.sense.places import events, tasks
        from beffroi.sense.places.daily import engine as daily
        from beffroi.sense.places.directory import engine as directory

        directory.register()
        daily.register()
        events.listen()
        every_day("places.daily", tasks.daily, hour=5)
        every_day("places.papers", tasks.nightly_papers, hour=2)
