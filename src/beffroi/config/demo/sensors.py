"""Sensors of the fictional town, through the room's own doors: facilities that fill and empty, a station of the air."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.sense.live import operations, queries
from beffroi.sense.live.definition import Reading
from beffroi.sense.live.operations import StreamDraft, ThingDraft

DAYS, EVERY = 30, timedelta(minutes=30)
_SOURCE = "Ville fictive : mesures inventées"
# Open from, until (hours), people at the fullest hour, capacity; the fullest hours of a weekday and of a weekend.
Facility = tuple[str, int, int, int, int, tuple[int, int], tuple[int, int]]
_FACILITIES: tuple[Facility, ...] = (
    ("Piscine des Aulnes", 7, 21, 210, 260, (12, 17), (15, 16)),
    ("Médiathèque du Lavoir", 10, 19, 95, 150, (14, 17), (11, 15)),
    ("Salle d’escalade", 9, 22, 60, 80, (18, 20), (10, 17)),
)
_AIR = (("no2", "Dioxyde d’azote (NO₂)", 22.0, 500.0), ("pm10", "Particules PM10", 16.0, 500.0))


def add_sensors(
    territory: str, *, places: Sequence[tuple[float, float, str]], at: datetime, days: int = DAYS, seed: int = 1204
) -> int:
    """Add sensors and so many days of readings, and return how many readings; none where there are sensors already.

    The readings end a few minutes before `at`: nothing feeds them afterwards, and an hour later they are told silent.
    """
    if queries.has_things(territory) or len(places) < len(_FACILITIES) + 1:
        return 0
    viewer = Viewer(None, (Grant(territory, Role.AGENT),), frozenset({"observations:write"}))
    zone, rng = ZoneInfo(territories.territory(territory).timezone), random.Random(seed)  # noqa: S311 - a fictional town
    kept = 0
    step = max(1, len(places) // (len(_FACILITIES) + 1))
    for rank, facility in enumerate(_FACILITIES):
        name, _opens, _closes, _most, capacity, *_peaks = facility
        lon, lat, address = places[rank * step]
        thing = operations.add_thing(viewer, territory, ThingDraft(
            name, lon, lat, address=address, access="public", use_case="12-04", source=_SOURCE), at=at)  # fmt: skip
        stream = operations.add_stream(viewer, thing, StreamDraft(
            "presents", property_name="Personnes présentes", sensor="Compteur d’entrées et de sorties",
            unit_name="personne", unit_symbol="pers.", low=0, high=2 * capacity, capacity=capacity,
            every_s=int(EVERY.total_seconds())))  # fmt: skip
        kept += _send(viewer, stream, at, days, partial(_people, facility, zone, rng))
    lon, lat, address = places[len(_FACILITIES) * step]
    thing = operations.add_thing(viewer, territory, ThingDraft(
        "Station de l’air, boulevard", lon, lat, address=address, access="public", use_case="1-22", source=_SOURCE),
        at=at)  # fmt: skip
    for code, title, mean, high in _AIR:
        stream = operations.add_stream(viewer, thing, StreamDraft(
            code, property_name=title, sensor="Analyseur de station", unit_name="microgramme par mètre cube",
            unit_symbol="µg/m³", low=0, high=high, every_s=int(EVERY.total_seconds())))  # fmt: skip
        kept += _send(viewer, stream, at, days, partial(_air, mean, zone, rng))
    operations.sum_up(at=at)
    return kept


def _send(viewer: Viewer, stream: int, at: datetime, days: int, value: Callable[[datetime], float]) -> int:
    turns = timedelta(days=days) // EVERY
    last = at - timedelta(minutes=4)
    readings = [Reading(stream, last - back * EVERY, value(last - back * EVERY)) for back in range(turns)]
    return operations.receive(viewer, readings, at=at).kept


def _people(facility: Facility, zone: ZoneInfo, rng: random.Random, at: datetime) -> float:
    local = at.astimezone(zone)
    _name, opens, closes, most, _capacity, weekdays, weekends = facility
    if not opens <= local.hour < closes:
        return 0.0
    peaks = weekends if local.weekday() >= 5 else weekdays
    hour = local.hour + local.minute / 60
    share = max(1 / (1 + ((hour - peak) / 1.6) ** 2) for peak in peaks)
    # A rainy day, a sunny one: the whole day is fuller, or not.
    mood = 0.8 + 0.4 * random.Random(local.toordinal()).random()  # noqa: S311 - a fictional town
    return float(round(most * share * mood * rng.uniform(0.9, 1.1)))


def _air(mean: float, zone: ZoneInfo, rng: random.Random, at: datetime) -> float:
    local = at.astimezone(zone)
    traffic = 1.6 if local.hour in (7, 8, 9, 17, 18, 19) and local.weekday() < 5 else 0.9
    return round(mean * traffic * rng.uniform(0.7, 1.3), 1)
