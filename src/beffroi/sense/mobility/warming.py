"""Make routes ready before anyone asks: the compiled search, then the costs and landmarks of each graph.

The first route of a process after an obstacle must not wait for them: on 224,000 arcs the landmarks of one profile take
a second, and the 1,990 ms once measured from an obstacle to a changed route were those of a process still cold.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from beffroi.sense.mobility import store
from beffroi.sense.mobility.assembling import assemble
from beffroi.sense.mobility.fields import field_of, places_on, seconds_at
from beffroi.sense.mobility.profiles import load_profiles
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.routes import frank
from beffroi.sense.mobility.streets import Streets, blank_columns, blank_origin
from beffroi.sense.mobility.vocabulary import Confidence, Kind, Origin

FIRST_ASKED = ("a-pied", "fauteuil-manuel")
MOST_GRAPHS = 4


def warm_graphs() -> None:
    """Lay the profiles most asked over the graphs of this machine, the newest first."""
    for territory in store.territories_with_graph()[:MOST_GRAPHS]:
        warm_graph(territory, FIRST_ASKED)


def warm_graph(territory: str, slugs: Iterable[str] | None = None) -> None:
    """Lay profiles over a graph, all of them unless said; their landmarks are kept beside it, for every process."""
    router, profiles = store.router_of(territory), load_profiles()[0]
    for slug in profiles if slugs is None else slugs:
        frank(router, router.layer(profiles[slug]))


def warm_search() -> None:
    """Search once on foot and once by car."""
    columns = blank_columns(3)
    columns["kind"][:] = Kind.STREET
    columns["forward"][:] = columns["backward"][:] = 15
    columns["speed_kmh"][:] = 30
    line = np.array([[0, 0], [0.001, 0], [0.001, 0], [0.002, 0], [0.001, 0], [0.001, 0.001]], float)
    streets = Streets(
        points=line, offset=np.array([0, 2, 4, 6]), tail=np.array([0, 1, 1]), head=np.array([1, 2, 3]),
        columns=columns, origin=blank_origin(3), origins=[Origin("", "", Confidence.DEDUCED)], names=[],
    )  # fmt: skip
    router = Router(assemble(streets, territory="", at=datetime.now(UTC), version="warm"))
    for slug in ("a-pied", "voiture"):
        layer = router.layer(load_profiles()[0][slug])
        start, goal = router.spot(0.0002, 0.0, layer), router.spot(0.0018, 0.0, layer)
        router.path(layer, start, goal)
        seconds_at(router, layer, field_of(router, layer, [start]), places_on(router, layer, [(0.0018, 0.0)]))
