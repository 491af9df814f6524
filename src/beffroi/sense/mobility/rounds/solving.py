"""Share stops out between vehicles and put them in order, by VROOM on our own times; say why some are left out.

A vehicle that unloads on the way makes several trips: each is solved in turn over what the ones before left. What
VROOM answers is timed again by `timing`, and a stop that would break a promise there is taken out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from beffroi.base.kernel.errors import NotFound
from beffroi.sense.mobility.rounds.plan import TIP, Break, Order, Plan, Stop, Vehicle, by_id
from beffroi.sense.mobility.rounds.timing import LATE, open_windows, timed
from beffroi.sense.mobility.rounds.travel import NO_WAY, Obstruction, Ways

EXPLORATION, THREADS, MOST_TRIPS = 5, 2, 6
_FAR_S = 10**6
_BREAK = "break"
_UNIT = 1000
"""VROOM counts amounts in whole numbers: thousandths of ours."""


class NoSolver(NotFound):
    """The optimiser of rounds is not installed on this server."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A stop no vehicle serves.

    Codes: those of `Obstruction`; ``large`` (more than any vehicle carries), ``dense`` (no hour is left outside the
    dense ones), ``window``, ``shift``, ``capacity``, ``time`` (the days of the vehicles are full).
    """

    stop: str
    code: str
    street: str = ""
    limit: float = 0.0
    own: float = 0.0
    vehicle: str = ""


@dataclass(slots=True)
class _Trip:
    """Where one vehicle stands between two trips."""

    vehicle: Vehicle
    items: list[str]
    now_s: int
    breaks: tuple[Break, ...]
    taken: tuple[Break, ...] = ()


def solver() -> Any:
    """Return VROOM.

    Raises:
        NoSolver: it is not installed.
    """
    try:
        import vroom  # type: ignore[import-untyped]
    except ImportError as error:
        raise NoSolver(
            "le calcul de tournées n'est pas installé sur ce serveur",
            remedy="faites « make install », ou « pip install beffroi[mobility] »",
        ) from error
    return vroom


def solve(
    plan: Plan, stops: Sequence[Stop], ways: Ways, *, tell: Callable[[float], None] = lambda share: None
) -> tuple[Order, list[LeftOut]]:
    """Return what each vehicle does, and the stops left out with their reasons.

    Raises:
        NoSolver: VROOM is not installed.
    """
    known = by_id(stops)
    trips = [_Trip(one, [], one.start_s, one.breaks) for one in plan.vehicles]
    waiting = [one for one in stops if any(_may_serve(one, vehicle, ways) for vehicle in plan.vehicles)]
    for number in range(MOST_TRIPS):
        served = _one_trip(plan, trips, waiting, ways)
        taken = {item for items in served.values() for item in items} - {_BREAK}
        for trip in trips:
            _go(plan, trip, served.get(trip.vehicle.name, []), known, ways)
        waiting = [one for one in waiting if one.id not in taken]
        tell((number + 1) / MOST_TRIPS)
        if not waiting or not taken or ways.tip is None:
            break
    order: Order = {}
    for trip in trips:
        items = _kept_promises(plan, trip.vehicle, trip.items, known, ways)
        if items:
            order[trip.vehicle.name] = items
    served_now = {item for items in order.values() for item in items}
    return order, [reason(plan, one, order, known, ways) for one in stops if one.id not in served_now]


def _may_serve(stop: Stop, vehicle: Vehicle, ways: Ways) -> bool:
    return ways.stop[stop.id] not in ways.travels[vehicle.name].barred


def _one_trip(plan: Plan, trips: Sequence[_Trip], waiting: Sequence[Stop], ways: Ways) -> dict[str, list[str]]:
    """Return what each vehicle does on its next trip, in order: numbers of stops, and ``break``."""
    vroom = solver()
    problem = vroom.Input()
    profiles: dict[int, str] = {}
    for travel in ways.travels.values():
        if id(travel) not in profiles:
            profiles[id(travel)] = f"kind-{len(profiles)}"
            seconds = np.where(travel.seconds == NO_WAY, _FAR_S, travel.seconds).astype(np.uint32)
            problem.set_durations_matrix(profile=profiles[id(travel)], matrix_input=seconds)
    able = []
    for number, trip in enumerate(trips):
        start, end, begins, ends = _bounds(plan, trip, ways)
        if ends <= begins:
            continue
        name = trip.vehicle.name
        breaks = [
            vroom.Break(rank, [vroom.TimeWindow(max(one.earliest_s, begins), one.latest_s)], one.length_s)
            for rank, one in enumerate(trip.breaks)
            if one.latest_s >= begins
        ]
        able.append(
            vroom.Vehicle(
                number, start=start, end=end, profile=profiles[id(ways.travels[name])],
                capacity=[_most(trip.vehicle, waiting)], time_window=vroom.TimeWindow(begins, ends), breaks=breaks,
                skills={rank for rank, one in enumerate(waiting) if _may_serve(one, trip.vehicle, ways)},
            )
        )  # fmt: skip
    if not able or not waiting:
        return {}
    problem.add_vehicle(able)
    problem.add_job([_job(vroom, plan, rank, one, ways) for rank, one in enumerate(waiting)])
    steps = problem.solve(exploration_level=EXPLORATION, nb_threads=THREADS).routes
    found: dict[str, list[str]] = {}
    if "id" not in steps:
        # Nobody goes anywhere: VROOM tells starts and ends only.
        return found
    for number, kind, task in zip(steps["vehicle_id"], steps["type"], steps["id"], strict=True):
        if kind in ("job", "break"):
            item = waiting[int(task)].id if kind == "job" else _BREAK
            found.setdefault(trips[int(number)].vehicle.name, []).append(item)
    return found


def _job(vroom: Any, plan: Plan, rank: int, stop: Stop, ways: Ways) -> Any:
    windows = [vroom.TimeWindow(one.start_s, one.end_s) for one in open_windows(plan, stop, main=ways.is_main(stop.id))]
    # No hour is left at such a stop: a window of the night, in which no vehicle is out, keeps it from being served.
    windows = windows or [vroom.TimeWindow(_FAR_S, _FAR_S + 1)]
    return vroom.Job(
        rank, location=ways.stop[stop.id], default_service=stop.service_s, pickup=vroom.Amount([_units(stop.amount)]),
        skills={rank}, time_windows=windows, priority=stop.priority,
    )  # fmt: skip


def _units(amount: float) -> int:
    return round(amount * _UNIT)


def _most(vehicle: Vehicle, waiting: Sequence[Stop]) -> int:
    """Return what a vehicle may carry; without a limit, all that waits."""
    return sum(_units(one.amount) for one in waiting) if vehicle.capacity is None else _units(vehicle.capacity)


def _bounds(plan: Plan, trip: _Trip, ways: Ways) -> tuple[int, int, int, int]:
    """Return where the next trip of a vehicle begins and ends, and between which times of day."""
    depot, end = ways.depot[trip.vehicle.name], ways.home[trip.vehicle.name]
    if ways.tip is None:
        return depot, end, trip.now_s, trip.vehicle.end_s
    home = int(ways.travels[trip.vehicle.name].seconds[ways.tip, end])
    return (ways.tip if trip.items else depot), ways.tip, trip.now_s, trip.vehicle.end_s - plan.tip_s - home


def _go(plan: Plan, trip: _Trip, done: Sequence[str], stops: Mapping[str, Stop], ways: Ways) -> None:
    """Add a trip to what a vehicle did: it stands at the tip then, and the rests taken before its last stop are over.

    A rest VROOM put at the very end is left for the trips to come.
    """
    mine = [item for item in done if item != _BREAK]
    if not mine:
        return
    last = max(rank for rank, item in enumerate(done) if item != _BREAK)
    taken = sum(item == _BREAK for item in done[:last])
    trip.items += [TIP, *mine] if trip.items else mine
    if ways.tip is None:
        return
    rests = sorted(trip.breaks, key=lambda one: one.earliest_s)
    trip.taken += tuple(rests[:taken])
    trip.breaks = tuple(rests[taken:])
    resting = trip.vehicle.model_copy(update={"breaks": trip.taken})
    so_far = timed(plan, resting, [*trip.items, TIP], stops, ways, all_breaks=True)
    trip.now_s = next(one.leave_s for one in reversed(so_far.lines) if one.kind == "tip")


def _kept_promises(
    plan: Plan, vehicle: Vehicle, items: Sequence[str], stops: Mapping[str, Stop], ways: Ways
) -> list[str]:
    """Return the order without the stops that would break a promise once timed."""
    left = tidy(items)
    while left:
        lines = timed(plan, vehicle, left, stops, ways).lines
        wrong = next((one for one in lines if one.wrong), None)
        if wrong is None:
            return left
        last = max(rank for rank, item in enumerate(left) if item != TIP)
        del left[wrong.index if wrong.kind == "stop" else last]
        left = tidy(left)
    return left


def tidy(items: Sequence[str]) -> list[str]:
    """Return an order without visits to the tip with nothing to unload, nor the last one, which is always made.

    >>> tidy(["tip", "1", "tip", "tip", "2", "tip"])
    ['1', 'tip', '2']
    """
    found: list[str] = []
    for item in items:
        if item != TIP or (found and found[-1] != TIP):
            found.append(item)
    return found[:-1] if found and found[-1] == TIP else found


def reason(plan: Plan, stop: Stop, order: Order, stops: Mapping[str, Stop], ways: Ways) -> LeftOut:
    """Say why no vehicle serves a stop: the least hopeless reason, with the street or the figure that is the cause."""
    able = [one for one in plan.vehicles if _may_serve(stop, one, ways)]
    if not able:
        return _barred(plan, stop, ways)
    roomy = [one for one in able if one.capacity is None or stop.amount <= one.capacity]
    if not roomy:
        largest = max(able, key=lambda one: one.capacity or 0)
        return LeftOut(stop.id, "large", limit=largest.capacity or 0, own=stop.amount, vehicle=largest.name)
    alone = _wrong_alone(plan, roomy, stop, stops, ways)
    if all(alone):
        calm = plan.model_copy(update={"dense": ()})
        if not all(_wrong_alone(calm, roomy, stop, stops, ways)):
            return LeftOut(stop.id, "dense")
        return LeftOut(stop.id, "window" if any(LATE in codes for codes in alone) else "shift", vehicle=roomy[0].name)
    if ways.tip is None and all(_full(one, stop, order, stops) for one in roomy):
        return LeftOut(stop.id, "capacity")
    return LeftOut(stop.id, "time")


def _wrong_alone(
    plan: Plan, vehicles: Sequence[Vehicle], stop: Stop, stops: Mapping[str, Stop], ways: Ways
) -> list[set[str]]:
    """Return what each vehicle would break that went to this stop alone."""
    told = [timed(plan, one, [stop.id], stops, ways) for one in vehicles]
    return [{code for line in one.lines for code in line.wrong} for one in told]


def _full(vehicle: Vehicle, stop: Stop, order: Order, stops: Mapping[str, Stop]) -> bool:
    load = sum(stops[item].amount for item in order.get(vehicle.name, ()) if item != TIP)
    return vehicle.capacity is not None and load + stop.amount > vehicle.capacity


def _barred(plan: Plan, stop: Stop, ways: Ways) -> LeftOut:
    """Return what bars the vehicle that is nearest to fitting."""
    told = [(one.name, ways.travels[one.name].barred[ways.stop[stop.id]]) for one in plan.vehicles]
    name, cause = min(told, key=lambda pair: pair[1].own - pair[1].limit if pair[1].limit else np.inf)
    return LeftOut(stop.id, cause.code, cause.street, cause.limit, cause.own, name)


def cause_of(ways: Ways, vehicle: str, stop: str) -> Obstruction | None:
    """Return why a vehicle cannot serve a stop, None when it can."""
    return ways.travels[vehicle].barred.get(ways.stop[stop])
