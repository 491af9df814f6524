"""Sixty stops, three lorries: no promise broken, by a second reading; why stops are left out; changes by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from beffroi.sense.mobility.drawn import drawn_graph
from beffroi.sense.mobility.rounds.plan import TIP, Break, Plan, Site, Stop, Vehicle, Window, by_id
from beffroi.sense.mobility.rounds.solving import solve
from beffroi.sense.mobility.rounds.timing import timed, timelines, totals, with_tips
from beffroi.sense.mobility.rounds.travel import packed, size_key, unpacked, ways_of
from beffroi.sense.mobility.router import Router
from sense.mobility.rounds.checker import drive_s, faults_of

ROWS = 9
H = 3600


def grid() -> str:
    """A town of ninety crossings: capital letters of the Latin alphabet and beyond, one street out of two a road."""
    letters = iter(chr(code) for code in range(0x41, 0x500) if chr(code).isupper())
    rows = []
    for row in range(ROWS):
        rows.append("--------------------".join(next(letters) for _ in range(10)))
        if row < ROWS - 1:
            rows += ["|                    " * 9 + "|"] * 3
    return "\n".join(rows)


@pytest.fixture(scope="module")
def town() -> Router:
    router = Router(drawn_graph(grid())[0])
    columns = router.graph.columns
    rng = np.random.default_rng(11)
    columns["kind"][rng.choice(len(router.graph), 40, replace=False)] = 3
    # A dozen lanes where only the small lorry goes.
    columns["road_cm"][rng.choice(len(router.graph), 12, replace=False)] = 240
    return router


@pytest.fixture(scope="module")
def asked(town: Router) -> tuple[Plan, list[Stop]]:
    rng = np.random.default_rng(7)
    places = [town.place(int(one), 0.4) for one in rng.choice(len(town.graph), 60, replace=False)]
    stops = [
        Stop(id=str(rank), name=f"arrêt {rank}", lon=lon, lat=lat, amount=float(rng.integers(1, 5)),
             service_s=int(rng.integers(60, 240)),
             windows=(Window(start_s=6 * H, end_s=8 * H),) if rank % 6 == 0 else (),
             vehicle=f"Benne {1 + rank % 3}", rank=rank)
        for rank, (lon, lat) in enumerate(places, start=1)
    ]  # fmt: skip
    depot = Site(name="dépôt", lon=places[0][0], lat=places[0][1])
    rest = Break(earliest_s=8 * H, latest_s=9 * H, length_s=1200)
    vehicles = [
        Vehicle(name=f"Benne {rank}", profile="benne", start_s=5 * H, end_s=11 * H, depot=depot, capacity=28,
                width_cm=200 if rank == 3 else 0, breaks=(rest,))
        for rank in (1, 2, 3)
    ]  # fmt: skip
    tip = Site(name="vidage", lon=places[30][0], lat=places[30][1])
    dense = (Window(start_s=int(7.5 * H), end_s=9 * H),)
    return Plan(vehicles=tuple(vehicles), tip=tip, dense=dense, walk_m=10), stops


@pytest.fixture(scope="module")
def solved(town: Router, asked: Any) -> Any:
    plan, stops = asked
    layers = {size_key(one): town.layer(one.driven) for one in plan.vehicles}
    ways = ways_of(town, layers, plan, stops)
    order, left_out = solve(plan, stops, ways)
    return layers, ways, order, left_out


def test_no_promise_is_broken_by_a_second_reading(town: Router, asked: Any, solved: Any) -> None:
    (plan, stops), (layers, ways, order, left_out) = asked, solved
    known, served = by_id(stops), [item for items in order.values() for item in items if item != TIP]
    assert left_out == []
    assert sorted(served, key=int) == [one.id for one in stops], "each stop once"
    assert any(TIP in items for items in order.values()), "they carry more than they hold: they unload on the way"
    faults = {}
    for vehicle in plan.vehicles:
        lines = timed(plan, vehicle, order[vehicle.name], known, ways).lines
        breaks_at, rank = {}, 0
        for line in lines:
            rank += line.kind in ("stop", "tip")
            breaks_at |= {len(breaks_at): rank} if line.kind == "break" else {}
        faults[vehicle.name] = faults_of(
            town, layers[size_key(vehicle)], plan, vehicle, order[vehicle.name], known, breaks_at
        )
    assert faults == {"Benne 1": [], "Benne 2": [], "Benne 3": []}


def test_the_times_are_those_of_routes(town: Router, asked: Any, solved: Any) -> None:
    (plan, stops), (layers, ways, _order, _left) = asked, solved
    for vehicle in plan.vehicles[1:]:
        layer, travel = layers[size_key(vehicle)], ways.travels[vehicle.name]
        pairs = [(a, b) for a in stops[::9] for b in stops[4::7] if a.id != b.id]
        ours = [int(travel.seconds[ways.stop[a.id], ways.stop[b.id]]) for a, b in pairs]
        barred = set(travel.barred)
        theirs = [drive_s(town, layer, (a.lon, a.lat), (b.lon, b.lat)) for a, b in pairs]
        kept = [
            (x, y) for (a, b), x, y in zip(pairs, ours, theirs, strict=True)
            if not {ways.stop[a.id], ways.stop[b.id]} & barred
        ]  # fmt: skip
        assert len(kept) > 20
        assert all(abs(x - y) <= 1 for x, y in kept)


def test_it_spares_kilometres_on_todays_round(asked: Any, solved: Any) -> None:
    (plan, stops), (_layers, ways, order, _left) = asked, solved
    known = by_id(stops)
    today = {
        one.name: with_tips(plan, one, [s.id for s in stops if s.vehicle == one.name], known) for one in plan.vehicles
    }
    now, before = (totals(timelines(plan, each, known, ways)) for each in (order, today))
    assert now.wrong == 0 < before.wrong
    assert now.metres < 0.7 * before.metres


def test_what_is_kept_is_what_was_computed(asked: Any, solved: Any) -> None:
    (plan, stops), (_layers, ways, order, _left) = asked, solved
    again = unpacked(packed(ways, plan), plan, stops)
    known = by_id(stops)
    assert timelines(plan, order, known, again) == timelines(plan, order, known, ways)
    assert again.travels["Benne 1"].barred == ways.travels["Benne 1"].barred


@pytest.mark.parametrize(
    ("changes", "stop", "code"),
    [
        ({"capacity": 3.0}, {"amount": 4.0}, "large"),
        ({}, {"windows": (Window(start_s=H, end_s=2 * H),)}, "window"),
        ({"start_s": 5 * H, "end_s": 5 * H + 60}, {}, "shift"),
        ({}, {"lon": 0.5}, "far"),
    ],
)
def test_a_stop_left_out_is_told_why(town: Router, asked: Any, changes: Any, stop: Any, code: str) -> None:
    plan, stops = asked
    one = plan.vehicles[0].model_copy(update={"breaks": (), **changes})
    small = plan.model_copy(update={"vehicles": (one,), "dense": ()})
    asked_for = [stops[8].model_copy(update=stop)]
    ways = ways_of(town, {size_key(one): town.layer(one.driven)}, small, asked_for)
    order, left_out = solve(small, asked_for, ways)
    assert order == {}
    assert [told.code for told in left_out] == [code]


def test_full_days_and_full_lorries_are_told_apart(town: Router, asked: Any) -> None:
    plan, stops = asked
    some = [one for one in stops[:12] if not one.windows]
    one = plan.vehicles[2].model_copy(update={"breaks": ()})
    codes = {}
    for name, update in (("time", {"end_s": 5 * H + 1500}), ("capacity", {"capacity": 9.0})):
        vehicle = one.model_copy(update=update)
        small = Plan(vehicles=(vehicle,), tip=None if name == "capacity" else plan.tip)
        ways = ways_of(town, {size_key(vehicle): town.layer(vehicle.driven)}, small, some)
        order, left_out = solve(small, some, ways)
        assert order
        codes[name] = {told.code for told in left_out}
    assert codes == {"time": {"time", "shift"}, "capacity": {"capacity"}}
