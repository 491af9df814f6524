"""A sample of the trips of a town, the same each time: residents to facilities, and through traffic between entries.

Residents are drawn by the homes of the buildings where the lake knows them, else by addresses, else along the streets;
where they go, by how near it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.streets import Array
from beffroi.sense.mobility.vocabulary import Kind

RESIDENTS, THROUGH_SHARE, SEED = 400, 0.2, 20_261_126
MOST_READ = 10_000
NEAR_M = 400.0
"""A facility this much farther than the nearest is chosen half as often."""
_HOMES = re.compile(r"logement|nb_?logts|log_|foyers", re.IGNORECASE)
_FACILITIES = re.compile(r"(?:^|-)(?:bpe|lieux-?utiles|equipements?|annuaire-education|ecoles?|commerces?)(?:-|$)")
_MAIN = (Kind.MOTORWAY, Kind.ROAD_MAJOR, Kind.ROAD)
Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Trip:
    """One trip of the sample. `weight` is how many trips of the town it stands for, relative to the others."""

    start: Place
    goal: Place
    kind: str
    name: str = ""
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Sample:
    """The trips, and what was known to draw them: ``homes``, ``addresses`` or ``streets``; how many facilities."""

    trips: tuple[Trip, ...]
    drawn_by: str
    facilities: int
    entries: int


def sample_of(router: Router, territory: str, *, residents: int = RESIDENTS) -> Sample:
    """Draw the sample of a town from what the lake lets everyone read."""
    homes, by = _homes(router, territory)
    places, names = _facilities(router, territory)
    return drawn_sample(router, homes=homes, drawn_by=by, facilities=places, names=names, residents=residents)


def drawn_sample(
    router: Router, *, homes: Array, drawn_by: str, facilities: Array, names: list[str], residents: int
) -> Sample:
    """Draw trips from `homes` (n, 3: longitude, latitude, weight) to `facilities` (m, 2) and between entries."""
    rng = np.random.default_rng(SEED)
    trips: list[Trip] = []
    if len(homes) and len(facilities):
        chosen = rng.choice(len(homes), size=residents, p=homes[:, 2] / homes[:, 2].sum())
        fx, fy = router.graph.metres(facilities[:, 0], facilities[:, 1])
        for one in chosen.tolist():
            x, y = router.graph.metres(homes[one, 0], homes[one, 1])
            away = np.hypot(fx - x, fy - y)
            pull = np.exp(-(away - away.min()) / NEAR_M * np.log(2))
            goal = int(rng.choice(len(facilities), p=pull / pull.sum()))
            trips.append(
                Trip((float(homes[one, 0]), float(homes[one, 1])),
                     (float(facilities[goal, 0]), float(facilities[goal, 1])), "resident", names[goal])
            )  # fmt: skip
    ends = entries(router)
    pairs = [(a, b) for a in ends for b in ends if a != b]
    through = len(trips) * THROUGH_SHARE / (1 - THROUGH_SHARE) or float(len(pairs))
    trips += [Trip(a, b, "through", weight=through / len(pairs)) for a, b in pairs]
    return Sample(tuple(trips), drawn_by, len(facilities), len(ends))


def entries(router: Router) -> list[Place]:
    """Return where main roads leave the graph: the farthest end in each of eight directions."""
    graph = router.graph
    main = np.flatnonzero(np.isin(graph.columns["kind"], _MAIN))
    if not len(main):
        main = np.arange(len(graph))
    ends = np.unique(np.concatenate([np.asarray(graph.tail)[main], np.asarray(graph.head)[main]]))
    x, y = np.asarray(graph.x)[ends].astype(float), np.asarray(graph.y)[ends].astype(float)
    away = np.hypot(x - np.median(x), y - np.median(y))
    sector = ((np.arctan2(y - np.median(y), x - np.median(x)) + np.pi) / (2 * np.pi) * 8).astype(int) % 8
    found = []
    for number in range(8):
        there = np.flatnonzero(sector == number)
        if len(there):
            end = int(ends[there[np.argmax(away[there])]])
            found.append((float(graph.lon[end]), float(graph.lat[end])))
    return found


# --- What the lake knows --------------------------------------------------------------------------------------------


def _homes(router: Router, territory: str) -> tuple[Array, str]:
    known = [one for one in lake.datasets(ANONYMOUS, territory=territory) if one.geometry_type]
    for one in known:
        if "batiment" in one.ref.slug and (one.geometry_type or "").endswith("Polygon"):
            found = np.array(list(_weighted(one.ref)), float).reshape(-1, 3)
            if len(found) and found[:, 2].sum() > 0:
                return found[found[:, 2] > 0], "homes"
    for one in known:
        if re.search(r"(?:^|-)adresses?(?:-|$)", one.ref.slug) and one.geometry_type == "Point":
            found = np.array([(*place, 1.0) for place, _ in _points(one.ref)], float).reshape(-1, 3)
            if len(found):
                return found, "addresses"
    return _along_streets(router), "streets"


def _along_streets(router: Router) -> Array:
    """Return the middle of each street where people live, weighted by its length."""
    graph = router.graph
    lived = np.flatnonzero(np.isin(graph.columns["kind"], (Kind.STREET, Kind.SHARED, Kind.ROAD, Kind.PEDESTRIAN)))
    rows = [(*router.place(int(one), 0.5), float(graph.length_m[one])) for one in lived.tolist()]
    return np.array(rows, float).reshape(-1, 3)


def _facilities(router: Router, territory: str) -> tuple[Array, list[str]]:
    rows: list[Place] = []
    names: list[str] = []
    for one in lake.datasets(ANONYMOUS, territory=territory):
        if one.geometry_type == "Point" and _FACILITIES.search(one.ref.slug):
            for place, name in _points(one.ref):
                rows.append(place)
                names.append(name or one.title)
    if not rows:
        # Nothing is known of where people go: the crossings nearest the middle of the town stand for its centre.
        graph = router.graph
        x, y = np.asarray(graph.x), np.asarray(graph.y)
        near = np.argsort(np.hypot(x - np.median(x), y - np.median(y)))[:12]
        rows = [(float(graph.lon[one]), float(graph.lat[one])) for one in near]
        names = [""] * len(rows)
    return np.array(rows, float).reshape(-1, 2), names


def _features(ref: lake.DatasetRef) -> Iterator[dict[str, Any]]:
    for raw in lake.features(ANONYMOUS, ref, limit=MOST_READ).features:
        feature = json.loads(raw)
        if feature.get("geometry"):
            yield feature


def _points(ref: lake.DatasetRef) -> Iterator[tuple[Place, str]]:
    for feature in _features(ref):
        lon, lat = feature["geometry"]["coordinates"][:2]
        named = (feature.get("properties") or {}).items()
        name = next(
            (str(value) for key, value in named if str(key).lower() in ("nom", "libelle", "name") and value), ""
        )
        yield (float(lon), float(lat)), name


def _weighted(ref: lake.DatasetRef) -> Iterator[tuple[float, float, float]]:
    for feature in _features(ref):
        told = [value for key, value in (feature.get("properties") or {}).items() if _HOMES.search(str(key))]
        homes = next((float(value) for value in told if isinstance(value, int | float) and value > 0), 0.0)
        if homes:
            ring = feature["geometry"]["coordinates"]
            while isinstance(ring[0][0], list):
                ring = ring[0]
            yield (*np.mean(np.array(ring, float)[:, :2], axis=0).tolist(), homes)


__all__ = ["Sample", "Trip", "drawn_sample", "entries", "sample_of"]
