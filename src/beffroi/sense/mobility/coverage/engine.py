"""The engine of coverage: a kind of place, a profile, minutes; an example drawn as a small map with homes and places.

[coverage]
kind    = "bibliotheque"                 # a file of mobility/destinations
profile = "a-pied"
minutes = 15
zonings = ["frr", "medecins"]            # files of mobility/zonings, told under the answer

[[example]]
when = { profile = "a-pied", map = "A--s--B…", places = ["B"], homes = { A = 120, C = 80 }, minutes = 1 }
then = { covered = 120, missing = 80, gap = 0, best = "C" }
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.sense.mobility.coverage.computing import one_more, reach_of
from beffroi.sense.mobility.coverage.kinds import Destination, place_kinds
from beffroi.sense.mobility.coverage.population import Residents
from beffroi.sense.mobility.coverage.zonings import zonings
from beffroi.sense.mobility.drawn import drawn_graph
from beffroi.sense.mobility.lacking import lacking_streets
from beffroi.sense.mobility.profiles import load_profiles, profile_named
from beffroi.sense.mobility.router import Router

ENGINE = "coverage"


class CoverageSettings(BaseModel):
    """What the page of a use case asks first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = Field(min_length=1)
    profile: str = "a-pied"
    minutes: int = Field(default=15, ge=1, le=60)
    zonings: tuple[str, ...] = ()

    def model_post_init(self, _context: Any) -> None:
        """Refuse a kind of place, a profile or a zoning nobody wrote."""
        asked: list[tuple[str, Collection[str]]] = [(self.kind, place_kinds()), (self.profile, load_profiles()[0])]
        for value, known in (*asked, *((one, zonings()) for one in self.zonings)):
            if value not in known:
                raise ValueError(f"« {value} » inconnu ; valeurs possibles : {', '.join(known)}")


def register() -> None:
    """Make the engine available to use cases."""
    register_engine(
        ENGINE,
        schema=CoverageSettings,
        url_name="portal:coverage-for",
        example_runner=run_example,
        lacking=lacking_streets,
    )


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Count on the small map an example draws: covered, missing, gap with walking, and the best letter for one more."""
    when = example.when
    graph, places = drawn_graph(str(when["map"]), ways=when.get("ways"))
    router, letters = Router(graph), list(when["homes"])
    homes = Residents(
        places=np.array([places[letter] for letter in letters]),
        people=np.array([[float(when["homes"][letter])] for letter in letters]),
        zone=np.zeros(len(letters), int), ages=("",), zones=(("", ""),), shapes=np.zeros(0), sources=(), by_homes=True,
    )  # fmt: skip
    there = tuple(Destination(letter, *places[letter]) for letter in when["places"])
    limit_s, people = 60.0 * float(when["minutes"]), homes.people.sum(axis=1)
    layer = router.layer(profile_named(str(when["profile"])))
    within = reach_of(router, layer, there, homes).seconds <= limit_s
    walking = reach_of(router, router.layer(profile_named("a-pied")), there, homes).seconds <= limit_s
    more = one_more(router, layer, homes, within, limit_s)
    return {
        "covered": round(people[within].sum()),
        "missing": round(people[~within].sum()),
        "gap": round(people[walking].sum() - people[within].sum()),
        "best": "" if more is None else min(places, key=lambda one: _apart(places[one], (more.lon, more.lat))),
    }


def _apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])
