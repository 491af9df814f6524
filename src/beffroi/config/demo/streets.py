"""What the services of the fictional town do in its streets: works announced, works in preparation, a round for glass.

Written once, through the room's own doors; the worker computes the effects and the round once the town is served.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import shapely

from beffroi.base.clock.queries import timezone_of
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.sense.mobility.graph import Graph
from beffroi.sense.mobility.rounds import operations as rounds
from beffroi.sense.mobility.rounds import queries as round_queries
from beffroi.sense.mobility.rounds.plan import Break, Plan, Site, Stop, Vehicle, Window
from beffroi.sense.mobility.store import NoGraph, router_of
from beffroi.sense.mobility.vocabulary import Kind
from beffroi.sense.mobility.works import operations as works
from beffroi.sense.mobility.works import queries as works_queries
from beffroi.sense.mobility.works.plan import Phase, Scenario, Stretch
from beffroi.sense.mobility.works.tasks import compute_works

GLASS = "colonnes-verre"
MOST_STOPS = 36
HOUR = 3600
OPENS_S, CLOSES_S = 8 * HOUR, 17 * HOUR
_LEAST_M, _MOST_M = 250.0, 900.0


def add_streets_at_work(territory: str, *, at: datetime) -> None:
    """Announce works, prepare others, ask for a round; a town that has any is left as it is."""
    agent = Viewer(None, (Grant(territory, Role.AGENT, frozenset({"voirie", "proprete"})),))
    if works_queries.works(agent, territory) or round_queries.rounds(agent, territory):
        return
    try:
        graph = router_of(territory).graph
    except NoGraph:
        return
    # In a large town a name has namesakes, of which the room shows the first only.
    named = (one for one in _central_streets(graph) if _stretches(territory, one))
    for publish, street in zip((True, False), named, strict=False):
        _works(territory, agent, street, at=at, publish=publish)
    _round(territory, at=at)


def _central_streets(graph: Graph) -> list[str]:
    """Return the names of the streets of a few hundred metres, main ones near the middle of the town first."""
    names, kinds = np.asarray(graph.columns["name"]), np.asarray(graph.columns["kind"])
    x, y = (np.asarray(graph.x)[graph.tail], np.asarray(graph.y)[graph.tail])
    away = np.hypot(x - np.median(x), y - np.median(y))
    found = []
    for rank in np.unique(names[names >= 0]).tolist():
        here = names == rank
        length = float(np.asarray(graph.length_m)[here].sum())
        if _LEAST_M <= length <= _MOST_M and (kinds[here] <= Kind.STREET).all():
            found.append((float(kinds[here].mean()), float(away[here].mean()), graph.names[rank]))
    return [name for _kind, _away, name in sorted(found)]


def _stretches(territory: str, street: str) -> tuple[Stretch, ...]:
    return tuple(one for one in works_queries.stretches_of(territory, street) if one.name == street)


def _works(territory: str, agent: Viewer, street: str, *, at: datetime, publish: bool) -> None:
    day = at.astimezone(timezone_of(territory)).date()
    stretches = _stretches(territory, street)
    first, last = (day + timedelta(days=3), day + timedelta(days=24)) if publish else (
        day + timedelta(days=60), day + timedelta(days=81))  # fmt: skip
    closed = Phase(
        first=first, last=last, who=("car", "lorry"), stretches=stretches, opens_s=OPENS_S, closes_s=CLOSES_S
    )
    slow = Phase(
        first=first,
        last=last + timedelta(days=10),
        alternate=True,
        stretches=stretches,
        opens_s=OPENS_S,
        closes_s=CLOSES_S,
    )
    title, text = (
        ("Réfection de la chaussée", "La couche de roulement est refaite. Les riverains passent le soir et le matin.")
        if publish
        else ("Renouvellement du réseau d’eau", "La conduite date de 1958. Rien n’est encore arrêté.")
    )
    number = works.describe_works(
        territory=territory, service="voirie", title=f"{title}, {street}", description=text, at=at, by=agent,
        scenarios=[Scenario(title="Rue fermée le jour", phases=(closed,)),
                   Scenario(title="Circulation alternée, dix jours de plus", phases=(slow,))],
    )  # fmt: skip
    if publish:
        works.publish_works(None, territory, number, scenario=0, at=at)
    compute_works.enqueue(number)


def _round(territory: str, *, at: datetime) -> None:
    """Ask for a round of the glass columns, beside the one that goes by their numbers."""
    places = _glass(territory)
    if len(places) < 4:
        return
    depot = Site(name="Centre technique", lon=places[0][1], lat=places[0][2])
    half = (len(places) + 1) // 2
    stops = [
        Stop(id=f"{rank + 1}", name=name, lon=lon, lat=lat, amount=1.0, service_s=300,
             vehicle="Benne 1" if rank < half else "Benne 2", rank=rank + 1)
        for rank, (name, lon, lat) in enumerate(places)
    ]  # fmt: skip
    rest = Break(earliest_s=9 * HOUR, latest_s=10 * HOUR, length_s=1200)
    lorries = [
        Vehicle(name=name, profile="benne", start_s=6 * HOUR, end_s=13 * HOUR, depot=depot, breaks=(rest,))
        for name in ("Benne 1", "Benne 2")
    ]
    plan = Plan(vehicles=tuple(lorries), dense=(Window(start_s=27_000, end_s=9 * HOUR),))
    day = at.astimezone(timezone_of(territory)).date() + timedelta(days=1)
    rounds.ask_round(
        territory=territory, service="proprete", title="Colonnes à verre", day=day, plan=plan, stops=stops, by=None,
        at=at,
    )  # fmt: skip


def _glass(territory: str) -> Sequence[tuple[str, float, float]]:
    ref = DatasetRef(territory, GLASS)
    try:
        rows = lake.rows(ANONYMOUS, ref, columns=["_id", "geometry"], max_rows=10_000).rows
    except DatasetNotFound:
        return []
    shapes = shapely.centroid(shapely.from_wkb([row[1] for row in rows]))
    found = [
        (f"Colonne {rank + 1}", float(shape.x), float(shape.y))
        for rank, shape in enumerate(shapes)
        if not shapely.is_empty(shape)
    ]
    return found[:MOST_STOPS]
