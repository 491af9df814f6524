"""A second, plain reading of a round: times come from one route after another, not from what the solver said.

It knows nothing of `timing` nor of `travel`: it asks `Router.path` for each leg, and walks through the day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

from beffroi.sense.mobility.layers import Layer
from beffroi.sense.mobility.rounds.plan import TIP, Plan, Stop, Vehicle
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.routes import pieces_of
from beffroi.sense.mobility.vocabulary import Kind

MAIN = {int(Kind.MOTORWAY), int(Kind.ROAD_MAJOR), int(Kind.ROAD)}


def drive_s(router: Router, layer: Layer, start: tuple[float, float], goal: tuple[float, float]) -> int | None:
    """Seconds of one leg, on streets this vehicle fits in; None when there is no way."""
    ends = [router.nearest(*place, layer.usable, reach_m=330.0) for place in (start, goal)]
    if None in ends:
        return None
    path = router.path(layer, *ends)
    if path is None:
        return None
    seconds = 0.0
    for piece in pieces_of(path):
        for column, own in (("road_cm", "width_cm"), ("max_width_cm", "width_cm"), ("max_weight_kg", "weight_kg")):
            limit = int(router.graph.columns[column][piece.segment])
            assert not 0 < limit < getattr(layer.profile, own), f"{column} {limit}: this street is too small"
        seconds += float(layer.costs.time[piece.arc]) * piece.share
    return ceil(seconds - 1e-3)


def faults_of(
    router: Router, layer: Layer, plan: Plan, vehicle: Vehicle, items: Sequence[str], stops: Mapping[str, Stop],
    breaks_at: Mapping[int, int],
) -> list[str]:  # fmt: skip
    """Walk through a vehicle's day and tell every promise it breaks; `breaks_at`: at which item each break is taken."""
    told: list[str] = []
    depot = (vehicle.depot.lon, vehicle.depot.lat)
    now, here, load = vehicle.start_s, depot, 0.0
    for rank, item in enumerate([*items, *([TIP] if plan.tip and items and items[-1] != TIP else [])]):
        for number, place in breaks_at.items():
            if place == rank:
                rest = sorted(vehicle.breaks, key=lambda one: one.earliest_s)[number]
                now = max(now, rest.earliest_s)
                told += [f"break {number} at {now}"] if now > rest.latest_s else []
                now += rest.length_s
        there = (plan.tip.lon, plan.tip.lat) if item == TIP else (stops[item].lon, stops[item].lat)
        seconds = drive_s(router, layer, here, there)
        if seconds is None:
            return [*told, f"no way to {item}"]
        now, here = now + seconds, there
        if item == TIP:
            now, load = now + plan.tip_s, 0.0
            continue
        stop = stops[item]
        main = int(router.graph.columns["kind"][router.nearest(*there, layer.usable, reach_m=330.0).segment]) in MAIN
        now = _begins(plan, stop, now, main=main)
        if now is None:
            return [*told, f"{item} late"]
        now, load = now + stop.service_s, load + stop.amount
        told += [f"{item} overloads"] if vehicle.capacity is not None and load > vehicle.capacity + 1e-9 else []
    home = drive_s(router, layer, here, depot)
    told += ["late home"] if home is None or now + home > vehicle.end_s else []
    for number, rest in enumerate(sorted(vehicle.breaks, key=lambda one: one.earliest_s)):
        told += [f"break {number} never taken"] if number not in breaks_at and now + (home or 0) > rest.latest_s else []
    return told


def _begins(plan: Plan, stop: Stop, now: int, *, main: bool) -> int | None:
    """The first second from `now` on when one may work at a stop, minute by minute: slow, and sure."""
    windows = [(one.start_s, one.end_s) for one in stop.windows] or [(0, 86_400)]
    dense = [(one.start_s, one.end_s) for one in plan.dense] if main else []
    moments = sorted({now, *(start for start, _ in windows if start > now), *(end for _, end in dense if end > now)})
    for moment in moments:
        inside = any(start <= moment <= end for start, end in windows)
        busy = any(moment < end and moment + stop.service_s > start for start, end in dense)
        if inside and not busy:
            return moment
    return None
