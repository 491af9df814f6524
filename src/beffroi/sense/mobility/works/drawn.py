"""Works on a network drawn with characters (see `sense.mobility.drawn`), for examples and tests.

Keys: map, ways, close (ways by their two ends), who (of `plan.WHO`), alternate, profile, trips (``["AB"]``: from A to
B); `turn` instead of `close`, with `direction` (of `directions.DIRECTIONS`), contraflow, districts (``{A = "Nord"}``:
the trips from A are those of its residents).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from beffroi.sense.mobility.drawn import Place, drawn_graph
from beffroi.sense.mobility.layers import CLEAR
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.works.effects import effect_of
from beffroi.sense.mobility.works.plan import Phase, Scenario, Stretch, checked
from beffroi.sense.mobility.works.trips import Sample, Trip

_DAY = date(2026, 1, 1)


def effect_on(when: Mapping[str, Any]) -> dict[str, Any]:
    """Return `touched` and `lost` (percent of the trips), `extra_m`, `extra_s` (medians), `streets` loaded, `cut`.

    Then `better` and `worse` (percent), `before_m` and `over_all_m` (means), `relieved`, and `districts`: the trips of
    each, those better, those worse.
    """
    graph, places = drawn_graph(str(when["map"]), ways=when.get("ways"))
    districts = {places[letter]: str(name) for letter, name in when.get("districts", {}).items()}
    phase = Phase(
        first=_DAY, last=_DAY, who=tuple(when.get("who", ())), alternate=bool(when.get("alternate", False)),
        direction=str(when.get("direction", "")), contraflow=bool(when.get("contraflow", False)),
        stretches=tuple(stretch(str(one), places) for one in when.get("close") or when["turn"]),
    )  # fmt: skip
    checked([Scenario(title="dessin", phases=(phase,))])
    trips = tuple(
        Trip(places[one[0]], places[one[1]], "resident" if places[one[0]] in districts else "through", name=one)
        for one in when["trips"]
    )
    profile = str(when.get("profile") or phase.profiles()[0])
    found = effect_of(Router(graph), phase, profile, Sample(trips, "streets", 0, 1), before=CLEAR,
                      district_of=lambda lon, lat: districts[lon, lat])  # fmt: skip
    return {
        "touched": round(100 * found.touched), "lost": round(100 * found.lost), "extra_m": round(found.extra_median_m),
        "extra_s": round(found.extra_median_s), "streets": [name for name, _ in found.streets],
        "cut": list(found.cut_streets), "better": round(100 * found.better), "worse": round(100 * found.worse),
        "before_m": round(found.before_m), "over_all_m": round(found.over_all_m),
        "relieved": [name for name, _ in found.relieved],
        "districts": {name: [trips, better, worse] for name, trips, better, worse, _seconds in found.districts},
    }  # fmt: skip


def stretch(ends: str, places: Mapping[str, Place]) -> Stretch:
    """Return the stretch of a way of a drawing by its two ends."""
    (ax, ay), (bx, by) = places[ends[0]], places[ends[1]]
    middle = ((ax + bx) / 2, (ay + by) / 2)
    line = ((ax, ay), (bx, by))
    return Stretch(name=f"rue {ends}", lon=middle[0], lat=middle[1], length_m=0.0, line=line)
