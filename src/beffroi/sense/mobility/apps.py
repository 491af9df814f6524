from __future__ import annotations

from django.apps import AppConfig


class MobilityConfig(AppConfig):
    name = "beffroi.sense.mobility"
    label = "mobility"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from beffroi.base.journal.events import subscribe
        from beffroi.base.journal.tasks import every_day, every_seconds
        from beffroi.base.territory.operations import register_sandbox_part
        from beffroi.lake.events import DATASET_PUBLISHED, DATASET_RESTORED
        from beffroi.sense.mobility import engine, events, operations, tasks
        from beffroi.sense.mobility.charging import polling as charging
        from beffroi.sense.mobility.coverage import engine as coverage
        from beffroi.sense.mobility.flows import engine as flows
        from beffroi.sense.mobility.hours import engine as hours
        from beffroi.sense.mobility.journeys import engine as journeys
        from beffroi.sense.mobility.rounds import engine as rounds
        from beffroi.sense.mobility.rounds.tasks import forget_old_rounds
        from beffroi.sense.mobility.shared import polling as shared
        from beffroi.sense.mobility.transit import engine as transit
        from beffroi.sense.mobility.transit import polling
        from beffroi.sense.mobility.works import engine as works

        engine.register()
        transit.register()
        rounds.register()
        coverage.register()
        works.register()
        journeys.register()
        hours.register()
        flows.register()
        register_sandbox_part("mobility", clear=operations.forget_sandbox)
        subscribe("mobility.graphs", (DATASET_PUBLISHED, DATASET_RESTORED), tasks.on_dataset)
        subscribe("mobility.obstacles", (events.OBSTACLE_REPORTED, events.OBSTACLE_ENDED), tasks.on_obstacle)
        every_day("mobility.daily", tasks.forget_old_obstacles, hour=4)
        every_day("mobility.rounds", forget_old_rounds, hour=4)
        every_day("mobility.timetables", tasks.build_every_timetable, hour=4)
        every_seconds("mobility.transit", polling.poll, seconds=5)
        every_seconds("mobility.shared", shared.poll, seconds=10)
        every_seconds("mobility.charging", charging.poll, seconds=15)
