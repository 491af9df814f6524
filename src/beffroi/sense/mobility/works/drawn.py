"""Works on a network drawn with characters (see `sense.mobility.drawn`), for examples and tests.

Keys: map, ways, close (ways by their two ends), who (of `plan.WHO`), alternate, profile, trips (``["AB"]``: from A to
B).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from beffroi.sense.mobility.drawn import Place, drawn_graph
from beffroi.sense.mobility.layers import CLEAR
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.works.effects import effect_of
from beffroi.sense.mobility.works.plan import Phase, Stretch
from beffroi.sense.mobility.works.trips import Sample, Trip

_DAY = date(2026, 1, 1)


def effect_on(when: Mapping[str, Any]) -> dict[str, Any]:
    """Return `touched` and `lost` (percent of the trips), `extra_m`, `extra_s` (medians), `streets` loaded, `cut`."""
    graph, places = drawn_graph(str(when["map"]), ways=when.get("ways"))
    phase = Phase(
        first=_DAY, last=_DAY, who=tuple(when.get("who", ())), alternate=bool(when.get("alternate", False)),
        stretches=tuple(stretch(str(one), places) for one in when["close"]),
    )  # fmt: skip
    trips = tuple(Trip(places[one[0]], places[one[1]], "through", name=one) for one in when["trips"])
    profile = str(when.get("profile") or phase.profiles()[0])
    found = effect_of(Router(graph), phase, profile, Sample(trips, "streets", 0, 1), before=CLEAR)
    return {
        "touched": round(100 * found.touched), "lost": round(100 * found.lost), "extra_m": round(found.extra_median_m),
        "extra_s": round(found.extra_median_s), "streets": [name for name, _ in found.streets],
        "cut": list(found.cut_streets),
    }  # fmt: skip


def stretch(ends: str, places: Mapping[str, Place]) -> Stretch:
    """Return the stretch of a way of a drawing by its two ends."""
    (ax, ay), (bx, by) = places[ends[0]], places[ends[1]]
    middle = ((ax + bx) / 2, (ay + by) / 2)
    line = ((ax, ay), (bx, by))
    return Stretch(name=f"rue {ends}", lon=middle[0], lat=middle[1], length_m=0.0, line=line)
