"""Transit: what importing a network costs, and asking for its next departures, inside the process."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

TOWN, FEED = "00001", "reseau"
DAYS = 7


@dataclass(slots=True)
class Measured:
    """Seconds of each step of an import, milliseconds of each question, and facts in words."""

    steps: list[tuple[str, float]] = field(default_factory=list)
    questions: list[tuple[str, list[float]]] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)


def measure_transit(folder: Path, archive: Path, *, asked: int, say: Callable[[str], None]) -> Measured:
    """Import `archive` in a lake of its own, build its timetable, then ask `asked` times; Django is started here."""
    home = folder / "transports"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    os.environ |= {"BEFFROI_DATA_DIR": str(home), "DATABASE_URL": "", "BEFFROI_COMMUNE": TOWN}
    from beffroi.config.cli import start_django

    start_django()
    from django.conf import settings

    from beffroi.base.kernel.time import now
    from beffroi.lake.operations import import_source
    from beffroi.sense.mobility.transit import store
    from beffroi.sense.mobility.transit.operations import build_timetables

    measured = Measured()
    say("Import dans le lac…")
    begun = time.perf_counter()
    import_source(archive, territory=TOWN, at=now(), slug=FEED, lake=Path(settings.LAKE_DIR), announce=False)
    measured.steps.append(("import dans le lac, toutes les tables", time.perf_counter() - begun))
    say("Horaires…")
    begun = time.perf_counter()
    (built,) = build_timetables(TOWN, at=now(), announce=False)
    measured.steps.append(("horaires et rapport", time.perf_counter() - begun))
    begun = time.perf_counter()
    build_timetables(TOWN, at=now(), announce=False)
    measured.steps.append(("rien n'a changé", time.perf_counter() - begun))
    timetable = store.timetable_of(TOWN, FEED)
    measured.facts.append(
        f"{len(timetable.stops.ids)} arrêts, {len(timetable.routes.ids)} lignes, {len(timetable.trip_id)} courses, "
        f"{len(timetable.at_stop)} passages ; {sum(one.count for one in built.notices)} remarques au producteur."
    )
    say("Passages…")
    measured.questions = _questions(asked)
    return measured


def _questions(asked: int) -> list[tuple[str, list[float]]]:
    from beffroi.sense.mobility.transit import queries, store

    timetable = store.timetable_of(TOWN, FEED)
    period = timetable.calendar.period()
    rng = random.Random(1)  # noqa: S311 - a draw, the same each time
    start = datetime.combine(period[0], datetime.min.time(), timetable.zone) if period else timetable.built_at
    names = [one.id for one in queries.stops(TOWN, most=queries.MOST_STOPS)]
    draws = [(rng.choice(names), start + timedelta(minutes=rng.randrange(DAYS * 1440))) for _ in range(asked)]

    def soonest(stop: str, at: datetime) -> object:
        return queries.next_departures(TOWN, FEED, stop, at=at)

    def board(stop: str, at: datetime) -> object:
        return queries.board(TOWN, FEED, stop, at=at)

    def search(stop: str, at: datetime) -> object:
        return queries.stops(TOWN, text="gare")

    asking = (
        ("vingt prochains passages d'un arrêt", soonest),
        ("page d'un arrêt, ligne par ligne", board),
        ("recherche d'un arrêt", search),
    )
    return [(name, [_timed(ask, stop, at) for stop, at in draws]) for name, ask in asking]


def _timed(ask: Callable[[str, datetime], object], stop: str, at: datetime) -> float:
    begun = time.perf_counter()
    ask(stop, at)
    return (time.perf_counter() - begun) * 1000
