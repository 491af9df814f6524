"""Where one arrives: the door of the public place there, as the national data tell it, and the stops around.

`mobility/venues/*.toml` say which dataset and which of its columns tell a name, steps, a ramp, a width.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from math import cos, radians
from typing import Any

from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.resources import shipped_folder
from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetSummary
from beffroi.sense.mobility.graph import METRES_PER_DEGREE
from beffroi.sense.mobility.recipes import pattern
from beffroi.sense.mobility.transit import queries as transit

AT_M, STOPS_M, MOST_STOPS, MOST_AROUND = 60.0, 300.0, 2, 200
_YES, _NO = {"true", "oui", "vrai", "1"}, {"false", "non", "faux", "0"}


@dataclass(frozen=True, slots=True)
class Venue:
    """A public place and what one meets at its door. `source` and `date` (ISO) are those of the data."""

    name: str
    facts: tuple[Sentence, ...]
    distance_m: float
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class StopNear:
    """A stop near an arrival: can a wheelchair get on there (None when nobody says), and of when it is told."""

    name: str
    lines: tuple[str, ...]
    wheelchair: bool | None
    distance_m: float
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of a place of arrival."""

    venue: Venue | None
    stops: tuple[StopNear, ...]


def arrival(territory: str, place: tuple[float, float]) -> Arrival:
    """Return the public place within 60 m of `place` (longitude, latitude) and the two nearest stops within 300 m."""
    return Arrival(_venue(territory, place), tuple(_stops(territory, place)))


def _venue(territory: str, place: tuple[float, float]) -> Venue | None:
    found = [
        one
        for recipe in _recipes()
        for dataset in lake.datasets(ANONYMOUS, territory=territory)
        if recipe["pattern"].search(dataset.ref.slug) and dataset.geometry_type == "Point"
        for one in _around(dataset, recipe["columns"], place)
    ]
    return min(found, key=lambda one: one.distance_m, default=None)


@lru_cache(maxsize=1)
def _recipes() -> tuple[dict[str, Any], ...]:
    found = []
    for path in sorted((shipped_folder("mobility") / "venues").glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        found.append({"pattern": pattern(table["dataset"], f"venues/{path.name}"), "columns": table["columns"]})
    return tuple(found)


def _around(dataset: DatasetSummary, columns: dict[str, str], place: tuple[float, float]) -> list[Venue]:
    lon, lat = place
    east, north = AT_M / (METRES_PER_DEGREE * cos(radians(lat))), AT_M / METRES_PER_DEGREE
    box = BBox(lon - east, lat - north, lon + east, lat + north)
    page = lake.features(ANONYMOUS, dataset.ref, bbox=box, limit=MOST_AROUND)
    found = []
    for body in page.features:
        feature = json.loads(body)
        x, y = feature["geometry"]["coordinates"][:2]
        away = METRES_PER_DEGREE * ((cos(radians(lat)) * (x - lon)) ** 2 + (y - lat) ** 2) ** 0.5
        told = {role: feature["properties"].get(column) for role, column in columns.items()}
        if away <= AT_M and told.get("name"):
            date = f"{dataset.updated_at:%Y-%m-%d}"
            found.append(Venue(str(told["name"]), facts_of(told), away, dataset.title, date))
    return found


def facts_of(told: dict[str, Any]) -> tuple[Sentence, ...]:
    """Return what one meets at a door, in sentences; what nobody told is not said."""
    facts = [*_entrance(told)]
    if told.get("width_cm"):
        facts.append(Sentence(gettext_noop("porte large de {width} cm"), {"width": int(float(told["width_cm"]))}))
    if _yes(told.get("reserved")):
        facts.append(Sentence(gettext_noop("entrée réservée aux personnes à mobilité réduite")))
    answers = {
        "toilets": (gettext_noop("toilettes adaptées"), gettext_noop("pas de toilettes adaptées")),
        "parking": (gettext_noop("place de stationnement adaptée à proximité"), ""),
    }
    for role, (yes, no) in answers.items():
        said = yes if _yes(told.get(role)) else no if _no(told.get(role)) else ""
        if said:
            facts.append(Sentence(said))
    return tuple(facts)


def _entrance(told: dict[str, Any]) -> list[Sentence]:
    if _yes(told.get("level")):
        return [Sentence(gettext_noop("entrée de plain-pied"))]
    steps, ramp = int(float(told.get("steps") or 0)), str(told.get("ramp") or "").strip().lower()
    found = []
    if steps:
        found.append(Sentence(gettext_noop("{steps} marches à l’entrée"), {"steps": steps}))
    elif _no(told.get("level")):
        found.append(Sentence(gettext_noop("entrée qui n’est pas de plain-pied")))
    if ramp in ("fixe", "amovible"):
        found.append(Sentence(gettext_noop("rampe fixe") if ramp == "fixe" else gettext_noop("rampe amovible")))
    elif ramp == "aucune" and steps:
        found.append(Sentence(gettext_noop("sans rampe")))
    if _yes(told.get("lift")):
        found.append(Sentence(gettext_noop("ascenseur à l’entrée")))
    return found


def _yes(value: object) -> bool:
    return str(value).strip().lower() in _YES


def _no(value: object) -> bool:
    return str(value).strip().lower() in _NO


def _stops(territory: str, place: tuple[float, float]) -> list[StopNear]:
    if not transit.has_transit(territory):
        return []
    feeds = {one.feed: one for one in transit.feeds(territory)}
    near = transit.stops(territory, near=place, within_m=STOPS_M, most=MOST_STOPS)
    return [
        StopNear(
            name=one.name,
            lines=tuple(line.name for line in one.lines),
            wheelchair={1: True, 2: False}.get(one.wheelchair),
            distance_m=one.distance_m or 0.0,
            source=feeds[one.feed].producer,
            date=f"{feeds[one.feed].built_at:%Y-%m-%d}",
        )
        for one in near
    ]


__all__ = ["Arrival", "StopNear", "Venue", "arrival", "facts_of"]
