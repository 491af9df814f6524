"""The engine journeys gives to the catalogue: a small map, a small network, and the way that arrives first.

[journeys]
ticket_eur = 1.6                         # one trip on the town's networks; left out, its cost is not told
shared_eur = 1                           # one ride by a shared bicycle; the same

[[example]]
when = { map = "A----B", at = "2026-03-02T08:00", from = "A", to = "B", trips = [{ line = "1", calls = ["A 08:05", "B 08:10"] }] }
then = { rides = ["1 A 08:05 B 08:10"], arrives = "08:10" }
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.base.kernel.time import PARIS
from beffroi.sense.mobility.lacking import lacking_streets

ENGINE = "journeys"


class Settings(BaseModel):
    """The table of a use case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ticket_eur: float | None = Field(default=None, ge=0, le=100)
    shared_eur: float | None = Field(default=None, ge=0, le=100)


def register() -> None:
    """Make the engine available to use cases."""
    register_engine(
        ENGINE,
        schema=Settings,
        url_name="portal:journeys-for",
        example_runner=run_example,
        lacking=lacking_streets,
    )


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Return the rides of the journey that arrives first, when one arrives, and how long walking all the way takes."""
    from beffroi.sense.mobility.drawn import drawn_graph
    from beffroi.sense.mobility.profiles import profile_named
    from beffroi.sense.mobility.router import Router
    from beffroi.sense.mobility.transit.building import build
    from beffroi.sense.mobility.transit.engine import drawn_tables
    from beffroi.sense.mobility.transit.journeys import journey

    when = dict(example.when)
    at = datetime.fromisoformat(str(when["at"])).replace(tzinfo=PARIS)
    graph, places = drawn_graph(str(when["map"]), ways=when.get("ways"))
    router = Router(graph)
    layer = router.layer(profile_named("a-pied"))
    built = build(drawn_tables(when["trips"], f"{at:%Y%m%d}"), feed="exemple", territory="", version=repr(when), at=at)
    where = np.array([places[name] for name in built.stops.ids])
    timetable = replace(built, stop_lon=where[:, 0].copy(), stop_lat=where[:, 1].copy())
    start, goal = (router.spot(*places[str(when[end])], layer) for end in ("from", "to"))
    found, walk = journey(timetable, router, layer, start, goal, at), router.path(layer, start, goal)
    if found is None:
        return {"rides": [], "arrives": "", "walk_min": round(walk.cost / 60) if walk else None}
    names = timetable.stops.names
    rides = [
        f"{timetable.routes.short_names[one.route]} {names[one.boarded]} {one.leaves_at.astimezone(PARIS):%H:%M} "
        f"{names[one.left]} {one.arrives_at.astimezone(PARIS):%H:%M}"
        for one in found.rides
    ]
    arrives = f"{found.arrives_at.astimezone(PARIS):%H:%M}"
    return {"rides": rides, "arrives": arrives, "walk_min": round(walk.cost / 60) if walk else None}
