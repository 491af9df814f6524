"""What mobility does in the background: build a graph when its streets changed, hear obstacles told by others."""

from __future__ import annotations

import logging
import threading
from datetime import datetime

from django_tasks import task

from beffroi.base.journal.events import RecordedEvent
from beffroi.base.kernel.time import now
from beffroi.base.territory import queries as territory_queries
from beffroi.sense.mobility import operations
from beffroi.sense.mobility.compiled import NoEngine, search_module
from beffroi.sense.mobility.events import OBSTACLE_ENDED
from beffroi.sense.mobility.recipes import recipes
from beffroi.sense.mobility.transit import operations as transit
from beffroi.sense.mobility.transit import store
from beffroi.sense.mobility.transit.tables import feeds_of, is_part

logger = logging.getLogger(__name__)
FORGET_AFTER_DAYS = 400


@task()
def build_graph(territory: str) -> None:
    """Build the graph of a territory again; nothing is done when its sources are those of the one in use."""
    try:
        built = operations.build_graph(territory, at=now())
    except operations.NothingToBuildFrom:
        logger.info("no streets of %s to build a graph from", territory)
        return
    if built is None:
        return
    try:
        search_module()
    except NoEngine:
        return
    from beffroi.sense.mobility.warming import warm_graph

    warm_graph(territory)


@task()
def build_timetables(territory: str) -> None:
    """Build the timetables of a territory again; nothing is done for a feed whose tables are those in use."""
    transit.build_timetables(territory, at=now())


def build_every_timetable(at: datetime) -> None:
    """Build the timetables that are missing or of an older form, in every commune: a new release may want them anew."""
    for commune in territory_queries.communes():
        if feeds_of(commune.code) or store.feeds(commune.code):
            build_timetables.enqueue(commune.code)


def on_dataset(event: RecordedEvent) -> None:
    """Have a worker build again the graph or the timetables when a dataset they are made of changed."""
    territory, _, slug = event.subject.removeprefix("dataset:").partition("/")
    if is_part(slug):
        build_timetables.enqueue(territory)
    if any(pattern.search(slug) for recipe in recipes() for pattern in recipe.patterns()):
        build_graph.enqueue(territory)


def on_obstacle(event: RecordedEvent) -> None:
    """Take in an obstacle that another writer recorded; what our own operations recorded is already in."""
    if event.payload.get("applied"):
        return
    if event.kind == OBSTACLE_ENDED:
        try:
            operations.end_obstacle(subject=event.subject, at=event.at, announce=False)
        except operations.ObstacleNotFound:
            logger.info("%s ended before it was known", event.subject)
        return
    told = event.payload
    operations.obstacle_at(
        territory=event.territory,
        subject=event.subject,
        kind=str(told["kind"]),
        lon=float(told["lon"]),
        lat=float(told["lat"]),
        radius_m=float(told.get("radius_m") or 4.0),
        starts_at=_instant(told.get("starts_at")),
        until=_instant(told.get("until")),
        label=str(told.get("label") or ""),
        at=event.at,
        announce=False,
    )


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None


def forget_old_obstacles(at: datetime) -> None:
    """Let go of obstacles that ended long ago; the journal keeps what was done."""
    from datetime import timedelta

    from beffroi.sense.mobility.models import Obstacle

    Obstacle.objects.filter(ended_at__lt=at - timedelta(days=FORGET_AFTER_DAYS)).delete()
    Obstacle.objects.filter(until__lt=at - timedelta(days=FORGET_AFTER_DAYS)).delete()


def warm_in_background() -> None:
    """Make routes ready in a thread, so that no visitor waits; says nothing where the search is not installed."""

    def warm() -> None:
        try:
            search_module()
            from beffroi.sense.mobility.warming import warm_graphs, warm_search

            warm_search()
            warm_graphs()
        except NoEngine:
            return
        except Exception:  # a warm-up that fails must not stop a server that can answer everything else
            logger.exception("the search of routes could not be made ready")

    threading.Thread(target=warm, name="mobility-warm", daemon=True).start()
