"""Whom the outreach team of the fictional town goes to: calls, usual places, tonight's round. Nobody here exists.

Written once, through the room's own doors; the worker computes the round once the town is served.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from beffroi.base.clock.queries import timezone_of
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.sense.mobility.graph import Graph
from beffroi.sense.mobility.rounds import kinds, needs
from beffroi.sense.mobility.rounds import operations as rounds
from beffroi.sense.mobility.rounds.plan import Plan, Site, Stop, Vehicle
from beffroi.sense.mobility.store import NoGraph, router_of
from beffroi.sense.mobility.vocabulary import Kind

HOUR = 3600
STOP_S = 600
WALK_M = 200
# Metres from the middle of the town within which one walks of an evening.
AROUND_M = 900.0
# What is known of each, how pressing, whether one always passes there, how many hours ago it was noted.
WHO = (
    ("Un homme seul, une tente. Il a accepté une couverture la semaine passée.", 1, False, 5),
    ("Un couple avec un chien, dans l’entrée fermée. Ne pas allumer de lampe.", 0, True, 200),
    ("Signalé par un commerçant : une dame âgée, pieds nus.", 2, False, 1),
    ("Deux ou trois personnes, le soir, avant vingt-deux heures.", 0, True, 400),
    ("Un jeune homme, ne parle pas français ; il attend un rendez-vous à la préfecture.", 1, False, 26),
    ("Un groupe autour du brasero, l’hiver.", 0, True, 300),
)


def add_outreach(territory: str, *, at: datetime) -> None:
    """Note needs and ask for tonight's round; a town that has any, or no such service, is left as it is."""
    for kind in kinds.kinds(territory):
        agent = Viewer(None, (Grant(territory, Role.AGENT, frozenset({kind.settings.service})),))
        if needs.needs(agent, territory, kind.use_case):
            continue
        try:
            places = _places(router_of(territory).graph, len(WHO) + 1)
        except NoGraph:
            return
        for place, (words, urgency, usual, hours) in zip(places[1:], WHO, strict=False):
            needs.note_need(
                agent, territory, kind.use_case, place=place, words=words, urgency=urgency, usual=usual,
                at=at - timedelta(hours=hours),
            )  # fmt: skip
        _round(territory, kind, agent, places[0], at=at)


def _places(graph: Graph, count: int) -> list[Site]:
    """Return places on named streets about the middle of the town, the nearest first, no two on one street."""
    names = np.asarray(graph.columns["name"])
    x, y = np.asarray(graph.x)[graph.tail], np.asarray(graph.y)[graph.tail]
    away = np.hypot(x - np.median(x), y - np.median(y))
    near = np.flatnonzero((names >= 0) & (away < AROUND_M) & (np.asarray(graph.columns["kind"]) > Kind.ROAD))
    found: dict[str, Site] = {}
    for segment in near[np.argsort(away[near], kind="stable")].tolist():
        name = graph.names[names[segment]]
        if name not in found:
            end = int(graph.tail[segment])
            found[name] = Site(name=name, lon=float(graph.lon[end]), lat=float(graph.lat[end]))
    chosen = list(found.values())
    return chosen[:: max(1, len(chosen) // count)][:count]


def _round(territory: str, kind: kinds.Kind, agent: Viewer, depot: Site, *, at: datetime) -> None:
    known = [(one, one.place) for one in needs.needs(agent, territory, kind.use_case) if one.place is not None]
    if not known:
        return
    stops = [
        Stop(id=str(rank), name=place.name, lon=place.lon, lat=place.lat, service_s=STOP_S, source=one.source,
             priority=needs.PRIORITY[one.urgency])
        for rank, (one, place) in enumerate(known, start=1)
    ]  # fmt: skip
    team = Vehicle(name="Équipe du soir", profile="a-pied", start_s=20 * HOUR, end_s=24 * HOUR, depot=depot)
    rounds.ask_round(
        territory=territory, service=kind.settings.service, title="Maraude du soir", at=at, by=None,
        day=at.astimezone(timezone_of(territory)).date(), plan=Plan(vehicles=(team,), walk_m=WALK_M, teams=True),
        stops=stops, use_case=kind.use_case,
    )  # fmt: skip
