"""Journeys by transit arrive as early as those of a search that looks at everything, on random small networks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any

import numpy as np
import pytest

from beffroi.base.kernel.time import PARIS
from beffroi.sense.mobility.drawn import drawn_graph
from beffroi.sense.mobility.profiles import profile_named
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.transit.building import build
from beffroi.sense.mobility.transit.engine import drawn_tables
from beffroi.sense.mobility.transit.journeys import CHANGE_M, CHANGE_S, DETOUR, WALK_M_S, journey
from beffroi.sense.mobility.transit.timetable import Timetable

AT = datetime(2026, 3, 2, 8, 0, tzinfo=PARIS)
STOPS = "ABCDEF"
# 400 m from one to the next: too far to change on foot but between B and the stop beside it.
STREET = "A----------------------------------------B--G-------------------------------------C--------------------------------------D--------------------------------------E-------------------------------------F"  # noqa: E501


def timetable_of(trips: list[dict[str, Any]], places: dict[str, Any]) -> Timetable:
    built = build(drawn_tables(trips, "20260302"), feed="x", territory="", version=repr(trips), at=AT)
    where = np.array([places[name] for name in built.stops.ids])
    return replace(built, stop_lon=where[:, 0].copy(), stop_lat=where[:, 1].copy())


def drawn_trips(seed: int) -> list[dict[str, Any]]:
    """A dozen trips of three or four stops in the half hour, in any order of stops."""
    rng = np.random.default_rng(seed)
    trips = []
    for line in range(14):
        stops = rng.choice(list(STOPS + "G"), int(rng.integers(2, 5)), replace=False)
        minutes = int(rng.integers(0, 30)) + np.cumsum(rng.integers(1, 6, len(stops)))
        calls = [
            f"{stop} {8 + minute // 60:02d}:{minute % 60:02d}" for stop, minute in zip(stops, minutes, strict=True)
        ]
        trips.append({"line": f"{line}", "calls": calls})
    return trips


def earliest(
    trips: list[dict[str, Any]], places: dict[str, Any], router: Router, ends: tuple[str, str]
) -> float | None:
    """The least seconds to the goal with one ride at least, by a search over (time, place, whether one rode)."""
    start, goal = ends
    layer = router.layer(profile_named("a-pied"))
    spots = {name: router.spot(*places[name], layer) for name in places}

    def walk(one: str, other: str) -> float:
        found = router.path(layer, spots[one], spots[other])
        return float(found.cost) if found and found.cost <= 1500 else np.inf

    def apart(one: str, other: str) -> float:
        east = (places[one][0] - places[other][0]) * 111_195 * np.cos(np.radians(places[one][1]))
        return float(np.hypot(east, (places[one][1] - places[other][1]) * 111_195))

    queue: list[tuple[float, str]] = []
    for stop in [*STOPS, "G"]:
        heappush(queue, (walk(start, stop), stop))
    done: set[str] = set()
    best = np.inf
    while queue:
        time, stop = heappop(queue)
        if stop in done or not np.isfinite(time):
            continue
        done.add(stop)
        for trip in trips:
            calls = [(call[0], 3600 * (int(call[2:4]) - 8) + 60 * int(call[5:])) for call in trip["calls"]]
            for rank, (boarded, leaves) in enumerate(calls):
                if boarded != stop or leaves < time:
                    continue
                for left, arrives in calls[rank + 1 :]:
                    best = min(best, arrives + walk(left, goal))
                    heappush(queue, (arrives + CHANGE_S, left))
                    for other in [*STOPS, "G"]:
                        if other != left and apart(left, other) <= CHANGE_M:
                            on_foot = CHANGE_S / 2 + apart(left, other) * DETOUR / WALK_M_S
                            heappush(queue, (arrives + on_foot, other))
    return best if np.isfinite(best) else None


@pytest.mark.parametrize("seed", range(12))
def test_it_arrives_as_early_as_a_search_that_looks_at_everything(seed: int) -> None:
    graph, places = drawn_graph(STREET)
    router, trips = Router(graph), drawn_trips(seed)
    layer = router.layer(profile_named("a-pied"))
    timetable = timetable_of(trips, places)
    start, goal = ("A", "E") if seed % 2 else ("F", "B")
    found = journey(timetable, router, layer, router.spot(*places[start], layer), router.spot(*places[goal], layer), AT)
    expected = earliest(trips, places, router, (start, goal))
    if found is None:
        assert expected is None
        return
    assert expected is not None
    assert (found.arrives_at - AT).total_seconds() == pytest.approx(expected, abs=1)
    assert found.leaves_at >= AT
    for before, after in zip(found.rides, found.rides[1:], strict=False):
        assert after.leaves_at >= before.arrives_at + timedelta(seconds=CHANGE_S / 2)


def test_a_night_bus_of_yesterday_still_runs_after_midnight_and_nobody_waits_three_hours() -> None:
    graph, places = drawn_graph("A------------------------------------------------------------B")
    router = Router(graph)
    layer = router.layer(profile_named("a-pied"))
    trips = [{"line": "N", "calls": ["A 24:20", "B 24:22"]}, {"line": "1", "calls": ["A 08:00", "B 08:02"]}]
    timetable = timetable_of(trips, places)
    ends = [router.spot(*places[name], layer) for name in "AB"]
    late = journey(timetable, router, layer, *ends, datetime(2026, 3, 3, 0, 10, tzinfo=PARIS))
    assert late is not None
    assert f"{late.arrives_at.astimezone(PARIS):%d %H:%M}" == "03 00:22"
    assert journey(timetable, router, layer, *ends, datetime(2026, 3, 2, 4, 0, tzinfo=PARIS)) is None
