"""Make the compiled search ready: a route on a graph of three streets compiles, or reads from disk, what all need."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from beffroi.sense.mobility.assembling import assemble
from beffroi.sense.mobility.fields import field_of, places_on, seconds_at
from beffroi.sense.mobility.profiles import load_profiles
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.streets import Streets, blank_columns, blank_origin
from beffroi.sense.mobility.vocabulary import Confidence, Kind, Origin


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
